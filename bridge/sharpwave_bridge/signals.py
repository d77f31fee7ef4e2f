"""Keeping the process's signal handlers while Julia starts, on any thread."""

from __future__ import annotations

import ctypes
import signal
from collections.abc import Iterator
from contextlib import contextmanager

# Julia takes these when it handles signals; it must keep SIGSEGV and its like for its garbage collector.
_KEPT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_SIGACTION_BYTES = 512  # larger than any platform's struct sigaction


@contextmanager
def handlers_kept() -> Iterator[None]:
    """Put the handlers of SIGINT, SIGTERM, SIGHUP and SIGQUIT back after the block.

    `signal.signal` works on the main thread only; sigaction itself works on all.
    """
    libc = ctypes.CDLL(None)
    saved = {}
    for number in _KEPT:
        action = ctypes.create_string_buffer(_SIGACTION_BYTES)
        if libc.sigaction(int(number), None, action) == 0:
            saved[number] = action
    try:
        yield
    finally:
        for number, action in saved.items():
            libc.sigaction(int(number), action, None)
