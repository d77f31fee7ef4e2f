"""Julia looks into networks of tanh units as NumPy does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharpwave.dynamics import FunctionMap, NetworkMap, cycles, fixed_points, lyapunov_spectrum
from sharpwave.recurrent import RNN

pytestmark = pytest.mark.usefixtures("julia")


def maps(seed: int, count: int, n: int, gain: float) -> list[NetworkMap]:
    rng = np.random.default_rng(seed)
    return [
        NetworkMap(
            RNN(gain * rng.normal(size=(n, n)) / np.sqrt(n), rng.normal(size=(n, 2)), np.ones((1, n)), "tanh",
                0.2 * rng.normal(size=n)),
            rng.normal(size=2) * 0.3,
        )
        for _ in range(count)
    ]  # fmt: skip


def same(ours: np.ndarray, theirs: np.ndarray, tolerance: float = 1e-8) -> None:
    """All points of one are among those of the other."""
    assert len(ours) == len(theirs)
    for point in ours:
        assert np.abs(theirs - point).max(axis=tuple(range(1, theirs.ndim))).min() < tolerance


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 9), st.floats(0.1, 2.5))
def test_what_julia_finds_numpy_finds_to_be_fixed(seed: int, count: int, n: int, gain: float) -> None:
    ones = maps(seed, count, n, gain)
    for one, found in zip(ones, fixed_points(ones, 50, seed=seed, backend="julia"), strict=True):
        assert found.reached > 0
        np.testing.assert_allclose(one.step(found.states), found.states, atol=1e-12)
        apart = np.abs(found.states[:, None] - found.states).max(axis=2)
        assert (apart[~np.eye(len(apart), dtype=bool)] > 1e-6).all()
        firm = found.states[found.conditions < 1e4]  # others may have merged
        again = fixed_points(one, firm, backend="numpy").states
        same(again, firm)


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(2, 8), st.integers(1, 5))
def test_both_come_to_the_same_point_from_near_it(seed: int, count: int, n: int, period: int) -> None:
    ones = maps(seed, count, n, 1.8)
    known = cycles(ones, period, 60, seed=seed, backend="numpy")
    for one, orbits in zip(ones, known, strict=True):
        firm = np.abs(orbits.multipliers - 1).min(axis=1) > 1e-2
        if firm.any():
            starts = orbits.states[firm][:, 0] + 1e-7
            ours, theirs = (cycles(one, period, starts, backend=name) for name in ("julia", "numpy"))
            same(ours.states[:, 0], theirs.states[:, 0])
            np.testing.assert_allclose(ours.reached, 1.0)
            np.testing.assert_allclose(np.abs(ours.multipliers[0]), np.abs(theirs.multipliers[0]), atol=1e-6)


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 8), st.integers(1, 8))
def test_both_find_the_same_exponents(seed: int, count: int, n: int, wanted: int) -> None:
    ones, starts = maps(seed, count, n, 1.2), np.random.default_rng(seed).normal(size=(count, n))
    both = [
        lyapunov_spectrum(ones, starts, 60, transient=20, exponents=min(n, wanted), backend=name)
        for name in ("julia", "numpy")
    ]
    np.testing.assert_allclose(*both, atol=1e-6)


def test_exponents_of_a_fixed_point_are_those_of_its_eigenvalues() -> None:
    (one,) = maps(3, 1, 5, 0.7)
    point = fixed_points(one)
    assert len(point.states) == 1
    exponents = lyapunov_spectrum(one, np.zeros(5), 4000, backend="julia")
    np.testing.assert_allclose(exponents.sum(), np.log(np.abs(point.eigenvalues[0])).sum(), rtol=1e-9)
    assert exponents[0] == pytest.approx(np.log(abs(point.eigenvalues[0, 0])), abs=2e-3)


def test_the_starts_of_the_caller_stay_what_they_are() -> None:
    starts = np.full((1, 3), 0.5)
    given = starts.copy()
    lyapunov_spectrum(maps(0, 1, 3, 1.0), starts, 10)
    fixed_points(maps(0, 1, 3, 1.0), starts)
    np.testing.assert_array_equal(starts, given)


def test_what_is_found_does_not_depend_on_the_maps_beside() -> None:
    ones = maps(5, 5, 7, 1.5)
    together = fixed_points(ones, 20, backend="julia")
    for one, found in zip(ones, together, strict=True):
        np.testing.assert_array_equal(fixed_points(one, 20, backend="julia").states, found.states)


def test_starts_may_be_given_for_each_map() -> None:
    ones = maps(6, 2, 2, 2.5)
    starts = np.random.default_rng(0).normal(size=(2, 30, 2))
    together = fixed_points(ones, starts, backend="julia")
    for one, own, found in zip(ones, starts, together, strict=True):
        np.testing.assert_array_equal(fixed_points(one, own, backend="julia").states, found.states)


def test_julia_is_not_asked_what_it_cannot_do() -> None:
    one = FunctionMap(lambda h: h / 2, 1)
    with pytest.raises(ValueError, match="networks of tanh units: use backend='numpy'"):
        fixed_points(one, backend="julia")
    with pytest.raises(ValueError, match="unknown backend 'torch'"):
        fixed_points(one, backend="torch")
    with pytest.raises(ValueError, match=r"starts must be finite and \(starts, 2\), or \(2, starts, 2\)"):
        fixed_points(maps(0, 2, 2, 1.0), np.zeros((3, 4, 2)))
    with pytest.raises(ValueError, match=r"the start must be finite and \(2, 2\)"):
        lyapunov_spectrum(maps(0, 2, 2, 1.0), np.zeros(2))
