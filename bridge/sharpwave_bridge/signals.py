"""Keeping the process as it was while Julia starts: signal handlers, and standard streams that block."""

from __future__ import annotations

import ctypes
import fcntl
import signal
from collections.abc import Iterator
from contextlib import contextmanager

# Julia takes these when it handles signals; it must keep SIGSEGV and its like for its garbage collector.
_KEPT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_SIGACTION_BYTES = 512  # larger than any platform's struct sigaction


@contextmanager
def process_kept() -> Iterator[None]:
    """Put back what Julia changes: signal handlers that are Python's, and whether standard streams block.

    `signal.signal` works on the main thread only; sigaction itself works on all. Julia makes pipes non-blocking,
    after which a long `print` raises BlockingIOError. A signal that comes within the block may reach Julia's handler,
    and be lost: it has to be sent once more.
    """
    libc = ctypes.CDLL(None)
    saved = {}
    for number in _KEPT:
        action = ctypes.create_string_buffer(_SIGACTION_BYTES)
        if libc.sigaction(int(number), None, action) == 0:
            saved[number] = action
    flags = {descriptor: flag for descriptor in range(3) if (flag := _flags(descriptor)) is not None}
    try:
        yield
    finally:
        for descriptor, flag in flags.items():
            fcntl.fcntl(descriptor, fcntl.F_SETFL, flag)
        for number, action in saved.items():
            libc.sigaction(int(number), action, None)


def _flags(descriptor: int) -> int | None:
    """The status flags of a file descriptor, or None where it is closed."""
    try:
        return fcntl.fcntl(descriptor, fcntl.F_GETFL)
    except OSError:
        return None
