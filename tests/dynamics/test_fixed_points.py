"""Fixed points that are known."""

from __future__ import annotations

import numpy as np
import pytest

from sharpwave.dynamics import fixed_points
from sharpwave.recurrent import RNN, circuit, published_tasks

rng = np.random.default_rng(0)


def network(recurrent: np.ndarray, nonlinearity: str = "tanh") -> RNN:
    n = len(recurrent)
    return RNN(recurrent, np.ones((n, 1)), np.ones((1, n)), nonlinearity)


def test_units_that_excite_themselves_have_three_points_each() -> None:
    found = fixed_points(network(np.diag([2.0, 1.5])), 300)
    assert len(found.states) == 9
    assert found.stable.sum() == 4
    assert found.reached == 1.0
    assert (found.residuals <= 1e-12).all()
    np.testing.assert_array_equal(found.states[0], 0.0)
    np.testing.assert_allclose(np.sort(np.abs(found.eigenvalues[0])), [1.5, 2.0])
    for state, eigenvalues in zip(found.states, found.eigenvalues, strict=True):
        expected = np.array([2.0, 1.5]) * (1 - state**2)
        np.testing.assert_allclose(np.sort(eigenvalues.real), np.sort(expected), rtol=1e-9)


def test_a_contraction_has_one_point_and_it_is_stable() -> None:
    weights = rng.normal(size=(30, 30))
    found = fixed_points(network(0.9 * weights / np.linalg.norm(weights, 2)))
    np.testing.assert_allclose(found.states, np.zeros((1, 30)), atol=1e-11)
    assert found.stable.all()


def test_linear_networks_have_the_point_that_they_have() -> None:
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    found = fixed_points(network(turn, "identity"), 20)
    np.testing.assert_allclose(found.states, np.zeros((1, 2)), atol=1e-12)
    np.testing.assert_allclose(np.abs(found.eigenvalues), 1.0)


def test_a_start_may_be_a_state_on_the_way_of_a_network() -> None:
    exact = circuit(published_tasks()["T1"]).network
    starts = exact.states(np.ones((3, 8, 8)), 9)[:, -1]
    found = fixed_points(exact, starts)  # the repeated window of ones stays as it is
    np.testing.assert_allclose(found.states, np.ones((1, 64)))


def test_where_there_is_none_the_result_is_empty() -> None:
    found = fixed_points(network(np.diag([2.0])), np.array([[0.7]]), steps=0)
    assert found.states.shape == (0, 1)
    assert found.eigenvalues.shape == (0, 1)
    assert found.stable.shape == (0,)
    assert str(found) == "0 fixed points, 0 stable; 0 % of starts came to one"


def test_any_number_of_starts_may_be_asked_for() -> None:
    one = network(np.diag([0.5]))
    for starts in (0, np.int64(3)):
        assert len(fixed_points(one, starts).states) == 1
    assert str(fixed_points(one, np.ones((0, 1)))) == "0 fixed points, 0 stable; 0 % of starts came to one"
    with pytest.raises(ValueError, match="starts must be a whole number from 0 on, got -1"):
        fixed_points(one, -1)


@pytest.mark.parametrize("starts", [np.ones(2), np.ones((3, 1)), [[np.nan, 0.0]]])
def test_starts_that_fit_nothing_are_refused(starts) -> None:
    with pytest.raises(ValueError, match=r"finite and \(starts, 2\)"):
        fixed_points(network(np.eye(2)), starts)
