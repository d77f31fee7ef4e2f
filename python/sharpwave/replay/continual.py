"""A whole experiment: tasks one after the other, what is known of all of them after each, and what it cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..counts import count
from .learner import Learner
from .metrics import METRICS, forward_transfer, metric
from .network import Settings
from .part import Part, Strategy, made_by
from .record import Record
from .streams import Stream

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class ContinualResult:
    """What came of it.

    Attributes:
        accuracy: of each task after each was learned, shares from 0 to 1: `after` x `task`, with the tasks' names.
        before: accuracy of each task before anything was learned, (tasks,).
        bytes: that were kept besides the network, at the end.
        replayed: examples that were shown again.
        seconds: of learning, without asking what is known and without writing checkpoints.
        learner: as it is in the end.
    """

    accuracy: xarray.DataArray
    before: NDArray[np.float64]
    bytes: int
    replayed: int
    seconds: float
    learner: Learner = field(repr=False)

    @property
    def metrics(self) -> dict[str, float]:
        """All of `METRICS`, which say how they are defined, and `forward_transfer`."""
        found = {name: metric(name, self.accuracy.values) for name in METRICS}
        return {**found, "forward transfer": forward_transfer(self.accuracy.values, self.before)}

    def plot_matrix(self) -> Figure:
        """Accuracy of each task after each was learned."""
        from .figures import plot_matrix

        return plot_matrix(self.accuracy)

    def plot_curves(self) -> Figure:
        """Accuracy of each task over time, and of all that have been learned."""
        from .figures import plot_curves

        return plot_curves(self.accuracy)


@dataclass(kw_only=True)
class ContinualExperiment:
    """A network learns the tasks of a stream, one after the other.

    Args:
        stream: of tasks.
        strategy: makes the parts that keep it from forgetting; see `strategies`.
        settings: how each task is learned.
        seed: of initial weights and of all that is drawn.
        learner: what learns; or `partial(ForwardLearner, method=...)`.
        checkpoint: an .npz file that is written before the first task, after each and within, with the network, the
            optimizer, the store and all else, from which `run(resume=True)` goes on; without that it is replaced.
        every: batches from one checkpoint to the next.

    Example:
        >>> from sharpwave.data import load
        >>> from sharpwave.replay import ExperienceReplay, split_stream
        >>> found = ContinualExperiment(
        ...     stream=split_stream(load("digits")),
        ...     strategy=lambda: [ExperienceReplay(budget=20_000)],
        ...     settings=Settings(hidden=(60,), learning_rate=3e-3, batch=32, iterations=100),
        ... ).run()
        >>> found.accuracy.dims, found.metrics["accuracy"] > 0.75, found.bytes <= 21_000
        (('after', 'task'), True, True)
    """

    stream: Stream
    strategy: Strategy
    settings: Settings = field(default_factory=Settings)
    seed: int = 0
    learner: Callable[[Stream, Settings, Sequence[Part], int], Learner] = Learner
    checkpoint: str | Path | None = None
    every: int = 500

    def run(self, resume: bool = False) -> ContinualResult:
        """Learn all tasks.

        Args:
            resume: whether to go on from the checkpoint, if there is one; the numbers come out as without a break.

        Raises:
            ValueError: a strategy that makes no parts, a part that does not fit the stream, or a checkpoint that is
                damaged or of something else.
            OSError: the checkpoint cannot be written; before anything is learned.
            DivergedError: a loss or a weight is not finite. The checkpoint stays as it was before.
        """
        every, tasks = count("every", self.every), len(self.stream.tasks)
        learner = self.learner(self.stream, self.settings, made_by(self.strategy), self.seed)
        record = Record(self.checkpoint, "a ContinualExperiment", learner)
        kept, clock = record.read(resume), record.clock
        if kept is None:
            before = np.array([learner.accuracy(place) for place in range(tasks)])
            kept = {"matrix": np.zeros((tasks, tasks)).tolist(), "before": before.tolist()}
        matrix = np.array(kept["matrix"])

        def keep() -> None:
            record.write(kept | {"matrix": matrix.tolist()})

        keep()  # where it cannot be written, nothing is learned in vain
        for place in range(learner.finished, tasks):
            learner.learn(place, every, keep)
            clock.stop()
            matrix[place] = [learner.accuracy(other) for other in range(tasks)]
            keep()
        before = np.array(kept["before"])
        return ContinualResult(
            _labelled(self.stream, matrix), before, learner.bytes, learner.replayed, clock.seconds, learner
        )


def _labelled(stream: Stream, matrix: NDArray[np.float64]) -> xarray.DataArray:
    import xarray

    names = [task.name for task in stream.tasks]
    return xarray.DataArray(matrix, dims=("after", "task"), coords={"after": names, "task": names}, name="accuracy")
