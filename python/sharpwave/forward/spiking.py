"""Signal propagation through a network of integrate-and-fire neurons, and what it is compared with there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite, sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..counts import count
from ..suggest import unknown
from .blocks import apart, beside, maps, square_side
from .firing import WAYS, Way, apart_by_step, integrate_and_fire, joined
from .losses import similarities
from .method import DivergedError
from .targets import TargetGenerator
from .torch_methods import TorchLearner
from .updates import Updates


class SpikingLayer(nn.Module):
    """A convolution of 3 x 3 or a dense layer, batch normalisation, integrate-and-fire neurons and pooling.

    Args:
        layer: what drives the neurons.
        channels: that normalisation is over.
        pool: whether maps are halved afterwards, by the mean of 2 x 2.
    """

    def __init__(self, layer: nn.Conv2d | nn.Linear, channels: int, pool: bool) -> None:
        super().__init__()
        nn.init.orthogonal_(layer.weight)
        self.layer, self.pool = layer, pool
        self.norm = nn.BatchNorm2d(channels) if isinstance(layer, nn.Conv2d) else nn.BatchNorm1d(channels)

    def drive(self, x: Tensor) -> Tensor:
        """What the layer makes of x (steps, examples, ...), or (1, examples, ...) where it stays."""
        flat = joined(x)
        return apart_by_step(self.layer(flat if isinstance(self.layer, nn.Conv2d) else flat.flatten(1)), len(x))

    def fire(self, drive: Tensor, about: SpikingSignalPropagation, way: Way) -> tuple[Tensor, Tensor | None]:
        """Spikes, pooled, (steps, examples, ...), and what learns beside them; see `integrate_and_fire`.

        Args:
            drive: (steps, examples, ...), or (1, examples, ...), which stays.
            about: threshold and steps.
            way: what learns.
        """
        current = apart_by_step(self.norm(joined(drive)), len(drive))
        spikes, said = integrate_and_fire(current, about.steps, about.threshold, way)
        pooled = [functional.avg_pool2d(spike, 2) for spike in spikes] if self.pool else spikes
        return apart_by_step(torch.cat(pooled), about.steps), said


@dataclass(frozen=True)
class SpikingSignalPropagation:
    """A convolutional network of integrate-and-fire neurons that learns images.

    The image is a current that stays for all steps. Each layer learns from its own loss, the cross-entropy of the inner
    products of images and targets, means over steps, and a classifier from the mean of the last layer's spikes.

    Args:
        way: `"voltage"`: the loss is that of potentials before the spikes, to which is added again what earlier spikes
            took; inner products are divided by twice the number of units or channels, as potentials have no bounds;
            `"surrogate"`: of f(U) - 1/2, a smooth function of them, beside the spikes; `"backpropagation"`: layers
            learn from the classifier's loss, through all layers and steps, with the gradient of f in place of the
            spikes'; `"shallow"`: only the classifier learns.
        channels: of the convolutions.
        dense: units of the last layer.
        steps: T.
        threshold: theta, of neurons whose currents are normalised.
        batch: examples.
        learning_rate: see `Updates`.

    Source:
        arXiv 2204.01723: 20 and 40 channels, 128 units, 4 steps, f(U) = atan(pi U) / pi + 1/2. That a spike takes a
        threshold off, that potentials begin at half of one, that pooling takes means, that all losses are of means over
        steps, what is added to voltages and what they are divided by, that a half is taken off f, that inner products
        of maps are divided by the root of the number of positions, orthogonal weights at first, that statistics of
        layers that never learn stay after a hundred batches, and the learning rates are choices.
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
        settled = self.about.way == "shallow" and self.updates.taken[0] >= _SETTLED
        for layer in self.layers:
            layer.train(not settled)
        spikes = self._images(x)
        losses: list[float] = []
        if self.about.way in ("voltage", "surrogate"):
            spikes = self._layer_by_layer(spikes, labels, losses)
        else:
            with torch.set_grad_enabled(self.about.way == "backpropagation"):
                spikes = self._through(spikes, self.about.way)
        self._step(functional.cross_entropy(self.readout(spikes.mean(0)), labels), losses)
        return losses

    def _layer_by_layer(self, h: Tensor, labels: Tensor, losses: list[float]) -> Tensor:
        """The images' spikes of the last layer; all layers have learned."""
        images = len(labels)
        targets = self.generator(labels, h[0], None)[0]
        for place, layer in enumerate(self.layers):
            both = layer.drive(h)
            if place == 0:
                both = beside(both[0], targets)[None]
            h, said = layer.fire(both, self.about, self.about.way)
            assert said is not None
            evoked, of_targets = apart(said, images)
            z = self._scale(said) * similarities(evoked, of_targets)
            self._step(functional.cross_entropy(z, labels), losses)
        return h[:, :images]

    def _scale(self, said: Tensor) -> float:
        """Of means over positions, so that these are divided by their root; see `SpikingSignalPropagation`."""
        channels = said.shape[1]
        positions: float = said[0].numel() / channels
        return sqrt(positions) / (2 * channels if self.about.way == "voltage" else 1)

    def _through(self, spikes: Tensor, way: Way) -> Tensor:
        for layer in self.layers:
            spikes, _ = layer.fire(layer.drive(spikes), self.about, way)
        return spikes

    def _step(self, loss: Tensor, losses: list[float]) -> None:
        losses.append(float(loss.detach()))
        if not isfinite(losses[-1]):
            raise DivergedError(f"the loss of layer {len(losses) - 1} is {losses[-1]:g}: lower the learning rate")
        self.updates.take(len(losses) - 1, loss)

    @torch.no_grad()
    def scores(self, x: Tensor) -> Tensor:
        """What speaks for each class, (examples, classes)."""
        for layer in self.layers:
            layer.eval()
        spikes = self._through(self._images(x), "shallow")
        found: Tensor = self.readout(spikes.mean(0))
        return found

    def _images(self, x: Tensor) -> Tensor:
        return maps(x, self.side)[None]


_SETTLED = 100  # batches, after which the statistics of layers that never learn stay


def _layers(about: SpikingSignalPropagation, side: int) -> Iterator[SpikingLayer]:
    before = 1
    for after in about.channels:
        yield SpikingLayer(nn.Conv2d(before, after, 3, padding=1, bias=False), after, True)
        before, side = after, side // 2
    yield SpikingLayer(nn.Linear(before * side * side, about.dense, bias=False), about.dense, False)
