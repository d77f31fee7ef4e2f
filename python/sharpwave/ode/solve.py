"""`solve_ivp` and `solve_dde`: check, solve, collect."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sharpwave_bridge import JuliaUnavailableError

from ..equations import Equations
from ..equations.compiling import history_key
from . import julia_backend, scipy_backend
from .events import Event
from .request import Request, initial_states, request, span
from .solution import Array, Solution, SolutionBatch


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
    initial = initial_states(equations, y0)
    job = request(
        equations, None, t_span, initial, method=method, t_eval=t_eval, rtol=rtol, atol=atol, events=events,
        dense_output=dense_output, dt=dt, first_step=first_step, max_step=max_step, max_steps=max_steps,
        parameters=parameters,
    )  # fmt: skip
    return _solve(job, progress)


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
    start, end = span(t_span)
    if end < start:
        raise ValueError(f"a delay equation runs forwards: t_span must rise, got {t_span}")
    if y0 is None:
        past = _past(equations, history)
        values = past.parameter_vector(parameters)
        initial: Array = past.evaluate(start, np.zeros(len(equations.variables)), values)
    else:
        initial = initial_states(equations, y0)
    job = request(
        equations, history, t_span, initial, method=method, t_eval=t_eval, rtol=rtol, atol=atol, events=events,
        dense_output=dense_output, dt=dt, first_step=first_step, max_step=max_step, max_steps=max_steps,
        parameters=parameters,
    )  # fmt: skip
    return _solve(job, progress)


# The histories that were used with a system, as systems that can be evaluated: parsing one can outlast solving.
_pasts: weakref.WeakKeyDictionary[Equations, dict[Any, Equations]] = weakref.WeakKeyDictionary()


def _past(equations: Equations, history: Mapping[str, str | float]) -> Equations:
    known = _pasts.setdefault(equations, {})
    texts = history_key(history) if isinstance(history, Mapping) else None
    if texts not in known:
        equations.encode(history=history)  # raises what is missing or unknown
        known[texts] = Equations({name: history[name] for name in equations.variables}, dict(equations.parameters))
    return known[texts]


def _solve(job: Request, progress: Callable[[int, int], None] | None) -> Solution | SolutionBatch:
    try:
        solutions = julia_backend.solve(job, progress)
    except JuliaUnavailableError as error:
        if job.history is not None:
            raise
        _warn_once(str(error))
        solutions = scipy_backend.solve(job)
    if job.single:
        return solutions[0]
    if job.t_eval is None:
        return SolutionBatch(tuple(solutions))
    y = np.full((len(solutions), len(solutions[0].variables), len(job.t_eval)), np.nan)
    for row, solution in zip(y, solutions, strict=True):
        row[:, : solution.y.shape[1]] = solution.y
    return SolutionBatch(tuple(solutions), job.t_eval, y)


_warned = False


def _warn_once(reason: str) -> None:
    global _warned
    if not _warned:
        _warned = True
        warnings.warn(f"solving with SciPy instead of Julia: {reason}", RuntimeWarning, stacklevel=4)
