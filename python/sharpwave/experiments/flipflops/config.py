"""What is trained on periodic flipflops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .networks import check_steps


class Setting(NamedTuple):
    """Networks of one kind that learn one period."""

    hidden: int
    period: int
    horizon: int
    steps: int
    every: int

    @property
    def label(self) -> str:
        """Such as `32 units, P=10`."""
        return f"{self.hidden} units, P={self.period}"


@dataclass(frozen=True)
class PeriodicConfig:
    """What is trained; entries of the tuples in the same place belong together."""

    seed: int = 0
    """Of the first network; others have the seeds that follow."""
    seeds: int = 20
    """Networks of each kind."""
    hidden: tuple[int, ...] = (32, 64)
    """Hidden units."""
    period: tuple[int, ...] = (10, 24)
    """P, even."""
    horizon: tuple[int, ...] = (60, 96)
    """T, steps of a sequence; 96 is a choice, four periods."""
    steps: tuple[int, ...] = (1000, 2500)
    """Steps of training, a choice."""
    every: tuple[int, ...] = (20, 50)
    """Steps from one checkpoint to the next, a choice."""
    learning_rate: float = 2e-3
    """Of Adam, a choice; sequences of a step are 64, the norm of a gradient is clipped at 1."""
    gated_seeds: int = 5
    """GRUs and LSTMs of the first kind; 0: none."""

    def __post_init__(self) -> None:
        lengths = {len(self.hidden), len(self.period), len(self.horizon), len(self.steps), len(self.every)}
        if len(lengths) > 1 or not self.hidden:
            raise ValueError("hidden, period, horizon, steps and every must have as many entries, at least one")
        if min(self.seeds, *self.hidden, *self.horizon, *self.every) < 1 or self.gated_seeds < 0:
            raise ValueError("all numbers must be at least 1")
        if any(period < 2 or period % 2 for period in self.period):
            raise ValueError(f"periods must be even, so that their halves are as long, got {self.period}")
        for steps, every in zip(self.steps, self.every, strict=True):
            check_steps(steps, every)
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be positive, got {self.learning_rate}")

    def settings(self) -> list[Setting]:
        """All kinds of networks."""
        rows = zip(self.hidden, self.period, self.horizon, self.steps, self.every, strict=True)
        return [Setting(*row) for row in rows]
