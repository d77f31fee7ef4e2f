"""Random numbers by their place, and the input spikes drawn with them, on both sides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharpwave.spiking import Dense, Input, Network, Population, lif, philox
from sharpwave.spiking.drawing import input_spikes
from sharpwave.spiking.preparing import prepare


@given(st.lists(st.integers(0, 2**64 - 1), min_size=4, max_size=4), st.tuples(*[st.integers(0, 2**64 - 1)] * 2))
def test_philox_is_numpys(counter, key):
    generator = np.random.Philox(counter=np.array(counter, np.uint64), key=np.array(key, np.uint64))
    words = generator.random_raw(4)  # NumPy adds one before its first output
    number = (sum(word << (64 * k) for k, word in enumerate(counter)) + 1) % 2**256
    found = philox.philox([(number >> (64 * k)) % 2**64 for k in range(4)], key)
    np.testing.assert_array_equal(found, words)


def test_many_places_at_once_are_each_place_alone():
    examples, blocks = np.arange(3)[:, None], np.arange(5)
    words = philox.random_words(2**63 - 1, 7, examples, 11, blocks)
    assert words.shape == (4, 3, 5)
    for example in range(3):
        for block in range(5):
            alone = philox.random_words(2**63 - 1, 7, example, 11, block)
            np.testing.assert_array_equal(words[:, example, block], alone)


def test_floats_lie_within_the_open_interval():
    words = np.array([0, 1, 2**63, 2**64 - 1], np.uint64)
    floats = philox.unit_interval(words)
    assert 0 < floats.min() < floats.max() < 1
    assert floats[0] + floats[-1] == 1


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("source", ["poisson", "bernoulli"])
def test_inputs_are_drawn_as_the_kernel_draws_them(source):
    # the second input's numbers are its own, and so are those of each example and presentation
    rng = np.random.default_rng(1)
    scale = 1.0 if source == "bernoulli" else 2500.0
    rates = {name: scale * rng.random((3, units)) ** 3 for name, units in (("one", 25), ("two", 6))}
    rates["one"][:, :3] = [0.0, scale, 1e-5 * scale]
    populations = {n: Input(r.shape[1], source) for n, r in rates.items()} | {"layer": Population(1, lif())}
    network = Network(populations, {"c": Dense("one", "layer", np.zeros((25, 1)))}, 0.5)
    wanted = {"seed": 77, "first_example": 5, "input_duration": 40.0}
    request = prepare(network, rates, 50.0, **wanted)
    drawn = input_spikes(request, np.arange(3), 0, 1.0)
    result = network.run(rates, 50.0, record=["one", "two"], backend="julia", **wanted)
    for name, spikes in result.spikes.items():
        mine = drawn[name]
        assert len(mine.first) == request.steps + 1
        step = np.repeat(np.arange(request.steps), np.diff(mine.first))
        order = np.lexsort((mine.unit, step, mine.example))
        for part, values in (("example", mine.example), ("step", step), ("unit", mine.unit)):
            np.testing.assert_array_equal(getattr(spikes, part), values[order])
        assert len(spikes) > 100
        assert spikes.step.max() == 79
        most = spikes.dense().max()
        assert most == 1 if source == "bernoulli" else most > 1
        again = input_spikes(request, np.arange(3), 1, 1.0)[name]
        assert len(again.unit) != len(mine.unit)
