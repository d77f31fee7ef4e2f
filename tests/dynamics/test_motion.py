"""How trajectories go round, where they are slow, and in which few dimensions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sharpwave.dynamics import (
    FunctionMap,
    Subspace,
    fixed_points,
    leading_subspace,
    plot_orbit,
    slow_points,
    smallest_period,
    winding_number,
)
from sharpwave.recurrent import RNN

rng = np.random.default_rng(0)


@given(st.floats(-0.49, 0.49), st.integers(2, 6), st.floats(0.0, 0.3))
def test_the_turns_of_an_ellipse_are_those_that_it_is_drawn_with(turns: float, n: int, tilt: float) -> None:
    plane = np.linalg.qr(np.random.default_rng(n).normal(size=(n, n)))[0][:, :2]
    t = 2 * np.pi * turns * np.arange(4000)
    states = np.stack([np.cos(t), (1 - tilt) * np.sin(t)], axis=1) @ plane.T + 0.5
    if abs(turns) < 1e-3:
        return
    found = winding_number(states, np.full(n, 0.5), plane.T)
    assert found == pytest.approx(turns, abs=1e-6)


def test_a_quasi_periodic_orbit_has_a_winding_number_and_no_period() -> None:
    delayed = FunctionMap(lambda h: torch.stack([2.01 * h[0] * (1 - h[1]), h[0]]), 2)
    states = [np.array([0.4, 0.4])]
    for _ in range(3000):
        states.append(delayed.step(states[-1]))
    orbit = np.array(states[1000:])
    (point,) = fixed_points(delayed, [[0.5, 0.5]]).states
    angle = abs(np.angle(fixed_points(delayed, [[0.5, 0.5]]).eigenvalues[0, 0])) / (2 * np.pi)
    assert abs(winding_number(orbit, point)) == pytest.approx(angle, abs=2e-3)
    assert smallest_period(orbit) is None


@pytest.mark.parametrize(("r", "period"), [(2.8, 1), (3.2, 2), (3.5, 4), (3.83, 3), (3.9, None)])
def test_the_logistic_map_has_the_periods_that_it_is_known_for(r: float, period: int | None) -> None:
    states = [0.3]
    for _ in range(3000):
        states.append(r * states[-1] * (1 - states[-1]))
    assert smallest_period(np.array(states[2000:])[:, None]) == period


def network(seed: int, n: int = 8) -> RNN:
    draw = np.random.default_rng(seed)
    return RNN(draw.normal(size=(n, n)) / np.sqrt(n), draw.normal(size=(n, 2)), draw.normal(size=(1, n)), "identity")


@pytest.mark.parametrize("seed", range(6))
def test_a_subspace_of_eigenvectors_goes_its_own_way(seed: int) -> None:
    one = network(seed)
    values = np.linalg.eigvals(one.recurrent)
    values = values[np.argsort(-np.abs(values))]
    k = 2 if values[0].imag or values[1].imag == 0 else 3
    slow = leading_subspace(one, np.zeros(8), k)
    np.testing.assert_allclose(slow.dual @ slow.basis, np.eye(k), atol=1e-10)
    h = rng.normal(size=(5, 8))
    np.testing.assert_allclose(slow.project(slow.project(h)), slow.project(h), atol=1e-9)
    np.testing.assert_allclose(slow.project(one.step(h)), one.step(slow.project(h)), atol=1e-9)
    shown = rng.normal(size=(4, 20, 2))
    kept, free = slow.states(one, shown, 20), one.states(shown, 20)
    np.testing.assert_allclose(kept, slow.project(free), atol=1e-8)
    right = slow.orthogonal(h[0])
    np.testing.assert_allclose(right.project(h[0] + slow.basis.T), h[0] + slow.basis.T, atol=1e-9)
    np.testing.assert_allclose((right.project(h) - h) @ slow.basis, 0.0, atol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_a_further_direction_does_not_change_the_first_coordinates(seed: int) -> None:
    one = network(seed)
    values = np.linalg.eigvals(one.recurrent)
    values = values[np.argsort(-np.abs(values))]
    k = 2 if values[0].imag or values[1].imag == 0 else 3
    slow, more = (leading_subspace(one, np.zeros(8), k, also) for also in (None, one.input[:, 0] - one.input[:, 1]))
    np.testing.assert_allclose(more.dual @ more.basis, np.eye(k + 1), atol=1e-9)
    np.testing.assert_allclose(more.dual[:k], slow.dual)
    direction = one.input[:, 0] - one.input[:, 1]
    np.testing.assert_allclose(more.project(direction), direction, atol=1e-9)


def test_the_ghost_of_a_fold_is_slow_and_where_it_must_be() -> None:
    found = slow_points(FunctionMap(lambda x: x + x**2 + 0.01, 1))
    np.testing.assert_allclose(found.states, [[0.0]], atol=1e-4)
    np.testing.assert_allclose(found.speeds, [0.01], rtol=1e-6)
    np.testing.assert_allclose(found.eigenvalues, [[1.0]], atol=1e-3)
    assert str(found) == "1 slow points, the slowest moves by 0.01 a step"


def test_fixed_points_are_slow_points_of_no_speed() -> None:
    one = RNN(np.diag([2.0, 1.5]), np.ones((2, 1)), np.ones((1, 2)))
    found, known = slow_points(one, 300, fastest=1e-6), fixed_points(one, 300)
    assert len(found.states) == len(known.states) == 9
    for state in known.states:
        assert np.abs(found.states - state).max(axis=1).min() < 1e-6


def test_where_all_is_fast_there_is_no_slow_point() -> None:
    found = slow_points(FunctionMap(lambda h: h + 1, 1), 5)
    assert found.states.shape == (0, 1)
    assert str(found) == "0 slow points"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: winding_number(np.zeros((2, 2))), r"at least three steps and n=2, got shape \(2, 2\)"),
        (lambda: winding_number(np.zeros((9, 2)), [1.0]), r"the center must be \(2,\), got shape \(1,\)"),
        (lambda: winding_number(np.zeros((9, 2)), None, np.eye(3)), r"the plane must be \(2, 2\), got shape \(3, 3\)"),
        (lambda: smallest_period(np.zeros((9, 2)), 5), r"at least 10 states \(steps, n\), got shape \(9, 2\)"),
        (lambda: leading_subspace(network(0), np.zeros(3)), r"expected a state \(8,\) and at most 8 dimensions"),
        (lambda: leading_subspace(network(0), np.zeros(8), 9), "at most 8 dimensions, got"),
        (
            lambda: leading_subspace(RNN([[0.0, -1.0], [1.0, 0.0]], np.eye(2), np.eye(2)), np.zeros(2), 1),
            "1 dimensions would part a pair of complex eigenvalues: take 0 or 2",
        ),
        (
            lambda: leading_subspace(RNN(np.diag([2.0, 1.0]), np.eye(2), np.eye(2)), np.zeros(2), 1, [3.0, 0.0]),
            "within the span of the eigenvectors",
        ),
        (
            lambda: leading_subspace(RNN(np.diag([2.0, 1.0]), np.eye(2), np.eye(2)), np.zeros(2), 1, [3.0]),
            r"the direction must be \(2,\), got shape \(1,\)",
        ),
        (lambda: slow_points(network(0), np.zeros(8)), r"starts must be finite and \(starts, 8\)"),
        (
            lambda: plot_orbit(None, np.zeros((3, 2)), Subspace(np.zeros(2), np.ones((2, 1)), np.ones((1, 2)))),
            "an orbit is drawn in two coordinates",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
