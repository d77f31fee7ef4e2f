# mypy: disable-error-code="import-not-found,import-untyped"
"""jitcdde: delay equations compiled to C with gcc."""

from __future__ import annotations

from typing import Any

from .problems import DDES
from .serve import Solve, Solver


def _jitcdde(name: str) -> Solve:
    import jitcdde

    problem = DDES[name]
    rhs = problem.rhs(jitcdde.y(0), jitcdde.y(0, jitcdde.t - problem.delay))
    system = jitcdde.jitcdde([rhs], delays=[problem.delay], verbose=False)
    system.compile_C(verbose=False)

    def solve(rtol: float, atol: float) -> tuple[list[float], dict[str, Any]]:
        system.purge_past()
        system.constant_past([problem.history])
        system.set_integration_parameters(rtol=rtol, atol=atol)
        system.step_on_discontinuities()
        return system.integrate(problem.t_end).tolist(), {}

    return solve


SOLVERS = [Solver("jitcdde", ("jitcdde",), tuple(DDES), _jitcdde)]
