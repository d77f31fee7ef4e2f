from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import assume, given, settings

from random_expressions import (
    PARAMETERS,
    VARIABLES,
    OutsideDomainError,
    environments,
    expressions,
    lag_values,
    value,
)
from sharpwave.equations import EquationError, Equations


@given(expressions(), environments)
@settings(max_examples=300)
def test_parsed_text_computes_what_it_says(expression, environment):
    assume(environment["t"] != 2.0)  # t - 1 and t/2 are one time there
    try:
        expected = value(expression, environment)
    except OutsideDomainError:
        assume(False)
    try:
        system = Equations({"x": expression.text, "y": "0", "z1": "0"}, PARAMETERS)
    except EquationError as error:
        # Only for a part that is never used, such as the other branch of a where.
        assume("not a finite number" not in str(error))
        raise
    y = [environment[name] for name in VARIABLES]
    got = system.evaluate(environment["t"], y, lags=lag_values(system, environment))[0]
    assert got == pytest.approx(expected, rel=1e-14, abs=0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-x**2", -4.0),
        ("x**-1", 0.5),
        ("2*x**3*3", 48.0),
        ("x - 1 - 1", 0.0),
        ("8/x/2", 2.0),
        ("2**x**1", 4.0),
        ("1 < x < 3", 1.0),
        ("3 > x > 2", 0.0),
        ("x == 2", 1.0),
        ("x != 2", 0.0),
        ("not x", 0.0),
        ("not x > 5 and x", 1.0),
        ("0 or x - 2", 0.0),
        ("(x > 1)*7", 7.0),
        ("1 if x < 0 else 2 if x < 1 else 3", 3.0),
        ("min(x, 3, -1, 4)", -1.0),
        ("heaviside(x - 2)", 0.5),
        ("relu(-x) + relu(x)", 2.0),
        ("sign(x - 2)", 0.0),
        ("e**x", np.e**2),
        ("x(t)", 2.0),
        (".5e1", 5.0),
        ("x\n  + 1", 3.0),
        (3, 3.0),
    ],
)
def test_values(text, expected):
    assert Equations({"x": text}).evaluate(0.0, [2.0])[0] == pytest.approx(expected, rel=1e-15)


def test_leading_axes_broadcast_and_torch_agrees():
    import torch

    system = Equations({"x": "a*y - t + y(t - 1)", "y": "where(x > 0, 1, -x)*sigmoid(y)"}, {"a": 2.0})
    rng = np.random.default_rng(0)
    t, y = rng.normal(size=(3, 1)), rng.normal(size=(3, 4, 2))
    p, lags = rng.normal(size=(4, 1)), rng.normal(size=(4, 1))
    got = system.evaluate(t, y, p, lags)
    assert got.shape == (3, 4, 2)
    one = system.evaluate(t[2, 0], y[2, 1], p[1], lags[1])
    np.testing.assert_array_equal(got[2, 1], one)
    np.testing.assert_allclose(system.evaluate(t, y, p, lags, xp=torch).numpy(), got, rtol=1e-14)
    assert system.jacobian(t, y, p, lags).shape == (3, 4, 2, 2)


@pytest.mark.parametrize(
    "text",
    ["log(x)", "sqrt(x)", "x**0.5", "x**1.5", "log1p(x)", "asin(x)", "acos(x)"],
)
def test_outside_its_domain_a_function_is_nan(text):
    import torch

    system = Equations({"x": text})
    for xp in (np, torch):
        assert np.isnan(float(system.evaluate(0.0, [-2.0], xp=xp)[0]))


def test_lags_are_told_apart_by_variable_and_time():
    system = Equations({"x": "y(t - tau) + x(t - tau) + y(t - tau)*y(t/2)", "y": "x(t - tau) + y(0.5*t)"}, {"tau": 3.0})
    assert system.lags == ("y", "x", "y", "y")
    np.testing.assert_array_equal(system.lag_times([4.0, 6.0]), [[1, 1, 2, 2], [3, 3, 3, 3]])
    program = system.encode()
    assert program.lag_variables.tolist() == [1, 0, 1, 1]
    assert program.lag_delays.tolist() == [0, 0, 1, 2]
    assert program.delay_constant.tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("argument", "constant"),
    [
        ("t - 2", 1),
        ("t - a/3 - 1", 1),
        ("-a + t", 1),
        ("(2*t - 2)/2", 1),
        ("t - a*t", 0),
        ("t - exp(t)", 0),
        ("0.5", 0),
    ],
)
def test_a_delay_is_constant_where_the_time_runs_as_t(argument, constant):
    program = Equations({"x": f"x({argument})"}, {"a": 1.0}).encode()
    assert program.delay_constant.tolist() == [constant]


def test_parameter_vector():
    system = Equations({"x": "a*x + b"}, {"a": 1.0, "b": 2.0})
    assert system.parameter_vector().tolist() == [1.0, 2.0]
    assert system.parameter_vector({"b": [5, 6, 7]}).tolist() == [[1, 5], [1, 6], [1, 7]]
    with pytest.raises(EquationError, match="unknown parameter 'bb': did you mean 'b'"):
        system.parameter_vector({"bb": 1})
    with pytest.raises(EquationError, match=r"different numbers of values \(a: 2, b: 3\)"):
        system.parameter_vector({"a": [1, 2], "b": [1, 2, 3]})
    for bad in (np.nan, "x", None, [[1.0]], object()):
        with pytest.raises(EquationError, match="parameter 'a'"):
            system.parameter_vector({"a": bad})
    assert Equations({"x": "x"}).parameter_vector({}).shape == (0,)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0],), "y: expected 2 values"),
        ((1.0,), "y: expected 2 values"),
        (([1.0, 2.0], [1.0, 2.0]), "parameters: expected 1 values"),
        (([1.0, 2.0],), "lags: expected 1 values"),
        (([[1.0, 2.0]] * 2, [[1.0]] * 3, [1.0]), "do not fit together"),
    ],
)
def test_wrong_shapes_are_named(arguments, message):
    system = Equations({"x": "a*y(t - 1)", "y": "x"}, {"a": 1.0})
    with pytest.raises(EquationError, match=message):
        system.evaluate(0.0, *arguments)


def test_a_system_is_frozen_and_travels_as_text():
    system = Equations({"x": "-a*x"}, {"a": 2.0})
    with pytest.raises(AttributeError):
        system.texts = {}
    with pytest.raises(TypeError):
        system.parameters["a"] = 3.0
    assert len({system, Equations({"x": "-a*x"}, {"a": 2.0})}) == 2
    copy = pickle.loads(pickle.dumps(system))  # noqa: S301  (what a process pool does)
    assert copy.evaluate(0.0, [1.0]).tolist() == [-2.0]
