"""A stream that is seen once, without borders that anybody tells of."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from ..counts import count
from .learner import Learner
from .passes import single_pass
from .record import Record


def learn_online(
    learner: Learner, batch: int = 10, fuzzy: float = 0.0, checkpoint: str | Path | None = None, every: int = 500,
    resume: bool = False,
) -> float:  # fmt: skip
    """Learn each example of all tasks once, as they come.

    Parts hear of steps only. All examples of a step count alike, new ones and old ones, as in Chaudhry and others, On
    tiny episodic memories in continual learning, 2019, but for those of parts that weigh them by themselves, such as
    `DarkReplay`. Stores do not tell tasks apart that share their classes. Outputs compete once their task has begun,
    which the label of its first example tells.

    Args:
        learner: that has learned nothing.
        batch: new examples at a time.
        fuzzy: how far examples are scattered about the borders between tasks; see `single_pass`.
        checkpoint: an .npz file that is written after every so many batches, and at both ends.
        every: batches from one checkpoint to the next.
        resume: whether to go on from the checkpoint, if there is one; the numbers come out as without a break.

    Returns:
        Seconds of learning.

    Raises:
        ValueError: it has learned something, a part waits for tasks to begin or to end, or the checkpoint is damaged or
            of something else.
        OSError: the checkpoint cannot be written; before anything is learned.
        DivergedError: a loss or a weight is not finite. The checkpoint stays as it was before.
    """
    learner.check_borderless()
    stream, learner.borders = learner.stream, False
    order = single_pass(stream, batch, fuzzy, learner.seed)
    every = count("every", every)
    record = Record(checkpoint, "learn_online", learner, batch=batch, fuzzy=fuzzy)
    record.read(resume)
    if learner.finished:  # what was kept is of its end
        return record.clock.seconds
    record.write(None)
    for tasks, places in islice(order, learner.iteration, None):
        if (newest := int(tasks.max())) > learner.place:
            learner.place = newest
        learner.step(learner.mixed(tasks, places))
        learner.iteration += 1
        if learner.iteration % every == 0:
            record.write(None)
    learner.finished, learner.iteration = len(stream.tasks), 0
    record.write(None)
    return record.clock.seconds
