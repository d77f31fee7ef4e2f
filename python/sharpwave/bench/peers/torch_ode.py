# mypy: disable-error-code="import-not-found,import-untyped"
"""torchdiffeq's dopri5 (explicit: on stiff problems its step is bounded by stability), in float64."""

from __future__ import annotations

from typing import Any

from .problems import ODES
from .serve import Solve, Solver


def _dopri5(name: str) -> Solve:
    import torch
    from torchdiffeq import odeint

    problem = ODES[name]
    times, y0 = torch.tensor([0.0, problem.t_end]).double(), torch.tensor(problem.y0, dtype=torch.float64)

    def rhs(t: Any, y: Any) -> Any:
        return torch.stack(problem.rhs(t, y.unbind()))

    def solve(rtol: float, atol: float) -> tuple[list[float], dict[str, Any]]:
        with torch.inference_mode():
            return odeint(rhs, y0, times, rtol=rtol, atol=atol, method="dopri5")[-1].tolist(), {}

    return solve


SOLVERS = [Solver("torchdiffeq dopri5", ("torch", "torchdiffeq"), tuple(ODES), _dopri5)]
