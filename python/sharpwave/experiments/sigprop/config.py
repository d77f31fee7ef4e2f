"""What is taught, and in which ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..fitting import Images

if TYPE_CHECKING:
    from ...forward import Method


@dataclass(frozen=True)
class SigPropConfig(Images):
    """What learns MNIST, and how long; the layers are choices."""

    seed: int = 0
    """Of the first network of each kind; others have the seeds that follow."""
    seeds: int = 3
    """Networks of each kind."""
    epochs: int = 6
    """Of all kinds with dense layers."""
    convolutional_epochs: int = 3
    """Of all kinds with convolutions."""
    hidden: tuple[int, ...] = (500, 500, 500)
    """Units of dense layers."""
    channels: tuple[int, ...] = (16, 32)
    """Of convolutions, which a dense layer of 128 units follows; none: no convolutions."""
    depths: tuple[int, ...] = (2, 4, 8, 16, 32)
    """Dense layers of 500 units whose memory is measured."""
    jobs: int = 1
    """Processes."""

    def __post_init__(self) -> None:
        epochs = self.epochs, self.convolutional_epochs
        if min(self.seeds, self.examples, self.test_images, *epochs, self.jobs, *self.hidden) < 1:
            raise ValueError("all numbers must be at least 1")
        if len(self.hidden) < 2 or not self.depths:
            raise ValueError("expected at least two dense layers, and a depth")


@dataclass(frozen=True)
class SigPropFashionConfig(SigPropConfig):
    """What learns Fashion-MNIST."""

    data_set: str = "fashion-mnist"
    """What is learned; see `sharpwave.data`."""


class Kind(NamedTuple):
    """A way of teaching."""

    layers: str
    way: str
    targets: str
    loss: str
    method: Method

    @property
    def name(self) -> str:
        """Such as `dense, sigprop, class targets, classes`."""
        about = f", {self.targets} targets, {self.loss}" if self.loss else ""
        return f"{self.layers}, {self.way}{about}"


# Learning rates of ways that learn little at the 5e-4 of the others; chosen on 5000 other training images of MNIST.
_RATES = {"pepita": 1e-2, "forward-forward": 2e-3}
_DENSE_ONLY = ("pepita", "forward-forward")


def kinds(config: SigPropConfig) -> list[Kind]:
    """All ways, dense layers first."""
    from ...forward import Comparison, ConvolutionalLayers, DenseLayers, SignalPropagation, SigPropRule
    from ...forward.torch_methods import WAYS

    found = []
    several = ("batch", "random", "top", "hebbian")
    losses: dict[str, tuple[str, ...]] = {"class": ("classes", *several, "distance"), "input": several, "loop": several}
    every = {"dense": DenseLayers(config.hidden, dropout=0.0)}
    if config.channels:
        every["convolutional"] = ConvolutionalLayers(config.channels, 128)  # type: ignore[assignment]
    for name, layers in every.items():
        for way in WAYS:
            if name == "dense" or way not in _DENSE_ONLY:
                method = Comparison(way, layers, learning_rate=_RATES.get(way, 5e-4))
                found.append(Kind(name, way, "", "", method))
        for targets, its in losses.items():
            for loss in its if name == "dense" or targets == "class" else its[:1]:
                prediction = "readout" if targets == "loop" else "classes"
                rule = SigPropRule(targets, loss=loss, prediction=prediction)  # type: ignore[arg-type]
                found.append(Kind(name, "sigprop", targets, loss, SignalPropagation(rule, layers)))
        fixed = SigPropRule(learned_targets=False)
        found.append(Kind(name, "sigprop", "fixed class", "classes", SignalPropagation(fixed, layers)))
    return found
