"""Who does the work: Julia, or something slower with the same results."""

from __future__ import annotations

import warnings
from typing import Literal

from .suggest import unknown

Backend = Literal["auto", "julia", "torch"]
_warned = False


def check_backend(backend: str, other: str = "torch") -> None:
    """Raise a ValueError if there is no such backend; see `in_julia`."""
    if backend not in ("auto", "julia", other):
        raise ValueError(unknown("backend", backend, ("auto", "julia", other)))


def in_julia(backend: str, unable: str = "", other: str = "torch") -> bool:
    """Whether Julia does the work.

    Args:
        backend: `"julia"`; the other's name; or `"auto"`, Julia where there is one and its kernel can do it. A warning
            says, once a process, that there is none.
        unable: why the kernel cannot do it; empty if it can.
        other: name of what stands in for Julia.

    Raises:
        ValueError: there is no such backend, or Julia was asked for what it cannot do.
        JuliaUnavailableError: Julia was asked for, and there is none.
    """
    from sharpwave_bridge import JuliaUnavailableError, session

    check_backend(backend, other)
    if unable and backend == "julia":
        raise ValueError(f"{unable}: use backend={other!r}")
    if unable or backend == other:
        return False
    try:
        session()
    except JuliaUnavailableError as error:
        if backend == "julia":
            raise
        _warn_once(str(error))
        return False
    return True


def _warn_once(reason: str) -> None:
    global _warned
    if not _warned:
        _warned = True
        message = f"going on without Julia, with the same results and slower: {reason}"
        warnings.warn(message, RuntimeWarning, stacklevel=4)
