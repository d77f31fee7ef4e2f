"""A whole experiment: tasks one after the other, what is known of all of them after each, and what it cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from inspect import isroutine
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..checkpoints import checkpoint_path, fingerprint, read_checkpoint, write_checkpoint
from ..counts import count
from .learner import Learner
from .metrics import METRICS, forward_transfer, metric
from .network import Settings
from .part import Part, Strategy, made_by
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
        seconds: of learning.
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
        path = checkpoint_path(self.checkpoint, resume)
        every = count("every", self.every)
        parts = made_by(self.strategy)
        about = self._about(parts) if path else {}
        learner = self.learner(self.stream, self.settings, parts, self.seed)
        about |= {"learner": learner.name} if path else {}
        tasks = len(self.stream.tasks)
        matrix, seconds = np.zeros((tasks, tasks)), 0.0
        if resume and path and path.exists():
            state, arrays = read_checkpoint(path, about, "a ContinualExperiment")
            try:
                learner.restore(arrays)
                matrix, before, seconds = np.array(state["matrix"]), np.array(state["before"]), state["seconds"]
            except (LookupError, TypeError, ValueError, RuntimeError) as error:
                raise ValueError(f"{path} is damaged: {error}. Begin anew, without resume") from error
        else:
            before = np.array([learner.accuracy(place) for place in range(tasks)])
        began = perf_counter()

        def keep() -> None:
            if path:
                learner.check_finite()
                state = {
                    "matrix": matrix.tolist(),
                    "before": before.tolist(),
                    "seconds": seconds + perf_counter() - began,
                }
                write_checkpoint(path, about, state, learner.arrays())

        keep()  # where it cannot be written, nothing is learned in vain
        for place in range(learner.finished, tasks):
            learner.learn(place, every, keep)
            matrix[place] = [learner.accuracy(other) for other in range(tasks)]
            keep()
        return ContinualResult(
            _labelled(self.stream, matrix),
            before,
            learner.bytes,
            learner.replayed,
            seconds + perf_counter() - began,
            learner,
        )

    def _about(self, parts: Sequence[Part]) -> dict[str, Any]:
        """What the numbers depend on."""
        examples = [some for task in self.stream.tasks for some in (task.train, task.test)]
        images = {id(some.pixels): some.pixels for some in examples}  # which tasks share
        data = fingerprint(*images.values(), *(mark for some in examples for mark in some.marks))
        stream = [self.stream.name, self.stream.scenario, len(self.stream.tasks)]
        strategy, settings = [described(part) for part in parts], repr(self.settings)
        return {"stream": stream, "strategy": strategy, "settings": settings, "seed": self.seed, "data": data}


def described(thing: Any) -> str:
    """A part or a policy with its settings: numbers, words, arrays, functions by name, and things that have such.

    Example:
        >>> from sharpwave.replay import ClassBalanced
        >>> described([ClassBalanced(10), 0.5])
        '(ClassBalanced(most=10), 0.5)'
    """
    if isinstance(thing, np.generic):
        thing = thing.item()
    if isinstance(thing, (int, float, complex, str, bytes, Path, type(None))):
        return repr(thing)
    if isinstance(thing, (np.ndarray, torch.Tensor)):
        return f"array {fingerprint(np.asarray(thing))}"
    if isinstance(thing, (tuple, list)):
        return f"({', '.join(map(described, thing))})"
    if isinstance(thing, (set, frozenset)):
        return f"{{{', '.join(sorted(map(described, thing)))}}}"
    if isinstance(thing, dict):
        return f"{{{', '.join(sorted(f'{described(key)}: {described(value)}' for key, value in thing.items()))}}}"
    if isinstance(thing, type) or isroutine(thing):
        return f"{thing.__module__}.{thing.__qualname__}"
    inside = [f"{name}={described(value)}" for name, value in sorted(_settings(thing).items()) if name[0] != "_"]
    return f"{type(thing).__name__}({', '.join(inside)})"


def _settings(thing: Any) -> dict[str, Any]:
    if isinstance(thing, partial):
        return {"of": thing.func, "given": thing.args, **thing.keywords}
    return getattr(thing, "__dict__", {})


def _labelled(stream: Stream, matrix: NDArray[np.float64]) -> xarray.DataArray:
    import xarray

    names = [task.name for task in stream.tasks]
    return xarray.DataArray(matrix, dims=("after", "task"), coords={"after": names, "task": names}, name="accuracy")
