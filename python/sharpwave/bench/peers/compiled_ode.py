# mypy: disable-error-code="import-not-found,import-untyped"
"""numbalsoda's LSODA over a compiled right-hand side, and diffrax's Kvaerno5 under jit in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

from .problems import ODES
from .serve import Solve, Solver

MOST_STEPS = 10_000_000
MOST_DIFFRAX_STEPS = 1_000_000


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
    import optimistix

    jax.config.update("jax_enable_x64", True)
    problem = ODES[name]
    term = diffrax.ODETerm(lambda t, y, args: jnp.stack([jnp.asarray(value) for value in problem.rhs(t, y)]))
    y0 = jnp.array(problem.y0)

    def run(rtol: Any, atol: Any) -> Any:
        # The PI controller that diffrax recommends for stiff problems. Newton's method, ending at 10 times the
        # tolerance, because the default (a chord method, ending at the tolerance) takes 3 to 10 times as long on
        # HIRES and OREGO and does not get through VDPOL; ending at the tolerance itself fails at rtol 1e-10.
        controller = diffrax.PIDController(rtol=rtol, atol=atol, pcoeff=0.3, icoeff=0.4)
        newton = optimistix.Newton(rtol=10 * rtol, atol=10 * atol, norm=optimistix.rms_norm)
        return diffrax.diffeqsolve(
            term,
            diffrax.Kvaerno5(root_finder=newton, root_find_max_steps=20),
            0.0,
            problem.t_end,
            None,
            y0,
            stepsize_controller=controller,
            saveat=diffrax.SaveAt(t1=True),
            max_steps=MOST_DIFFRAX_STEPS,
            adjoint=diffrax.ForwardMode(),  # no gradient is taken: nothing need be kept for one
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
    Solver("diffrax Kvaerno5", ("diffrax", "jax", "optimistix"), tuple(ODES), _kvaerno5),
]
