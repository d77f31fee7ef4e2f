"""Dynamics of neural memory: published models on Julia kernels and PyTorch, under one Python roof.

Importing this package starts no Julia and imports no torch; both wait until something needs them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import data, dynamics, equations, forward, memory, recurrent, replay, spiking, waves
    from .equations import EquationError, Equations
    from .ode import Event, Solution, solve_dde, solve_ivp

__version__ = "0.1.0"

_WHERE = {
    "EquationError": "equations",
    "Equations": "equations",
    "Event": "ode",
    "Solution": "ode",
    "solve_dde": "ode",
    "solve_ivp": "ode",
}
_ROOMS = ("data", "dynamics", "equations", "forward", "memory", "recurrent", "replay", "spiking", "waves")

__all__ = [
    "EquationError",
    "Equations",
    "Event",
    "Solution",
    "data",
    "dynamics",
    "equations",
    "forward",
    "memory",
    "recurrent",
    "replay",
    "solve_dde",
    "solve_ivp",
    "spiking",
    "waves",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for, when it is asked for."""
    if name in _WHERE:
        value = getattr(importlib.import_module(f".{_WHERE[name]}", __name__), name)
    elif name in _ROOMS:
        value = importlib.import_module(f".{name}", __name__)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
