"""Signal propagation and what it is compared with, as ways of learning to classify."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..counts import count
from ..suggest import unknown
from ..torch_state import grouped, under
from .blocks import Maps, square_side
from .method import Array, DivergedError, Integers, shuffled
from .rule import SigPropRule
from .sigprop import SigProp
from .taught import AlignedBlocks, Backpropagated, DirectlyTaught, LocallyTaught, TargetTaught, Taught
from .two_passes import ForwardForward, Pepita
from .updates import Updates, modules_arrays, restore_modules

_CHUNK = 1000  # examples that are scored together
WAYS: dict[str, type[Taught]] = {
    "backpropagation": Backpropagated,
    "feedback-alignment": AlignedBlocks,
    "direct-feedback-alignment": DirectlyTaught,
    "target-projection": TargetTaught,
    "local-losses": LocallyTaught,
    "pepita": Pepita,
    "forward-forward": ForwardForward,
}


@dataclass(frozen=True)
class DenseLayers:
    """Dense layers, each with a nonlinearity and dropout.

    Args:
        hidden: units.
        dropout: share of activities that are set to 0.
        leak: slope below 0.

    Source:
        arXiv 2204.01723: LeakyReLU, dropout .2.
    """

    hidden: tuple[int, ...] = (256, 256, 256)
    dropout: float = 0.2
    leak: float = 0.01

    def __call__(self, features: int) -> nn.Sequential:
        """Layers for inputs of so many features."""
        layers: list[nn.Module] = []
        for before, after in zip((features, *self.hidden), self.hidden, strict=False):
            layers += [nn.Linear(before, after), nn.LeakyReLU(self.leak), nn.Dropout(self.dropout)]
        return nn.Sequential(*layers)


@dataclass(frozen=True)
class ConvolutionalLayers:
    """Convolutions of 3 x 3, each with batch normalisation, a nonlinearity and pooling by 2, and a dense layer.

    Args:
        channels: of each convolution.
        dense: units of the last layer.
        dropout: share of activities that are set to 0, after each layer; 0 as a choice: the few targets suffer from it.
    """

    channels: tuple[int, ...] = (32, 64)
    dense: int = 256
    dropout: float = 0.0

    def __call__(self, features: int) -> nn.Sequential:
        """Layers for square images of so many pixels."""
        side = square_side(features, len(self.channels))
        layers: list[nn.Module] = [Maps(side)]
        for before, after in zip((1, *self.channels), self.channels, strict=False):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.LeakyReLU(0.01)]
            layers += [nn.MaxPool2d(2), nn.Dropout(self.dropout)]
            side //= 2
        last = self.channels[-1] * side * side
        layers += [nn.Flatten(), nn.Linear(last, self.dense), nn.LeakyReLU(0.01), nn.Dropout(self.dropout)]
        return nn.Sequential(*layers)


@dataclass(frozen=True)
class SignalPropagation:
    """Targets go forward beside the inputs, and layers learn as they pass; see `SigProp`.

    Args:
        rule: how layers learn.
        layers: makes the network from the number of features.
        batch: examples.
    """

    rule: SigPropRule = SigPropRule()
    layers: Callable[[int], nn.Sequential] = DenseLayers()
    batch: int = 128

    def start(self, features: int, classes: int, examples: int, seed: int) -> TorchLearner:
        """A network that has learned nothing; see `Method`."""
        count("batch", self.batch)

        def make() -> SigProp:
            return SigProp(self.layers(features), classes, torch.zeros(features), self.rule, 1, seed)

        return TorchLearner(make, self.batch, seed)


@dataclass(frozen=True)
class Comparison:
    """Another way to teach the same layers, with a linear classifier behind them.

    Args:
        way: `"backpropagation"`, `"feedback-alignment"`, `"direct-feedback-alignment"`, `"target-projection"`,
            `"local-losses"`, or, for dense layers, `"pepita"` or `"forward-forward"`.
        layers: makes the network from the number of features.
        batch: examples.
        learning_rate: of Adam; it falls as in `SigPropRule`.
    """

    way: str = "backpropagation"
    layers: Callable[[int], nn.Sequential] = DenseLayers()
    batch: int = 128
    learning_rate: float = 5e-4

    def __post_init__(self) -> None:
        if self.way not in WAYS:
            raise ValueError(unknown("way", self.way, WAYS))
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be positive, got {self.learning_rate}")

    def start(self, features: int, classes: int, examples: int, seed: int) -> TorchLearner:
        """A network that has learned nothing; see `Method`."""
        count("batch", self.batch)
        kind = WAYS[self.way]

        def make() -> Taught:
            return kind(self.layers(features), classes, torch.zeros(features), self.learning_rate, 1, seed)

        return TorchLearner(make, self.batch, seed)


class Teachable(Protocol):
    """A network and its way of learning, as `TorchLearner` needs it."""

    updates: Updates
    random: list[torch.Generator]

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What learns, by name."""

    def learn(self, x: Tensor, labels: Tensor) -> float | list[float]:
        """Learn a batch x (examples, features) of classes (examples,). Returns losses."""

    def scores(self, x: Tensor) -> Tensor:
        """What speaks for each class, (examples, classes)."""


class TorchLearner:
    """A network of torch that learns to classify; see `Learner`.

    Attributes:
        model: the network and its way of learning.
    """

    def __init__(self, make: Callable[[], Teachable], batch: int, seed: int) -> None:
        self.batch, self.seed = batch, seed
        with torch.random.fork_rng(devices=[]):  # initial numbers depend on the seed alone
            torch.manual_seed(seed)
            self.model = make()

    def learn(self, inputs: Array, labels: Integers, epoch: int, epochs: int) -> dict[str, float]:
        """Go once through all examples; see `Learner`."""
        self.model.updates.steps = epochs * -(-len(inputs) // self.batch)
        before = {name: array.copy() for name, array in self.arrays().items()}
        try:
            return {"loss": float(np.mean(self._losses(torch.from_numpy(inputs), torch.from_numpy(labels), epoch)))}
        except DivergedError:
            self.restore(before)
            raise

    def _losses(self, x: Tensor, y: Tensor, epoch: int) -> list[float | list[float]]:
        losses = []
        for order in shuffled(len(x), self.batch, self.seed, epoch):
            some = torch.from_numpy(order[order >= 0])
            if len(some) < self.batch and bool((y[some] == y[some][0]).all()):
                continue  # what is left over says nothing of classes, and normalisation needs two examples
            losses.append(self.model.learn(x[some], y[some]))
            if not np.isfinite(losses[-1]).all():
                raise DivergedError(f"the loss is {losses[-1]} in epoch {epoch}: lower the learning rate")
        return losses

    def scores(self, inputs: Array) -> Array:
        """What speaks for each class, (examples, classes)."""
        parts = torch.split(torch.from_numpy(inputs), _CHUNK)
        return np.concatenate([self.model.scores(x).numpy() for x in parts])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Parameters, moments and random numbers; see `Learner`."""
        found = grouped({"updates": self.model.updates.arrays()})
        found |= {f"random {k}": one.get_state().numpy() for k, one in enumerate(self.model.random)}
        return found | modules_arrays(self.model.modules)

    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Take up what `arrays` gave."""
        self.model.updates.restore(under("updates", arrays))
        restore_modules(self.model.modules, arrays)
        for k, one in enumerate(self.model.random):
            one.set_state(torch.tensor(arrays[f"random {k}"]))
