# mypy: disable-error-code="import-not-found,import-untyped"
"""numbalsoda's LSODA over a compiled right-hand side, and diffrax's Kvaerno5 under jit in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

from .problems import ODES
from .serve import Solve, Solver

MOST_STEPS = 10_000_000


def _numbalsoda(name: str) -> Solve:
    import numba
    from numbalsoda import lsoda, lsoda_sig

    problem = ODES[name]
    formula = numba.njit(problem.rhs)
    size = len(problem.y0)

    def fill(t: float, y: Any, out: Any, parameters: Any) -> None:
        value = formula(t, y)
        for i in range(size):
            out[i] = value[i]

    address = numba.cfunc(lsoda_sig)(fill).address
    times, y0, no_parameters = np.array([0.0, problem.t_end]), np.array(problem.y0), np.array([0.0])

    def solve(rtol: float, atol: float) -> tuple[list[float], dict[str, Any]]:
        y, success = lsoda(address, y0, times, no_parameters, rtol, atol, MOST_STEPS)
        if not success:
            raise RuntimeError("lsoda did not succeed")
        return y[-1].tolist(), {}

    return solve


def _kvaerno5(name: str) -> Solve:
    import diffrax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    problem = ODES[name]
    term = diffrax.ODETerm(lambda t, y, args: jnp.stack([jnp.asarray(value) for value in problem.rhs(t, y)]))
    y0 = jnp.array(problem.y0)

    def run(rtol: Any, atol: Any) -> Any:
        # pcoeff and icoeff: the PI controller that diffrax recommends for stiff problems.
        controller = diffrax.PIDController(rtol=rtol, atol=atol, pcoeff=0.3, icoeff=0.4)
        return diffrax.diffeqsolve(
            term,
            diffrax.Kvaerno5(),
            0.0,
            problem.t_end,
            None,
            y0,
            stepsize_controller=controller,
            saveat=diffrax.SaveAt(t1=True),
            max_steps=None,
            throw=False,
        )

    jitted = jax.jit(run)

    def solve(rtol: float, atol: float) -> tuple[list[float], dict[str, Any]]:
        done = jitted(rtol, atol)
        y = np.asarray(done.ys[-1])
        if done.result != diffrax.RESULTS.successful:
            raise RuntimeError(str(done.result))
        return y.tolist(), {"steps": int(done.stats["num_steps"])}

    return solve


SOLVERS = [
    Solver("numbalsoda LSODA", ("numbalsoda", "numba"), tuple(ODES), _numbalsoda),
    Solver("diffrax Kvaerno5", ("diffrax", "jax"), tuple(ODES), _kvaerno5),
]
