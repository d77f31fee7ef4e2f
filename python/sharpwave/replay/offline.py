"""What learns all tasks at once, and so bounds what can be had of them one after the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..counts import count
from .learner import Learner
from .network import Settings
from .passes import batches
from .streams import Stream


def offline_accuracies(stream: Stream, settings: Settings, seed: int = 0) -> NDArray[np.float64]:
    """Accuracy of learners that have the first tasks all at once, up to each task, (tasks,); see `omega`.

    Args:
        stream: of tasks.
        settings: how many batches of each task there are, and the network.
        seed: of all of them.

    Example:
        >>> from sharpwave.data import load
        >>> from sharpwave.replay import ContinualExperiment, ExperienceReplay, omega, split_stream
        >>> stream, settings = split_stream(load("digits")), Settings((60,), 3e-3, batch=32, iterations=60)
        >>> found = ContinualExperiment(
        ...     stream=stream, strategy=lambda: [ExperienceReplay(20_000)], settings=settings
        ... ).run()
        >>> 0.8 < omega(found.accuracy, offline_accuracies(stream, settings)) < 1
        True
    """
    found = []
    for number in range(1, len(stream.tasks) + 1):
        learner = Learner(replace(stream, tasks=stream.tasks[:number]), settings, [], seed)
        learn_offline(learner)
        found.append(np.mean([learner.accuracy(place) for place in range(number)]))
    return np.array(found)


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
    learner.place, learner.borders = len(tasks) - 1, False
    number = settings.iterations * len(tasks) if iterations is None else count("iterations", iterations)
    for some in batches(int(ends[-1]), settings.batch, number, learner.seed, 0):
        task = np.searchsorted(ends, some, side="right")
        learner.step(learner.mixed(task, some - starts[task]))
        learner.iteration += 1
    learner.finished, learner.iteration = len(tasks), 0
