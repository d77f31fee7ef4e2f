"""The Julia kernels and the dense PyTorch implementation: the same spikes, weights, thresholds and samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sharpwave.spiking import (
    Dense,
    Input,
    LateralInhibition,
    Monitor,
    Network,
    Plasticity,
    Population,
    Repeat,
    Sparse,
    Trace,
    diehl_cook,
    lif,
    pair_stdp,
    srm0,
    triplet_stdp,
)
from sharpwave.spiking.plasticity import REDUCTIONS
from spiking_networks import EVERYTHING, KINDS, MODELS, REWARDED, RULES, connection, events, sizes

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@pytest.fixture(autouse=True, scope="module")
def _one_torch_thread():
    """Tensors are so small that threads would only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


TOLERANCE = {"rtol": 0.0, "atol": 1e-9}


def agree(network, inputs, duration, **wanted):
    """Run on both, hold them together, and return Julia's result."""
    wanted.setdefault("record", list(network.populations))
    one, other = (network.run(inputs, duration, backend=backend, **wanted) for backend in ("julia", "torch"))
    for name, spikes in one.spikes.items():
        for part in ("example", "step", "unit"):
            np.testing.assert_array_equal(getattr(spikes, part), getattr(other.spikes[name], part), f"{part} of {name}")
    for name, counts in one.counts.items():
        np.testing.assert_array_equal(counts, other.counts[name])
    np.testing.assert_array_equal(one.presentations, other.presentations)
    assert one.stats.rates == other.stats.rates
    assert one.stats.finite == other.stats.finite
    for kind in ("weights", "shared"):
        mine, theirs = getattr(one.state, kind), getattr(other.state, kind)
        assert list(mine) == list(theirs)
        for name, values in mine.items():
            np.testing.assert_allclose(values, theirs[name], **TOLERANCE, err_msg=f"{kind} of {name}")
    for key, values in one.traces.items():
        np.testing.assert_allclose(values, other.traces[key], **TOLERANCE, err_msg=str(key))
    return one


def layered(model, targets, dt=1.0, inputs=12, units=8, seed=0, **more):
    """Poisson inputs and one layer, with a connection onto each target."""
    rng = np.random.default_rng(seed)
    connections = {
        target: Dense("input", "layer", largest * (rng.random((inputs, units)) - 0.1), target=target)
        for target, largest in targets.items()
    }
    return Network({"input": Input(inputs), "layer": Population(units, model, **more)}, connections, dt)


@pytest.mark.parametrize("name", MODELS)
def test_models(name):
    model, targets, dt = MODELS[name]
    network = layered(model, targets, dt)
    rates = np.random.default_rng(1).random((3, 12)) * 150
    monitors = [Monitor("layer", state) for state in network.programs["layer"].states]
    result = agree(network, {"input": rates}, 100.0, learning=True, batch=2, seed=5, monitors=monitors)
    assert result.counts["layer"].any(axis=1).all()


def test_all_that_a_model_may_have():
    varied = {"gain": np.linspace(40, 80, 8), "noise": np.linspace(0, 6, 8)}
    network = layered(EVERYTHING, {"g": 0.4, "v": 2.0}, 0.5, varied=varied, one_spike=True)
    rng = np.random.default_rng(2)
    initial = {("layer", "v"): -60 + rng.random((4, 8)), ("layer", "g"): rng.random((4, 8))}
    monitors = [Monitor("layer", v, [6, 0, 3], every) for v, every in (("x", 3), ("theta", 1), ("refractory", 2))]
    rates = rng.random((4, 12)) * 200
    result = agree(
        network, {"input": rates}, 60.0, learning=True, batch=3, seed=8, initial=initial, monitors=monitors,
        first_example=11,
    )  # fmt: skip
    assert result.traces["layer", "x"].shape == (4, 40, 3)
    assert (result.state.shared["layer"] > 0.5).any()
    assert {tuple(c) for c in np.unique(result.traces["layer", "refractory"]).reshape(-1, 1)} == {
        (0,),
        (1,),
        (2,),
        (3,),
        (4,),
    }


@pytest.mark.parametrize("delays", ["none", "one", "presynaptic", "each"])
@pytest.mark.parametrize("kind", KINDS)
def test_connections_and_delays(kind, delays):
    rng = np.random.default_rng(3)
    pre, post = sizes(kind)
    made = connection(kind, rng, 12.0)
    shape = {"none": None, "one": (), "presynaptic": (pre,), "each": made.weights.shape}[delays]
    made = replace(made, delay=None if shape is None else 0.5 * rng.integers(1, 12, shape))
    network = Network({"input": Input(pre, "events"), "layer": Population(post, lif())}, {"c": made}, 0.5)
    result = agree(network, {"input": events(rng, 2, 100, pre, 0.5)}, 50.0)
    assert result.counts["layer"].any(axis=1).all()


@pytest.mark.parametrize(
    "wanted", [{}, {"delay": []}, {"norm": 1.0}, {"plasticity": pair_stdp()}], ids=lambda w: str([*w])
)
def test_a_connection_without_synapses(wanted):
    none = np.zeros(0, int)
    network = Network(
        {"input": Input(3), "layer": Population(2, lif())}, {"c": Sparse("input", "layer", [], none, none, **wanted)}
    )
    agree(network, {"input": np.full((1, 3), 90.0)}, 20.0, learning=True)


@pytest.mark.parametrize(("pre", "post", "group"), [("a", "a", None), ("a", "a", 3), ("a", "b", 4), ("input", "b", 2)])
def test_lateral_inhibition(pre, post, group):
    rng = np.random.default_rng(4)
    connections = {f"to_{n}": Dense("input", n, 4 * rng.random((12, 12))) for n in "ab"}
    connections["lateral"] = LateralInhibition(pre, post, -1.3, group)
    network = Network({"input": Input(12, "events"), **{n: Population(12, lif()) for n in "ab"}}, connections)
    spikes = {"input": events(rng, 3, 80, 12, 1.0)}
    result = agree(network, spikes, 80.0)
    without = Network(network.populations, {n: c for n, c in connections.items() if n != "lateral"}).run(spikes, 80.0)
    assert result.counts[post].sum() < without.counts[post].sum()


def learner(rule, kind="dense", seed=5, source="events", norm=None, **more):
    """A plastic connection into a layer with adaptive thresholds and lateral inhibition."""
    pre, post = sizes(kind)
    made = connection(kind, np.random.default_rng(seed), plasticity=rule, norm=norm)
    strong = Dense("input", "layer", 8 * np.random.default_rng(seed + 1).random((pre, post)))
    connections = {"learns": made, "drives": strong, "inhibits": LateralInhibition("layer", "layer", -0.7)}
    return Network({"input": Input(pre, source), "layer": Population(post, diehl_cook(), **more)}, connections)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("rule", RULES)
def test_rules_reductions_and_batches(rule, reduction, batch):
    network = learner(RULES[rule](reduction))
    rng = np.random.default_rng(6)
    reward = rng.normal(size=(4, 60)) if rule in REWARDED else None
    inputs = {"input": events(rng, 4, 60, 14, 1.0)}
    result = agree(network, inputs, 60.0, learning=True, batch=batch, reward=reward)
    assert abs(result.state.weights["learns"] - network.connections["learns"].weights).max() > 1e-3


@pytest.mark.parametrize("norm", [None, 2.5])
@pytest.mark.parametrize("rule", ["pair_stdp", "with_eligibility", "everything"])
@pytest.mark.parametrize("kind", KINDS)
def test_learning_of_every_kind_of_connection(kind, rule, norm):
    reward = [0.5, -1.0, 0.8, 1.0] if rule in REWARDED else None
    for reduction in ("sum", "max"):
        network = learner(RULES[rule](reduction), kind, norm=norm)
        inputs = {"input": events(np.random.default_rng(7), 4, 40, sizes(kind)[0], 1.0)}
        result = agree(network, inputs, 40.0, learning=True, batch=3, reward=reward)
        changed = abs(result.state.weights["learns"] - network.initial_state().weights["learns"]).max()
        assert changed > 1e-3 or (kind, norm) == ("one_to_one", 2.5)  # one weight a unit is its norm


@pytest.mark.parametrize("learning", [False, True])
@pytest.mark.parametrize("source", ["poisson", "bernoulli"])
def test_repeated_presentations_one_spike_and_drawn_inputs(source, learning):
    network = learner(pair_stdp(0.02, 0.05), source=source, norm=3.0, one_spike=True)
    rng = np.random.default_rng(8)
    rates = rng.random((7, 14)) * (rng.random((7, 14)) < 0.7) * (60 if source == "poisson" else 0.06)
    rates[:2, 0] = 1.0  # as a probability: certain
    result = agree(
        network, {"input": rates}, 60.0, input_duration=45.0, learning=learning, batch=3, seed=9, first_example=4,
        repeat=Repeat("layer", 9, (1.0, 1.5, 3.0)), monitors=[Monitor("layer", "v"), Monitor("layer", "theta", [1])],
    )  # fmt: skip
    assert {1, 3} <= set(result.presentations)
    assert result.spikes["input"].step.max() == 44
    steps, unit = result.spikes["layer"].step, result.spikes["layer"].example
    assert len(steps) == len(set(zip(steps.tolist(), unit.tolist(), strict=True)))  # one a step


def test_noise():
    network = layered(srm0(), {"v": 6.0})
    rates = np.full((5, 12), 50.0)
    first = agree(network, {"input": rates}, 100.0, seed=1)
    assert first.counts["layer"].std(axis=0).max() > 0  # every example has its own
    second = agree(network, {"input": rates}, 100.0, seed=2)
    assert (first.counts["layer"] != second.counts["layer"]).any()


def test_no_inputs_at_all():
    drive = replace(lif(), equations="dv/dt = (rest - v)/tau + I : mV\ndI/dt = 0*mV/ms**2 : mV/ms")
    network = Network({"layer": Population(3, drive)})
    initial = {("layer", "I"): np.random.default_rng(0).random((4, 3))}
    assert agree(network, {}, 50.0, initial=initial).counts["layer"].shape == (4, 3)


def test_several_inputs_and_layers_and_recurrence():
    rng = np.random.default_rng(10)
    rule = triplet_stdp(0.01, 0.05, bounds=(0.0, 4.0), reduction="mean")
    populations = {
        "first": Population(7, lif()), "drawn": Input(6), "given": Input(5, "events"), "coins": Input(4, "bernoulli"),
        "second": Population(6, diehl_cook()),
    }  # fmt: skip
    ends = [("drawn", "first"), ("given", "second"), ("coins", "first"), ("first", "second"), ("second", "first")]
    connections = {
        f"{a}_{b}": Dense(a, b, 4 * rng.random((populations[a].units, populations[b].units)), plasticity=rule, delay=d)
        for (a, b), d in zip([*ends, ("first", "first")], (None, 2.0, 3.0, None, 1.0, 4.0), strict=True)
    }
    inputs = {"given": events(rng, 5, 70, 5, 1.0), "drawn": 80 * rng.random((5, 6)), "coins": rng.random((5, 4)) / 9}
    result = agree(Network(populations, connections), inputs, 70.0, learning=True, batch=2, seed=3)
    assert result.counts["second"].any(axis=1).all()


def test_a_step_with_several_spikes_of_one_unit_counts_them_all():
    # two spikes of a unit in one step are two changes, in one example of a batch as in another, whatever the reduction
    spikes = np.zeros((2, 6, 2), int)
    spikes[0, 3] = 2, 1
    for reduction in REDUCTIONS:
        rule = Plasticity("w += 0.01*(x_before + 1)", pre_traces={"x": Trace(20.0, "add")}, reduction=reduction)
        network = Network(
            {"input": Input(2, "events"), "layer": Population(1, lif())},
            {"c": Dense("input", "layer", np.full((2, 1), 0.5), plasticity=rule)},
        )
        given = events(np.random.default_rng(0), 2, 6, 2, 1.0).from_dense(spikes, 1.0)
        for batch in (1, 2):
            changed = agree(network, {"input": given}, 6.0, learning=True, batch=batch).state.weights["c"][:, 0] - 0.5
            factor = {"sum": 1, "mean": 1 / batch, "max": 1, "min": 0 if batch == 2 else 1}[reduction]
            if batch == 1 and reduction == "min":
                factor = 1
            np.testing.assert_allclose(changed, np.array([2 * 0.02, 0.01]) * factor, atol=1e-12)


@st.composite
def requests(draw):
    """Any rule on any kind of connection with any delays, learning in batches of any size."""
    kind, name = draw(st.sampled_from(KINDS)), draw(st.sampled_from(sorted(RULES)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rule = RULES[name](draw(st.sampled_from(REDUCTIONS)))
    network = learner(
        rule, kind, draw(st.integers(0, 99)), draw(st.sampled_from(["poisson", "events"])),
        draw(st.sampled_from([None, 1.5])), one_spike=draw(st.booleans()),
    )  # fmt: skip
    learns = network.connections["learns"]
    pre = sizes(kind)[0]
    shape = draw(st.sampled_from([None, (), (pre,), learns.weights.shape]))
    learns = replace(learns, delay=None if shape is None else rng.integers(1, 6, shape).astype(float))
    network = Network(network.populations, {**network.connections, "learns": learns})
    examples = draw(st.integers(1, 5))
    poisson = network.populations["input"].source == "poisson"
    inputs = 120 * rng.random((examples, pre)) if poisson else events(rng, examples, 30, pre, 1.0)
    repeat = Repeat("layer", draw(st.integers(1, 30)), (1.0, 2.0)) if draw(st.booleans()) else None
    return network, {"input": inputs}, {
        "learning": draw(st.booleans()), "batch": draw(st.integers(1, 4)), "repeat": repeat,
        "reward": rng.normal(size=draw(st.sampled_from([(examples,), (examples, 30)]))) if name in REWARDED else None,
        "threads": draw(st.integers(1, 2)), "seed": draw(st.integers(0, 2**62)),
    }  # fmt: skip


@settings(max_examples=40)
@given(requests())
def test_anything(request):
    network, inputs, wanted = request
    agree(network, inputs, 30.0, **wanted)
