"""Inputs, states and settings of a run that are wrong are refused before it; networks that misbehave are warned of."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace

import numpy as np
import pytest

from sharpwave.spiking import (
    Dense,
    Input,
    Monitor,
    Network,
    Population,
    Repeat,
    Spikes,
    State,
    diehl_cook,
    lif,
    pair_stdp,
    reward_modulated_stdp,
)


def network(rule=None, source="poisson", weights=None, dt=1.0, **more):
    """Three inputs, two neurons."""
    weights = np.full((3, 2), 0.5) if weights is None else weights
    made = Dense("input", "layer", weights, plasticity=rule, **more)
    return Network({"input": Input(3, source), "layer": Population(2, diehl_cook())}, {"feedforward": made}, dt)


def refuses(error, *parts):
    """The error, whose message has all parts in order."""
    return pytest.raises(error, match="(?s)" + ".*".join(map(re.escape, parts)))


RATES = np.full((2, 3), 30.0)


def rates(value, place=(1, 2)):
    changed = RATES.copy()
    changed[place] = value
    return changed


INPUTS = {
    "negative rate": (
        "poisson",
        rates(-3.5),
        ("input: a rate must be finite and not negative", "-3.5 for example 1, unit 2"),
    ),
    "NaN pixel": (
        "poisson",
        rates(np.nan),
        ("finite and not negative", "got nan for example 1, unit 2", "np.nan_to_num"),
    ),
    "infinite rate": ("poisson", rates(np.inf), ("finite and not negative", "got inf for example 1, unit 2")),
    "probability above 1": ("bernoulli", rates(1.25) / 100 * 80, ("a probability must be from 0 to 1", "got 1.0")),
    "negative probability": ("bernoulli", rates(-1) / 100, ("a probability must be from 0 to 1", "got -0.01")),
    "units": ("poisson", np.ones((2, 4)), ("input must be numbers (examples, 3)", "shape (2, 4)")),
    "one example": ("poisson", np.ones(3), ("input must be numbers (examples, 3)", "shape (3,)")),
    "text": ("poisson", [["a", "b", "c"]], ("input must be numbers (examples, 3)", "got <U1")),
    "no example": ("poisson", np.ones((0, 3)), ("inputs have no examples", "at least one")),
    "spikes for rates": (
        "poisson",
        Spikes.from_dense(np.ones((1, 10, 3), int), 1.0),
        ("input draws its spikes: give rates", "Input(3, 'events')"),
    ),
    "rates for spikes": ("events", RATES, ("input takes Spikes, got ndarray", "Spikes.from_dense")),
    "steps of spikes": (
        "events",
        Spikes.from_dense(np.ones((1, 9, 3), int), 1.0),
        ("must have 3 units and 10 steps of 1 ms", "9 steps"),
    ),
    "step of spikes": (
        "events",
        Spikes.from_dense(np.ones((1, 10, 3), int), 0.5),
        ("must have 3 units and 10 steps of 1 ms", "0.5 ms"),
    ),
}


@pytest.mark.parametrize("backend", ["julia", "torch"])
@pytest.mark.parametrize("what", INPUTS)
def test_inputs(what, backend):
    source, given, parts = INPUTS[what]
    given = given if what != "probability above 1" else np.array([[0.2, 0.3, 1.0 + 1e-9]])
    with refuses(ValueError, *parts):
        network(source=source).run({"input": given}, 10.0, backend=backend)


def test_inputs_of_several_populations():
    populations = {"left": Input(2), "right": Input(2, "bernoulli"), "layer": Population(1, lif())}
    both = Network(populations, {n: Dense(n, "layer", [[1.0], [1.0]]) for n in ("left", "right")})
    with refuses(ValueError, "there is nothing for right"):
        both.run({"left": [[1, 2]]}, 5.0)
    with refuses(ValueError, "unknown input population 'rigth': did you mean 'right'?"):
        both.run({"left": [[1, 2]], "rigth": [[0, 0]]}, 5.0)
    with refuses(ValueError, "equally many examples", "left has 1, right has 2"):
        both.run({"left": [[1, 2]], "right": [[0, 0], [0, 1]]}, 5.0)


RUNS = {
    "duration": ({"duration": 10.5}, ("duration must be a multiple of dt = 1 ms, got 10.5 ms",)),
    "negative duration": ({"duration": -1.0}, ("duration must be a time in ms, not negative, got -1.0",)),
    "no duration": ({"duration": 0.0}, ("duration must be at least one step of 1 ms, got 0 ms",)),
    "endless": ({"duration": np.inf}, ("duration must be a time in ms", "inf")),
    "input duration": ({"input_duration": 2.25}, ("input_duration must be a multiple of dt = 1 ms, got 2.25 ms",)),
    "long input": ({"input_duration": 11.0}, ("input_duration must not be longer than the duration of 10 ms, got 11",)),
    "batch": ({"batch": 0}, ("batch must be a whole number from 1 on, got 0",)),
    "half a batch": ({"batch": 1.5}, ("batch must be a whole number from 1 on, got 1.5",)),
    "seed": ({"seed": -1}, ("seed must be a whole number from 0 on, got -1",)),
    "first example": ({"first_example": -1}, ("first_example must be a whole number from 0 on, got -1",)),
    "record": ({"record": ["layr"]}, ("record: unknown population 'layr': did you mean 'layer'?",)),
    "repeat": ({"repeat": Repeat("lair")}, ("repeat: unknown population 'lair': did you mean 'layer'?",)),
    "monitored inputs": ({"monitors": [Monitor("input", "v")]}, ("unknown population of neurons 'input'", "'layer'")),
    "monitored variable": (
        {"monitors": [Monitor("layer", "thetta")]},
        ("unknown variable 'thetta': did you mean 'theta'?",),
    ),
    "monitored units": ({"monitors": [Monitor("layer", "v", [2])]}, ("units of layer must be from 0 to 1, got [2]",)),
    "monitored never": ({"monitors": [Monitor("layer", "v", every=11)]}, ("every must be from 1 to 10 steps, got 11",)),
    "initial": ({"initial": {("layer", "u"): RATES}}, ("initial: unknown variable 'u': expected one of 'v'",)),
    "initial inputs": ({"initial": {("input", "v"): RATES}}, ("initial: unknown population of neurons 'input'",)),
    "initial shape": (
        {"initial": {("layer", "v"): np.zeros(2)}},
        ("v of layer", "(examples, units) = (2, 2), got shape (2,)"),
    ),
    "reward": (
        {"reward": [1.0, 2.0, 3.0]},
        ("reward must be finite numbers of shape (2,) or (2, 10), got shape (3,)",),
    ),
    "no number": ({"reward": [1.0, np.nan]}, ("reward must be finite numbers",)),
    "backend": ({"backend": "gpu"}, ("unknown backend 'gpu': expected one of 'auto', 'julia', 'torch'",)),
}


@pytest.mark.parametrize("what", RUNS)
def test_runs(what):
    wanted, parts = RUNS[what]
    with refuses(ValueError, *parts):
        network().run({"input": RATES}, **{"duration": 10.0, **wanted})


@pytest.mark.filterwarnings("ignore:layer is dead")
def test_a_rule_that_needs_a_reward():
    with refuses(ValueError, "reward: a rule of this network needs one: (examples,) or (examples, steps)"):
        network(reward_modulated_stdp()).run({"input": RATES}, 10.0, learning=True)
    assert network(reward_modulated_stdp()).run({"input": RATES}, 10.0).stats.examples == 2  # not without learning


def bad_state(weights=None, shared=None):
    good = network().initial_state()
    return State({**good.weights, **(weights or {})}, {**good.shared, **(shared or {})})


STATES = {
    "shape": (bad_state({"feedforward": np.ones((2, 3))}), ("weights of 'feedforward'", "shape (3, 2), got (2, 3)")),
    "unknown": (
        bad_state({"feedforwards": np.ones(1)}),
        ("unknown weights 'feedforwards': did you mean 'feedforward'?",),
    ),
    "not finite": (bad_state(None, {"layer": np.array([0, np.nan])}), ("shared of 'layer' must be finite",)),
    "missing": (State({}, {"layer": np.zeros(2)}), ("weights of 'feedforward' must be of shape (3, 2), got nothing",)),
}


@pytest.mark.parametrize("what", STATES)
def test_states(what):
    state, parts = STATES[what]
    with refuses(ValueError, "state: ", *parts):
        network().run({"input": RATES}, 10.0, state=state)


def test_a_file_that_holds_no_state(tmp_path):
    np.savez(tmp_path / "other.npz", weight=np.ones(3))
    with refuses(ValueError, "other.npz is no state of a network: it has 'weight'"):
        State.load(tmp_path / "other.npz")


@pytest.mark.parametrize("backend", ["julia", "torch"])
@pytest.mark.parametrize("learning", [False, True])
def test_examples_without_a_spike_are_legal(learning, backend):
    with pytest.warns(RuntimeWarning, match="no unit of the input input spiked: its rates are 0"):
        result = network(pair_stdp()).run({"input": 0 * RATES}, 10.0, learning=learning, batch=2, backend=backend)
    assert not result.counts["layer"].any()
    assert len(result.spikes["layer"]) == 0
    assert result.stats.rates == {"input": 0.0, "layer": 0.0}
    np.testing.assert_array_equal(result.state.weights["feedforward"], 0.5)
    silent = Spikes.from_dense(np.zeros((2, 10, 3), int), 1.0)
    with pytest.warns(RuntimeWarning, match="no unit of the input"):
        network(source="events").run({"input": silent}, 10.0, repeat=Repeat("layer"), backend=backend)


@pytest.mark.parametrize("backend", ["julia", "torch"])
def test_one_silent_example_among_others_is_no_cause_for_a_warning(backend):
    strong = network(weights=np.full((3, 2), 9.0))
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        result = strong.run({"input": [[0, 0, 0], [80, 80, 80]]}, 200.0, backend=backend)
    assert result.counts["layer"].any(axis=1).tolist() == [False, True]


@pytest.mark.parametrize("backend", ["julia", "torch"])
def test_dead_and_exploding_networks(backend):
    with pytest.warns(
        RuntimeWarning, match="layer is dead: none of its 2 units spiked in 2 examples though spikes arrived"
    ):
        network().run({"input": 3 * RATES}, 100.0, backend=backend)
    eager = Population(2, lif(refractory=0.0))
    explodes = Network({"input": Input(3), "layer": eager}, {"c": Dense("input", "layer", np.full((3, 2), 99.0))})
    with pytest.warns(
        RuntimeWarning, match="layer explodes: its units spike in .*% of all steps; weights are too large"
    ):
        result = explodes.run({"input": 20 * RATES}, 100.0, backend=backend)
    assert [problem.split(":")[0] for problem in result.stats.problems] == ["layer explodes"]
    runaway = replace(
        lif(), equations="dv/dt = (v - rest)**3/(mV**2*ms) : mV", method="euler", threshold="v < 0*v - 1*V"
    )
    infinite = Network({"one": Population(1, runaway)})
    with pytest.warns(RuntimeWarning, match="states of 1 of 1 examples are no longer finite: .* smaller dt than 1 ms"):
        infinite.run({}, 50.0, initial={("one", "v"): [[-50.0]]}, backend=backend)
