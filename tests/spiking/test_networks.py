"""The ready-made networks: who is connected to whom, with what, and that they run stably."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from sharpwave.spiking import (
    Monitor,
    Population,
    convolutional_network,
    diehl_cook_2015_network,
    diehl_cook_network,
    locally_connected_network,
)
from sharpwave.spiking.links import linked_units

BRIGHT = 63.75


def images(number, side, seed=0):
    """Blobs at random places, from 0 to 1, (number, side**2)."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:side, :side]
    centres = rng.uniform(0.2 * side, 0.8 * side, (number, 2, 1, 1))
    squared = (row - centres[:, 0]) ** 2 + (column - centres[:, 1]) ** 2
    return np.exp(-squared / (0.15 * side) ** 2).reshape(number, -1)


def sums(network, name="input"):
    """Sum of each unit's weights before learning."""
    _, post, place = network.blocks[name].pairs()
    return np.bincount(post, network.initial_state().weights[name].ravel()[place])


# Sections 1 to 3 of the specification: 78.4; .2 k^2; .15 k^2; 78.
@pytest.mark.parametrize(
    ("network", "wanted"),
    [
        (diehl_cook_network(10), 78.4),
        (locally_connected_network(5, 12, 4), 0.2 * 144),
        (convolutional_network(5, 8, 4), 0.15 * 64),
        (diehl_cook_2015_network(10), 78.0),
    ],
    ids=["diehl-cook", "locally connected", "convolutional", "diehl-cook 2015"],
)
def test_the_weights_of_a_unit_have_the_published_sum(network, wanted):
    np.testing.assert_allclose(sums(network), wanted)


def test_seeds_draw_other_weights_and_the_same_again():
    one, again, other = (diehl_cook_2015_network(4, pixels=9, seed=s).connections["input"] for s in (1, 1, 2))
    np.testing.assert_array_equal(one.weights, again.weights)
    np.testing.assert_array_equal(one.delay, again.delay)
    assert (one.weights != other.weights).all()
    assert (one.delay != other.delay).any()


@pytest.mark.parametrize(
    "network",
    [diehl_cook_network(20, pixels=100, norm=40.0), locally_connected_network(20, 6, 2, image_shape=(10, 10))],
    ids=["diehl-cook", "locally connected"],
)
def test_one_unit_of_the_layer_spikes_in_a_step(network):
    result = network.run({"input": 128 * images(10, 10)}, 250.0, learning=True)
    spikes = result.spikes["layer"]
    moments = spikes.example * spikes.steps + spikes.step
    assert len(moments) > 50
    assert len(set(moments.tolist())) == len(moments)


def test_filters_inhibit_others_at_their_position_alone():
    network = locally_connected_network(3, 2, 2, image_shape=(4, 4), norm=100.0, inhibition=7.0)
    monitor = Monitor("layer", "v")
    # The first pixel is seen at the first of four positions; its spike carries all filters there over the threshold.
    probabilities = np.zeros((1, 16))
    probabilities[0, 0] = 1e6
    result = network.run({"input": probabilities}, 3.0, input_duration=1.0, monitors=[monitor])
    (spiker,) = result.spikes["layer"].unit.tolist()
    assert spiker < 3
    v = result.traces["layer", "v"].values[0, -1].reshape(4, 3)
    assert (v[1:] == -65.0).all()  # the others never moved
    # All three reset; they are refractory, in which inhibition does not arrive.
    np.testing.assert_allclose(v[0], -65 + 5 * np.exp(-1 / 100))


def test_units_are_numbered_by_position_then_filter():
    network = locally_connected_network(3, 2, 2, image_shape=(4, 4))
    pre, post, _ = network.blocks["input"].pairs()
    # Position 2 of the 2 x 2 is the lower left window; its units are 6 to 8.
    assert set(pre[np.isin(post, [6, 7, 8])].tolist()) == {8, 9, 12, 13}


@pytest.mark.parametrize("lattice", [4, 8, "all"])
@pytest.mark.parametrize("kind", ["pairs", "linear", "all"])
def test_links_lead_to_neighbours_in_other_patches(kind, lattice):
    patches, rows, columns = 5, 3, 4

    def near(a, b):
        (r, c), (s, d) = divmod(a, columns), divmod(b, columns)
        distance = abs(r - s), abs(c - d)
        return lattice == "all" or (sum(distance) == 1 if lattice == 4 else max(distance) == 1)

    def linked(a, b):
        if kind == "pairs":
            return a != b and a // 2 == b // 2
        return a != b and (kind == "all" or b == a + 1 or (a, b) == (4, 3))

    wanted = {
        (here * patches + a, there * patches + b)
        for here, there in itertools.product(range(rows * columns), repeat=2)
        for a, b in itertools.product(range(patches), repeat=2)
        if near(here, there) and linked(a, b)
    }
    sources, targets = linked_units(patches, (rows, columns), kind, lattice)
    assert len(sources) == len(wanted)
    assert set(zip(sources.tolist(), targets.tolist(), strict=True)) == wanted


def test_links_are_plastic_and_weigh_on_average_what_they_should():
    network = convolutional_network(4, 6, 2, image_shape=(12, 12), links="all", norm=20.0)
    state = network.initial_state()
    assert state.weights["links"].mean() == pytest.approx(0.15)
    result = network.run({"input": BRIGHT * 2 * images(3, 12)}, 200.0, learning=True, state=state)
    assert np.abs(result.state.weights["links"] - state.weights["links"]).max() > 0.01
    assert convolutional_network(4, 6, 2).connections.keys() == {"input", "partners", "inhibition"}
    assert "links" not in convolutional_network(1, 6, 2, links="all").connections  # there is no other patch


def test_partners_follow_and_inhibit_other_patches_at_their_position_alone():
    network = convolutional_network(3, 4, 4, image_shape=(8, 8), norm=40.0)
    image = np.zeros((1, 8, 8))
    image[0, :4, :4] = BRIGHT  # the first of four positions
    result = network.run({"input": image}, 350.0, monitors=[Monitor("excitatory", "g_i")])
    excitatory, inhibitory = (result.counts[name][0].reshape(4, 3) for name in ("excitatory", "inhibitory"))
    assert excitatory[0].sum() > 5
    assert not excitatory[1:].any()
    assert np.abs(excitatory - inhibitory).max() <= 1  # a spike of the last step has no answer yet
    conductance = result.traces["excitatory", "g_i"].values[0].max(axis=0).reshape(4, 3)
    assert conductance[0].max() >= 17.4
    assert not conductance[1:].any()


def test_shared_patches_have_one_filter_after_learning():
    network = convolutional_network(3, 6, 3, image_shape=(12, 12), shared=True, norm=20.0)
    before = network.initial_state().weights["input"]
    after = network.run({"input": 2 * BRIGHT * images(3, 12)}, 350.0, learning=True).state.weights["input"]
    assert np.ptp(before, axis=0).max() > 0.1
    np.testing.assert_array_equal(after, np.broadcast_to(after[:1], after.shape))


@pytest.mark.parametrize("delays", ["synaptic", "axonal", None])
def test_the_network_of_2015_stays_stable_where_all_inhibitory_neurons_spike_at_once(delays):
    # Explicit Euler steps of the membrane overshoot there: 30,000 spikes in an example, seen without delays.
    network = diehl_cook_2015_network(400, pixels=100, delays=delays, norm=60.0)
    result = network.run({"input": BRIGHT * images(12, 10)}, 350.0, learning=True, record=("excitatory",))
    assert result.stats.finite
    assert result.counts["excitatory"].sum(axis=1).mean() > 5
    assert result.counts["excitatory"].sum(axis=1).max() < 2500
    assert result.counts["excitatory"].max() < 100


def test_delays_are_whole_steps_and_at_least_one():
    delay = diehl_cook_2015_network(20, pixels=50).connections["input"].delay
    steps = delay / 0.5
    np.testing.assert_array_equal(steps, np.rint(steps))
    assert (steps.min(), steps.max()) == (1, 20)
    assert diehl_cook_2015_network(20, pixels=50, delays="axonal").connections["input"].delay.shape == (50,)
    assert diehl_cook_2015_network(20, pixels=50, delays=None).connections["input"].delay is None


def test_the_adaptive_threshold_is_shared_and_named():
    for network, name in ((diehl_cook_network(3), "layer"), (diehl_cook_2015_network(3), "excitatory")):
        population = network.populations[name]
        assert isinstance(population, Population)
        assert population.model.shared.name == "theta"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: diehl_cook_network(0), "units must be a whole number, at least 1, got 0"),
        (lambda: diehl_cook_network(2, norm=-1.0), "norm must be a positive sum"),
        (lambda: diehl_cook_network(2, reduction="avg"), "unknown reduction 'avg'"),
        (lambda: locally_connected_network(5, 21, 1), "a window of 21 pixels"),
        (lambda: locally_connected_network(2.5, 12, 4), "filters must be a whole number"),
        (lambda: convolutional_network(5, 8, 4, links="pair"), "unknown links 'pair': did you mean 'pairs'?"),
        (lambda: convolutional_network(5, 8, 4, links="all", lattice=6), "lattice must be 4, 8 or 'all', got 6"),
        (lambda: diehl_cook_2015_network(5, delays="synapse"), "unknown delays 'synapse': did you mean 'synaptic'?"),
        (lambda: diehl_cook_2015_network(5, longest_delay=-1.0), "longest_delay must be a time"),
    ],
)
def test_what_does_not_fit_is_named(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()
