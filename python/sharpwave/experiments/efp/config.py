"""What learns images by settling, and how."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from ..fitting import Images

if TYPE_CHECKING:
    from ...forward import RateMethod

TWO, THREE, ENERGY = "two hidden layers", "three hidden layers", "equilibrium propagation"
TWO_DROPOUT, THREE_DROPOUT = f"{TWO}, inputs left out", f"{THREE}, inputs left out"
CONTINUOUS, FORWARD = "continuous signal propagation", "error forward-propagation"


# Errors in percent: of both depths, arXiv 1808.03357, and of the same recipes in plain torch, ours.
_PUBLISHED = {"mnist": 1.9, "fashion-mnist": 11.0}
_RECIPE = {("mnist", TWO): 1.58, ("mnist", THREE): 1.71, ("fashion-mnist", TWO): 10.39}


class Kind(NamedTuple):
    """A way of learning, and how often; and the test errors in percent that are known of it."""

    method: RateMethod
    epochs: int
    seeds: int
    published: float | None = None
    recipe: float | None = None


@dataclass(frozen=True)
class RateConfig(Images):
    """What all of these experiments have."""

    seed: int = 0
    """Of the first network of each kind; others have the seeds that follow."""
    seeds: int = 5
    """Networks of each of the first three kinds."""
    compared: int = 2
    """Networks of each other kind; 0: none."""
    hidden: int = 500
    """Units of each hidden layer."""
    energy_epochs: int = 25
    """Of equilibrium propagation, with one hidden layer as published."""
    energy_rates: tuple[float, float] = (0.8, 0.2)
    """Of equilibrium propagation; chosen on the last 10,000 training images of MNIST."""
    jobs: int = 1
    """Processes; each has as many threads as `SHARPWAVE_THREADS` says, or as there are cores."""

    def __post_init__(self) -> None:
        numbers = (self.seeds, self.examples, self.test_images, self.hidden, self.energy_epochs, self.jobs)
        if min(numbers) < 1 or self.compared < 0:
            raise ValueError("all numbers must be at least 1, compared at least 0")

    @abstractmethod
    def kinds(self) -> dict[str, Kind]:
        """All ways of learning, by name: three, and others that differ from them in what the name says."""


@dataclass(frozen=True)
class EfpConfig(RateConfig):
    """What learns MNIST."""

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
    input_dropout: float = 0.2
    """Of networks of both depths that leave inputs out, and keep their states; as all numbers of theirs chosen on the
    last 10,000 training images."""
    dropout_epochs: int = 20
    """Of them."""
    dropout_rates: float = 1.0
    """Their rates, in those of the other networks."""
    dropout_weight_decay: float = 1e-4
    """Of them, at a rate of 1, a batch."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("epochs", "deep_epochs", "dropout_epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if len(self.rates) != 3 or len(self.deep_rates) != 4:
            raise ValueError(f"expected 3 rates and 4 deep_rates, got {self.rates} and {self.deep_rates}")

    def kinds(self) -> dict[str, Kind]:
        """Two and three hidden layers, equilibrium propagation, other ways to nudge two layers, and inputs left out."""
        from ...forward import EquilibriumPropagation, ErrorForwardPropagation, Nudging, Settling

        nudging, hidden = Nudging(0.5, weight_decay=self.weight_decay), self.hidden
        two = ErrorForwardPropagation((hidden,) * 2, self.rates, nudging=nudging)
        three = ErrorForwardPropagation((hidden,) * 3, self.deep_rates, settling=Settling(12, 6), nudging=nudging)
        slow = Settling(20, 10, step=0.5)
        live = replace(nudging, constant=False)
        others: dict[str, RateMethod] = {
            "loop fixed": replace(two, loop_rate=0.0),
            "no weight decay": replace(two, nudging=replace(nudging, weight_decay=0.0)),
            "contrastive rule": replace(two, nudging=replace(nudging, rule="contrastive")),
            "one side": replace(two, nudging=replace(nudging, sides="positive")),
            "a random side": replace(two, nudging=replace(nudging, sides="random")),
            "states kept": replace(two, persistent=True),
            "live nudge, half steps": replace(two, settling=slow, nudging=live),
            "live nudge, half steps, one side": replace(two, settling=slow, nudging=replace(live, sides="positive")),
        }
        dropping = {
            name: replace(
                way, rates=tuple(self.dropout_rates * rate for rate in way.rates), persistent=True,
                nudging=replace(nudging, weight_decay=self.dropout_weight_decay), input_dropout=self.input_dropout,
            )
            for name, way in ((TWO_DROPOUT, two), (THREE_DROPOUT, three))
        }  # fmt: skip
        energies: dict[str, RateMethod] = {
            "equilibrium propagation as published": EquilibriumPropagation((hidden,)),
            "vector-field equilibrium propagation": EquilibriumPropagation((hidden,), tied=False),
        }
        found = {
            TWO: Kind(two, self.epochs, self.seeds, _PUBLISHED.get(self.data_set), _RECIPE.get((self.data_set, TWO))),
            THREE: Kind(
                three, self.deep_epochs, self.seeds, _PUBLISHED.get(self.data_set), _RECIPE.get((self.data_set, THREE))
            ),
            ENERGY: Kind(_energy(hidden, self.energy_rates), self.energy_epochs, self.seeds),
        }
        found |= _compared(self, self.epochs, others) | _compared(self, self.energy_epochs, energies)
        return found | {name: Kind(way, self.dropout_epochs, self.seeds) for name, way in dropping.items()}


def _energy(hidden: int, rates: tuple[float, float]) -> RateMethod:
    """Equilibrium propagation with what helps the other ways: a centred constant nudge, and rates that fall.

    The decay of weights was chosen as the rates were.
    """
    from ...forward import EquilibriumPropagation, Nudging

    nudging = Nudging(0.5, rule="contrastive", weight_decay=2e-4)
    return EquilibriumPropagation((hidden,), rates, nudging=nudging, last_factor=0.02, persistent=False)


def _compared(config: RateConfig, epochs: int, others: dict[str, RateMethod]) -> dict[str, Kind]:
    return {name: Kind(way, epochs, config.compared) for name, way in others.items() if config.compared}


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
    energy_rates: tuple[float, float] = (0.2, 0.05)
    """Of equilibrium propagation, a choice: with those of MNIST it does not learn."""
    input_dropout: float = 0.1
    """Of networks of both depths that leave inputs out, and keep their states; as all numbers of theirs chosen on the
    last 10,000 training images."""
    dropout_epochs: int = 40
    """Of them."""
    dropout_rates: float = 1.5
    """Their rates, in those of the other networks."""
    dropout_weight_decay: float = 5e-5
    """Of them, at a rate of 1, a batch."""


@dataclass(frozen=True)
class SigPropContinuousConfig(RateConfig):
    """What learns MNIST with signals that go forward in continuous time; all rates are choices."""

    seeds: int = 3
    """Networks of each of the first three kinds."""
    epochs: int = 15
    """Of all kinds but equilibrium propagation."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.epochs < 1:
            raise ValueError(f"epochs must be at least 1, got {self.epochs}")

    def kinds(self) -> dict[str, Kind]:
        """Continuous signal propagation with two hidden layers, what it is near to, and it in other forms."""
        from ...forward import ContinuousSignalPropagation, ErrorForwardPropagation, Settling

        hidden = self.hidden
        own = ContinuousSignalPropagation((hidden,) * 2)
        deep = replace(own, hidden=(hidden,) * 3, rates=(0.6, 0.3, 0.3, 0.02))
        others: dict[str, RateMethod] = {
            "vector-field rule": replace(own, nudging=replace(own.nudging, rule="vector-field")),
            "targets learned": replace(own, target_rate=0.01),
            "half steps": replace(own, settling=Settling(12, 12, step=0.5)),
            "one side": replace(own, nudging=replace(own.nudging, sides="positive")),
            THREE: replace(deep, settling=Settling(5, 4)),
        }
        found = {
            CONTINUOUS: Kind(own, self.epochs, self.seeds),
            FORWARD: Kind(
                ErrorForwardPropagation((hidden,) * 2),
                self.epochs,
                self.seeds,
                _PUBLISHED.get(self.data_set),
                _RECIPE.get((self.data_set, TWO)),
            ),
            ENERGY: Kind(_energy(hidden, self.energy_rates), self.energy_epochs, self.seeds),
        }
        return found | _compared(self, self.epochs, others)
