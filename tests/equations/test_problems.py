from __future__ import annotations

import numpy as np
import pytest

from sharpwave.equations import PROBLEMS, problem

ORDINARY = [name for name in PROBLEMS if problem(name).history is None]


@pytest.mark.parametrize("name", ORDINARY)
def test_scipy_reaches_the_stated_end_point(name):
    from scipy.integrate import solve_ivp

    p = problem(name)
    smooth = name in ("lorenz", "lotka_volterra")
    solution = solve_ivp(
        p.equations.evaluate,
        p.t_span,
        p.y0,
        **({"method": "DOP853"} if smooth else {"method": "Radau", "jac": p.equations.jacobian}),
        rtol=1e-12 if smooth else 1e-7,
        atol=1e-12 if smooth else np.abs(p.reference) * 1e-7,
    )
    # Lorenz multiplies an error by about exp(0.9*10); the stiff problems have tolerance 1e-7.
    np.testing.assert_allclose(solution.y[:, -1], p.reference, rtol=1e-8 if smooth else 1e-4)


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_is_whole(name):
    p = problem(name)
    n = len(p.equations.variables)
    assert p is problem(name)
    assert len(p.y0) == len(p.reference) == n
    assert bool(p.equations.lags) == (p.history is not None)
    program = p.equations.encode(history=p.history)
    assert len(program.history) == (0 if p.history is None else n)
    assert program.delay_constant.all()


def test_unknown_problem():
    with pytest.raises(ValueError, match="unknown problem 'robert': did you mean 'rober'"):
        problem("robert")
