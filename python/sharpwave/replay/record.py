"""The file from which a run goes on when it was stopped."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any

from ..checkpoints import checkpoint_path, fingerprint, read_checkpoint, write_checkpoint
from .learner import Learner
from .streams import Stream


class Clock:
    """Counts seconds, while it goes."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._since: float | None = None

    def stop(self) -> None:
        """Count no more, until it goes again."""
        if self._since is not None:
            self.seconds, self._since = self.seconds + perf_counter() - self._since, None

    def go(self) -> None:
        """Count."""
        self._since = perf_counter()


class Record:
    """A learner's checkpoint, with what belongs to its run.

    Args:
        path: of an .npz file; None: nothing is kept.
        whose: what runs, for errors.
        learner: that has learned nothing.
        more: what the numbers depend on besides stream, parts, settings and seed; JSON.

    Attributes:
        clock: of learning, without writing; it goes from the first `write` on.
    """

    def __init__(self, path: str | Path | None, whose: str, learner: Learner, **more: Any) -> None:
        self.path, self.whose, self.learner = checkpoint_path(path, resume=False), whose, learner
        self.clock = Clock()
        self.about = _about(learner) | more if self.path else {}

    def read(self, resume: bool) -> Any:
        """What was kept besides the learner, which goes on from it; None: there is nothing to go on from.

        Raises:
            ValueError: it is damaged, or of something else, or there is to be one and no path is given.
        """
        path = checkpoint_path(self.path, resume)
        if not (resume and path and path.exists()):
            return None
        state, arrays = read_checkpoint(path, self.about, self.whose)
        try:
            self.learner.restore(arrays)
        except (LookupError, TypeError, ValueError, RuntimeError) as error:
            raise ValueError(f"{path} is damaged: {error}. Begin anew, without resume") from error
        self.clock.seconds = state["seconds"]
        return state["more"]

    def write(self, more: Any) -> None:
        """Keep the learner, and what else belongs to the run, JSON.

        Raises:
            DivergedError: a number of what learns is not finite; the file stays as it was.
        """
        self.clock.stop()
        if self.path:
            self.learner.check_finite()
            state = {"seconds": self.clock.seconds, "more": more}
            write_checkpoint(self.path, self.about, state, self.learner.arrays())
        self.clock.go()


def _about(learner: Learner) -> dict[str, Any]:
    """What the numbers depend on."""
    stream: Stream = learner.stream
    examples = [some for task in stream.tasks for some in (task.train, task.test)]
    images = {id(some.pixels): some.pixels for some in examples}  # which tasks share
    data = fingerprint(*images.values(), *(mark for some in examples for mark in some.marks))
    return {
        "stream": [stream.name, stream.scenario, stream.active, len(stream.tasks)], "strategy": learner.described,
        "settings": repr(learner.settings), "seed": learner.seed, "learner": learner.name, "data": data,
    }  # fmt: skip
