"""The configuration of `lc-snn`, and what follows from it: seeds, networks and lessons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..experiment import Context
from ..sweeping import points
from ..trained_digits import Lesson
from .networks import Plan, window_of

NAMES = ("LC-SNN", "Diehl-Cook")
_PUBLISHED_EXAMPLES = 60_000
_LARGE = 1000  # filters from which there are fewer seeds


@dataclass(frozen=True)
class LcSnnConfig:
    """What learns, and how it is tested."""

    seed: int = 0
    """All seeds of networks come from it."""
    data_set: str = "mnist"
    """What is learned; see `sharpwave.data`."""
    examples: int = 60_000
    """Training images, the first ones."""
    test_images: int = 10_000
    """Test images, the first ones."""
    filters: tuple[int, ...] = (25, 50, 100, 250, 1000)
    """Numbers F of filters; windows are those of the paper."""
    units: tuple[int, ...] = (100, 225, 400)
    """Units of the Diehl-Cook layers."""
    baseline_decay: float = 0.995
    """Of their learning rate after every 250 images, a choice: half a percent better with 400 units than the .99 of
    locally connected networks, which is steadier while there are few images."""
    seeds: int = 5
    """Networks of each size."""
    large_seeds: int = 3
    """Networks of each size from 1000 filters on, and of those that are tested while they learn."""
    lesioned: tuple[int, int] = (250, 400)
    """Filters, and units, of the networks that lose synapses and neurons."""
    fractions: tuple[float, ...] = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9)
    """Shares that are deleted."""
    draws: int = 5
    """How often synapses and neurons are drawn for each share; there is one network of each kind."""
    watched: tuple[int, int] = (100, 400)
    """Filters, and units, of the networks that are tested while they learn."""
    stops: tuple[int, ...] = (500, 1000, 2500, 5000, 10_000, 15_000, 20_000, 30_000, 40_000, 60_000)
    """Numbers of images learned at which they are tested."""
    best_filters: tuple[int, ...] = (1000, 2000, 1000, 1000)
    """Filters of each of the networks that are to do better than the paper's."""
    best_windows: tuple[int, ...] = (16, 16, 12, 12)
    """Rows of their windows; strides are 2."""
    best_epochs: tuple[int, ...] = (3, 1, 1, 3)
    """How often they see the images."""
    best_seeds: int = 2
    """Networks of each of these kinds."""
    fashion_filters: tuple[int, ...] = (100, 250)
    """Filters of the networks that learn Fashion-MNIST."""
    jobs: int = 2
    """Processes, of one thread each."""

    def __post_init__(self) -> None:
        numbers = [
            *self.filters, *self.units, *self.lesioned, *self.watched, *self.stops, *self.best_filters,
            *self.best_windows, *self.best_epochs, *self.fashion_filters, self.examples, self.test_images, self.seeds,
            self.large_seeds, self.draws, self.best_seeds, self.jobs,
        ]  # fmt: skip
        if min(numbers) < 1 or not (self.filters and self.units and self.best_filters and self.fashion_filters):
            raise ValueError("expected at least one number of filters and of units, and all numbers at least 1")
        if not len(self.best_filters) == len(self.best_windows) == len(self.best_epochs):
            raise ValueError(
                "best_filters, best_windows and best_epochs must be as many, "
                f"got {len(self.best_filters)}, {len(self.best_windows)} and {len(self.best_epochs)}"
            )
        if not self.stops or list(self.stops) != sorted(set(self.stops)) or self.stops[-1] > self.examples:
            raise ValueError(f"stops must rise to at most {self.examples}, the number of examples, got {self.stops}")
        if not self.fractions or not 0 <= min(self.fractions) <= max(self.fractions) <= 1:
            raise ValueError(f"fractions must be from 0 to 1, got {self.fractions}")

    @property
    def as_published(self) -> bool:
        """Whether networks learn what those of the paper learned."""
        return self.data_set == "mnist" and self.examples == _PUBLISHED_EXAMPLES

    def seeds_of(self, filters: int) -> int:
        """Number of networks with so many filters."""
        return self.large_seeds if filters >= _LARGE else self.seeds

    def network_seed(self, number: int) -> int:
        """The seed of the network with this number, from 0, of its size."""
        return int(np.random.SeedSequence(self.seed).generate_state(number + 1)[number])

    def pair(self, sizes: tuple[int, int], number: int) -> dict[str, Plan]:
        """A network of each kind, so many filters and so many units, by `NAMES`."""
        filters, units = sizes
        seed = self.network_seed(number)
        return dict(zip(NAMES, (Plan(filters, seed, window_of(filters)), self.baseline(units, seed)), strict=True))

    def baseline(self, units: int, seed: int) -> Plan:
        """A Diehl-Cook layer."""
        return Plan(units, seed, decay=self.baseline_decay)


def lesson_of(context: Context, name: str, *, data_set: str = "", shown: int = 0) -> Lesson:
    """What is learned in a step, by a network of this name; its files are among the step's points."""
    config: LcSnnConfig = context.config
    examples, tests = config.examples, config.test_images
    return Lesson(data_set or config.data_set, examples, examples, tests, points(context), name, shown)
