"""A lock that two processes share: whoever comes second waits, and finds the work done."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from . import paths


@contextmanager
def locked(directory: Path, report: Callable[[str], None] | None = None) -> Iterator[int]:
    """Hold the lock of a directory, which is created if it is not there.

    The lock belongs to an open file, `.lock` in the directory: it is free again when every process that has
    it open has ended, however it ended. A child that is given the file descriptor (`pass_fds`) holds the lock
    as long as it runs, so that a program which outlives its killed parent meets no second one there.

    Args:
        directory: what the lock guards.
        report: called with a line if another process holds the lock.

    Yields:
        The file descriptor of the lock.

    Raises:
        CacheError: the directory cannot be written.
    """
    path = paths.make_writable(directory) / ".lock"
    try:
        file = path.open("a")
    except OSError as error:
        raise paths.unwritable(path, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if report is not None:
                report(f"waiting for another process that works in {directory}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()
