"""Numbers in proportion to which places are drawn, fast to draw from and fast to change."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from ..counts import count

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

_FAR = 1e20  # of the factor from 1, from where numbers themselves are changed
_WIDTH = 32  # numbers of a block: a draw goes through the sums of all blocks, and through one block for each place


class Priorities:
    """Numbers of so many places, 0 at first.

    Sums of blocks are kept, and a factor of all, so that neither a draw nor a change goes through all numbers.

    Args:
        places: how many.

    Example:
        >>> some = Priorities(5)
        >>> some.set(np.array([1, 3]), np.array([1.0, 2.0]))
        >>> found = some.draw(3000, np.random.default_rng(0))
        >>> np.bincount(found, minlength=5).round(-3).tolist(), some.total
        ([0, 1000, 0, 2000, 0], 3.0)
    """

    def __init__(self, places: int) -> None:
        self.places = count("places", places)
        blocks = -(-self.places // _WIDTH)
        self._values = np.zeros((blocks, _WIDTH))
        self._sums = np.zeros(blocks)
        self._factor = 1.0

    @property
    def total(self) -> float:
        """The sum of all."""
        return float(self._sums.sum()) * self._factor

    @property
    def largest(self) -> float:
        """Of all."""
        return float(self._values.max()) * self._factor

    def values(self, places: Integers | slice = slice(None)) -> Floats:
        """The numbers of some places."""
        found: Floats = self._values.reshape(-1)[: self.places][places] * self._factor
        return found

    def set(self, places: Integers, values: Floats) -> None:
        """Change some.

        Raises:
            ValueError: a number is negative or not finite.
        """
        if not (values.min(initial=0) >= 0 and values.max(initial=0) < np.inf):
            bad = values[~(np.isfinite(values) & (values >= 0))][0]
            raise ValueError(f"priorities must be finite and not negative, got {bad}")
        self._values.reshape(-1)[places] = values / self._factor
        changed = places // _WIDTH
        self._sums[changed] = self._values.take(changed, axis=0).sum(axis=1)

    def grow(self, factor: float) -> None:
        """Multiply all.

        Raises:
            ValueError: the factor, or a number times the factor, is not finite and above 0.
        """
        if not (factor > 0 and np.isfinite(factor * self.total)):
            raise ValueError(f"priorities must stay finite and above 0, got {self.total} in all, times {factor}")
        self._factor *= factor
        if not 1 / _FAR < self._factor < _FAR:
            self._values *= self._factor
            self._sums = self._values.sum(axis=1)
            self._factor = 1.0

    def draw(self, number: int, random: np.random.Generator) -> Integers:
        """So many places, each in proportion to its number, (number,); one may come again.

        Raises:
            ValueError: all numbers are 0.
        """
        ends = _cumulated(self._sums)
        if not ends[-1] > 0:
            raise ValueError("there is nothing to draw: all priorities are 0")
        at = random.random(number) * np.nextafter(ends[-1], 0)  # below the end, so that a block is found that is not 0
        block = np.searchsorted(ends, at, side="right")
        inside = _cumulated(self._values.take(block, axis=0))
        left = at - (ends[block] - self._sums[block])
        left = np.clip(left, 0, np.nextafter(inside[:, -1], 0))  # so that a place is found, whatever rounding did
        found: Integers = block * _WIDTH + (inside > left[:, None]).argmax(axis=1)
        return found

    def state(self, size: int) -> tuple[Floats, float]:
        """Numbers of the first places, without the factor of all, and the factor."""
        return self._values.reshape(-1)[:size].copy(), self._factor

    @staticmethod
    def of(places: int, numbers: Floats, factor: float) -> Priorities:
        """So many places, of which the first ones go on from what `state` gave, bit for bit."""
        found = Priorities(places)
        found.set(np.arange(len(numbers)), numbers)
        found._factor = factor
        return found


def _cumulated(numbers: Floats) -> Floats:
    """Sums up to each along the last axis, bit for bit those of `np.cumsum`, in a third of its time."""
    found: Floats = torch.from_numpy(numbers).cumsum(-1).numpy()
    return found
