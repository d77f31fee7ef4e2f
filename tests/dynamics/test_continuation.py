"""Branches whose course is known, and what eigenvalues do along them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sharpwave.dynamics import (
    FunctionMap,
    FunctionPath,
    NetworkMap,
    NetworkPath,
    PowerPath,
    fixed_points,
    follow,
    plot_branches,
    track,
)
from sharpwave.recurrent import RNN

LOGISTIC = FunctionPath(lambda x, r: r * x * (1 - x), 1)
HENON = FunctionPath(lambda h, a: torch.stack([1 - a * h[0] ** 2 + h[1], 0.3 * h[0]]), 2)
DELAYED = FunctionPath(lambda h, a: torch.stack([a * h[0] * (1 - h[1]), h[0]]), 2)
TANH = FunctionPath(lambda x, r: torch.tanh(r * x), 1)


@pytest.mark.parametrize(
    ("path", "start", "ends", "expected"),
    [
        (LOGISTIC, [0.5], (2.0, 4.0), [("flip", 3.0, 180, True)]),
        (LOGISTIC, [0.0], (0.5, 4.0), [("transcritical", 1.0, 0, True)]),
        (LOGISTIC, [-1.0], (0.5, 4.0), [("transcritical", 1.0, 0, False), ("flip", 3.0, 180, True)]),
        (PowerPath(LOGISTIC, 2), [0.513045], (3.2, 4.0), [("flip", 1 + np.sqrt(6), 180, True)]),
        (PowerPath(LOGISTIC, 2), [0.513045], (3.2, 2.5), [("pitchfork", 3.0, 0, None)]),
        (PowerPath(LOGISTIC, 3), [0.5], (3.84, 3.7), [("fold", 1 + np.sqrt(8), 0, True)]),
        (TANH, [0.0], (0.5, 2.0), [("pitchfork", 1.0, 0, True)]),
        (TANH, [0.9], (2.0, 0.5), [("pitchfork", 1.0, 0, None)]),
        (DELAYED, [0.4, 0.4], (1.5, 2.3), [("Neimark-Sacker", 2.0, 60, True)]),
        (HENON, [0.9, 0.27], (0.2, 1.4), [("flip", 3 * 0.7**2 / 4, 180, True)]),
        (FunctionPath(lambda x, p: x + p - x * x, 1), [1.0], (1.0, -1.0), [("fold", 0.0, 0, True)]),
    ],
)
def test_what_happens_is_found_named_and_located_and_nothing_else(path, start, ends, expected) -> None:
    found = follow(path, start, *ends)
    assert [(one.kind, one.outward) for one in found.crossings] == [(kind, way) for kind, _, _, way in expected]
    np.testing.assert_allclose([one.at for one in found.crossings], [at for _, at, _, _ in expected], atol=1e-10)
    np.testing.assert_allclose([one.angle for one in found.crossings], [a for _, _, a, _ in expected], atol=1e-4)
    for p, state in zip(found.at, found.states, strict=True):
        np.testing.assert_allclose(path.at(p).step(state), state, atol=1e-12)
    back = found.crossings[0].kind == "fold" or found.crossings[0].outward is None
    assert found.ended == ("first" if back else "last")
    assert found.at[-1] == (ends[0] if back else ends[1])


def test_a_fold_is_gone_round_to_the_other_point() -> None:
    found = follow(PowerPath(LOGISTIC, 3), [0.5], 3.84, 3.7)
    assert found.at.min() == pytest.approx(1 + np.sqrt(8), abs=1e-3)
    assert found.states[-1, 0] != pytest.approx(found.states[0, 0], abs=1e-2)
    assert found.stable[0] != found.stable[-1]


def test_a_branch_that_leads_nowhere_ends_for_want_of_points() -> None:
    found = follow(HENON, [0.9, 0.27], 0.2, -1.4, points=200)
    assert (found.ended, len(found.at)) == ("points", 200)
    assert [(one.kind, round(one.at, 10)) for one in found.crossings] == [("fold", -0.1225)]


def networks(seed: int, count: int, n: int = 6) -> list[RNN]:
    rng = np.random.default_rng(seed)
    return [
        RNN(0.4 * rng.normal(size=(n, n)), rng.normal(size=(n, 2)), np.ones((1, n)), "tanh", 0.3 * rng.normal(size=n))
        for _ in range(count)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_a_network_is_followed_through_checkpoints_at_which_all_changes(seed: int) -> None:
    ones, u = networks(seed, 6), [1.0, 0.0]
    path = NetworkPath(ones, [0, 10, 20, 40, 50, 60], u)
    found = follow(path, fixed_points(NetworkMap(ones[0], u)).states[0], 0, 60, step=2)
    assert found.ended == "last"
    for p, state in zip(found.at, found.states, strict=True):
        np.testing.assert_allclose(path.at(p).step(state), state, atol=1e-12)
    for one in found.crossings:
        eigenvalues = np.linalg.eigvals(path.at(one.at).jacobian(one.state))
        assert np.abs(eigenvalues - one.eigenvalue).min() < 1e-8
        assert abs(one.eigenvalue) == pytest.approx(1, abs=1e-8)
    outside = (np.abs(found.eigenvalues) > 1 + 1e-9).sum(axis=1)
    passed = sum((1 if one.outward else -1) * (1 if one.eigenvalue.imag == 0 else 2) for one in found.crossings)
    assert outside[-1] - outside[0] == passed


def test_a_rotation_that_grows_leaves_the_circle_at_its_angle() -> None:
    turn = np.array([[np.cos(0.7), -np.sin(0.7)], [np.sin(0.7), np.cos(0.7)]])
    ones = [RNN(growth * turn, np.ones((2, 1)), np.ones((1, 2)), "tanh") for growth in (0.8, 1.3)]
    (one,) = follow(NetworkPath(ones, [0, 100]), [0.0, 0.0], 0, 100).crossings
    assert one.kind == "Neimark-Sacker"
    assert one.at == pytest.approx(40, abs=1e-9)
    assert one.angle == pytest.approx(np.degrees(0.7), abs=1e-9)
    assert str(one) == "Neimark-Sacker at 40: an eigenvalue at 40.107 degrees goes out of the unit circle"


@pytest.mark.parametrize("seed", range(3))
def test_paths_differentiate_by_their_number(seed: int) -> None:
    ones, rng = networks(seed, 3), np.random.default_rng(seed)
    weights = [torch.tensor(one.recurrent) for one in ones]
    shifts = [torch.tensor(one.bias + one.input @ [0.5, -1.0]) for one in ones]

    def function(h, p):
        early, late, share = (0, 1, p / 10) if p < 10 else (1, 2, (p - 10) / 5)
        mixed = [(1 - share) * given[early] + share * given[late] for given in (weights, shifts)]
        return torch.tanh(mixed[0] @ h + mixed[1])

    ours, theirs = NetworkPath(ones, [0, 10, 15], [0.5, -1.0]), FunctionPath(function, 6)
    for p in (3.0, 12.5):
        h = rng.normal(size=6)
        for one, other in ((ours, theirs), (PowerPath(ours, 4), PowerPath(theirs, 4))):
            np.testing.assert_allclose(one.at(p).step(h), other.at(p).step(h), rtol=1e-12)
            np.testing.assert_allclose(one.at(p).jacobian(h), other.at(p).jacobian(h), rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose(one.rate(h, p), other.rate(h, p), rtol=1e-10, atol=1e-12)
            e = 1e-5
            slope = (one.at(p + e).step(h) - one.at(p - e).step(h)) / (2 * e)
            np.testing.assert_allclose(one.rate(h, p), slope, atol=1e-8)


def test_eigenvalues_keep_their_column() -> None:
    t = np.linspace(0, 1, 50)[:, None]
    known = np.concatenate([0.5 + t, -0.4 * np.exp(2j * t), 0.9j * (1 - t)], axis=1)
    shuffled = np.random.default_rng(0).permuted(known, axis=1)
    found = track(shuffled)
    np.testing.assert_array_equal(found, known[:, [int(np.argmin(np.abs(known[0] - x))) for x in found[0]]])


def test_diagrams_say_where_a_branch_is_stable() -> None:
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    found = follow(LOGISTIC, [0.5], 2.0, 4.0)
    plot_branches(axes, [found])
    solid, dashed = axes.lines[:2]
    assert np.nanmax(np.where(np.isnan(solid.get_ydata()), np.nan, solid.get_xdata())) == pytest.approx(3, abs=0.02)
    assert np.nanmin(np.where(np.isnan(dashed.get_ydata()), np.nan, dashed.get_xdata())) == pytest.approx(3, abs=0.04)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: follow(LOGISTIC, [0.5, 0.5], 2, 3), r"the start must be finite and \(1,\), got shape \(2,\)"),
        (lambda: follow(LOGISTIC, [0.5], 2, 2), "expected two different numbers, a step and a tolerance"),
        (lambda: follow(LOGISTIC, [0.5], 2, 3, step=-1), "expected two different numbers"),
        (
            lambda: follow(FunctionPath(lambda x, p: x + 1 + p * 0, 1), [0.5], 2, 3),
            "no fixed point near the start at 2",
        ),
        (lambda: NetworkPath(networks(0, 1)), "at least two networks, and a step for each, rising, got 1"),
        (lambda: NetworkPath([]), "at least two networks, and a step for each, rising, got 0"),
        (lambda: NetworkPath(networks(0, 2), [5, 5]), "rising, got 2 networks"),
        (lambda: NetworkPath([*networks(0, 1), *networks(0, 1, 5)]), "networks of one size and nonlinearity"),
        (lambda: NetworkPath(networks(0, 2), None, [1.0]), r"the input must be finite and \(2,\)"),
        (lambda: PowerPath(LOGISTIC, 0), "steps must be a whole number from 1 on, got 0"),
        (lambda: track([[np.nan]]), "expected finite eigenvalues"),
    ],
)
def test_what_cannot_be_followed_is_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_maps_of_several_sizes_are_refused() -> None:
    ones = [FunctionMap(lambda h: h / 2, n) for n in (1, 2)]
    with pytest.raises(ValueError, match=r"maps of one size, at least one, got 2 of sizes \[1, 2\]"):
        fixed_points(ones)
    with pytest.raises(ValueError, match="at least one, got 0 of sizes"):
        fixed_points([])
