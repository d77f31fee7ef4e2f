# mypy: disable-error-code="import-not-found,import-untyped"
"""SciPy's stiff solvers with the analytic Jacobian, and scikit-sundae's CVODE.

Right-hand sides and Jacobians are compiled with numba where it is installed, as a user in need of speed would do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .problems import ODES, Problem
from .serve import Solve, Solver

MOST_STEPS = 10_000_000


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    try:
        import numba
    except ImportError:
        return function
    compiled: Callable[..., Any] = numba.njit(function)
    return compiled


def _functions(problem: Problem) -> tuple[Callable[..., Any], Callable[..., Any]]:
    rhs, jacobian = _compiled(problem.rhs), _compiled(problem.jacobian)
    return (
        _compiled(lambda t, y: np.array(rhs(t, y))),
        _compiled(lambda t, y: np.array(jacobian(t, y))),
    )


def _solve_ivp(method: str) -> Callable[[str], Solve]:
    def build(name: str) -> Solve:
        from scipy.integrate import solve_ivp

        problem = ODES[name]
        rhs, jacobian = _functions(problem)
        span, y0, ends = (0.0, problem.t_end), np.array(problem.y0), [problem.t_end]

        def solve(rtol: float, atol: float) -> tuple[list[float], dict[str, Any]]:
            done = solve_ivp(rhs, span, y0, method, t_eval=ends, jac=jacobian, rtol=rtol, atol=atol)
            if not done.success:
                raise RuntimeError(done.message)
            return done.y[:, -1].tolist(), {"evaluations": int(done.nfev), "jacobians": int(done.njev)}

        return solve

    return build


def _odeint(name: str) -> Solve:
    from scipy.integrate import odeint

    problem = ODES[name]
    rhs, jacobian = _functions(problem)
    times, y0 = np.array([0.0, problem.t_end]), np.array(problem.y0)

    def solve(rtol: float, atol: float) -> tuple[list[float], dict[str, Any]]:
        y, info = odeint(
            rhs, y0, times, Dfun=jacobian, rtol=rtol, atol=atol, tfirst=True, mxstep=MOST_STEPS, full_output=True
        )
        if info["message"] != "Integration successful.":
            raise RuntimeError(info["message"])
        return y[-1].tolist(), {"evaluations": int(info["nfe"][-1]), "jacobians": int(info["nje"][-1])}

    return solve


def _cvode(name: str) -> Solve:
    from sksundae.cvode import CVODE

    problem = ODES[name]
    rhs, jacobian = _compiled(problem.rhs), _compiled(problem.jacobian)

    def fill_rhs(t: float, y: Any, out: Any) -> None:
        value = rhs(t, y)
        for i in range(len(y)):
            out[i] = value[i]

    def fill_jacobian(t: float, y: Any, yp: Any, out: Any) -> None:
        out[:] = np.array(jacobian(t, y))

    rhs_into, jacobian_into = _compiled(fill_rhs), _compiled(fill_jacobian)
    # Three times, because with two CVODE keeps every step; the middle one is too early to cost a step.
    times, y0 = np.array([0.0, 1e-12 * problem.t_end, problem.t_end]), np.array(problem.y0)

    def solve(rtol: float, atol: float) -> tuple[list[float], dict[str, Any]]:
        solver = CVODE(rhs_into, jacfn=jacobian_into, rtol=rtol, atol=atol, max_num_steps=MOST_STEPS)
        done = solver.solve(times, y0)
        if not done.success:
            raise RuntimeError(done.message)
        return done.y[-1].tolist(), {"evaluations": int(done.nfev), "jacobians": int(done.njev)}

    return solve


SOLVERS = [
    Solver("SciPy odeint (LSODA)", ("scipy.integrate",), tuple(ODES), _odeint),
    Solver("SciPy LSODA", ("scipy.integrate",), tuple(ODES), _solve_ivp("LSODA")),
    Solver("SciPy BDF", ("scipy.integrate",), tuple(ODES), _solve_ivp("BDF")),
    Solver("SciPy Radau", ("scipy.integrate",), tuple(ODES), _solve_ivp("Radau")),
    Solver("CVODE (scikit-sundae)", ("sksundae.cvode",), tuple(ODES), _cvode),
]
