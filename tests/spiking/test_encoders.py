"""Encoders: their statistics, their order, and numbers that do not depend on how examples are split."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from sharpwave.spiking import encoders
from sharpwave.spiking.encoders import bernoulli, latency, poisson, rank_order, repeat
from sharpwave.spiking.events import Spikes

ENCODERS = {
    "poisson": lambda values, **more: poisson(values * 200, duration=20.0, dt=0.5, **more),
    "bernoulli": lambda values, **more: bernoulli(values, duration=20.0, dt=0.5, **more),
    "latency": lambda values: latency(values, duration=20.0, dt=0.5),
    "rank_order": lambda values: rank_order(values, duration=20.0, dt=0.5),
    "repeat": lambda values: repeat((values * 3).astype(int), duration=20.0, dt=0.5),
}
DRAWN = {name: ENCODERS[name] for name in ("poisson", "bernoulli")}
every_encoder = pytest.mark.parametrize("encode", ENCODERS.values(), ids=ENCODERS)
drawn_encoders = pytest.mark.parametrize("encode", DRAWN.values(), ids=DRAWN)


@st.composite
def intensities(draw, most=4):
    """Numbers from 0 to 1, (examples, units), some of them 0, 1 or equal."""
    shape = draw(st.integers(0, most)), draw(st.integers(1, 6))
    value = st.sampled_from([0.0, 0.25, 1.0]) | st.floats(0, 1)
    return np.array(draw(st.lists(value, min_size=math.prod(shape), max_size=math.prod(shape)))).reshape(shape)


def assert_same(one, other):
    assert repr(one) == repr(other)
    for name in ("example", "step", "unit"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_the_examples_in_the_docstrings():
    result = doctest.testmod(encoders)
    assert result.attempted >= 5
    assert result.failed == 0


@every_encoder
@given(intensities())
def test_units_of_value_0_are_silent_and_the_rest_is_in_place(encode, values):
    spikes = encode(values)
    assert (spikes.examples, spikes.units, spikes.steps, spikes.dt) == (*values.shape, 40, 0.5)
    assert spikes.counts()[values == 0].sum() == 0


@every_encoder
def test_images_are_their_pixels_row_by_row(encode):
    images = np.random.default_rng(0).random((3, 4, 5))
    assert_same(encode(images), encode(images.reshape(3, 20)))


# Numbers by their place


@drawn_encoders
@settings(max_examples=30)
@given(intensities(most=8), st.integers(0, 8), st.integers(0, 2**64 - 1), st.integers(0, 2**40))
def test_examples_are_the_same_however_they_are_split(encode, values, cut, seed, first):
    whole = encode(values, seed=seed, first_example=first)
    cut = min(cut, len(values))
    parts = [
        encode(values[:cut], seed=seed, first_example=first),
        encode(values[cut:], seed=seed, first_example=first + cut),
    ]
    assert_same(Spikes.concatenate(parts), whole)


@drawn_encoders
def test_examples_and_seeds_have_different_numbers(encode):
    values = np.full((2, 50), 0.5)
    first = encode(values)
    assert not np.array_equal(first.of([0]).dense(), first.of([1]).dense())
    assert not np.array_equal(first.dense(), encode(values, seed=1).dense())
    assert not np.array_equal(first.dense(), encode(values, seed=2**64 - 1).dense())


def test_blocks_of_coins_do_not_change_them(monkeypatch):
    values = np.random.default_rng(0).random((2, 7))
    whole = bernoulli(values, 100.0)
    monkeypatch.setattr(encoders, "_COINS", 50)
    assert_same(bernoulli(values, 100.0), whole)


# Statistics: tolerances are 4 standard errors or more


@pytest.mark.parametrize(("rate", "dt", "window"), [(60.0, 1.0, 100.0), (3000.0, 1.0, 1.0), (20.0, 0.1, 50.0)])
def test_poisson_counts_have_fano_factor_1(rate, dt, window):
    """BindsNET's encoder of that name has .05. Of n windows and m units the standard error is sqrt(2 / (n m))."""
    spikes = poisson(np.full((40, 50), rate), 1000.0, dt, seed=3)
    windows = 40 * 50 * 1000 / window
    assert spikes.fano(window) == pytest.approx(1, abs=4 * math.sqrt((2 + 1000 / (rate * window)) / windows))
    expected = rate * 40 * 50  # spikes in all
    assert len(spikes) == pytest.approx(expected, abs=4 * math.sqrt(expected))


def test_poisson_units_have_their_rates_and_are_independent():
    rates = np.array([[0.0, 5.0, 100.0, 1.0, 0.0, 40.0]] * 400)
    spikes = poisson(rates, 500.0, seed=1)
    expected = rates[0] * 0.5 * 400
    counts = spikes.counts()
    assert (abs(counts.sum(0) - expected) <= 4 * np.sqrt(expected)).all()
    correlation = np.corrcoef(counts[:, [1, 2, 3, 5]].T)
    assert abs(correlation[np.triu_indices(4, 1)]).max() < 4 / math.sqrt(400)


def test_poisson_spikes_are_uniform_in_time_and_numerous_in_a_step():
    """Numbers of spikes of a unit in a step follow the Poisson distribution, in every step of the example."""
    mean = 1.5
    dense = poisson(np.full((50, 20), mean * 1000), 20.0, seed=5).dense()
    steps = dense.sum((0, 2))
    assert stats.chisquare(steps).pvalue > 1e-4
    seen = np.bincount(np.minimum(dense.ravel(), 6), minlength=7)
    chances = stats.poisson.pmf(np.arange(6), mean)
    assert stats.chisquare(seen, dense.size * np.append(chances, 1 - chances.sum())).pvalue > 1e-4


def test_poisson_gaps_are_exponential():
    spikes = poisson(np.full((1, 20), 50.0), 20_000.0, dt=0.01, seed=2)
    assert spikes.cv() == pytest.approx(1, abs=0.03)  # 20 trains of 1000 gaps: the standard error is .007
    assert stats.kstest(spikes.interspike_intervals(), stats.expon(scale=20.0).cdf).pvalue > 1e-4


def test_bernoulli_coins():
    chances = np.array([0.0, 0.02, 0.3, 0.9, 1.0])
    spikes = bernoulli(np.tile(chances, (20, 1)), 2000.0, seed=4)
    dense = spikes.dense()
    assert dense.max() == 1
    assert dense[:, :, 4].all()
    tosses = 20 * 2000
    assert (abs(dense.sum((0, 1)) - tosses * chances) <= 4 * np.sqrt(tosses * chances * (1 - chances))).all()
    half = bernoulli(np.full((20, 50), 0.3), 2000.0)
    assert half.fano(10.0) == pytest.approx(0.7, abs=0.7 * 4 * math.sqrt(2 / (20 * 50 * 200)))


# Order


@pytest.mark.parametrize("encode", [ENCODERS["latency"], ENCODERS["rank_order"]], ids=["latency", "rank_order"])
@given(intensities())
def test_each_unit_spikes_once_and_larger_values_not_later(encode, values):
    spikes = encode(values)
    np.testing.assert_array_equal(spikes.counts(), values > 0)
    when = np.where(values > 0, spikes.dense().argmax(1), spikes.steps)
    for row, steps in zip(values, when, strict=True):
        order = np.argsort(-row, kind="stable")
        assert (np.diff(steps[order]) >= 0).all()
        assert len(set(zip(row, steps, strict=True))) == len(set(row))  # equal values spike in one step


@given(st.integers(1, 300), st.sampled_from([255, 7, 64]))
def test_latency_is_its_formula(steps, largest):
    """floor((largest - v) steps / largest) in whole numbers, as the source's code has it."""
    values = np.arange(1, largest + 1)
    spikes = latency(values[None], steps * 0.5, 0.5, largest=largest)
    step = np.empty(largest, dtype=np.int64)
    step[spikes.unit] = spikes.step
    np.testing.assert_array_equal(step, (largest - values) * steps // largest)


@given(intensities(), st.floats(0.2, 4))
def test_rank_order_knows_only_the_order(values, exponent):
    other = np.where(values > 0, 3 * values**exponent + 1, 0)
    ranked = values.copy()
    for row, given_row, other_row in zip(ranked, values, other, strict=True):
        different = np.unique(given_row)
        assume(len(np.unique(other_row)) == len(different))  # the power has not made two of them equal
        row[:] = np.searchsorted(different, given_row) + (different[0] > 0)
    assert_same(ENCODERS["rank_order"](other), ENCODERS["rank_order"](values))
    assert_same(ENCODERS["rank_order"](ranked), ENCODERS["rank_order"](values))


def test_ranks_have_steps_of_their_own_where_there_are_enough():
    values = np.random.default_rng(0).permutation(30)[None] + 1.0
    spikes = rank_order(values, 30.0)
    np.testing.assert_array_equal(spikes.unit, np.argsort(-values[0]))
    np.testing.assert_array_equal(spikes.step, np.arange(30))
    np.testing.assert_array_equal(rank_order(values, 60.0).step, 2 * np.arange(30))
    np.testing.assert_array_equal(rank_order(values, 15.0).step, np.arange(30) // 2)


# Repetition


@given(st.integers(0, 3), st.integers(1, 4), st.integers(1, 5), st.integers(1, 4), st.integers(0, 2**32))
def test_patterns_are_repeated(examples, steps, units, times, seed):
    dense = np.random.default_rng(seed).integers(0, 3, (examples, steps, units))
    again = repeat(Spikes.from_dense(dense, 0.5), duration=times * steps * 0.5)
    np.testing.assert_array_equal(again.dense(), np.tile(dense, (1, times, 1)))
    static = repeat(dense[:, 0], duration=times * 0.1, dt=0.1)
    np.testing.assert_array_equal(static.dense(), np.repeat(dense[:, :1], times, axis=1))
    assert static.dt == 0.1


def test_booleans_are_repeated_too():
    np.testing.assert_array_equal(repeat([[True, False]], 2.0).dense(), [[[1, 0], [1, 0]]])


# What is wrong is said


@pytest.mark.parametrize("bad", [-1.0, -1e-300, math.nan, math.inf])
@given(st.data())
def test_the_example_and_unit_at_fault_are_named(bad, data):
    shape = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 5))
    values = np.full(shape, 0.5)
    example, unit = (data.draw(st.integers(0, size - 1)) for size in shape)
    values[example, unit] = bad
    message = f"must be 0 or more and finite, got {bad:g} in example {example}, unit {unit}: give 0 for a unit"
    for name, encode in (("rates", poisson), ("probabilities", bernoulli), ("values", latency), ("values", rank_order)):
        with pytest.raises(ValueError, match=f"{name} {message}"):
            encode(values, 10.0)


ONE = np.ones((1, 2))
PERIOD = Spikes([0], [1], [0], examples=1, steps=3, units=1, dt=0.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bernoulli([[0.1, 1.5]], 10.0), r"from 0 to 1, got 1\.5 in example 0, unit 1: .*rates to `poisson`"),
        (lambda: latency([[0.1], [255]], 10.0), "from 0 to 1, got 255 in example 1, unit 0: .*`largest`"),
        (lambda: latency(ONE, 10.0, largest=0.0), "largest must be positive and finite, got 0"),
        (lambda: poisson(ONE, 10.0, 0.3), r"multiple of dt = 0\.3 ms, got 10 ms: choose 9\.9 ms or 10\.2 ms"),
        (lambda: rank_order(ONE, 0.1, 0.3), r"multiple of dt = 0\.3 ms, got 0\.1 ms: choose 0\.3 ms"),
        (lambda: latency(ONE, 10.0, -1.0), "dt must be positive and finite, got -1"),
        (lambda: bernoulli(ONE, math.inf), "duration must be positive and finite, got inf ms"),
        (lambda: poisson(ONE, 0.0), "duration must be positive and finite, got 0 ms"),
        (lambda: poisson([1.0, 2.0], 10.0), r"rates must be numbers \(examples, units\) .* of shape \(2,\)"),
        (lambda: bernoulli(np.ones((2, 0)), 10.0), r"probabilities must be .* got float64 of shape \(2, 0\)"),
        (lambda: latency([["a"]], 10.0), r"values must be numbers .* got <U1 of shape \(1, 1\)"),
        (lambda: poisson(np.ones((1, 2, 3, 4)), 10.0), r"images \(examples, height, width\), got .* \(1, 2, 3, 4\)"),
        (lambda: poisson(ONE, 10.0, seed=-1), r"seed must be from 0 to 2\^64 - 1, got -1"),
        (lambda: bernoulli(ONE, 10.0, seed=2**64), "seed must be from 0"),
        (lambda: poisson(ONE, 10.0, first_example=-1), "first_example must be 0 or more, got -1"),
        (lambda: repeat([[0.5]], 10.0), "pattern must be whole numbers of spikes, got float64"),
        (lambda: repeat([[0, 1], [0, -2]], 10.0), "pattern must be 0 or more, got -2 in example 1, unit 1"),
        (lambda: repeat(PERIOD, 4.0), r"multiple of the pattern's 1\.5 ms, got 4 ms"),
        (lambda: repeat(PERIOD, 4.5, dt=1.0), r"that of the spikes, 0\.5 ms, got 1 ms: leave it out"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
