"""How new and old examples of a step count beside each other."""

from __future__ import annotations

import torch
from torch import Tensor


class Weighing:
    """New examples count 1 / t in task t, old ones the rest; where no borders are known, all alike, as in one batch.

    Old examples that several parts show share the rest, by their numbers.

    Args:
        new: the loss of new examples.
        number: of them.
        place: of the task, from 0; None where no borders of tasks are known.

    Example:
        >>> new, old, older = torch.tensor([6.0, 0.0, 12.0])
        >>> step = Weighing(new, 32, place=2)
        >>> loss = step.add(new, old, 32)
        >>> float(loss), float(step.add(loss, older, 32))
        (2.0, 6.0)
    """

    def __init__(self, new: Tensor, number: int, place: int | None) -> None:
        self._new, self._number, self._place = new, number, place
        self._shown, self._old, self._moved = 0, new, torch.zeros(())

    def share(self, number: int) -> float:
        """Weight of the new examples beside so many old ones."""
        return self._number / (self._number + number) if self._place is None else 1 / (self._place + 1)

    def add(self, loss: Tensor, old: Tensor, number: int) -> Tensor:
        """What the loss of the step so far becomes with that of so many old examples, one at least."""
        self._shown += number
        self._old = old if self._shown == number else self._old + (number / self._shown) * (old - self._old)
        moved = (1 - self.share(self._shown)) * (self._old - self._new)
        loss, self._moved = loss + (moved - self._moved), moved
        return loss
