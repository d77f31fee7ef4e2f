"""The facade of the ODE and DDE core: published end points, results, batches, bad input, and life without Julia."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp as scipy_solve_ivp

import sharpwave as sw
from sharpwave.equations.problems import problem
from sharpwave.ode import SolutionBatch
from support import run_python

OSCILLATOR = sw.Equations({"x": "v", "v": "-w**2*x"}, parameters={"w": 1.0})


# End points: numerics.md, each reproduced there with an independent solver.
@pytest.mark.parametrize("name", ["rober", "hires", "orego", "vdpol"])
def test_stiff_end_points_to_eight_digits(name: str) -> None:
    p = problem(name)
    atol = 1e-10 * np.abs(p.reference) if name == "rober" else 1e-13
    solution = sw.solve_ivp(p.equations, p.t_span, p.y0, method="Rodas5P", rtol=1e-10, atol=atol, t_eval=[p.t_span[1]])
    assert solution.success, solution.message
    np.testing.assert_allclose(solution.y[:, 0], p.reference, rtol=1e-8)


@pytest.mark.parametrize("method", ["Tsit5", "Rodas5P"])
def test_mackey_glass_end_point(method: str) -> None:
    p = problem("mackey_glass")
    solution = sw.solve_dde(
        p.equations, p.t_span, p.history, method=method, rtol=1e-10, atol=1e-12, t_eval=[p.t_span[1]]
    )
    # numerics.md; the attractor is chaotic enough that 500 time units cost a few digits
    assert abs(solution.y[0, 0] - 1.010443111700142347784) < 1e-8


def test_delay_equations_give_their_steps_or_dense_output() -> None:
    ramp = sw.Equations({"u": "-u(t - 1)"})
    for dense in (False, True):
        solution = sw.solve_dde(ramp, (0.0, 10.0), {"u": 0.0}, y0=[1.0], rtol=1e-10, atol=1e-12, dense_output=dense)
        assert abs(solution.y[0, -1] - 19223 / 362880) < 1e-9  # numerics.md
        assert (solution.sol is not None) == dense


@pytest.mark.parametrize("text", ["-x", "-x(t - 1)", "-x(t - 1 if t < 3 else 2)"])
def test_tolerances_that_nothing_meets_end_with_a_status(text: str) -> None:
    equations = sw.Equations({"x": text})
    settings = {"rtol": 1e-300, "atol": 0.0, "max_steps": 2000, "t_eval": [5.0]}
    if equations.lags:
        solution = sw.solve_dde(equations, (0.0, 5.0), {"x": 1.0}, **settings)
    else:
        solution = sw.solve_ivp(equations, (0.0, 5.0), [1.0], **settings)
    assert solution.status < 0


def test_steps_shorter_than_the_spacing_of_times_end_with_a_status() -> None:
    assert sw.solve_ivp(OSCILLATOR, (1e17, 1e17 + 64), [0.0, 1.0], t_eval=[1e17 + 64]).status == -2


def test_without_t_eval_the_accepted_steps_come_back() -> None:
    solution = sw.solve_ivp(OSCILLATOR, (0.0, 10.0), [0.0, 1.0], rtol=1e-8)
    assert solution.t[0] == 0.0
    assert solution.t[-1] == 10.0
    assert len(solution.t) == solution.stats["accepted"] + 1
    np.testing.assert_allclose(solution["x"], np.sin(solution.t), atol=1e-6)
    assert solution.dataset["v"].dims == ("time",)


def test_many_steps_that_fit_no_buffer_come_back_whole() -> None:
    solution = sw.solve_ivp(OSCILLATOR, (0.0, 2000.0), [0.0, 1.0], rtol=1e-9, dense_output=True)
    assert len(solution.t) > 5000
    times = np.linspace(0.0, 2000.0, 999)
    np.testing.assert_allclose(solution.sol(times)[0], np.sin(times), atol=1e-4)
    np.testing.assert_allclose(solution.sol(solution.t), solution.y, atol=1e-12)


@pytest.mark.parametrize("method", ["Tsit5", "Rodas5P", "RK4", "ExponentialEuler"])
def test_dense_output_joins_its_steps_and_is_accurate_between(method: str) -> None:
    kind = {"dt": 0.02} if method in ("RK4", "ExponentialEuler") else {"rtol": 1e-9, "atol": 1e-11}
    for end in (7.0, -7.0):
        batch = sw.solve_ivp(OSCILLATOR, (0.0, end), np.eye(2), method=method, dense_output=True, **kind)
        times = np.linspace(0.0, end, 211)
        for solution, exact in zip(batch, (np.cos, np.sin), strict=True):
            np.testing.assert_allclose(solution.sol(solution.t), solution.y, atol=1e-12)
            np.testing.assert_allclose(solution.sol(times)[0], exact(times), atol=1e-7)


@pytest.mark.parametrize("method", ["Tsit5", "Rodas5P", "RK4", "ExponentialEuler"])
def test_backwards_in_time_returns_to_the_start(method: str) -> None:
    kind = {"dt": 0.01} if method in ("RK4", "ExponentialEuler") else {"rtol": 1e-10, "atol": 1e-12}
    there = sw.solve_ivp(OSCILLATOR, (0.0, 3.0), [1.0, 0.5], method=method, t_eval=[3.0], **kind)
    back = sw.solve_ivp(OSCILLATOR, (3.0, 0.0), there.y[:, 0], method=method, t_eval=[1.5, 0.0], **kind)
    np.testing.assert_allclose(back.y[:, 1], [1.0, 0.5], atol=1e-7)


def test_exponential_euler_is_exact_for_linear_systems() -> None:
    solution = sw.solve_ivp(OSCILLATOR, (0.0, 10.0), [0.0, 1.0], method="ExponentialEuler", dt=2.5, t_eval=[10.0])
    np.testing.assert_allclose(solution.y[:, 0], [np.sin(10), np.cos(10)], atol=1e-12)


def test_events_are_found_recorded_and_end_the_solution() -> None:
    events = [sw.Event("x", direction=-1), sw.Event("v + 0.5", terminal=2), "x - 2"]
    solution = sw.solve_ivp(OSCILLATOR, (0.0, 50.0), [0.0, 1.0], rtol=1e-10, atol=1e-12, events=events)
    assert solution.status == 1
    np.testing.assert_allclose(solution.t_events[0], [np.pi], atol=1e-8)
    np.testing.assert_allclose(solution.t_events[1], [np.arccos(-0.5), 2 * np.pi - np.arccos(-0.5)], atol=1e-8)
    assert solution.t_events[2].size == 0
    assert solution.t[-1] == solution.t_events[1][-1]
    np.testing.assert_allclose(solution.y[:, -1], solution.y_events[1][-1], atol=1e-12)


def test_a_batch_is_bit_for_bit_its_trajectories() -> None:
    rng = np.random.default_rng(3)
    states, w = rng.standard_normal((40, 2)), rng.uniform(0.5, 3.0, 40)
    times = np.linspace(0.0, 20.0, 33)
    batch = sw.solve_ivp(OSCILLATOR, (0.0, 20.0), states, t_eval=times, parameters={"w": w})
    assert isinstance(batch, SolutionBatch)
    assert batch.y.shape == (40, 2, 33)
    for b in (0, 17, 39):
        alone = sw.solve_ivp(OSCILLATOR, (0.0, 20.0), states[b], t_eval=times, parameters={"w": w[b]})
        assert (alone.y == batch.y[b]).all()
        assert alone.stats == batch[b].stats


def test_the_number_of_threads_does_not_change_a_bit() -> None:
    code = """
import numpy as np, hashlib, sharpwave as sw
e = sw.Equations({"y": "0.2*y(t - tau)/(1 + y(t - tau)**10) - 0.1*y"}, parameters={"tau": 14.0})
b = sw.solve_dde(e, (0, 50), {"y": 0.5}, t_eval=np.linspace(0, 50, 11), parameters={"tau": np.linspace(5, 20, 23)})
print(hashlib.sha256(b.y.tobytes()).hexdigest())
"""
    digests = {run_python(code, SHARPWAVE_THREADS=threads).stdout for threads in ("1", "2")}
    assert len(digests) == 1
    assert len(digests.pop()) > 60


def test_the_step_limit_gives_a_partial_result_and_says_what_to_change() -> None:
    solution = sw.solve_ivp(OSCILLATOR, (0.0, 1e4), [0.0, 1.0], t_eval=[1.0, 9999.0], max_steps=200)
    assert not solution.success
    assert "max_steps" in solution.message
    assert solution.t.tolist() == [1.0]
    np.testing.assert_allclose(solution["x"], np.sin(1.0), atol=1e-5)


def test_a_solution_that_blows_up_stops_with_what_there_is() -> None:
    square = sw.Equations({"x": "x**2"})
    solution = sw.solve_ivp(square, (0.0, 2.0), [1.0], t_eval=[0.5, 1.5])
    assert solution.status < 0
    np.testing.assert_allclose(solution.y, [[2.0]], rtol=1e-4)


@settings(max_examples=30)
@given(
    st.floats(0.1, 3.0),
    st.floats(-2.0, 2.0),
    st.floats(-2.0, 2.0),
    st.floats(0.5, 8.0),
    st.sampled_from(["Tsit5", "Rodas5P"]),
)
def test_agrees_with_scipy_on_a_nonlinear_oscillator(w: float, x: float, v: float, end: float, method: str) -> None:
    duffing = sw.Equations({"x": "v", "v": "-w*x - x**3 + cos(t)"}, parameters={"w": w})
    ours = sw.solve_ivp(duffing, (0.0, end), [x, v], method=method, rtol=1e-9, atol=1e-11, t_eval=[end])
    theirs = scipy_solve_ivp(
        lambda t, y: [y[1], -w * y[0] - y[0] ** 3 + np.cos(t)],
        (0.0, end),
        [x, v],
        rtol=1e-10,
        atol=1e-12,
        method="DOP853",
    )
    np.testing.assert_allclose(ours.y[:, 0], theirs.y[:, -1], atol=1e-6)


DELAYED = sw.Equations({"x": "-x(t - 1)"})
BAD = [
    (lambda: sw.solve_ivp(OSCILLATOR, (0, 1), [1.0]), r"y0 must be \(2,\) or \(batch, 2\), got shape \(1,\)"),
    (lambda: sw.solve_ivp(OSCILLATOR, (0, 1), [1.0, np.nan]), "y0 must be finite"),
    (lambda: sw.solve_ivp(OSCILLATOR, (0, 1), {"x": 1.0}), "no value for v"),
    (lambda: sw.solve_ivp(OSCILLATOR, (0, 1), {"x": 1.0, "V": 0.0}), "unknown variable 'V'"),
    (lambda: sw.solve_ivp(OSCILLATOR, (0, np.inf), [1.0, 0.0]), "t_span must be finite"),
    (lambda: sw.solve_ivp(OSCILLATOR, 1.0, [1.0, 0.0]), "t_span must be two numbers"),
    (lambda: sw.solve_ivp(OSCILLATOR, (0, 1), [1.0, 0.0], method="Rodas5"), "did you mean 'Rodas5P'"),
    (lambda: sw.solve_ivp(OSCILLATOR, (0, 1), [1.0, 0.0], method="RK4"), "give their size as dt"),
    (lambda: sw.solve_ivp(OSCILLATOR, (0, 1), [1.0, 0.0], dt=0.1), "Tsit5 adapts its steps"),
    (lambda: sw.solve_ivp(OSCILLATOR, (0, 1), [1.0, 0.0], t_eval=[0.5, 0.2]), "t_eval must run in order"),
    (lambda: sw.solve_ivp(OSCILLATOR, (0, 1), [1.0, 0.0], t_eval=[0.5, 2.0]), "within t_span"),
    (lambda: sw.solve_ivp(OSCILLATOR, (0, 1), [1.0, 0.0], rtol=-1.0), "rtol"),
    (lambda: sw.solve_ivp(OSCILLATOR, (0, 1), [1.0, 0.0], atol=[1.0, -1.0]), "atol must be non-negative"),
    (lambda: sw.solve_ivp(OSCILLATOR, (0, 1), [1.0, 0.0], max_steps=0), "max_steps"),
    (lambda: sw.solve_ivp(OSCILLATOR, (0, 1), [1.0, 0.0], parameters={"W": 1.0}), "unknown parameter 'W'"),
    (lambda: sw.solve_ivp(OSCILLATOR, (0, 1), np.ones((3, 2)), parameters={"w": [1.0, 2.0]}), "give as many, or one"),
    (lambda: sw.solve_ivp(OSCILLATOR, (0, 1), [1.0, 0.0], events="__import__('os')"), "event 0"),
    (lambda: sw.solve_ivp(OSCILLATOR, (0, 1), [1.0, 0.0], events=5), "events must be .* got 5"),
    (lambda: sw.solve_ivp(OSCILLATOR, (0, 1), [1.0, 0.0], events=["x", 5]), "events must be"),
    (lambda: sw.solve_dde(sw.Equations({"u": "-u(t - 1)"}), (0, 1), {"u": 10**400}), "too large for a float64"),
    (lambda: sw.Equations({"u": "-a*u"}, parameters={"a": 10**400}), "expected a number"),
    (lambda: sw.solve_ivp(OSCILLATOR, (0, 1), [1.0, 0.0], events=sw.Event("x", direction=2)), "direction must be"),
    (lambda: sw.solve_ivp(DELAYED, (0, 1), [1.0]), "use solve_dde"),
    (lambda: sw.solve_ivp(OSCILLATOR, (0, 1), [1.0, 0.0], events="x(t - 1)"), "an event looks back in time"),
    (lambda: sw.solve_dde(DELAYED, (1, 0), {"x": 1.0}), "t_span must rise"),
    (lambda: sw.solve_dde(DELAYED, (0, 1), {}), "history"),
    (lambda: sw.solve_dde(DELAYED, (0, 1), {"x": "x"}), "history"),
]


@pytest.mark.parametrize(("attempt", "message"), BAD)
def test_bad_input_is_explained(attempt, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises((ValueError, sw.EquationError, RuntimeError), match=message):
        attempt()


def test_without_julia_scipy_solves_with_one_warning_and_delays_are_refused() -> None:
    done = run_python(
        """
import warnings, numpy as np, sharpwave as sw, sharpwave_bridge
warnings.simplefilter("always")
e = sw.Equations({"x": "v", "v": "-x"})
with warnings.catch_warnings(record=True) as caught:
    for method in ("Tsit5", "Rodas5P"):
        s = sw.solve_ivp(e, (0, 1), [0.0, 1.0], method=method, t_eval=[1.0], events=[sw.Event("x - 0.5")], rtol=1e-8)
        print(abs(s.y[0, 0] - np.sin(1)) < 1e-6, abs(s.t_events[0][0] - np.arcsin(0.5)) < 1e-6)
    b = sw.solve_ivp(e, (0, 1), np.eye(2), t_eval=[0.5, 1.0])
    print(b.y.shape)
print(len(caught))
try:
    sw.solve_dde(sw.Equations({"x": "-x(t - 1)"}), (0, 1), {"x": 1.0})
except sharpwave_bridge.JuliaUnavailableError as error:
    print("refused")
""",
        SHARPWAVE_RUNTIME="none",
    )
    assert done.stdout.split() == ["True"] * 4 + ["(2,", "2,", "2)", "1", "refused"], done.stderr
