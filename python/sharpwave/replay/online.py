"""A stream that is seen once, without borders that anybody tells of."""

from __future__ import annotations

from collections.abc import Callable

from ..counts import count
from .learner import Learner
from .streams import single_pass


def learn_online(
    learner: Learner, batch: int = 10, fuzzy: float = 0.0, watch: Callable[[int], None] | None = None
) -> None:
    """Learn each example of all tasks once, as they come.

    Parts hear of steps only: those that wait for the end of a task do nothing until the stream has ended.

    Args:
        learner: that has learned nothing.
        batch: new examples at a time.
        fuzzy: how far examples are scattered about the borders between tasks; see `single_pass`.
        watch: called with the number of batches that have been.

    Raises:
        ValueError: it has learned something.
    """
    if learner.finished or learner.iteration:
        raise ValueError(f"expected a learner that has learned nothing; this one has learned {learner.finished} tasks")
    stream = learner.stream
    for number, (tasks, places) in enumerate(single_pass(stream, count("batch", batch), fuzzy, learner.seed)):
        learner.place = max(learner.place, int(tasks.max()))
        learner.step(learner.mixed(tasks, places))
        if watch is not None:
            watch(number + 1)
    learner.finished = len(stream.tasks)
