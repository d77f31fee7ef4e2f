"""A stream that is seen once, without borders that anybody tells of."""

from __future__ import annotations

from ..counts import count
from .learner import Learner
from .streams import single_pass


def learn_online(learner: Learner, batch: int = 10, fuzzy: float = 0.0) -> None:
    """Learn each example of all tasks once, as they come.

    Parts hear of steps only: those that wait for the end of a task do nothing. All examples of a step count alike, new
    ones and old ones, as in Chaudhry and others, On tiny episodic memories in continual learning, 2019.
    Outputs compete once their task has begun, which the label of its first example tells.

    Args:
        learner: that has learned nothing.
        batch: new examples at a time.
        fuzzy: how far examples are scattered about the borders between tasks; see `single_pass`.

    Raises:
        ValueError: it has learned something.
    """
    learner.check_untaught()
    stream, learner.borders = learner.stream, False
    for tasks, places in single_pass(stream, count("batch", batch), fuzzy, learner.seed):
        learner.place = max(learner.place, int(tasks.max()))
        learner.step(learner.mixed(tasks, places))
        learner.iteration += 1
    learner.finished, learner.iteration = len(stream.tasks), 0
