"""Experiments on learning to keep time, and on dynamics that are known, in their quick forms."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sharpwave.experiments import find
from sharpwave.experiments.flipflops.causal import with_pair
from sharpwave.experiments.flipflops.oscillator import fitted, flow, oscillation
from sharpwave.experiments.options import quick_form
from sharpwave.runs import start


def quickly(name: str, root: Path) -> dict[str, float]:
    experiment = find(name)
    run = start(experiment, quick_form(experiment, experiment.config()), root)
    run.execute()
    lines = [json.loads(line) for line in (run.directory / "metrics.jsonl").read_text().splitlines()]
    return {line["name"]: line["value"] for line in lines if "value" in line}


def test_all_that_is_known_is_found_and_nothing_else(tmp_path: Path) -> None:
    found = quickly("known-dynamics", tmp_path)
    assert found["points and cycles that were missed"] == 0
    assert found["points and cycles that were invented"] == 0
    assert found["branches on which something else was found than there is"] == 0
    assert found["largest error of a point"] < 1e-10
    assert found["largest error of a bifurcation's parameter"] < 1e-10
    assert found["logistic, r = 4: largest exponent"] == pytest.approx(np.log(2), abs=2e-3)
    assert found["Henon, a = 1.4, b = .3: largest exponent"] == pytest.approx(0.4192, abs=6e-3)


def test_the_plateau_ends_where_a_pair_leaves_the_circle(tmp_path: Path) -> None:
    found = quickly("flipflop-periodic", tmp_path)
    label = "32 units, P=10"
    assert found[f"{label}: networks that lose a point within a checkpoint of TD > .75"] == 2
    assert found[f"{label}: Neimark-Sacker bifurcations, b"] == 2
    assert found[f"{label}: angle at the crossing, b"] == pytest.approx(36, abs=3)
    assert found[f"{label}: largest change of accuracy, read from three dimensions"] < 0.5
    assert abs(found[f"{label}: largest Lyapunov exponent under b"]) < 0.01  # of an orbit; of a point it is below -.1


def test_a_second_stable_point_appears_by_a_fold(tmp_path: Path) -> None:
    found = quickly("flipflop-relative", tmp_path)
    assert found["networks with a second stable point, for the first time"] == 2
    assert found["second stable points that appear by a fold, for the first time"] == 2
    assert found["states that tell by their distance whether tau has passed"] > 90


def test_an_orbit_is_lost_and_comes_back_at_the_new_period(tmp_path: Path) -> None:
    found = quickly("flipflop-retrain", tmp_path)
    assert found["networks that lose their orbit"] == found["networks that regain one"] == 2
    assert found["deepest mu, median"] < -0.05
    assert found["period in the end, median"] == pytest.approx(10, abs=0.5)


def test_without_the_bifurcation_the_plateau_does_not_end(tmp_path: Path) -> None:
    found = quickly("flipflop-causal", tmp_path)
    assert found["spectral radius below 0.9: networks with TD > .75"] == 0
    assert found["as they are: networks with TD > .75"] == 2
    early, late = (found[f"{kind}: iteration of TD > .75"] for kind in ("a pair at 36 degrees", "as they are"))
    assert early < 0.7 * late


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("n", [2, 5, 32])
def test_a_pair_is_moved_and_all_else_stays(seed: int, n: int) -> None:
    weights = np.random.default_rng(seed).uniform(-1, 1, (n, n)) / np.sqrt(n)
    before, after = (np.linalg.eigvals(w) for w in (weights, with_pair(weights, 1.3, 40.0)))
    pair = 1.3 * np.exp(1j * np.radians(40.0) * np.array([1, -1]))
    for value in pair:
        assert np.abs(after - value).min() < 1e-8
    others = [value for value in after if np.abs(pair - value).min() > 1e-6]
    assert len(others) == n - 2
    assert all(np.abs(before - value).min() < 1e-7 for value in others)


def test_the_exponential_of_a_damped_oscillation_is_found() -> None:
    t = np.arange(80)
    z = np.exp((-0.05 + 0.4j) * t)
    states = np.stack([z.real, z.imag, 2 * z.real - z.imag], axis=1) + 0.7
    np.testing.assert_allclose(oscillation(states), (-0.05, 0.4), atol=1e-9)


def test_the_oscillator_goes_down_its_gradient_and_its_rates_are_found_again() -> None:
    steps = np.arange(0, 210, 10)
    horizon, target = 40, 0.5

    def loss(mu: float, omega: float) -> float:
        t = np.arange(horizon)
        return float((np.abs(np.exp((mu + 1j * omega) * t) - np.exp(1j * target * t)) ** 2).mean())

    way = flow((0.0, 0.25), target, horizon, (0.01, 0.01), steps)
    losses = [loss(*at) for at in way]
    assert (np.diff(losses) <= 1e-9).all()
    np.testing.assert_allclose(way[-1], (0.0, target), atol=1e-3)
    assert way[:, 0].min() < -0.05  # it dies away on the way
    found = fitted(way[:, 0], way[:, 1], target, horizon, steps)
    assert found.error < 0.05
    np.testing.assert_allclose(found.rates, (0.01, 0.01), rtol=0.1)


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("flipflop-periodic", {"period": (9, 24)}, "periods must be even"),
        ("flipflop-periodic", {"hidden": (32,)}, "must have as many entries"),
        ("flipflop-periodic", {"every": (30, 50)}, "steps must be a multiple of every"),
        ("flipflop-periodic", {"learning_rate": 0.0}, "learning_rate must be positive"),
        ("flipflop-periodic", {"seeds": 0}, "at least 1"),
        ("flipflop-relative", {"null": 1.0}, "null must be between 0 and 1"),
        ("flipflop-relative", {"steps": 15}, "steps must be a multiple of every"),
        ("flipflop-relative", {"tau": 0}, "at least 1"),
        ("flipflop-retrain", {"first": 12}, "two different even periods"),
        ("flipflop-retrain", {"steps": 15}, "steps must be a multiple of every"),
        ("flipflop-causal", {"clamp": 1.5}, "clamp from 0 to 1"),
        ("flipflop-causal", {"period": 7}, "the period must be even"),
        ("known-dynamics", {"starts": 0}, "at least 1"),
    ],
)
def test_what_would_fail_later_is_refused_before(name: str, given: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find(name).config(**given)
