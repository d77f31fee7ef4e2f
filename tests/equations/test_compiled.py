"""The functions that Julia compiles from an encoded program, against NumPy and torch."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import sharpwave_bridge as bridge
from random_expressions import PARAMETERS, VARIABLES, environments, expressions, lag_values, well_conditioned
from sharpwave.equations import OPCODES, PROBLEMS, EquationError, Equations, Program, problem

pytestmark = pytest.mark.usefixtures("julia")


def compiled(program: Program) -> int:
    handle = np.zeros(1, dtype=np.int64)
    bridge.call("compile_equations", *program.arrays(), handle)
    return int(handle[0])


def evaluated(program: Program, t, y, parameters, lags) -> dict[str, np.ndarray]:
    """What the compiled functions give at each of (points,) times."""
    points, n = y.shape
    shapes = {
        "rhs": (n,),
        "jacobian": (n, n),
        "tgrad": (n,),
        "arguments": (len(program.delay_arguments),),
        "events": (len(program.events),),
        "history": (len(program.history),),
    }
    outputs = {name: np.full((points, *shape), 99.0) for name, shape in shapes.items()}
    bridge.call("evaluate_equations", compiled(program), t, y, parameters, lags, *outputs.values())
    return outputs


def test_both_tables_of_operations_agree():
    source = Path(__file__).parents[2] / "julia/SharpwaveKernels/src/expressions.jl"
    entries = re.findall(r'^\s*(\d+) => EquationOperation\("(\w+)"', source.read_text(), re.MULTILINE)
    assert {name: int(number) for number, name in entries} == dict(OPCODES)
    assert len(entries) == len(OPCODES)


@given(st.lists(expressions(), min_size=3, max_size=3), st.lists(environments, min_size=4, max_size=4))
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_compiled_functions_agree_with_numpy_and_torch(texts, points):
    try:
        system = Equations({name: e.text for name, e in zip(VARIABLES, texts, strict=True)}, PARAMETERS)
    except EquationError:
        assume(False)
    assume(all(point["t"] != 2.0 for point in points))  # t - 1 and t/2 are one time there
    t = np.array([point["t"] for point in points])
    y = np.array([[point[name] for name in VARIABLES] for point in points])
    lags = np.array([lag_values(system, point) for point in points])
    parameters = np.tile(system.parameter_vector(), (len(points), 1))
    got = evaluated(system.encode(), t, y, parameters, lags)

    by_numpy = system.evaluate(t, y, parameters, lags)
    by_torch = system.evaluate(t, y, parameters, lags, xp=torch).numpy()
    steady = np.array([[well_conditioned(expression, point) for expression in texts] for point in points])
    for other in (got["rhs"], by_torch):
        np.testing.assert_allclose(other[steady], by_numpy[steady], rtol=1e-8, atol=1e-8)

    for name, derivative in (("jacobian", system.jacobian), ("tgrad", system.time_gradient)):
        expected = derivative(t, y, parameters, lags)
        moved = [derivative(t + h, y + h, parameters, lags + h) for h in (1e-12, -1e-12)]
        # Elsewhere rounding decides: a step, a kink, or the edge of a domain is near.
        with np.errstate(invalid="ignore"):
            steady = np.all([np.abs(m - expected) <= 1e-8 * (1 + np.abs(expected)) for m in moved], axis=0)
        np.testing.assert_allclose(got[name][steady], expected[steady], rtol=1e-7, atol=1e-7)


EVERYTHING = {
    "x": "log(x) + sqrt(y) + (-x)**0.3",
    "y": "asin(x) + acos(y) + log1p(-x)",
    "z": "exp(1e3*x) + sin(1/z) + cos(1/z) + tan(1/z) + x**y + y**x + 0/z",
}


def test_outside_a_domain_nothing_throws():
    system = Equations(EVERYTHING)
    edge = [-np.inf, -1e300, -2.0, -1.0, -0.0, 0.0, 0.5, 1e300, np.inf, np.nan]
    y = np.array([[a, b, c] for a in edge for b in edge for c in (0.0, 1.0)])
    none = np.empty((len(y), 0))
    got = evaluated(system.encode(), np.zeros(len(y)), y, none, none)
    for name, expected in (("rhs", system.evaluate(0.0, y)), ("jacobian", system.jacobian(0.0, y))):
        agree = np.isclose(got[name], expected, rtol=1e-12, equal_nan=True)
        # NumPy gives (-inf)**y a value for every y.
        assert agree[np.all(np.isfinite(y), axis=1)].all()


@pytest.mark.parametrize("name", PROBLEMS)
def test_problems_agree(name):
    p = problem(name)
    n, lags = len(p.y0), len(p.equations.lags)
    rng = np.random.default_rng(1)
    t, y, lagged = rng.uniform(0, 5, 6), rng.uniform(0.1, 2, (6, n)), rng.uniform(0.1, 2, (6, lags))
    parameters = np.tile(p.equations.parameter_vector(), (6, 1)) * rng.uniform(0.9, 1.1, (6, 1))
    program = p.equations.encode(events=[f"{p.equations.variables[0]} - 1", "t - 2"], history=p.history)
    got = evaluated(program, t, y, parameters, lagged)
    given_arrays = (t, y, parameters, lagged)
    np.testing.assert_allclose(got["rhs"], p.equations.evaluate(*given_arrays), rtol=1e-12)
    np.testing.assert_allclose(got["jacobian"], p.equations.jacobian(*given_arrays), rtol=1e-12, atol=1e-300)
    np.testing.assert_array_equal(got["tgrad"], p.equations.time_gradient(*given_arrays))
    np.testing.assert_allclose(got["events"], np.stack([y[:, 0] - 1, t - 2], axis=1), atol=1e-15)
    times = p.equations.lag_times(t, parameters)
    np.testing.assert_allclose(got["arguments"][:, program.lag_delays], times, rtol=1e-15)
    if name == "delayed_sine":
        np.testing.assert_allclose(got["history"][:, 0], np.sin(t), rtol=1e-15)


def test_a_large_system_is_split_and_stays_right():
    n = 150
    coupling = np.random.default_rng(2).normal(size=(n, 4)).round(3)
    texts = {
        f"x{i}": f"-x{i} + tanh(s*("
        + " + ".join(f"{w}*x{(7 * i + 31 * k) % n}" for k, w in enumerate(coupling[i]))
        + "))"
        for i in range(n)
    }
    system = Equations(texts, {"s": 0.5})
    y = np.random.default_rng(3).normal(size=(2, n))
    got = evaluated(system.encode(), np.zeros(2), y, np.full((2, 1), 0.5), np.empty((2, 0)))
    np.testing.assert_allclose(got["rhs"], system.evaluate(0.0, y), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(got["jacobian"], system.jacobian(0.0, y), rtol=1e-12, atol=1e-14)


def test_equal_programs_are_compiled_once():
    texts = {"x": "-3.25*x + x(t - 1)"}
    first = compiled(Equations(texts).encode())
    assert compiled(Equations(texts).encode()) == first
    assert compiled(Equations(texts).encode(events=["x"])) != first


GOOD = Equations({"x": "-a*x(t - a) + y", "y": "sin(x)*t"}, {"a": 1.0}).encode(["x"], {"x": "t", "y": "1"})


def _changed(field: str, place: tuple[int, ...], value: int) -> Program:
    array = getattr(GOOD, field).copy()
    array[place] = value
    return dataclasses.replace(GOOD, **{field: array})


@pytest.mark.parametrize(
    ("field", "place", "value", "message"),
    [
        ("code", (0, 0), 999, "unknown operation 999"),
        ("code", (0, 0), -1, "unknown operation -1"),
        ("code", (3, 1), 10**6, "index outside"),
        ("code", (3, 1), -1, "index outside"),
        *((field, (0,), 10**6, "index outside") for field in ("rhs", "jac_values", "tgrad", "delay_arguments")),
        *((field, (0,), -1, "index outside") for field in ("events", "history", "jac_rows", "jac_cols")),
        *((field, (0,), 2, "index outside") for field in ("lag_variables", "lag_delays", "delay_constant")),
        ("parameters", (0,), 0, "index outside"),
        ("parameters", (0,), -1, "expected a count"),
    ],
)
def test_a_malformed_program_is_refused(field, place, value, message):
    with pytest.raises(bridge.KernelError, match=message):
        compiled(_changed(field, place, value))


def test_a_forward_reference_is_refused():
    row = next(i for i, (operation, *_) in enumerate(GOOD.code.tolist()) if operation == OPCODES["multiply"])
    for operand in (1, 2):
        for value in (row, row + 1):
            with pytest.raises(bridge.KernelError, match="index outside"):
                compiled(_changed("code", (row, operand), value))


def test_an_unknown_handle_and_wrong_sizes_are_refused():
    empty = np.empty((1, 0))
    outputs = [np.empty((1, 2)), np.empty((1, 2, 2)), np.empty((1, 2)), empty, empty, empty]
    with pytest.raises(bridge.KernelError, match="no equations were compiled under 0"):
        bridge.call("evaluate_equations", 0, np.zeros(1), np.zeros((1, 2)), empty, empty, *outputs)
    with pytest.raises(bridge.KernelError, match="expected 1 values a point"):
        bridge.call("evaluate_equations", compiled(GOOD), np.zeros(1), np.zeros((1, 2)), empty, empty, *outputs)
