"""Learning against loops written out by hand, synapse by synapse."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from sharpwave.spiking import (
    Dense,
    Input,
    LateralInhibition,
    Network,
    OneToOne,
    Population,
    Spikes,
    diehl_cook,
    hebbian,
    integrate_and_fire,
    pair_stdp,
    reward_modulated_stdp,
    triplet_stdp,
    weight_dependent_stdp,
)

both_backends = pytest.mark.parametrize("backend", ["julia", "torch"])
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@both_backends
def test_diehl_and_cooks_layer_by_hand(backend):
    rng = np.random.default_rng(2)
    units, pixels, steps, norm, examples = 8, 15, 80, 4.0, 5
    given = (rng.random((examples, steps, pixels)) < 0.7 * rng.random((examples, 1, pixels))).astype(int)
    start = rng.random((pixels, units))
    network = Network(
        {"input": Input(pixels, "events"), "layer": Population(units, diehl_cook(theta_plus=0.5, tau_theta=1e4))},
        {
            "feedforward": Dense("input", "layer", start, plasticity=pair_stdp(0.004, 0.03), norm=norm),
            "inhibition": LateralInhibition("layer", "layer", -6.0),
        },
    )
    run = network.run({"input": Spikes.from_dense(given, 1.0)}, float(steps), learning=True, backend=backend)
    w, theta, spikes = norm * start / start.sum(axis=0), np.zeros(units), np.zeros((examples, steps, units), int)
    for example in range(examples):
        v, left, x, y = np.full(units, -65.0), np.zeros(units, int), np.zeros(pixels), np.zeros(units)
        before, fired = np.zeros(pixels, int), np.zeros(units, bool)
        for step in range(steps):
            arriving = before @ w - 6.0 * (fired.sum() - fired)
            active = left == 0
            v = -65 + (v + 65) * math.exp(-1 / 100) + np.where(active, arriving, 0)
            left = np.maximum(left - 1, 0)
            fired = active & (v >= -52 + theta)
            v[fired], left[fired] = -60, 5
            before = given[example, step]
            x, y = x * math.exp(-1 / 20), y * math.exp(-1 / 20)
            x[before > 0], y[fired] = 1, 1
            for i in np.flatnonzero(before):
                w[i] = np.clip(w[i] - 0.004 * y, 0, 1)
            for j in np.flatnonzero(fired):
                w[:, j] = np.clip(w[:, j] + 0.03 * x, 0, 1)
            theta = theta * math.exp(-1 / 1e4) + 0.5 * fired
            spikes[example, step] = fired
        w *= norm / w.sum(axis=0)
    np.testing.assert_array_equal(run.spikes["layer"].dense(), spikes)
    assert spikes.sum() > 50
    np.testing.assert_allclose(run.state.weights["feedforward"], w, rtol=0, atol=1e-12)
    np.testing.assert_allclose(run.state.shared["layer"], theta, rtol=0, atol=1e-12)


# By name: the rule, and what it does to a weight: by a presynaptic and by a postsynaptic spike, with their signs. There
# x, y and slow are traces after the spikes of the step, before is slow's value before the spike, r the reward.
HAND_WRITTEN = {
    "pair": (pair_stdp(0.02, 0.05), lambda w, x, y, b, r: (-1, 0.02 * y), lambda w, x, y, b, r: (1, 0.05 * x)),
    "all pairs": (
        pair_stdp(0.02, 0.05, on_spike="add"),
        lambda w, x, y, b, r: (-1, 0.02 * y),
        lambda w, x, y, b, r: (1, 0.05 * x),
    ),
    "weight dependent": (
        weight_dependent_stdp(0.05, 0.1),
        lambda w, x, y, b, r: (-1, 0.05 * y * w),
        lambda w, x, y, b, r: (1, 0.1 * x * (1 - w)),
    ),
    "triplet": (
        triplet_stdp(0.02, 0.2), lambda w, x, y, b, r: (-1, 0.02 * y), lambda w, x, y, b, r: (1, 0.2 * x * b),
    ),
    "hebbian": (hebbian(0.02, 0.03), lambda w, x, y, b, r: (1, 0.02 * y), lambda w, x, y, b, r: (1, 0.03 * x)),
    "rewarded": (
        reward_modulated_stdp(0.05, 1.0, 0.5),
        lambda w, x, y, b, r: (-1, r * 0.05 * 0.5 * y),
        lambda w, x, y, b, r: (1, r * 0.05 * x),
    ),
    "eligibility": (
        reward_modulated_stdp(0.02, 1.0, 0.5, eligibility=12.0),
        lambda w, x, y, b, r: (-1, 0.02 * 0.5 * y),
        lambda w, x, y, b, r: (1, 0.02 * x),
    ),
}  # fmt: skip
REDUCE = {"sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min}


def learn_by_hand(name, pre, post, w, reduction, reward):
    """One batch: spikes (examples, steps, units), weights (pre, post)."""
    rule, on_pre, on_post = HAND_WRITTEN[name]
    (examples, steps, n), m = pre.shape, post.shape[2]
    adds, rewarded = rule.pre_traces["x"].on_spike == "add", rule.eligibility is not None
    x, y, slow, before = (np.zeros((examples, k)) for k in (n, m, m, m))
    eligibility = np.zeros((examples, n, m))
    for t in range(steps):
        x, y, slow = x * math.exp(-1 / 20), y * math.exp(-1 / 20), slow * math.exp(-1 / 40)
        before = slow.copy()
        x = np.where(pre[:, t], x + 1 if adds else 1, x)
        y, slow = np.where(post[:, t], y + 1 if adds else 1, y), np.where(post[:, t], 1, slow)
        for spiking, side in ((pre, on_pre), (post, on_post)):
            for i in range(n):
                for j in range(m):
                    unit = i if spiking is pre else j
                    if not spiking[:, t, unit].any():
                        continue
                    found = [side(w[i, j], x[e, i], y[e, j], before[e, j], reward[e, t]) for e in range(examples)]
                    sign = found[0][0]
                    changes = [change if spiking[e, t, unit] else 0.0 for e, (_, change) in enumerate(found)]
                    if rewarded:
                        eligibility[:, i, j] += sign * np.array(changes)
                    else:
                        w[i, j] = np.clip(w[i, j] + sign * REDUCE[reduction](changes), 0, 1)
        if rewarded:
            w = np.clip(w + REDUCE[reduction](reward[:, t, None, None] * eligibility, axis=0), 0, 1)
            eligibility *= math.exp(-1 / 12)
    return w


@both_backends
@pytest.mark.parametrize("reduction", REDUCE)
@pytest.mark.parametrize("name", HAND_WRITTEN)
def test_rules_by_hand(name, reduction, backend):
    # a teacher makes the postsynaptic units spike one step after its own spikes, whatever else arrives
    rng = np.random.default_rng(3)
    pre, teacher = ((rng.random((1, 50, k)) < 0.1) | (rng.random((3, 50, k)) < 0.07) for k in (4, 3))
    post = np.zeros_like(teacher)
    post[:, 1:] = teacher[:, :-1]
    start, reward = rng.random((4, 3)), rng.normal(size=(3, 50))
    rule = replace(HAND_WRITTEN[name][0], reduction=reduction)
    network = Network(
        {
            "input": Input(4, "events"),
            "teacher": Input(3, "events"),
            "layer": Population(3, integrate_and_fire(-5, -65, 0)),
        },
        {
            "learns": Dense("input", "layer", start, plasticity=rule),
            "teaches": OneToOne("teacher", "layer", np.full(3, 1000.0)),
        },
    )
    inputs = {"input": Spikes.from_dense(pre, 1.0), "teacher": Spikes.from_dense(teacher, 1.0)}
    result = network.run(inputs, 50.0, learning=True, batch=3, reward=reward, backend=backend)
    np.testing.assert_array_equal(result.spikes["layer"].dense(), post)
    by_hand = learn_by_hand(name, pre, post, start.copy(), reduction, reward)
    np.testing.assert_allclose(result.state.weights["learns"], by_hand, rtol=0, atol=1e-12)
    assert abs(by_hand - start).max() > 0.01
