"""What a user asks a solver for, checked once; backends take it as it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..equations import Equations
from ..suggest import unknown
from .events import Event, as_events
from .solution import Array

# Methods that adapt their steps (True), and methods of fixed steps.
METHODS = {"Rodas5P": True, "Tsit5": True, "RK4": False, "ExponentialEuler": False}


class Request(NamedTuple):
    """One job: several trajectories of one system.

    Attributes:
        equations: the system.
        history: for each variable its past, or None for ordinary equations.
        start, end: of time.
        states: initial states, (batch, n).
        values: parameters, (batch, P).
        single: whether one trajectory was asked for, without a batch axis.
        method: a name of `METHODS`.
        t_eval: output times, or None for every accepted step.
        rtol, atol: tolerances; atol (n,).
        events: what to look for.
        dense_output: whether the solution is wanted as a function of time.
        dt: fixed step, or 0.
        first_step: first step, or 0 for an estimate.
        max_step, max_steps: limits.
    """

    equations: Equations
    history: Mapping[str, str | float] | None
    start: float
    end: float
    states: Array
    values: Array
    single: bool
    method: str
    t_eval: Array | None
    rtol: float
    atol: Array
    events: tuple[Event, ...]
    dense_output: bool
    dt: float
    first_step: float
    max_step: float
    max_steps: int


def request(
    equations: Equations,
    history: Mapping[str, str | float] | None,
    t_span: tuple[float, float],
    initial: Array,
    *,
    method: str,
    t_eval: ArrayLike | None,
    rtol: float,
    atol: ArrayLike,
    events: Event | str | Sequence[Event | str] | None,
    dense_output: bool,
    dt: float | None,
    first_step: float | None,
    max_step: float,
    max_steps: int,
    parameters: Mapping[str, ArrayLike] | None,
) -> Request:
    """Check what `solve_ivp` or `solve_dde` was given.

    Raises:
        ValueError: an argument does not fit; EquationError, which is one, for parameters.
    """
    start, end = span(t_span)
    check_method(method, dt)
    values = equations.parameter_vector(parameters)
    states, batched_values = _batched(initial, values)
    return Request(
        equations=equations,
        history=history,
        start=start,
        end=end,
        states=states,
        values=batched_values,
        single=initial.ndim == 1 and values.ndim == 1,
        method=method,
        t_eval=None if t_eval is None else _times(t_eval, start, end),
        rtol=float(_positive("rtol", rtol)),
        atol=_tolerances(atol, len(equations.variables)),
        events=as_events(events),
        dense_output=dense_output,
        dt=float(dt or 0.0),
        first_step=0.0 if first_step is None else float(_positive("first_step", first_step)),
        max_step=float(_positive("max_step", max_step, infinite=True)),
        max_steps=int(_positive("max_steps", max_steps)),
    )


def span(t_span: tuple[float, float]) -> tuple[float, float]:
    """First and last time."""
    try:
        start, end = (float(t) for t in t_span)
    except (TypeError, ValueError):
        raise ValueError(f"t_span must be two numbers, got {t_span!r}") from None
    if not (math.isfinite(start) and math.isfinite(end)):
        raise ValueError(f"t_span must be finite, got {t_span}")
    return start, end


def initial_states(equations: Equations, y0: ArrayLike | Mapping[str, ArrayLike]) -> Array:
    """Initial states, (n,) or (batch, n)."""
    names = equations.variables
    if isinstance(y0, Mapping):
        for name in y0:
            if name not in names:
                raise ValueError(f"y0: {unknown('variable', name, names)}")
        if missing := [name for name in names if name not in y0]:
            raise ValueError(f"y0: no value for {', '.join(missing)}; every variable needs one")
        y0 = np.stack(np.broadcast_arrays(*(np.asarray(y0[name], np.float64) for name in names)), axis=-1)
    states = np.asarray(y0, np.float64)
    if states.ndim not in (1, 2) or states.shape[-1] != len(names) or states.size == 0:
        raise ValueError(f"y0 must be ({len(names)},) or (batch, {len(names)}), got shape {states.shape}")
    if not np.isfinite(states).all():
        raise ValueError("y0 must be finite, got NaN or infinity")
    return states


def check_method(method: str, dt: float | None) -> None:
    if method not in METHODS:
        raise ValueError(unknown("method", method, METHODS))
    if METHODS[method] and dt is not None:
        raise ValueError(f"{method} adapts its steps: leave dt out, or use first_step and max_step")
    if not METHODS[method]:
        if dt is None:
            raise ValueError(f"{method} takes fixed steps: give their size as dt")
        _positive("dt", dt)


def _batched(states: Array, values: Array) -> tuple[Array, Array]:
    """States and parameters, each with the same batch axis."""
    if states.ndim == values.ndim == 1:
        return np.ascontiguousarray(states)[None], np.ascontiguousarray(values)[None]
    states, values = np.atleast_2d(states), np.atleast_2d(values)
    if len(states) != len(values):
        if len(states) > 1 and len(values) > 1:
            raise ValueError(f"y0 has {len(states)} trajectories, parameters have {len(values)}: give as many, or one")
        batch = max(len(states), len(values))
        states, values = (np.repeat(array, batch // len(array), axis=0) for array in (states, values))
    return np.ascontiguousarray(states), np.ascontiguousarray(values)


def _times(t_eval: ArrayLike, start: float, end: float) -> Array:
    times = np.ascontiguousarray(np.asarray(t_eval, np.float64))
    direction = -1.0 if end < start else 1.0
    if times.ndim != 1 or not times.size:
        raise ValueError(f"t_eval must be (times,) with at least one time, got shape {times.shape}")
    inside = direction * (times.item(0) - start) >= 0 and direction * (end - times.item(-1)) >= 0
    if not inside or (times.size > 1 and not (np.diff(direction * times) >= 0).all()):
        raise ValueError(f"t_eval must run in order from {start} to {end}, within t_span")
    return times


def _tolerances(atol: Any, n: int) -> Array:
    if isinstance(atol, float) and 0 <= atol < math.inf:
        return np.full(n, atol)
    array = np.asarray(atol, np.float64)
    if array.shape not in ((), (n,)) or not np.isfinite(array).all() or (array < 0).any():
        raise ValueError(f"atol must be non-negative, one number or ({n},), got {atol!r}")
    return np.full(n, array)


def _positive(name: str, value: Any, infinite: bool = False) -> Any:
    try:
        fine = value > 0 and (infinite or value < np.inf)
    except TypeError:
        fine = False
    if not fine:
        raise ValueError(f"{name} must be positive, got {value!r}")
    return value
