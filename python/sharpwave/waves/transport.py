"""How waves travel: which steps' values the columns hold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ..counts import count
from ..recurrent.tasks import floating
from ..suggest import unknown

if TYPE_CHECKING:
    from torch import Tensor

Ends = Literal["open", "periodic", "reflecting"]
ENDS = ("open", "periodic", "reflecting")
_LONGEST = 1e9  # steps in which waves cross a lattice


@dataclass(frozen=True)
class Transport:
    """Columns as a delay line: column i holds what started (s - i)/v steps ago.

    Where that is not a whole number, it is the linear interpolation between the two steps beside it. What is on its way
    is never interpolated, so that waves keep their shape; but at periodic ends, where s/v is not a whole number, they
    are interpolated once a round, and spread.

    Args:
        columns: s.
        ends: `"open"`: waves leave after column 1. `"periodic"`: they come in again at column s. `"reflecting"`: they
            turn round behind column 1, and leave where they started; a column holds the sum of both directions.
        speed: v, columns a step.

    Raises:
        ValueError: no column, unknown ends, or a speed that is not above 0 and at most s.

    Example:
        >>> Transport(8).memory, Transport(8, speed=0.5).memory, Transport(8, "reflecting").memory
        (8, 16, 16)
    """

    columns: int
    ends: Ends = "open"
    speed: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", count("columns", self.columns))
        if self.ends not in ENDS:
            raise ValueError(unknown("kind of ends", self.ends, ENDS))
        if not (0 < self.speed <= self.columns and self.columns / self.speed < _LONGEST):
            raise ValueError(
                f"the speed must be above 0 and at most {self.columns}, the columns, got {self.speed}; waves must not "
                f"need {_LONGEST:.0e} steps"
            )

    @cached_property
    def memory(self) -> int:
        """How many of the last steps' values are on the lattice."""
        last = [self._age(self.columns - 1), self._age(self.columns) - 1]
        if self.ends == "reflecting":
            last.append(self._age(2 * self.columns - 1))
        return 1 + math.ceil(max(last))

    @property
    def plain(self) -> bool:
        """Whether columns are simply the last s steps' values."""
        return self.ends == "open" and self.speed == 1

    @cached_property
    def seen(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """What columns hold: columns, places in the memory (both from 0, the oldest) and weights, to be added up."""
        distances = [(i, self.columns - 1 - i) for i in range(self.columns)]
        if self.ends == "reflecting":
            distances += [(i, self.columns + i) for i in range(self.columns)]
        found = [(i, place, weight) for i, far in distances for place, weight in self._at(self._age(far))]
        columns, places, weights = zip(*found, strict=True)
        return np.array(columns), np.array(places), np.array(weights)

    @cached_property
    def arriving(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """What passes the end behind column 1 as the next step's value starts: places in the memory, and weights."""
        places, weights = zip(*self._at(self._age(self.columns) - 1), strict=True)
        return np.array(places), np.array(weights)

    def substrate(self, memory: NDArray[np.float64]) -> NDArray[np.float64]:
        """The columns (..., columns, rows), from the memory (..., memory, rows)."""
        if self.plain:
            return memory
        columns, places, weights = self.seen
        found = np.zeros((*memory.shape[:-2], self.columns, memory.shape[-1]))
        for column, place, weight in zip(columns, places, weights, strict=True):
            found[..., column, :] += weight * memory[..., place, :]
        return found

    def substrate_in_torch(self, memory: Tensor) -> Tensor:
        """The same, with gradients."""
        memory = floating(memory)
        if self.plain:
            return memory
        columns, places, weights = self.seen
        parts = memory[..., places, :] * memory.new_tensor(weights)[:, None]
        found = memory.new_zeros(*memory.shape[:-2], self.columns, memory.shape[-1])
        return found.index_add(-2, parts.new_tensor(columns).long(), parts)

    def _age(self, distance: int) -> float:
        """Steps in which waves go so far; rounding errors are not to make fractions of whole numbers."""
        age = distance / self.speed
        return float(round(age)) if abs(age - round(age)) < 1e-9 else age

    def _at(self, age: float) -> list[tuple[int, float]]:
        """Places in the memory, and weights, of what is so old."""
        newest, whole, rest = self.memory - 1, math.floor(age), age % 1
        return [(newest - whole, 1 - rest)] + ([(newest - whole - 1, rest)] if rest else [])
