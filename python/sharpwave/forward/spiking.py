"""Signal propagation through a network of integrate-and-fire neurons, and what it is compared with there."""

from __future__ import annotations

from collections.abc import Iterator
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


def integrate_and_fire(current: Tensor, threshold: float, through: bool) -> tuple[Tensor, Tensor]:
    """Spikes and potentials, above threshold, of neurons that add up a current and lose a threshold with each spike.

    Args:
        current: (steps, ...).
        threshold: theta.
        through: whether spikes have a gradient; else only potentials do.

    Returns:
        Spikes of 0 and 1, and U = V - theta before they are taken off, (steps, ...) both.

    Example:
        >>> spikes, u = integrate_and_fire(torch.full((4, 1), 0.75), 1.0, False)
        >>> spikes[:, 0].tolist(), u[:, 0].tolist()
        ([0.0, 1.0, 1.0, 0.0], [-0.25, 0.5, 0.25, 0.0])
    """
    v, spikes, potentials = torch.zeros_like(current[0]), [], []
    for now in current:
        v = v + now
        u = v - threshold
        spike: Tensor = _Spike.apply(u) if through else (u > 0).to(u.dtype)  # type: ignore[no-untyped-call]
        v = v - threshold * spike.detach()
        spikes.append(spike)
        potentials.append(u)
    return torch.stack(spikes), torch.stack(potentials)


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
        """What the layer makes of x (steps, examples, ...)."""
        flat = x.flatten(0, 1) if isinstance(self.layer, nn.Conv2d) else x.flatten(0, 1).flatten(1)
        return _apart(self.layer(flat), x)

    def fire(self, drive: Tensor, threshold: float, through: bool) -> tuple[Tensor, Tensor]:
        """Spikes, pooled, and potentials, (steps, examples, ...) both."""
        current = _apart(self.norm(drive.flatten(0, 1)), drive)
        spikes, u = integrate_and_fire(current, threshold, through)
        if self.pool:
            spikes = _apart(functional.avg_pool2d(spikes.flatten(0, 1), 2), spikes)
        return spikes, u


def _apart(flat: Tensor, like: Tensor) -> Tensor:
    """Steps and examples, which were one axis, as two."""
    return flat.reshape(*like.shape[:2], *flat.shape[1:])


@dataclass(frozen=True)
class SpikingSignalPropagation:
    """A convolutional network of integrate-and-fire neurons that learns images.

    The image is a current that stays for all steps. Each layer learns from its own loss, the cross-entropy of the inner
    products of images and targets, means over steps, and a classifier from the mean of the last layer's spikes.

    Args:
        way: `"voltage"`: the loss is that of potentials before the spikes; `"surrogate"`: of a smooth function of them,
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
        threshold off, that pooling takes means and that all losses are of means over steps are choices.
    """

    way: Way = "voltage"
    channels: tuple[int, ...] = (20, 40)
    dense: int = 128
    steps: int = 4
    threshold: float = 1.0
    batch: int = 128
    learning_rate: float = 5e-4

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
            through = self.about.way == "backpropagation"
            with torch.set_grad_enabled(through):
                for layer in self.layers:
                    spikes, _ = layer.fire(layer.drive(spikes), self.about.threshold, through)
        self._step(functional.cross_entropy(self.readout(spikes.mean(0)), labels), losses)
        return losses

    def _layer_by_layer(self, h: Tensor, labels: Tensor, losses: list[float]) -> Tensor:
        """The images' spikes of the last layer; all layers have learned."""
        t = None
        for layer in self.layers:
            if t is None:
                drive = layer.drive(h)
                target = self.generator(labels, h[0], None)[0]
                both = torch.cat([drive, target.expand(len(h), *target.shape)], dim=1)
            else:
                both = layer.drive(torch.cat([h, t], dim=1))
            spikes, u = layer.fire(both, self.about.threshold, False)
            said = (smooth_spike(u) if self.about.way == "surrogate" else u).mean(0)
            images = len(labels)
            loss = class_entropy(said[:images], said[images:], labels, labels, _NO_RANDOM)
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
            spikes, _ = layer.eval().fire(layer.drive(spikes), self.about.threshold, False)
        found: Tensor = self.readout(spikes.mean(0))
        return found

    def _images(self, x: Tensor) -> Tensor:
        shown = x.reshape(1, len(x), 1, self.side, self.side)
        return shown.expand(self.about.steps, *shown.shape[1:])


_NO_RANDOM = torch.Generator()


def _layers(about: SpikingSignalPropagation, side: int) -> Iterator[SpikingLayer]:
    before = 1
    for after in about.channels:
        yield SpikingLayer(nn.Conv2d(before, after, 3, padding=1, bias=False), after, True)
        before, side = after, side // 2
    yield SpikingLayer(nn.Linear(before * side * side, about.dense, bias=False), about.dense, False)
