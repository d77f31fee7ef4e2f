"""What must not change the numbers of the kernels: threads, batches without learning, a set of examples in parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharpwave.spiking import (
    Dense,
    Input,
    LateralInhibition,
    Monitor,
    Network,
    Population,
    Repeat,
    Spikes,
    State,
    diehl_cook,
    lif,
    pair_stdp,
    srm0,
    weight_dependent_stdp,
)
from sharpwave.spiking.plasticity import REDUCTIONS
from spiking_networks import KINDS, REWARDED, RULES, connection, events, sizes

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def assert_same(one, other):
    """Two results, bit for bit."""
    assert one.spikes.keys() == other.spikes.keys()
    for name, spikes in one.spikes.items():
        for part in ("example", "step", "unit"):
            np.testing.assert_array_equal(getattr(spikes, part), getattr(other.spikes[name], part))
    for name, counts in one.counts.items():
        np.testing.assert_array_equal(counts, other.counts[name])
    np.testing.assert_array_equal(one.presentations, other.presentations)
    for key, values in one.traces.items():
        np.testing.assert_array_equal(values, other.traces[key])
    assert_same_state(one.state, other.state)


def assert_same_state(one, other):
    for kind in ("weights", "shared"):
        assert getattr(one, kind).keys() == getattr(other, kind).keys()
        for name, values in getattr(one, kind).items():
            np.testing.assert_array_equal(values, getattr(other, kind)[name], f"{kind} of {name}")


def noisy(rule=None, kind="dense", seed=0):
    """Drawn inputs, a plastic layer of which one unit spikes at a time, and a noisy one behind it."""
    rng = np.random.default_rng(seed)
    pre, post = sizes(kind)
    populations = {
        "input": Input(pre), "layer": Population(post, diehl_cook(), one_spike=True), "noisy": Population(5, srm0()),
    }  # fmt: skip
    connections = {
        "learns": connection(kind, rng, plasticity=rule, norm=2.0 if rule else None),
        "drives": Dense("input", "layer", 8 * rng.random((pre, post))),
        "inhibits": LateralInhibition("layer", "layer", -0.7),
        "on": Dense("layer", "noisy", 4 * rng.random((post, 5)), delay=rng.integers(1, 5, (post, 5)).astype(float)),
    }
    return Network(populations, connections)


SETTINGS = {
    "record": ["input", "layer", "noisy"],
    "monitors": [Monitor("noisy", "v"), Monitor("layer", "theta", [0, 2], 7)],
    "repeat": Repeat("layer", 12, (1.0, 2.0)),
    "seed": 3,
}


@pytest.mark.parametrize("rule", ["pair_stdp", "with_eligibility", "everything"])
@pytest.mark.parametrize("kind", KINDS)
def test_threads_do_not_change_what_is_learnt(kind, rule):
    for reduction in ("sum", "min"):
        network = noisy(RULES[rule](reduction), kind)
        rates = np.random.default_rng(1).random((9, sizes(kind)[0])) * np.geomspace(4, 150, 9)[:, None]
        wanted = {
            **SETTINGS,
            "learning": True,
            "batch": 4,
            "reward": np.linspace(-1, 1, 9) if rule in REWARDED else None,
        }
        one, two = (network.run({"input": rates}, 60.0, threads=threads, **wanted) for threads in (1, 2))
        assert_same(one, two)
        assert len(set(one.presentations)) == 2


def test_threads_and_batches_do_not_change_what_comes_without_learning():
    network, rates = noisy(pair_stdp()), np.random.default_rng(2).random((11, 14)) * 60
    first = network.run({"input": rates}, 60.0, threads=1, batch=1, **SETTINGS)
    assert len(set(first.presentations)) == 2
    for threads, batch in ((1, 4), (2, 1), (2, 11), (None, 64)):
        assert_same(first, network.run({"input": rates}, 60.0, threads=threads, batch=batch, **SETTINGS))


def test_a_set_of_examples_is_as_many_single_runs():
    network, rates = noisy(), np.random.default_rng(3).random((6, 14)) * 60
    whole = network.run({"input": rates}, 60.0, first_example=100, **SETTINGS)
    parts = [network.run({"input": rates[k : k + 1]}, 60.0, first_example=100 + k, **SETTINGS) for k in range(6)]
    for name, spikes in whole.spikes.items():
        joined = Spikes.concatenate([part.spikes[name] for part in parts])
        for part in ("example", "step", "unit"):
            np.testing.assert_array_equal(getattr(spikes, part), getattr(joined, part))
    for key, values in whole.traces.items():
        np.testing.assert_array_equal(values, np.concatenate([part.traces[key] for part in parts]))


@pytest.mark.parametrize("rule", RULES)
def test_learning_goes_on_where_the_last_run_stopped(rule):
    network = noisy(RULES[rule]("mean"))
    rng = np.random.default_rng(4)
    rates, reward = rng.random((8, 14)) * 100, rng.normal(size=8) if rule in REWARDED else None
    wanted = {**SETTINGS, "learning": True, "batch": 2}
    whole = network.run({"input": rates}, 50.0, reward=reward, **wanted)
    state = network.initial_state()
    for first in (0, 4, 6):
        chosen = slice(first, {0: 4, 4: 6, 6: 8}[first])
        part = network.run(
            {"input": rates[chosen]}, 50.0, state=state, first_example=first,
            reward=None if reward is None else reward[chosen], **wanted,
        )  # fmt: skip
        state = part.state
        np.testing.assert_array_equal(part.counts["layer"], whole.counts["layer"][chosen])
    assert_same_state(state, whole.state)
    assert abs(state.weights["learns"] - network.initial_state().weights["learns"]).max() > 1e-4


def test_a_run_neither_changes_the_network_nor_the_state_it_is_given():
    network = noisy(pair_stdp())
    state = network.initial_state()
    before = State(*({n: a.copy() for n, a in part.items()} for part in (state.weights, state.shared)))
    wanted = {**SETTINGS, "learning": True, "state": state, "batch": 3}
    rates = np.full((3, 14), 60.0)
    one, two = (network.run({"input": rates}, 50.0, **wanted) for _ in range(2))
    assert_same(one, two)
    assert_same_state(state, before)
    assert_same_state(network.initial_state(), before)
    assert (one.state.weights["learns"] != state.weights["learns"]).any()


def test_without_learning_weights_and_thresholds_stay():
    network = noisy(pair_stdp())
    result = network.run({"input": np.full((3, 14), 90.0)}, 50.0)
    assert result.counts["layer"].sum() > 0
    assert_same_state(result.state, network.initial_state())


@pytest.mark.parametrize("backend", ["julia", "torch"])
@pytest.mark.parametrize("kind", [k for k in KINDS if k != "copying_winner"])
def test_the_sum_over_a_batch_is_the_sum_of_single_changes(kind, backend):
    # units begin above threshold, so that spikes of both sides meet in the first step, after which all changes differ
    pre, post = sizes(kind)
    rng = np.random.default_rng(5)
    made = connection(kind, rng, plasticity=pair_stdp(0.003, 0.005, bounds=(-1.0, 2.0)))
    network = Network({"input": Input(pre, "events"), "layer": Population(post, lif())}, {"c": made})
    spikes = events(rng, 4, 1, pre, 1.0, 0.5)
    potential = np.where(rng.random((4, post)) < 0.5, -40.0, -65.0)

    def change(chosen):
        given, initial = {"input": spikes.of(chosen)}, {("layer", "v"): potential[chosen]}
        result = network.run(given, 1.0, learning=True, batch=4, initial=initial, backend=backend)
        return result.state.weights["c"] - made.weights

    together = change([0, 1, 2, 3])
    np.testing.assert_allclose(together, sum(change([k]) for k in range(4)), rtol=0, atol=1e-12)
    assert np.unique(np.round(together, 9)).size > 3


@settings(max_examples=25)
@given(st.sampled_from(sorted(RULES)), st.sampled_from(REDUCTIONS), st.sampled_from(KINDS), st.integers(0, 2**32))
def test_weights_stay_within_their_bounds(rule, reduction, kind, seed):
    rng = np.random.default_rng(seed)
    made = replace(RULES[rule](reduction), bounds=(0.3, 0.6))
    pre, post = sizes(kind)
    learns = connection(kind, rng, 0.3)
    learns = replace(learns, weights=learns.weights + 0.3, plasticity=made)
    network = Network(
        {"input": Input(pre), "layer": Population(post, lif(refractory=0.0))},
        {"learns": learns, "drives": Dense("input", "layer", 8 * rng.random((pre, post)))},
    )
    reward = 20 * rng.normal(size=(3, 40)) if rule in REWARDED else None
    result = network.run({"input": np.full((3, pre), 80.0)}, 40.0, learning=True, batch=2, seed=seed, reward=reward)
    weights = result.state.weights["learns"]
    assert 0.3 <= weights.min() <= weights.max() <= 0.6


@pytest.mark.parametrize("kind", KINDS)
def test_norm_is_the_sum_of_each_units_weights(kind):
    network = noisy(weight_dependent_stdp(0.01, 0.05), kind)
    rates = np.random.default_rng(6).random((4, sizes(kind)[0])) * 100
    state = network.run({"input": rates}, 50.0, learning=True, batch=2).state
    _, post, place = network.blocks["learns"].pairs()
    sums = np.bincount(post, weights=abs(state.weights["learns"].ravel()[place]))
    np.testing.assert_allclose(sums, 2.0, rtol=1e-12)
    assert kind == "one_to_one" or (state.weights["learns"] != network.initial_state().weights["learns"]).any()
