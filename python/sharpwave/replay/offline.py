"""What learns all tasks at once, and so bounds what can be had of them one after the other."""

from __future__ import annotations

import numpy as np

from ..counts import count
from .learner import Learner
from .streams import batches


def learn_offline(learner: Learner, iterations: int | None = None) -> None:
    """Learn examples of all tasks of a stream, mixed. Parts hear of steps only.

    Args:
        learner: that has learned nothing.
        iterations: batches; None: as many as of all tasks one after the other.

    Raises:
        ValueError: it has learned something, it has parts that wait for tasks, or there are no batches.
    """
    learner.check_borderless()
    tasks, settings = learner.stream.tasks, learner.settings
    ends = np.cumsum([len(task.train) for task in tasks])
    starts = np.concatenate([[0], ends[:-1]])
    learner.place = len(tasks) - 1
    number = settings.iterations * len(tasks) if iterations is None else count("iterations", iterations)
    for some in batches(int(ends[-1]), settings.batch, number, learner.seed, 0):
        task = np.searchsorted(ends, some, side="right")
        learner.step(learner.mixed(task, some - starts[task]))
        learner.iteration += 1
    learner.finished, learner.iteration = len(tasks), 0
