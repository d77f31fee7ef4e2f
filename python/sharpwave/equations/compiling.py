"""Systems of equations compiled by Julia, each once."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence

import numpy as np

from sharpwave.equations.system import Equations
from sharpwave_bridge import call

_Key = tuple[tuple[str, ...], tuple[tuple[str, str], ...] | None]
# For each system, by events and history, the kernels' handle.
_handles: weakref.WeakKeyDictionary[Equations, dict[_Key, int]] = weakref.WeakKeyDictionary()


def history_key(history: Mapping[str, str | float]) -> tuple[tuple[str, str], ...]:
    """What tells one history from another."""
    return tuple(sorted((name, str(text)) for name, text in history.items()))


def compiled(equations: Equations, events: Sequence[str] = (), history: Mapping[str, str | float] | None = None) -> int:
    """The handle by which kernels know a system with its events and history; compiles it the first time.

    Raises:
        EquationError: an event or a history that is not an expression.
        JuliaUnavailableError: there is no Julia.
    """
    key = tuple(events), None if history is None else history_key(history)
    known = _handles.setdefault(equations, {})
    if key not in known:
        handle = np.empty(1, np.int64)
        call("compile_equations", *equations.encode(events, history).arrays(), handle)
        known[key] = int(handle[0])
    return known[key]
