"""What solves ordinary equations where there is no Julia: SciPy, slower, and without delays."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..equations import Equations
from .events import Event
from .solution import Array, Solution

# The nearest in kind: an implicit method with the exact Jacobian for stiff systems, else an explicit one.
_METHODS = {"Rodas5P": "Radau", "Tsit5": "DOP853"}


def solve(
    equations: Equations,
    t_span: tuple[float, float],
    y0: Array,
    values: Array,
    method: str,
    t_eval: Array | None,
    rtol: float,
    atol: Array,
    events: tuple[Event, ...],
    dense_output: bool,
    first_step: float | None,
    max_step: float,
) -> Solution:
    """Solve one trajectory; the arguments are those of `solve_ivp`, checked.

    Raises:
        ValueError: the method has no counterpart in SciPy.
    """
    from scipy.integrate import solve_ivp

    if method not in _METHODS:
        raise ValueError(f"{method} needs Julia: run `sharpwave setup`; without it there are {', '.join(_METHODS)}")
    jacobian = {"jac": lambda t, y: equations.jacobian(t, y, values)} if method == "Rodas5P" else {}
    done = solve_ivp(
        lambda t, y: equations.evaluate(t, y, values),
        t_span,
        y0,
        method=_METHODS[method],
        t_eval=t_eval,
        rtol=max(rtol, 100 * np.finfo(float).eps),
        atol=atol,
        events=[_function(equations, event, values) for event in events],
        dense_output=dense_output,
        first_step=first_step,
        max_step=max_step,
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
        stats={"method": method, "backend": f"scipy {_METHODS[method]}", "rtol": rtol},
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
