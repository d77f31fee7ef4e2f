"""What learns images by settling, and how."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from ..fitting import Images

if TYPE_CHECKING:
    from ...forward import EquilibriumPropagation, ErrorForwardPropagation


@dataclass(frozen=True)
class EfpConfig(Images):
    """What learns MNIST."""

    seed: int = 0
    """Of the first network of each kind; others have the seeds that follow."""
    seeds: int = 5
    """Networks of two and of three hidden layers, and of equilibrium propagation."""
    compared: int = 2
    """Networks of each other way to nudge; 0: none."""
    hidden: int = 500
    """Units of each hidden layer."""
    epochs: int = 15
    """Of two hidden layers, and of the ways that are compared with them."""
    rates: tuple[float, ...] = (1.0, 0.4, 0.02)
    """Of two hidden layers."""
    deep_epochs: int = 12
    """Of three hidden layers."""
    deep_rates: tuple[float, ...] = (0.6, 0.3, 0.3, 0.02)
    """Of three hidden layers."""
    weight_decay: float = 1e-4
    """At a rate of 1, a batch."""
    energy_epochs: int = 25
    """Of equilibrium propagation, with one hidden layer as published."""

    def __post_init__(self) -> None:
        numbers = (self.seeds, self.examples, self.test_images, self.hidden, self.epochs, self.deep_epochs)
        if min(*numbers, self.energy_epochs) < 1 or self.compared < 0:
            raise ValueError("all numbers must be at least 1, compared at least 0")
        if len(self.rates) != 3 or len(self.deep_rates) != 4:
            raise ValueError(f"expected 3 rates and 4 deep_rates, got {self.rates} and {self.deep_rates}")


@dataclass(frozen=True)
class EfpFashionConfig(EfpConfig):
    """What learns Fashion-MNIST."""

    data_set: str = "fashion-mnist"
    """What is learned; see `sharpwave.data`."""
    epochs: int = 30
    """Of two hidden layers, and of the ways that are compared with them."""
    rates: tuple[float, ...] = (0.3, 0.15, 0.01)
    """Of two hidden layers."""
    deep_epochs: int = 30
    """Of three hidden layers."""
    deep_rates: tuple[float, ...] = (0.2, 0.1, 0.1, 0.01)
    """Of three hidden layers, a choice."""
    weight_decay: float = 5e-5
    """At a rate of 1, a batch."""


class Kind(NamedTuple):
    """A way of learning, and how often."""

    method: ErrorForwardPropagation | EquilibriumPropagation
    epochs: int
    seeds: int


TWO, THREE, ENERGY = "two hidden layers", "three hidden layers", "equilibrium propagation"


def kinds(config: EfpConfig) -> dict[str, Kind]:
    """All ways of learning, by name; those after the first three differ from the first in what the name says."""
    from ...forward import EquilibriumPropagation, ErrorForwardPropagation, Nudging, Settling

    nudging, hidden = Nudging(0.5, weight_decay=config.weight_decay), config.hidden
    two = ErrorForwardPropagation((hidden,) * 2, config.rates, nudging=nudging)
    three = ErrorForwardPropagation((hidden,) * 3, config.deep_rates, settling=Settling(12, 6), nudging=nudging)
    slow = Settling(20, 10, step=0.5)
    live = replace(nudging, constant=False)
    ways: dict[str, ErrorForwardPropagation | EquilibriumPropagation] = {
        "loop fixed": replace(two, loop_rate=0.0),
        "no weight decay": replace(two, nudging=replace(nudging, weight_decay=0.0)),
        "contrastive rule": replace(two, nudging=replace(nudging, rule="contrastive")),
        "one side": replace(two, nudging=replace(nudging, sides="positive")),
        "a random side": replace(two, nudging=replace(nudging, sides="random")),
        "states kept": replace(two, persistent=True),
        "live nudge, half steps": replace(two, settling=slow, nudging=live),
        "live nudge, half steps, one side": replace(two, settling=slow, nudging=replace(live, sides="positive")),
        "vector-field equilibrium propagation": EquilibriumPropagation((hidden,), tied=False),
    }
    found = {
        TWO: Kind(two, config.epochs, config.seeds),
        THREE: Kind(three, config.deep_epochs, config.seeds),
        ENERGY: Kind(EquilibriumPropagation((hidden,)), config.energy_epochs, config.seeds),
    }
    if config.compared:
        found |= {name: Kind(way, config.epochs, config.compared) for name, way in ways.items()}
    return found
