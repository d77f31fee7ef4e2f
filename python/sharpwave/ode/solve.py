"""`solve_ivp` and `solve_dde`: checks, one call of the Julia core, and a result."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sharpwave_bridge import JuliaUnavailableError, call, session

from ..equations import Equations
from ..suggest import unknown
from .events import Event, as_events
from .solution import Array, DenseOutput, Solution, SolutionBatch

# The numbers by which the kernel knows the methods, and the degree of their dense output.
METHODS = {"Rodas5P": (1, 4), "Tsit5": (2, 4), "RK4": (3, 3), "ExponentialEuler": (4, 2)}
_FIXED_STEP = ("RK4", "ExponentialEuler")

# Compiled systems: for each Equations, by events and history, the kernel's handle.
_handles: weakref.WeakKeyDictionary[Equations, dict[Any, int]] = weakref.WeakKeyDictionary()


def solve_ivp(
    equations: Equations,
    t_span: tuple[float, float],
    y0: ArrayLike | Mapping[str, ArrayLike],
    method: str = "Tsit5",
    t_eval: ArrayLike | None = None,
    *,
    rtol: float = 1e-6,
    atol: ArrayLike = 1e-9,
    events: Event | str | Sequence[Event | str] | None = None,
    dense_output: bool = False,
    dt: float | None = None,
    first_step: float | None = None,
    max_step: float = np.inf,
    max_steps: int = 100_000,
    parameters: Mapping[str, ArrayLike] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Solution | SolutionBatch:
    """Solve a system of ordinary differential equations from an initial state, or many of them in one call.

    Args:
        equations: the system.
        t_span: first and last time; the last may be the earlier one.
        y0: initial state (n,), or (batch, n) for several trajectories, or a dict with a value for each variable.
        method: `Rodas5P` for stiff systems, `Tsit5` for others (both adapt their steps); `RK4` and `ExponentialEuler`
            take fixed steps `dt`. ExponentialEuler is exact for linear systems.
        t_eval: (times,) where the solution is wanted; default: at every accepted step.
        rtol, atol: tolerances of the local error, per trajectory; atol one number or (n,). Defaults 1e-6 and 1e-9 (a
            choice: tighter than SciPy's 1e-3 and 1e-6, whose results are often taken for exact).
        events: `Event`s or expressions whose sign changes are to be found.
        dense_output: whether to return the solution as a function of time, `.sol`.
        dt: size of a fixed step; only for methods that take one.
        first_step: size of the first step; default: estimated.
        max_step: largest step.
        max_steps: accepted and rejected steps of one trajectory before it stops with a partial result.
        parameters: values that replace the declared ones; (batch,) values give several trajectories.
        progress: called with (done, total) trajectories about ten times a second.

    Returns:
        A `Solution`, or a `SolutionBatch` where y0 or a parameter has a batch axis. A trajectory that stops short
        has `success` False, what was reached, and a message that says what to change. The numbers do not depend on
        the number of threads, nor on what else is in the batch.

    Raises:
        EquationError: an event or a parameter is not what the equations know.
        ValueError: an argument does not fit; the equations have delays (use `solve_dde`).

    Without Julia the nearest method of SciPy solves it, with one warning: Radau for Rodas5P, DOP853 for Tsit5.

    Source:
        Rodas5P: Steinebach, BIT 63:27 (2023). Tsit5: Tsitouras, Comput. Math. Appl. 62 (2011) 770.

    Example:
        >>> decay = Equations({"x": "-a*x"}, parameters={"a": 1.0})
        >>> solution = solve_ivp(decay, (0.0, 1.0), [1.0], t_eval=[1.0], rtol=1e-10)
        >>> bool(abs(solution.y[0, 0] - np.exp(-1)) < 1e-9)
        True
        >>> batch = solve_ivp(decay, (0.0, 1.0), [1.0], t_eval=[0.0, 1.0], parameters={"a": [1.0, 2.0]})
        >>> batch.y.shape
        (2, 1, 2)
    """
    if equations.lags:
        raise ValueError("the equations have delays: use solve_dde, with a history")
    initial = _initial_states(equations, y0)
    return _solve(
        equations, None, t_span, initial, method, t_eval, rtol, atol, events, dense_output, dt, first_step, max_step,
        max_steps, parameters, progress,
    )  # fmt: skip


def solve_dde(
    equations: Equations,
    t_span: tuple[float, float],
    history: Mapping[str, str | float],
    method: str = "Tsit5",
    t_eval: ArrayLike | None = None,
    *,
    y0: ArrayLike | Mapping[str, ArrayLike] | None = None,
    rtol: float = 1e-6,
    atol: ArrayLike = 1e-9,
    events: Event | str | Sequence[Event | str] | None = None,
    dense_output: bool = False,
    dt: float | None = None,
    first_step: float | None = None,
    max_step: float = np.inf,
    max_steps: int = 100_000,
    parameters: Mapping[str, ArrayLike] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Solution | SolutionBatch:
    """Solve a system of delay differential equations from its history, or many of them in one call.

    Delays are constant or depend on time and parameters, not on the state. Where they carry the kink at the start to is
    tracked, and steps end there.

    Args:
        equations: the system, with delayed values such as `x(t - tau)`.
        t_span: first and last time; the last is the later one.
        history: for each variable its past, an expression of `t` and parameters.
        y0: the state at the start, where it is not the history's: (n,), (batch, n), or a dict.

    The other arguments, what is returned and what is raised are those of `solve_ivp`; without Julia it raises
    JuliaUnavailableError, for SciPy has no delays.

    Example:
        >>> ramp = Equations({"u": "-u(t - 1)"})
        >>> solution = solve_dde(ramp, (0.0, 5.0), {"u": 0.0}, y0=[1.0], t_eval=[5.0], rtol=1e-10)
        >>> bool(abs(solution.y[0, 0] - 5 / 24) < 1e-9)
        True
    """
    start, end = _span(t_span)
    if end < start:
        raise ValueError(f"a delay equation runs forwards: t_span must rise, got {t_span}")
    if y0 is None:
        equations.encode(history=history)  # raises what is missing or unknown
        past = Equations({name: history[name] for name in equations.variables}, dict(equations.parameters))
        values = past.parameter_vector(parameters)
        initial: Array = past.evaluate(start, np.zeros(len(equations.variables)), values)
    else:
        initial = _initial_states(equations, y0)
    return _solve(
        equations, history, t_span, initial, method, t_eval, rtol, atol, events, dense_output, dt, first_step, max_step,
        max_steps, parameters, progress,
    )  # fmt: skip


def _solve(
    equations: Equations,
    history: Mapping[str, str | float] | None,
    t_span: tuple[float, float],
    initial: Array,
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
    progress: Callable[[int, int], None] | None,
) -> Solution | SolutionBatch:
    start, end = _span(t_span)
    found = as_events(events)
    number, degree = _method(method, dt)
    n = len(equations.variables)
    wanted = np.empty(0) if t_eval is None else _times(t_eval, start, end)
    tolerances = np.ascontiguousarray(np.broadcast_to(_numbers("atol", atol, allow_zero=True), (n,)))
    values = equations.parameter_vector(parameters)
    single = initial.ndim == 1 and values.ndim == 1
    states, values = _batched(initial, values)
    try:
        handle = _handle(equations, found, history)
    except JuliaUnavailableError as error:
        if equations.lags:
            raise
        _warn_once(str(error))
        from . import scipy_backend

        asked = None if t_eval is None else wanted
        return _collected(
            [
                scipy_backend.solve(
                    equations, (start, end), state, value, method, asked, rtol, tolerances, found, dense_output,
                    first_step, max_step,
                )
                for state, value in zip(states, values, strict=True)
            ],
            single,
            asked,
        )  # fmt: skip
    batch = len(states)
    save = 2 if dense_output else int(t_eval is None)

    y, status = np.empty((batch, len(wanted), n)), np.empty(batch, np.int64)
    statistics = np.empty((batch, 5), np.int64)
    t_end, y_end = np.empty(batch), np.empty((batch, n))
    step_counts, event_counts, kept = np.empty(batch, np.int64), np.empty(batch, np.int64), np.empty(1, np.int64)
    buffers = _buffers(
        0 if not save else 256 * batch, 0 if not dense_output else 256 * batch, 64 * len(found), degree, n
    )
    call(
        "integrate", handle, number, states, values, start, end, wanted, rtol, tolerances, first_step or 0.0, max_step,
        dt or 0.0, max_steps, np.array([event.direction for event in found], np.int64),
        np.array([int(event.terminal) for event in found], np.int64), save, y, status, statistics, t_end, y_end,
        step_counts, *buffers[:3], event_counts, *buffers[3:], kept, progress=progress,
    )  # fmt: skip
    if kept[0]:
        steps, events_found = int(step_counts.sum()), int(event_counts.sum())
        buffers = _buffers(steps, max(0, steps - batch) if dense_output else 0, events_found, degree, n)
        call("fetch_result", int(kept[0]), *buffers)
    stats = {"method": method, "backend": f"julia {session().runtime.version}", "rtol": rtol}
    step_at = np.concatenate([[0], np.cumsum(step_counts)])
    event_at = np.concatenate([[0], np.cumsum(event_counts)])
    solutions = []
    for b in range(batch):
        taken = slice(step_at[b], step_at[b + 1])
        happened = slice(event_at[b], event_at[b + 1])
        step_t, step_y, dense, event_t, event_index, event_y = buffers
        if t_eval is None:
            t, course = step_t[taken], np.ascontiguousarray(step_y[taken].T)
        else:
            reached = _reached(wanted, t_end[b], end - start)
            t, course = wanted[:reached], np.ascontiguousarray(y[b, :reached].T)
        pieces = slice(step_at[b] - b, step_at[b + 1] - b - 1)
        which = event_index[happened]
        accepted, rejected, evaluations, jacobians, decompositions = (int(count) for count in statistics[b])
        solutions.append(
            Solution(
                t=t,
                y=course,
                sol=DenseOutput(step_t[taken], dense[pieces]) if dense_output else None,
                t_events=[event_t[happened][which == i] for i in range(len(found))],
                y_events=[event_y[happened][which == i] for i in range(len(found))],
                status=int(status[b]),
                nfev=evaluations,
                njev=jacobians,
                nlu=decompositions,
                stats={**stats, "accepted": accepted, "rejected": rejected},
                variables=equations.variables,
            )
        )
    return _collected(solutions, single, None if t_eval is None else wanted)


def _collected(solutions: list[Solution], single: bool, t_eval: Array | None) -> Solution | SolutionBatch:
    """The one solution, or all of them with NaN at the times that one did not reach."""
    if single:
        return solutions[0]
    if t_eval is None:
        return SolutionBatch(tuple(solutions))
    y = np.full((len(solutions), len(solutions[0].variables), len(t_eval)), np.nan)
    for row, solution in zip(y, solutions, strict=True):
        row[:, : solution.y.shape[1]] = solution.y
    return SolutionBatch(tuple(solutions), t_eval, y)


_warned = False


def _warn_once(reason: str) -> None:
    global _warned
    if not _warned:
        _warned = True
        warnings.warn(f"solving with SciPy instead of Julia: {reason}", RuntimeWarning, stacklevel=4)


def _handle(equations: Equations, events: tuple[Event, ...], history: Mapping[str, str | float] | None) -> int:
    """The kernel's handle of the compiled system; compiles it the first time."""
    texts = tuple(event.expression for event in events)
    key = (texts, None if history is None else tuple(sorted((name, str(text)) for name, text in history.items())))
    known = _handles.setdefault(equations, {})
    if key not in known:
        handle = np.empty(1, np.int64)
        call("compile_equations", *equations.encode(texts, history).arrays(), handle)
        known[key] = int(handle[0])
    return known[key]


def _buffers(steps: int, pieces: int, found: int, degree: int, n: int) -> tuple[NDArray[Any], ...]:
    """Room for step times and states, dense output, event times, indices and states, in the kernel's order."""
    return (
        np.empty(steps),
        np.empty((steps, n)),
        np.empty((pieces, degree + 1, n)),
        np.empty(found),
        np.empty(found, np.int64),
        np.empty((found, n)),
    )


def _initial_states(equations: Equations, y0: ArrayLike | Mapping[str, ArrayLike]) -> Array:
    names = equations.variables
    if isinstance(y0, Mapping):
        for name in y0:
            if name not in names:
                raise ValueError(f"y0: {unknown('variable', name, names)}")
        if missing := [name for name in names if name not in y0]:
            raise ValueError(f"y0: no value for {', '.join(missing)}; every variable needs one")
        y0 = np.stack(np.broadcast_arrays(*(np.asarray(y0[name], np.float64) for name in names)), axis=-1)
    states = np.asarray(y0, np.float64)
    if states.ndim not in (1, 2) or states.shape[-1] != len(names):
        raise ValueError(f"y0 must be ({len(names)},) or (batch, {len(names)}), got shape {states.shape}")
    if not np.isfinite(states).all():
        raise ValueError("y0 must be finite")
    return states


def _batched(states: Array, values: Array) -> tuple[Array, Array]:
    """States and parameters, each with the same batch axis."""
    sizes = {len(array) for array in (states, values) if array.ndim == 2} - {1}
    if len(sizes) > 1:
        raise ValueError(f"y0 has {len(states)} trajectories, parameters have {len(values)}: give as many, or one")
    batch = sizes.pop() if sizes else 1
    return (
        np.ascontiguousarray(np.broadcast_to(states, (batch, states.shape[-1]))),
        np.ascontiguousarray(np.broadcast_to(values, (batch, values.shape[-1]))),
    )


def _span(t_span: tuple[float, float]) -> tuple[float, float]:
    try:
        start, end = (float(t) for t in t_span)
    except (TypeError, ValueError):
        raise ValueError(f"t_span must be two numbers, got {t_span!r}") from None
    if not np.isfinite([start, end]).all():
        raise ValueError(f"t_span must be finite, got {t_span}")
    return start, end


def _times(t_eval: ArrayLike, start: float, end: float) -> Array:
    times = np.ascontiguousarray(np.asarray(t_eval, np.float64))
    direction = -1.0 if end < start else 1.0
    if times.ndim != 1 or not times.size:
        raise ValueError(f"t_eval must be (times,) with at least one time, got shape {times.shape}")
    if (np.diff(direction * times) < 0).any() or not (
        min(start, end) <= times.min() and times.max() <= max(start, end)
    ):
        raise ValueError(f"t_eval must run in order from {start} to {end}, within t_span")
    return times


def _numbers(name: str, value: ArrayLike, allow_zero: bool = False) -> Array:
    array = np.asarray(value, np.float64)
    if array.ndim > 1 or not np.isfinite(array).all() or (array < 0).any() or (not allow_zero and (array == 0).any()):
        raise ValueError(f"{name} must be {'non-negative' if allow_zero else 'positive'}, got {value!r}")
    return array


def _method(method: str, dt: float | None) -> tuple[int, int]:
    if method not in METHODS:
        raise ValueError(unknown("method", method, METHODS))
    if method in _FIXED_STEP and not dt:
        raise ValueError(f"{method} takes fixed steps: give their size as dt")
    if method not in _FIXED_STEP and dt:
        raise ValueError(f"{method} adapts its steps: leave dt out, or use first_step and max_step")
    return METHODS[method]


def _reached(wanted: Array, t_end: float, span: float) -> int:
    """How many of the wanted times a trajectory that ended at t_end has passed."""
    return int((wanted <= t_end).sum() if span >= 0 else (wanted >= t_end).sum())
