"""Capacity: its statistics, its sweep, and how it grows."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharpwave.memory import (
    CapacityStudy,
    capacity_curve,
    find_capacity,
    fit_growth,
    threshold_size,
    wilson_interval,
)
from sharpwave.memory.capacity import cycle_share
from sharpwave.memory.draws import DrawnNetwork, recall_draws


def test_wilson_interval_against_published_values():
    """Newcombe, Statistics in Medicine 17 (1998) 857, table I, method 3 (score method, no continuity correction)."""
    for successes, draws, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        assert wilson_interval(successes, draws) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 200), st.data())
def test_wilson_interval_holds_the_share(draws, data):
    successes = data.draw(st.integers(0, draws))
    low, high = wilson_interval(successes, draws)
    assert -1e-12 <= low <= successes / draws + 1e-12
    assert successes / draws - 1e-12 <= high <= 1 + 1e-12


@pytest.mark.parametrize("rises", [False, True])
def test_threshold_size_is_found_from_noisy_shares(rises):
    """Shares that cross .8 at 100, counted from 200 draws."""
    sizes = np.array([10, 30, 60, 80, 120, 200, 400])
    side = np.log(sizes / 100) * (1 if rises else -1)
    share = 1 / (1 + np.exp(-(np.log(4) + 2 * side)))  # .8 at 100
    hits = np.random.default_rng(0).binomial(200, share)
    found = threshold_size(sizes, hits, 200, 0.8, rises=rises)
    assert found.low <= 100 <= found.high
    assert found.high / found.low < 2.0
    assert found.estimate == pytest.approx(100, rel=0.25)


def test_growth_laws_are_told_apart():
    n = np.arange(12, 41, 4)
    noise = np.exp(0.1 * np.random.default_rng(1).normal(size=len(n)))
    exponential = fit_growth(n, 0.1 * np.exp(0.25 * n) * noise)
    assert exponential.evidence > 10
    assert exponential.exponential.low < 0.25 < exponential.exponential.high
    polynomial = fit_growth(n, 0.02 * n**2.5 * noise)
    assert polynomial.evidence < -2
    assert polynomial.polynomial.low < 2.5 < polynomial.polynomial.high
    with pytest.raises(ValueError, match="at least four sizes"):
        fit_growth([1, 2, 3], [1, 2, 3])


def test_whole_correct_cycles_are_counted():
    assert cycle_share([0, 1, 2, 0, 1, 2], 3) == 1.0
    assert cycle_share([0, 1, 2, 0, 2, 0, 1], 3) == pytest.approx(3 / 7)  # runs of 4 and 3 hold one cycle each
    assert cycle_share([], 3) == 0.0


def test_draws_do_what_the_equations_say():
    """The first steps of one draw, against the network's equations written out."""
    network = DrawnNetwork(features=30, memories=4)
    seed = np.random.SeedSequence(7)
    patterns = np.where(np.random.default_rng(seed).random((1, 4, 30)) < 0.5, 1.0, -1.0)[0]
    f, d, visits = patterns[0], np.zeros(30), [0]
    for _ in range(1000):
        overlaps = patterns @ f / np.linalg.norm(f) / np.sqrt(30)
        leader = int(overlaps.argmax())
        if overlaps[leader] >= 0.8 and leader != visits[-1]:
            visits.append(leader)
        hidden = patterns @ f + 2.0 * np.eye(4, k=1).T @ (patterns @ np.tanh(d))
        s = np.exp(hidden - hidden.max())
        f, d = s / s.sum() @ patterns, d + (f - d) / 50
    made = recall_draws(network, seed, 1, 10).visits[0]
    assert made == visits
    assert len(visits) > 2


@pytest.mark.parametrize("power", [None, 2, 3])
def test_both_kinds_of_networks_recall_chains_and_cycles(power):
    recalls = recall_draws(DrawnNetwork(80, 5, power, closed=True), np.random.SeedSequence(1), 5, 11)
    assert sum(visits == [k % 5 for k in range(11)] for visits in recalls.visits) >= 4


def test_finished_points_are_not_found_again(tmp_path):
    study = CapacityStudy(draws=20, share=0.8, largest=16)
    first = capacity_curve(study, [12, 16], tmp_path)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["chain-softmax-12.json", "chain-softmax-16.json"]
    record = json.loads((tmp_path / files[0]).read_text())
    record["point"]["successes"][0] = -77  # a mark that a new search would not leave
    (tmp_path / files[0]).write_text(json.dumps(record))
    (tmp_path / files[1]).unlink()
    second = capacity_curve(study, [12, 16], tmp_path)
    assert second.points[0].successes[0] == -77
    assert second.points[1] == first.points[1]
    with pytest.raises(ValueError, match="belongs to another study"):
        capacity_curve(CapacityStudy(draws=20, share=0.7, largest=16), [12], tmp_path)


def test_answers_do_not_depend_on_order_or_jobs():
    study = CapacityStudy(draws=10, share=0.8, largest=16, power=2)
    alone = [find_capacity(study, size) for size in (20, 12)]
    together = capacity_curve(study, [12, 20], jobs=2)
    assert list(together.points) == alone[::-1]


def test_softmax_holds_more_and_grows_faster_than_a_polynomial():
    """Shares of right recalls at fixed K; the laws of growth themselves are compared in a run, over N = 12 to 40."""

    def share(power, features, memories):
        recalls = recall_draws(DrawnNetwork(features, memories, power), np.random.SeedSequence(3), 100, 3)
        return sum(visits[:3] == [0, 1, 2] for visits in recalls.visits) / 100

    # From N = 16 to 24 the softmax takes on e^(.25 8) = 7 times as many memories, the quadratic 3.5 times.
    assert share(None, 16, 20) > 0.7
    assert share(None, 24, 140) > 0.7
    assert share(2, 16, 5) > 0.7
    assert share(2, 24, 70) < 0.6


def test_capacity_is_found_for_every_protocol():
    chain = find_capacity(CapacityStudy(draws=20, share=0.8, largest=64), 12)
    assert 4 < chain.threshold.estimate < 64
    assert not chain.censored
    least = find_capacity(CapacityStudy("cycle", draws=5, share=0.8, largest=32), 5)
    assert 4 < least.threshold.estimate < 32
    bits = find_capacity(CapacityStudy("bits", draws=5, share=0.8, largest=16), 24)
    assert bits.threshold.estimate > 8


def test_a_bound_is_told_as_one():
    point = find_capacity(CapacityStudy(draws=5, share=0.5, largest=8), 20)
    assert point.censored
    assert point.threshold.estimate == pytest.approx(8)


def test_correlated_patterns_hold_less():
    shares = []
    for bias in (0.0, 0.4):
        recalls = recall_draws(DrawnNetwork(20, 20, bias=bias), np.random.SeedSequence(3), 60, 3)
        shares.append(sum(visits[:3] == [0, 1, 2] for visits in recalls.visits) / 60)
    assert shares[1] < 0.7 * shares[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"protocol": "chian"}, "unknown protocol 'chian': did you mean 'chain'"),
        ({"bias": 0.5}, r"bias must be between -0\.5 and 0\.5"),
        ({"share": 0.0}, "share must be above 0"),
    ],
)
def test_bad_studies(change, words):
    with pytest.raises(ValueError, match=words):
        CapacityStudy(**change)
