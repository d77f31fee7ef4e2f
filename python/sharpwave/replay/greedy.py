"""A network that learns nothing but what is stored, from the beginning, whenever it is asked (GDumb)."""

from __future__ import annotations

from ..counts import count_or_none
from .stores import ClassBalanced
from .storing import Stored
from .streams import Examples


class GreedySampler(Stored):
    """Examples are only stored; after each task a new network learns the store.

    Args:
        budget: of the store, bytes.
        iterations: batches from the store; None: as many as of a task.

    Raises:
        ValueError: other parts that teach modules of their own, or in their own way, or go on from layers as they are,
            which a new network would lose.

    Source:
        Prabhu and others, GDumb, ECCV 2020.
    """

    def __init__(self, budget: int, iterations: int | None = None) -> None:
        super().__init__(budget, ClassBalanced())
        self.iterations = count_or_none("iterations", iterations)

    def begin(self, place: int) -> None:
        """See `Part`."""
        whose = self.learner.loss_of
        parts = [part for part in self.learner.parts if part is whose or part.freezes]
        others = [*self.learner.besides, *(type(part).__name__ for part in parts)]
        if others:
            raise ValueError(
                f"GreedySampler begins with a new network after each task, which what else is there to learn "
                f"({', '.join(others)}) would not outlive: leave the part out that brings it"
            )

    def learns(self, place: int) -> bool:
        """See `Part`."""
        return False

    def end(self, place: int, examples: Examples) -> None:
        """See `Part`."""
        super().end(place, examples)
        learner = self.learner
        learner.renew()
        for _ in range(self.iterations or learner.settings.iterations):
            learner.step(self.shown(self.store.draw(learner.settings.batch)))
