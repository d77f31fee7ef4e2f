"""Maps whose points, cycles and exponents are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sharpwave.dynamics import FunctionMap, NetworkMap, cycles, fixed_points, lyapunov_spectrum, orbit
from sharpwave.recurrent import RNN

rng = np.random.default_rng(0)


def logistic(r: float) -> FunctionMap:
    return FunctionMap(lambda x: r * x * (1 - x), 1)


def henon(a: float = 1.4, b: float = 0.3) -> FunctionMap:
    return FunctionMap(lambda h: torch.stack([1 - a * h[0] ** 2 + h[1], b * h[0]]), 2)


def delayed_logistic(a: float) -> FunctionMap:
    return FunctionMap(lambda h: torch.stack([a * h[0] * (1 - h[1]), h[0]]), 2)


def test_a_linear_map_has_one_point_where_it_must_be() -> None:
    weights, shift = rng.normal(size=(6, 6)), rng.normal(size=6)
    found = fixed_points(FunctionMap(lambda h: torch.tensor(weights) @ h + torch.tensor(shift), 6), 20)
    np.testing.assert_allclose(found.states, np.linalg.solve(np.eye(6) - weights, shift)[None], rtol=1e-10)
    np.testing.assert_allclose(np.sort_complex(found.eigenvalues[0]), np.sort_complex(np.linalg.eigvals(weights)))
    np.testing.assert_allclose(found.conditions, np.linalg.cond(np.eye(6) - weights))


@pytest.mark.parametrize("r", [2.5, 3.2, 3.9])
def test_the_logistic_map_has_two_points(r: float) -> None:
    found = fixed_points(logistic(r), 50)
    np.testing.assert_allclose(found.states[:, 0], [0.0, 1 - 1 / r], atol=1e-10)
    np.testing.assert_allclose(found.eigenvalues[:, 0], [r, 2 - r], atol=1e-9)
    assert found.stable.tolist() == [False, r < 3]


def test_the_logistic_map_doubles_its_period_where_it_is_known_to() -> None:
    for period, first, then in ((2, 3.0, 1 + np.sqrt(6)), (4, 1 + np.sqrt(6), 3.5440903595519)):
        assert len(cycles(logistic(first - 1e-3), period, 200).states) == 0
        for r, stable in ((first + 1e-3, True), (then - 1e-3, True), (then + 1e-3, False)):
            found = cycles(logistic(r), period, 200)
            assert found.stable.tolist() == [stable]
    multiplier = 4 + 2 * 3.2 - 3.2**2  # of the cycle of two steps: S. Strogatz, Nonlinear Dynamics and Chaos, 10.3
    np.testing.assert_allclose(cycles(logistic(3.2), 2).multipliers, [[multiplier]], rtol=1e-9)


@pytest.mark.parametrize(("period", "count"), [(1, 2), (2, 1), (3, 2), (4, 3), (5, 6), (6, 9)])
def test_the_logistic_map_at_four_has_all_its_cycles(period: int, count: int) -> None:
    assert len(cycles(logistic(4.0), period, rng.uniform(0, 1, (600, 1))).states) == count


def test_the_henon_map_has_its_points_and_its_exponents() -> None:
    found = fixed_points(henon(), 50)
    x = (-0.7 + np.array([1, -1]) * np.sqrt(0.49 + 4 * 1.4)) / 2.8
    np.testing.assert_allclose(found.states, np.stack([x, 0.3 * x], axis=1), atol=1e-10)
    assert not found.stable.any()
    exponents = lyapunov_spectrum(henon(), [0.1, 0.1], 6000)
    assert exponents[0] == pytest.approx(0.4192, abs=0.02)  # J. C. Sprott, Chaos and Time-Series Analysis
    assert exponents.sum() == pytest.approx(np.log(0.3), abs=1e-9)


def test_the_exponent_of_the_logistic_map_at_four_is_log_two() -> None:
    assert lyapunov_spectrum(logistic(4.0), [0.3], 5000)[0] == pytest.approx(np.log(2), abs=5e-3)


def test_the_delayed_logistic_map_loses_its_point_at_two_by_a_pair_at_sixty_degrees() -> None:
    for a, stable in ((1.99, True), (2.01, False)):
        found = fixed_points(delayed_logistic(a), 50)
        place = int(np.argmax(found.states[:, 0]))
        np.testing.assert_allclose(found.states[place], 1 - 1 / a, atol=1e-10)
        assert found.stable[place] == stable
    pair = fixed_points(delayed_logistic(2.0), [[0.5, 0.5]]).eigenvalues[0]
    np.testing.assert_allclose(np.abs(pair), 1.0, atol=1e-10)
    np.testing.assert_allclose(np.abs(np.degrees(np.angle(pair))), 60.0, atol=1e-9)
    quasi_periodic = lyapunov_spectrum(delayed_logistic(2.1), [0.4, 0.4], 5000)
    assert abs(quasi_periodic[0]) < 2e-3
    assert quasi_periodic[1] < -0.01


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu", "identity"])
def test_a_network_under_an_input_is_the_same_function_in_torch(nonlinearity: str) -> None:
    network = RNN(rng.normal(size=(5, 5)), rng.normal(size=(5, 2)), rng.normal(size=(1, 5)), nonlinearity)
    u = np.array([0.3, -0.7])
    function = {"tanh": torch.tanh, "relu": torch.relu, "identity": lambda x: x}[nonlinearity]
    weights, shift = torch.tensor(network.recurrent), torch.tensor(network.input @ u)
    ours, theirs = NetworkMap(network, u), FunctionMap(lambda h: function(weights @ h + shift), 5)
    states = rng.normal(size=(3, 4, 5))
    np.testing.assert_allclose(ours.step(states), theirs.step(states), rtol=1e-12)
    np.testing.assert_allclose(ours.jacobian(states), theirs.jacobian(states), rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(network.states(u[None], 1, initial=states[0, 0])[0], ours.step(states[0, 0]))


def test_at_a_bifurcation_a_singular_jacobian_does_no_harm() -> None:
    found = fixed_points(logistic(1.0), 30, tolerance=1e-9)
    np.testing.assert_allclose(found.states, 0.0, atol=1e-4)
    assert (found.conditions >= 1).all()


def test_a_map_that_leaves_the_numbers_is_said() -> None:
    with pytest.raises(ValueError, match="does not stay finite"):
        lyapunov_spectrum(logistic(5.0), [0.3])
    found = fixed_points(FunctionMap(lambda h: h + 1, 1), 5)
    assert found.states.shape == (0, 1)
    assert found.reached == 0.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FunctionMap(lambda h: h[:1], 2), r"must turn \(2,\) into \(2,\), got \(1,\)"),
        (lambda: FunctionMap(lambda h: h, 0), "size must be a whole number from 1 on, got 0"),
        (lambda: NetworkMap(RNN(np.eye(2), np.ones((2, 1)), np.ones((1, 2))), [1.0, 2.0]), r"finite and \(1,\), got"),
        (lambda: orbit(henon(), [0.1], 3), r"the start must be \(\.\.\., 2\), got shape \(1,\)"),
        (lambda: orbit(henon(), [0.1, 0.1], -1), "steps must be a whole number from 0 on, got -1"),
        (lambda: cycles(logistic(3.0), 0), "period must be a whole number from 1 on, got 0"),
        (lambda: lyapunov_spectrum(henon(), [0.1]), r"the start must be finite and \(2,\), got shape \(1,\)"),
        (lambda: lyapunov_spectrum(henon(), [0.1, 0.1], exponents=3), "there are 2 exponents, not 3"),
        (lambda: lyapunov_spectrum(henon(), [0.1, 0.1], 0), "steps must be a whole number from 1 on, got 0"),
    ],
)
def test_what_is_no_map_is_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
