from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings

from random_expressions import (
    PARAMETERS,
    VARIABLES,
    environments,
    expressions,
    lag_values,
    well_conditioned,
)
from sharpwave.equations import EquationError, Equations, problem


@given(expressions(), environments)
@settings(max_examples=200)
def test_jacobian_and_time_gradient_are_those_of_automatic_differentiation(expression, environment):
    import torch

    # Off the round values, where kinks and jumps are: there the two may take different sides.
    offsets = {"t": 1.414e-4, "x": 3.1416e-4, "y": 2.7183e-4, "z1": 1.618e-4}
    environment = {name: number + offsets.get(name, 0.0) for name, number in environment.items()}
    assume(well_conditioned(expression, environment))
    try:
        system = Equations({"x": expression.text, "y": "0", "z1": "0"}, PARAMETERS)
    except EquationError:
        assume(False)
    point = [environment["t"], *(environment[name] for name in VARIABLES)]
    lags = lag_values(system, environment)

    def rhs(at: torch.Tensor) -> torch.Tensor:
        return system.evaluate(at[0], at[1:], lags=lags, xp=torch)[0] + 0 * at.sum()

    at = torch.tensor(point, dtype=torch.float64, requires_grad=True)
    (expected,) = torch.autograd.grad(rhs(at), at)
    assume(bool(torch.isfinite(expected).all()))  # a branch not taken: torch has 0 times infinity there
    # Kinks elsewhere.
    near = [rhs(at + h * torch.eye(4, dtype=torch.float64)[i]).item() for i in range(4) for h in (-1e-5, 0, 1e-5)]
    left, middle, right = np.array(near).reshape(4, 3).T
    scale = 1 + np.abs(middle) + np.abs(expected.numpy())
    assume(np.all(np.abs(left - 2 * middle + right) < 1e-7 * scale))
    got = np.array(
        [system.time_gradient(point[0], point[1:], lags=lags)[0], *system.jacobian(point[0], point[1:], lags=lags)[0]]
    )
    np.testing.assert_allclose(got, expected.numpy(), rtol=1e-8, atol=1e-9 * scale.max())


FUNCTIONS = [
    *(
        f"{name}(0.3*x + 0.1*t)"
        for name in [
            "exp",
            "log",
            "log1p",
            "expm1",
            "sqrt",
            "sin",
            "cos",
            "tan",
            "asin",
            "acos",
            "atan",
            "sinh",
            "cosh",
            "tanh",
        ]
    ),
    "sigmoid(x - t)",
    "abs(t - x)",
    "hypot(x, t)",
    "atan2(x, t)",
    "atan2(-t, -x)",
    "x**t",
    "t**x",
    "x**2.5",
    "x**-3",
    "x**65",
    "x**x",
    "2**x",
    "x/t",
    "x**2/(1 + x**2*t)",
    "min(x, t, 5)",
    "max(x, t, -5)",
    "relu(x*t)",
    "heaviside(x)*x**2",
    "floor(3*x)*x + ceil(x)*t + sign(x)*x",
    "where(x < t, x**2, t**3)",
    "x if x > t else t*x",
]


@pytest.mark.parametrize("text", FUNCTIONS)
def test_derivative_of_each_function(text):
    system = Equations({"x": text})
    t, x, h = 0.7, 1.35, 1e-6

    def rhs(t: float, x: float) -> float:
        return float(system.evaluate(t, [x])[0])

    # Central differences: error about h**2 of truncation and 1e-16/h of rounding, of the size of the third derivative.
    by_x, by_t = (rhs(t, x + h) - rhs(t, x - h)) / (2 * h), (rhs(t + h, x) - rhs(t - h, x)) / (2 * h)
    size = max(1.0, abs(rhs(t, x)), abs(by_x), abs(by_t))
    assert system.jacobian(t, [x])[0, 0] == pytest.approx(by_x, abs=1e-8 * size)
    assert system.time_gradient(t, [x])[0] == pytest.approx(by_t, abs=1e-8 * size)


@pytest.mark.parametrize(
    ("text", "x", "expected"),
    [
        ("where(x > 0, log(x), 0)", 0.0, 0.0),
        ("where(x > 0, log(x), 0)", -1.0, 0.0),
        ("where(x > 0, sqrt(x), x)", 0.0, 1.0),
        ("0 if x == 0 else sin(x)/x", 0.0, 0.0),
        ("sqrt(relu(x))", -1.0, 0.0),
        ("sqrt(relu(x))", 0.25, 1.0),
        ("asin(where(x > 1, 1, where(x < -1, -1, x)))", 3.0, 0.0),
        ("asin(where(x > 1, 1, where(x < -1, -1, x)))", -3.0, 0.0),
        ("abs(x)", 0.0, 0.0),
        ("relu(x)", 0.0, 0.0),
        ("hypot(x, 0)", 0.0, 0.0),
        ("x**2", 0.0, 0.0),
        ("x**n", 0.0, 0.0),
        ("sigmoid(x)", -800.0, 0.0),
        ("sigmoid(x)", 800.0, 0.0),
        ("tanh(x)", 800.0, 0.0),
    ],
)
def test_a_derivative_is_finite_where_the_function_is(text, x, expected):
    system = Equations({"x": text}, {"n": 3.0})
    assert system.jacobian(0.0, [x])[0, 0] == expected


def test_sigmoid_keeps_its_digits_far_out():
    got = Equations({"x": "sigmoid(x)"}).jacobian(0.0, [40.0])[0, 0]
    assert got == pytest.approx(math.exp(-40), rel=1e-12)


def test_only_structural_nonzeros_are_kept():
    program = problem("hires").equations.encode()
    found = list(zip(program.jac_rows.tolist(), program.jac_cols.tolist(), strict=True))
    assert found == sorted(found)
    expected = {0: [0, 1, 2], 1: [0, 1], 2: [2, 3, 4], 3: [1, 2, 3], 4: [4, 5, 6]}
    expected |= {5: [3, 4, 5, 6, 7], 6: [5, 6, 7], 7: [5, 6, 7]}
    assert found == [(row, col) for row, cols in expected.items() for col in cols]


@pytest.mark.parametrize(
    "text", ["0*x", "x - x", "x**0", "floor(x)", "(x > 1)*t", "where(x > 0, t, t)", "x(t - 1)**2", "0*x(t - 1)*x"]
)
def test_what_does_not_depend_on_the_variable_has_no_entry(text):
    assert Equations({"x": text}).encode().jac_rows.size == 0


def test_lagged_values_count_as_constants():
    system = Equations({"x": "x*x(t - 1)**2*t"})
    assert system.jacobian(2.0, [5.0], lags=[3.0])[0, 0] == 18.0
    assert system.time_gradient(2.0, [5.0], lags=[3.0])[0] == 45.0


def test_a_maximum_of_many():
    names = [f"x{i}" for i in range(300)]
    inner = ", ".join(names)
    system = Equations({name: f"sqrt(max({inner}))" if name == "x0" else "0" for name in names})
    y = np.arange(300.0) + 100
    y[7] = 400.0
    row = system.jacobian(0.0, y)[0]
    assert np.flatnonzero(row).tolist() == [7]
    assert row[7] == 0.025


def test_shared_parts_are_kept_once():
    nested = "x"
    for _ in range(20):
        nested = f"sin({nested})*0.5 + cos({nested})" if len(nested) < 5000 else f"tanh({nested})"
    program = Equations({"x": nested}).encode()
    # The text doubles with each level, the program grows by a few instructions.
    assert len(nested) > 5000
    assert len(program.code) < 250


def test_a_program_has_no_forward_references_and_no_repeats():
    program = problem("mackey_glass").equations.encode(["y - 1"], {"y": "0.5 + 0*t"})
    rows = [tuple(row) for row in program.code.tolist()]
    assert len(set(rows)) == len(rows)
    assert np.all(program.code[program.code[:, 0] >= 10][:, 1] < np.flatnonzero(program.code[:, 0] >= 10))
    assert not program.code.flags.writeable


def test_growth_without_end_is_refused(monkeypatch):
    names = [f"x{i}" for i in range(60)]
    product = Equations({name: "*".join(names) if name == "x0" else "0" for name in names})
    assert len(product.encode().code) < 60**2
    monkeypatch.setattr("sharpwave.equations.tree.LARGEST_TREE", 1000)
    product = Equations({name: "*".join(names) if name == "x0" else "0" for name in names})
    with pytest.raises(EquationError, match="more than 1,000 parts"):
        product.encode()
