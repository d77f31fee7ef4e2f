"""Sleep: two implementations agree, a spike does what is said, and what does not fit is refused."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sharpwave.data import load
from sharpwave.replay import (
    ContinualExperiment,
    Learner,
    RectifiedOutputs,
    Settings,
    SleepReplay,
    SleepRule,
    sleep,
    split_stream,
)

DIGITS = load("digits")
LIVELY = SleepRule(thresholds=(1.0, 1.5, 1.0), scale=2.0)


def network(sizes, seed=0, kind=np.float64):
    random = np.random.default_rng(seed)
    return [(random.normal(size=(after, before)) / before**0.5).astype(kind) for before, after in pairwise(sizes)]


@settings(max_examples=15, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 40), min_size=4, max_size=4), steps=st.integers(1, 120), seed=st.integers(0, 2**31)
)
def test_julia_and_torch_agree(sizes, steps, seed) -> None:
    weights = network(sizes, seed)
    spikes = (np.random.default_rng(seed).random((steps, sizes[0])) < 0.4).astype(np.uint8)
    one, other = (sleep(weights, spikes, LIVELY, backend) for backend in ("julia", "torch"))
    np.testing.assert_array_equal(one.fired, other.fired)
    for a, b in zip(one.weights, other.weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)


def test_single_precision_is_near_to_double() -> None:
    spikes = LIVELY.noise(np.full(50, 0.3), 300, 1)
    double, single = (sleep(network((50, 60, 40, 10), kind=kind), spikes, LIVELY) for kind in (np.float64, np.float32))
    assert single.weights[0].dtype == np.float32
    assert double.fired[0] > 100
    np.testing.assert_allclose(single.fired, double.fired, rtol=0.02)


def test_one_spike_by_hand() -> None:
    rule = SleepRule(thresholds=(1.0,), scale=2.0, decay=0.5, raised=0.1, lowered=0.05)
    weights = [np.array([[0.3, -0.4, 0.0], [0.6, 0.0, -0.2]])]
    spikes = np.array([[1, 0, 0], [1, 0, 0], [0, 0, 0]], dtype=np.uint8)
    for backend in ("julia", "torch"):
        slept = sleep(weights, spikes, rule, backend)
        # the second unit fires at once, and again: 1.2 and 1.2; the first one only comes to .9 by its second step
        assert slept.fired.tolist() == [2]
        np.testing.assert_allclose(slept.weights[0][0], weights[0][0])
        np.testing.assert_allclose(slept.weights[0][1], [0.6, -0.05 - 0.05 * 2, -0.2 - 0.1 - 0.1], atol=1e-9)


def test_noise_has_the_rate_that_it_is_told() -> None:
    rule = SleepRule()
    spikes = rule.noise(np.array([0.0, 0.5, 1.0, 3.0]), 20_000, 3)
    np.testing.assert_allclose(spikes.mean(axis=0), [0, 0.11975, 0.2395, 0.2395], atol=0.01)
    np.testing.assert_array_equal(spikes, rule.noise(np.array([0.0, 0.5, 1.0, 3.0]), 20_000, 3))


@pytest.mark.parametrize(
    ("weights", "spikes", "message"),
    [
        (network((5, 4)), np.zeros((3, 5)), "there are 1 layers, but 3 thresholds"),
        (network((5, 4, 3, 2)), np.zeros((3, 6)), r"weights of layer 0 must be \(units, 6\)"),
        ([*2 * network((5, 4)), *network((4, 2))], np.zeros((3, 5)), r"layer 1 must be \(units, 4\)"),
        ([w * np.nan for w in network((5, 4, 3, 2))], np.zeros((3, 5)), "weights of layer 0 are not finite"),
        ([w.astype(np.int64) for w in network((5, 4, 3, 2))], np.zeros((3, 5)), "or all float64, got int64"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(weights, spikes, message) -> None:
    with pytest.raises(ValueError, match=message):
        sleep(weights, spikes.astype(np.uint8))


def test_rules_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="scale, width, step, rate and thresholds must be positive"):
        SleepRule(scale=0.0)
    with pytest.raises(ValueError, match=r"2000 spikes a second are more than one in a step of 0.001 s"):
        SleepRule(rate=2000)


def test_a_network_sleeps_after_each_task_but_the_first() -> None:
    quick = Settings(hidden=(40, 30), learning_rate=3e-3, batch=32, iterations=30, bias=False)
    part = SleepReplay(LIVELY, steps=300)
    slept = []
    rest = part.rest
    part.rest = lambda steps: slept.append(steps) or rest(steps)
    found = ContinualExperiment(stream=split_stream(DIGITS), strategy=lambda: [part], settings=quick).run()
    assert slept == [300, 400, 500, 600]
    assert part.fired is not None
    assert part.fired[0] > 0
    assert found.bytes < 2000
    with pytest.raises(ValueError, match=r"without biases of 3 layers.* got 2 layers and bias=True"):
        ContinualExperiment(
            stream=split_stream(DIGITS), strategy=lambda: [SleepReplay()], settings=Settings(hidden=(40,))
        ).run()


def test_descent_with_momentum_goes_on_where_it_was() -> None:
    stream = split_stream(DIGITS)
    quick = Settings(hidden=(40, 30), learning_rate=0.3, batch=32, iterations=160, bias=False)
    whole, stopped = (Learner(stream, quick, [RectifiedOutputs()], 3) for _ in range(2))
    kept = []
    whole.learn(0, every=20, kept=lambda: kept.append(whole.arrays()))
    assert any("momentum_buffer" in name for name in kept[0])
    stopped.restore(kept[0])
    stopped.learn(0)
    for one, other in zip(whole.network.parameters(), stopped.network.parameters(), strict=True):
        assert torch.equal(one, other)
    assert whole.accuracy(0) > 0.9


@pytest.mark.parametrize("what", [{"initial": 0.0}, {"dropout": 1.0}, {"momentum": 1.0}])
def test_descents_that_are_none_are_refused(what) -> None:
    with pytest.raises(ValueError, match="initial must be positive, dropout and momentum from 0 to below 1"):
        RectifiedOutputs(**what)
