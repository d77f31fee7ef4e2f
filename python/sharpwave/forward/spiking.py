"""Signal propagation through a network of integrate-and-fire neurons, and what it is compared with there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite, pi
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..counts import count
from ..suggest import unknown
from .blocks import square_side
from .losses import class_entropy
from .method import DivergedError
from .targets import TargetGenerator
from .torch_methods import TorchLearner
from .updates import Updates

Way = Literal["voltage", "surrogate", "backpropagation", "shallow"]
WAYS = ("voltage", "surrogate", "backpropagation", "shallow")


def smooth_spike(u: Tensor) -> Tensor:
    """f(U) = atan(pi U) / pi + 1/2, a smooth step."""
    return torch.arctan(pi * u) / pi + 0.5


class _Spike(torch.autograd.Function):
    """1 above 0; its gradient is that of `smooth_spike`."""

    @staticmethod
    def forward(ctx: Any, u: Tensor) -> Tensor:
        ctx.save_for_backward(u)
        return torch.heaviside(u, torch.zeros((), dtype=u.dtype))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        u: Tensor = ctx.saved_tensors[0]
        return gradients[0] / (1 + (pi * u).square())


def integrate_and_fire(
    current: Tensor, steps: int, threshold: float, through: bool
) -> Iterator[tuple[Tensor, Tensor]]:  # fmt: skip
    """Spikes and potentials, above threshold, of neurons that add up a current and lose a threshold with each spike.

    Args:
        current: (steps, ...), or (1, ...), which stays for all steps.
        steps: how many.
        threshold: theta.
        through: whether spikes have a gradient; else only potentials do.

    Yields:
        Of each step, spikes of 0 and 1, and U = V - theta before they are taken off, (...) both.

    Example:
        >>> found = integrate_and_fire(torch.full((1, 1), 0.75), 4, 1.0, False)
        >>> [(float(spikes), float(u)) for spikes, u in found]
        [(0.0, -0.25), (1.0, 0.5), (1.0, 0.25), (0.0, 0.0)]
    """
    v = torch.zeros_like(current[0])
    for now in current.expand(steps, *current.shape[1:]):
        v = v + now
        u = v - threshold
        spike: Tensor = _Spike.apply(u) if through else (u > 0).to(u.dtype)  # type: ignore[no-untyped-call]
        yield spike, u
        v = v - threshold * spike.detach()


class SpikingLayer(nn.Module):
    """A convolution of 3 x 3 or a dense layer, batch normalisation, integrate-and-fire neurons and pooling.

    Args:
        layer: what drives the neurons.
        channels: that normalisation is over.
        pool: whether maps are halved afterwards, by the mean of 2 x 2.
    """

    def __init__(self, layer: nn.Module, channels: int, pool: bool) -> None:
        super().__init__()
        self.layer, self.pool = layer, pool
        self.norm: nn.Module = nn.BatchNorm2d(channels) if isinstance(layer, nn.Conv2d) else nn.BatchNorm1d(channels)

    def drive(self, x: Tensor) -> Tensor:
        """What the layer makes of x (steps, examples, ...), or (1, examples, ...) where it stays."""
        flat = x.flatten(0, 1) if isinstance(self.layer, nn.Conv2d) else x.flatten(0, 1).flatten(1)
        return _apart(self.layer(flat), x)

    def fire(
        self, drive: Tensor, about: SpikingSignalPropagation, said: Callable[[Tensor], Tensor] | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Spikes, pooled, (steps, examples, ...), and the mean over steps of what is said of potentials, if any is.

        Args:
            drive: (steps, examples, ...), or (1, examples, ...), which stays.
            about: threshold, steps, and whether learning goes back through spikes.
            said: of potentials.
        """
        current = _apart(self.norm(drive.flatten(0, 1)), drive)
        spikes, sayings = [], []
        for spike, u in integrate_and_fire(current, about.steps, about.threshold, about.way == "backpropagation"):
            spikes.append(functional.avg_pool2d(spike, 2) if self.pool else spike)
            if said is not None:
                sayings.append(said(u) / about.steps)
        return torch.stack(spikes), sum(sayings[1:], sayings[0]) if sayings else None


def _apart(flat: Tensor, like: Tensor) -> Tensor:
    """Steps and examples, which were one axis, as two."""
    return flat.reshape(*like.shape[:2], *flat.shape[1:])


@dataclass(frozen=True)
class SpikingSignalPropagation:
    """A convolutional network of integrate-and-fire neurons that learns images.

    The image is a current that stays for all steps. Each layer learns from its own loss, the cross-entropy of the inner
    products of images and targets, means over steps, and a classifier from the mean of the last layer's spikes.

    Args:
        way: `"voltage"`: the loss is that of potentials before the spikes, whose inner products are divided by the
            number of units or channels, as potentials have no bounds; `"surrogate"`: of a smooth function of them,
            beside the spikes; `"backpropagation"`: layers learn from the classifier's loss, through all layers and
            steps, with that function's gradient in place of the spikes'; `"shallow"`: only the classifier learns.
        channels: of the convolutions.
        dense: units of the last layer.
        steps: T.
        threshold: theta, of neurons whose currents are normalised.
        batch: examples.
        learning_rate: see `Updates`.

    Source:
        arXiv 2204.01723: 20 and 40 channels, 128 units, 4 steps, f(U) = atan(pi U) / pi + 1/2. That a spike takes a
        threshold off, that pooling takes means, that all losses are of means over steps, what voltages are divided by
        and the learning rate are choices.
    """

    way: Way = "voltage"
    channels: tuple[int, ...] = (20, 40)
    dense: int = 128
    steps: int = 4
    threshold: float = 1.0
    batch: int = 128
    learning_rate: float = 2e-3

    def __post_init__(self) -> None:
        if self.way not in WAYS:
            raise ValueError(unknown("way", self.way, WAYS))
        for name in ("dense", "steps", "batch"):
            count(name, getattr(self, name))
        if not (self.threshold > 0 and self.learning_rate > 0):
            raise ValueError(
                f"threshold and learning_rate must be positive, got {self.threshold} and {self.learning_rate}"
            )

    def start(self, features: int, classes: int, examples: int, seed: int) -> TorchLearner:
        """A network that has learned nothing; see `Method`."""
        side = square_side(features, len(self.channels))
        return TorchLearner(lambda: SpikingNetwork(self, side, classes, seed), self.batch, seed)


class SpikingNetwork:
    """The network of `SpikingSignalPropagation`.

    Attributes:
        layers: that spike.
        readout: a linear classifier of the last layer's mean spikes.
        generator: of targets.
    """

    def __init__(self, about: SpikingSignalPropagation, side: int, classes: int, seed: int) -> None:
        self.about, self.side, self.layers = about, side, list(_layers(about, side))
        self.readout = nn.Linear(about.dense, classes)
        first = (about.channels[0], side, side) if about.channels else (about.dense,)
        self.generator = TargetGenerator("class", classes, first, 0, seed=seed)
        self.random: list[torch.Generator] = []
        groups = [list(layer.parameters()) for layer in self.layers]
        own = list(self.readout.parameters())
        if about.way == "backpropagation":
            groups = [[one for group in groups for one in group] + own]
        elif about.way == "shallow":
            groups = [own]
        else:
            groups[0] += self.generator.parameters()
            groups.append(own)
        self.updates = Updates(groups, about.learning_rate, 1)

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What learns, by name."""
        found: dict[str, nn.Module] = {f"layer {k}": layer for k, layer in enumerate(self.layers)}
        return {**found, "targets": self.generator, "readout": self.readout}

    def learn(self, x: Tensor, labels: Tensor) -> list[float]:
        """Learn a batch x (examples, pixels) of classes (examples,). Returns the losses.

        Raises:
            DivergedError: a loss is not finite; it names the layer.
        """
        for layer in self.layers:
            layer.train()
        spikes = self._images(x)
        losses: list[float] = []
        if self.about.way in ("voltage", "surrogate"):
            spikes = self._layer_by_layer(spikes, labels, losses)
        else:
            with torch.set_grad_enabled(self.about.way == "backpropagation"):
                for layer in self.layers:
                    spikes, _ = layer.fire(layer.drive(spikes), self.about)
        self._step(functional.cross_entropy(self.readout(spikes.mean(0)), labels), losses)
        return losses

    def _layer_by_layer(self, h: Tensor, labels: Tensor, losses: list[float]) -> Tensor:
        """The images' spikes of the last layer; all layers have learned."""
        t, images = None, len(labels)
        for layer in self.layers:
            if t is None:
                both = torch.cat([layer.drive(h), self.generator(labels, h[0], None)[0][None]], dim=1)
            else:
                both = layer.drive(torch.cat([h, t], dim=1))
            spikes, said = layer.fire(both, self.about, smooth_spike if self.about.way == "surrogate" else _itself)
            assert said is not None
            compared = said[:images] / said.shape[1] if self.about.way == "voltage" else said[:images]
            loss = class_entropy(compared, said[images:], labels, labels, _NO_RANDOM)
            self._step(loss, losses)
            h, t = spikes[:, :images].detach(), spikes[:, images:].detach()
        return h

    def _step(self, loss: Tensor, losses: list[float]) -> None:
        losses.append(float(loss.detach()))
        if not isfinite(losses[-1]):
            raise DivergedError(f"the loss of layer {len(losses) - 1} is {losses[-1]:g}: lower the learning rate")
        self.updates.take(len(losses) - 1, loss)

    @torch.no_grad()
    def scores(self, x: Tensor) -> Tensor:
        """What speaks for each class, (examples, classes)."""
        spikes = self._images(x)
        for layer in self.layers:
            spikes, _ = layer.eval().fire(layer.drive(spikes), self.about)
        found: Tensor = self.readout(spikes.mean(0))
        return found

    def _images(self, x: Tensor) -> Tensor:
        return x.reshape(1, len(x), 1, self.side, self.side)


def _itself(u: Tensor) -> Tensor:
    return u


_NO_RANDOM = torch.Generator()


def _layers(about: SpikingSignalPropagation, side: int) -> Iterator[SpikingLayer]:
    before = 1
    for after in about.channels:
        yield SpikingLayer(nn.Conv2d(before, after, 3, padding=1, bias=False), after, True)
        before, side = after, side // 2
    yield SpikingLayer(nn.Linear(before * side * side, about.dense, bias=False), about.dense, False)
