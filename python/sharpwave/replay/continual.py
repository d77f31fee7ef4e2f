"""A whole experiment: tasks one after the other, what is known of all of them after each, and what it cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, is_dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..checkpoints import checkpoint_path, fingerprint, read_checkpoint, write_checkpoint
from .learner import Learner
from .metrics import METRICS, metric
from .network import Settings
from .part import Part, Strategy
from .streams import Stream

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class ContinualResult:
    """What came of it.

    Attributes:
        accuracy: of each task after each was learned, shares from 0 to 1: `after` x `task`, with the tasks' names.
        bytes: that were kept besides the network, at the end.
        replayed: examples that were shown again.
        seconds: of learning.
        learner: as it is in the end.
    """

    accuracy: xarray.DataArray
    bytes: int
    replayed: int
    seconds: float
    learner: Learner = field(repr=False)

    @property
    def metrics(self) -> dict[str, float]:
        """All of `METRICS`, which say how they are defined."""
        return {name: metric(name, self.accuracy.values) for name in METRICS}

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
        checkpoint: an .npz file that is written after each task and within, with the network, the optimizer, the store
            and all else, from which `run(resume=True)` goes on.
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
            ValueError: a part that does not fit the stream, or a checkpoint of something else.
            DivergedError: the loss is not finite. The checkpoint stays as it was before.
        """
        path = checkpoint_path(self.checkpoint, resume)
        parts = self.strategy()
        about = self._about(parts) if path else {}
        learner = self.learner(self.stream, self.settings, parts, self.seed)
        about |= {"learner": learner.name} if path else {}
        tasks = len(self.stream.tasks)
        matrix, seconds = np.zeros((tasks, tasks)), 0.0
        if resume and path and path.exists():
            state, arrays = read_checkpoint(path, about, "a ContinualExperiment")
            learner.restore(arrays)
            matrix, seconds = np.array(state["matrix"]), state["seconds"]
        began = perf_counter()

        def keep() -> None:
            if path:
                state = {"matrix": matrix.tolist(), "seconds": seconds + perf_counter() - began}
                write_checkpoint(path, about, state, learner.arrays())

        for place in range(learner.finished, tasks):
            learner.learn(place, self.every, keep)
            matrix[place] = [learner.accuracy(other) for other in range(tasks)]
            keep()
        return ContinualResult(
            _labelled(self.stream, matrix), learner.bytes, learner.replayed, seconds + perf_counter() - began, learner
        )

    def _about(self, parts: Sequence[Part]) -> dict[str, Any]:
        """What the numbers depend on."""
        examples = [some for task in self.stream.tasks for some in (task.train, task.test)]
        data = fingerprint(*(mark for some in examples for mark in some.marks))
        stream = [self.stream.name, self.stream.scenario, len(self.stream.tasks)]
        strategy, settings = [described(part) for part in parts], repr(self.settings)
        return {"stream": stream, "strategy": strategy, "settings": settings, "seed": self.seed, "data": data}


def described(thing: Any) -> str:
    """A part or a policy with its settings: numbers, words, and things that have such.

    Example:
        >>> from sharpwave.replay import GreedySampler
        >>> described(GreedySampler(1000))
        "GreedySampler(budget=1000, iterations=None, policy=ClassBalanced(most=None), target='labels', when='task')"
    """
    if isinstance(thing, (int, float, str, type(None))):
        return repr(thing)
    if isinstance(thing, (tuple, list)):
        return f"({', '.join(map(described, thing))})"
    if is_dataclass(thing):
        return repr(thing)
    inside = [f"{name}={described(value)}" for name, value in sorted(vars(thing).items()) if name[0] != "_"]
    return f"{type(thing).__name__}({', '.join(inside)})"


def _labelled(stream: Stream, matrix: NDArray[np.float64]) -> xarray.DataArray:
    import xarray

    names = [task.name for task in stream.tasks]
    return xarray.DataArray(matrix, dims=("after", "task"), coords={"after": names, "task": names}, name="accuracy")
