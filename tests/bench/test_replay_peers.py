"""The workload of continual learning, at which ours and a peer without other libraries do the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sharpwave.bench.ours_replay import SOLVERS as OURS
from sharpwave.bench.peers.continual_cases import REPLAY
from sharpwave.bench.peers.continual_torch import SOLVERS as LOADERS
from sharpwave.bench.record import Point
from sharpwave.bench.replay import _beside, _of_a_batch

(PROBLEM,) = REPLAY
RNG = np.random.default_rng(5)


def point(seconds: float | None, accuracy: float, status: str = "ok") -> Point:
    return Point(
        "a", PROBLEM, 0.0, 0.0, seconds, seconds, seconds, 3, None, 0.0, status, {"batches": 4, "accuracy": accuracy}
    )


@pytest.fixture
def images(tmp_path: Path) -> str:
    """Ten classes of noisy pictures, 6400 of them, that are easy to tell apart."""
    means = RNG.uniform(0, 200, (10, 28, 28))
    found = {}
    for prefix, number in (("", 6400), ("test_", 200)):
        y = np.arange(number) % 10
        found[f"{prefix}y"] = y
        found[f"{prefix}x"] = (means[y] + RNG.uniform(0, 50, (number, 28, 28))).astype(np.uint8)
    path = tmp_path / "images.npz"
    np.savez(path, **found)
    return str(path)


@pytest.mark.parametrize("solver", [*OURS, *LOADERS], ids=lambda solver: solver.name)
def test_ours_and_data_loaders_learn_all_classes_in_as_many_batches(solver, images: str) -> None:
    _, stats = solver.build(PROBLEM, images)(0.0, 0.0)
    assert stats["batches"] == 5 * 10
    assert stats["accuracy"] > 0.6  # the last classes alone: .2
    assert stats["seconds"] > 0


def test_times_are_those_of_a_batch_and_stay_away_where_there_are_none() -> None:
    assert _of_a_batch(point(2.0, 0.5)).seconds == 0.5
    assert _of_a_batch(point(None, 0.5, "over 30 s")).seconds is None


def test_a_peer_that_learned_better_is_not_compared_and_one_that_failed_says_why() -> None:
    own = point(1.0, 0.8)
    assert _beside(point(3.0, 0.84), own, 0.1).ratio == 3.0
    better = _beside(point(3.0, 0.86), own, 0.1)
    assert better.ratio is None
    assert "86.0%, ours 80.0%" in better.how
    assert _beside(point(None, 0.0, "over 30 s"), own, 0.1).how == "over 30 s"
