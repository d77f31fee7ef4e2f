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
from random_expressions import LAGS, PARAMETERS, VARIABLES, environments, expressions, well_conditioned

import sharpwave_bridge as bridge
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
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_compiled_functions_agree_with_numpy_and_torch(texts, points):
    try:
        system = Equations({name: e.text for name, e in zip(VARIABLES, texts, strict=True)}, PARAMETERS)
    except EquationError:
        assume(False)
    t = np.array([point["t"] for point in points])
    y = np.array([[point[name] for name in VARIABLES] for point in points])
    lags = np.array([[point[LAGS[i % 3]] for i in range(len(system.lags))] for point in points])
    parameters = np.tile(system.parameter_vector(), (len(points), 1))
    got = evaluated(system.encode(), t, y, parameters, lags)
    expected = {
        "rhs": system.evaluate(t, y, parameters, lags),
        "jacobian": system.jacobian(t, y, parameters, lags),
        "tgrad": system.time_gradient(t, y, parameters, lags),
    }
    by_torch = system.evaluate(t, y, parameters, lags, xp=torch).numpy()
    # Lags are handed over as plain numbers, whatever name the random expression has for them.
    assert not np.any(got["rhs"] == 99.0) or np.any(expected["rhs"] == 99.0)
    for i, point in enumerate(points):
        named = {**point, **_lags_by_name(system, lags[i], point)}
        for j, expression in enumerate(texts):
            if not well_conditioned(expression, named):
                continue
            scale = 1e-8 * max(1.0, abs(expected["rhs"][i, j]))
            assert got["rhs"][i, j] == pytest.approx(expected["rhs"][i, j], abs=scale)
            assert by_torch[i, j] == pytest.approx(expected["rhs"][i, j], abs=scale)
            for name in ("jacobian", "tgrad"):
                _assert_close_derivative(got[name][i, j], expected[name][i, j])


def _lags_by_name(system: Equations, values: np.ndarray, point: dict[str, float]) -> dict[str, float]:
    known = {("x", point["t"] - 1): LAGS[0], ("y", point["t"] - PARAMETERS["a"]): LAGS[1]}
    times = system.lag_times(point["t"])
    return {known.get((n, s), LAGS[2]): v for n, s, v in zip(system.lags, times, values, strict=True)}


def _assert_close_derivative(got, expected) -> None:
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(np.isfinite(got), finite)
    np.testing.assert_allclose(np.where(finite, got, 0), np.where(finite, expected, 0), rtol=1e-6, atol=1e-6)
