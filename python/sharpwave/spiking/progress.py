"""How far learning is: which images come next, and what a terminal shows of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

Watch = Callable[[int, int], None]
_LINES = 10  # where there is no terminal


class Position(NamedTuple):
    """Where learning is, as numbers of images, each counted as often as it was learned.

    Attributes:
        seen: learned so far.
        first: number of the first image of this set.
        total: number at which to stop.
    """

    seen: int
    first: int
    total: int

    def chunks(self, images: int, chunk: int) -> Iterator[tuple[int, slice]]:
        """The numbers at which chunks begin, and the images in them; a chunk ends at multiples of `chunk`.

        Example:
            >>> list(Position(seen=2, first=0, total=8).chunks(images=4, chunk=3))
            [(2, slice(2, 3, None)), (3, slice(3, 4, None)), (4, slice(0, 2, None)), (6, slice(2, 4, None))]
        """
        seen = self.seen
        while seen < self.total:
            at = (seen - self.first) % images
            stop = min((seen // chunk + 1) * chunk, seen + images - at, self.total)
            yield seen, slice(at, at + stop - seen)
            seen = stop


class Watcher:
    """Shows nothing."""

    def within(self, seen: int) -> Watch | None:
        """What a run of images that begins after `seen` calls."""
        return None

    def learned(self, seen: int, accuracy: float) -> None:
        """Take note of a chunk; accuracy NaN where there is none."""


class _Rate:
    """Images per second since the first of them: before it, Julia may have compiled for seconds."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None

    def __call__(self, seen: int) -> str:
        if self._first is None or seen == self._first[0]:
            self._first = seen, perf_counter()
        start, began = self._first
        return "" if seen == start else f"{(seen - start) / max(perf_counter() - began, 1e-9):.0f} images/s"


class _Bar(Watcher):
    def __init__(self, bar: Progress, task: TaskID) -> None:
        self._bar, self._task, self._rate = bar, task, _Rate()

    def within(self, seen: int) -> Watch:
        return lambda done, images: self._move(seen + done)

    def learned(self, seen: int, accuracy: float) -> None:
        shown = "" if math.isnan(accuracy) else f"accuracy {accuracy:.1%}"
        self._bar.update(self._task, accuracy=shown)
        self._move(seen)

    def _move(self, seen: int) -> None:
        self._bar.update(self._task, completed=seen, rate=self._rate(seen))


class _Lines(Watcher):
    def __init__(self, position: Position, write: Callable[[str], None]) -> None:
        self._position, self._write, self._shown, self._rate = position, write, position.seen, _Rate()

    def learned(self, seen: int, accuracy: float) -> None:
        rate, total = self._rate(seen), self._position.total
        if seen < total and (seen - self._shown) * _LINES < total - self._position.seen:
            return
        words = [f"learned {seen}/{total} images", rate, "" if math.isnan(accuracy) else f"accuracy {accuracy:.1%}"]
        self._write(", ".join(word for word in words if word))
        self._shown = seen


@contextmanager
def watching(verbose: bool, position: Position) -> Iterator[Watcher]:
    """A bar on a terminal or in a notebook, about ten lines elsewhere, on stderr; nothing unless `verbose`."""
    if not verbose:
        yield Watcher()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not (console.is_terminal or console.is_jupyter):
        yield _Lines(position, lambda line: console.print(line, markup=False, highlight=False))
        return
    texts = (TextColumn("{task.fields[rate]}"), TextColumn("{task.fields[accuracy]}"))
    columns = (TextColumn("learning"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), *texts)
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=position.total, completed=position.seen, rate="", accuracy="")
        yield _Bar(bar, task)
