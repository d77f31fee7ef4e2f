"""What solves ordinary equations where there is no Julia: SciPy, slower, and without delays."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..equations import Equations
from .events import Event
from .request import Request
from .solution import Array, Solution

# The nearest in kind: an implicit method with the exact Jacobian for stiff systems, else an explicit one.
_METHODS = {"Rodas5P": "Radau", "Tsit5": "DOP853"}


def solve(job: Request) -> list[Solution]:
    """Solve every trajectory.

    Raises:
        ValueError: the method has no counterpart in SciPy.
    """
    if job.method not in _METHODS:
        raise ValueError(f"{job.method} needs Julia: run `sharpwave setup`; without it there are {', '.join(_METHODS)}")
    return [_solve_one(job, y0, values) for y0, values in zip(job.states, job.values, strict=True)]


def _solve_one(job: Request, y0: Array, values: Array) -> Solution:
    from scipy.integrate import solve_ivp

    equations = job.equations
    jacobian = {"jac": lambda t, y: equations.jacobian(t, y, values)} if job.method == "Rodas5P" else {}
    done = solve_ivp(
        lambda t, y: equations.evaluate(t, y, values),
        (job.start, job.end),
        y0,
        method=_METHODS[job.method],
        t_eval=job.t_eval,
        rtol=max(job.rtol, 100 * np.finfo(float).eps),
        atol=job.atol,
        events=[_function(equations, event, values) for event in job.events],
        dense_output=job.dense_output,
        first_step=job.first_step or None,
        max_step=job.max_step,
        **jacobian,
    )
    return Solution(
        t=done.t,
        y=done.y,
        sol=done.sol,
        t_events=list(done.t_events or []),
        y_events=list(done.y_events or []),
        status=done.status if done.status >= 0 else -2,
        nfev=done.nfev,
        njev=done.njev,
        nlu=done.nlu,
        stats={"method": job.method, "backend": f"scipy {_METHODS[job.method]}", "rtol": job.rtol},
        variables=equations.variables,
    )


def _function(equations: Equations, event: Event, values: Array) -> Any:
    """SciPy's form of an event: the expression as the derivative of one more variable."""
    texts: dict[str, Any] = dict.fromkeys(equations.variables, 0.0)
    name = "event"
    while name in texts or name in equations.parameters:
        name += "_"
    system = Equations({**texts, name: event.expression}, dict(equations.parameters))

    def function(t: float, y: Array) -> float:
        return float(system.evaluate(t, np.append(y, 0.0), values)[-1])

    function.terminal = event.terminal  # type: ignore[attr-defined]
    function.direction = event.direction  # type: ignore[attr-defined]
    return function
