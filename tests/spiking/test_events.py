"""Spikes as events: conversions, selections and statistics against plain loops over dense arrays."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharpwave.spiking.events import Spikes


@st.composite
def dense_arrays(draw, most=2):
    """Numbers of spikes, (examples, steps, units), many of them 0."""
    shape = draw(st.integers(0, 4)), draw(st.integers(1, 12)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return rng.integers(1, most, shape, endpoint=True) * (rng.random(shape) < draw(st.floats(0, 1)))


def trains(dense):
    """Steps of the spikes of each unit in each example."""
    for example in dense:
        for unit in example.T:
            yield [step for step, number in enumerate(unit) for _ in range(number)]


@given(dense_arrays())
def test_events_and_dense_arrays_say_the_same(dense):
    spikes = Spikes.from_dense(dense, dt=0.5)
    assert len(spikes) == dense.sum()
    events = list(zip(spikes.example.tolist(), spikes.step.tolist(), spikes.unit.tolist(), strict=True))
    assert events == sorted(events)
    np.testing.assert_array_equal(spikes.dense(), dense)
    assert spikes.dense().dtype == np.uint8
    np.testing.assert_array_equal(spikes.counts(), dense.sum(axis=1))
    np.testing.assert_array_equal(spikes.sparse_counts().toarray(), dense.sum(axis=1))
    np.testing.assert_allclose(spikes.rates(), dense.sum(axis=1) / (dense.shape[1] * 0.5) * 1000)


def test_booleans_are_spikes_too():
    dense = np.array([[[True, False], [False, True]]])
    np.testing.assert_array_equal(Spikes.from_dense(dense, 1.0).dense(), dense)


@given(dense_arrays(), st.data())
def test_selected_examples_are_numbered_in_the_order_given(dense, data):
    spikes = Spikes.from_dense(dense, dt=1.0)
    count = len(dense)
    indices = data.draw(st.lists(st.integers(-count, count - 1), max_size=6)) if count else []
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)), dtype=bool)
    cut = slice(*data.draw(st.tuples(*[st.none() | st.integers(-5, 5)] * 2, st.sampled_from([None, 2, -1]))))
    np.testing.assert_array_equal(spikes.of(indices).dense(), dense[np.array(indices, dtype=int)])
    np.testing.assert_array_equal(spikes.of(mask).dense(), dense[mask])
    np.testing.assert_array_equal(spikes.of(cut).dense(), dense[cut])


@given(dense_arrays(), st.integers(0, 4))
def test_concatenation_undoes_a_division(dense, cut):
    spikes = Spikes.from_dense(dense, dt=1.0)
    again = Spikes.concatenate([spikes.of(slice(cut)), spikes.of(slice(cut, None))])
    np.testing.assert_array_equal(again.dense(), dense)


@given(dense_arrays(most=4))
def test_intervals_and_their_variation(dense):
    spikes = Spikes.from_dense(dense, dt=0.5)
    intervals = [[(b - a) * 0.5 for a, b in pairwise(train)] for train in trains(dense)]
    np.testing.assert_array_equal(spikes.interspike_intervals(), [one for train in intervals for one in train])
    variations = [np.std(train) / np.mean(train) for train in intervals if len(train) >= 2 and any(train)]
    np.testing.assert_allclose(spikes.cv(), np.mean(variations) if variations else math.nan)


@given(dense_arrays(), st.integers(1, 6))
def test_fano_factor(dense, length):
    spikes = Spikes.from_dense(dense, dt=0.1)
    windows = [
        example[start : start + length].sum(axis=0)
        for example in dense
        for start in range(0, dense.shape[1] - length + 1, length)
    ]
    if len(windows) < 2:
        with pytest.raises(ValueError, match=f"at least two windows, got {len(windows)}"):
            spikes.fano(length * 0.1)
        return
    mean, variance = np.mean(windows, axis=0), np.var(windows, axis=0, ddof=1)
    factors = variance[mean > 0] / mean[mean > 0]
    np.testing.assert_allclose(spikes.fano(length * 0.1), factors.mean() if factors.size else math.nan, atol=1e-12)


def test_a_clock_and_a_poisson_process_have_known_statistics():
    """Both are 0 for a clock; with a spike in a step by chance p they are 1 - p and sqrt(1 - p)."""
    clock = np.zeros((2, 1000, 3), dtype=bool)
    clock[:, ::10] = True
    regular = Spikes.from_dense(clock, dt=1.0)
    assert regular.cv() == 0
    assert regular.fano(100.0) == 0
    p = 0.02
    bernoulli = Spikes.from_dense(np.random.default_rng(0).random((4, 20_000, 50)) < p, dt=1.0)
    assert bernoulli.fano(100.0) == pytest.approx(1 - p, abs=0.03)  # of 40,000 windows: 4 standard errors
    assert bernoulli.cv() == pytest.approx(math.sqrt(1 - p), abs=0.01)


def test_xarray_has_the_events_and_their_times():
    spikes = Spikes([0, 1, 1], [3, 0, 4], [1, 0, 0], examples=2, steps=5, units=2, dt=0.5)
    data = spikes.xarray()
    assert data.sizes == {"spike": 3}
    np.testing.assert_array_equal(data.time, [1.5, 0.0, 2.0])
    np.testing.assert_array_equal(data.step, [3, 0, 4])
    np.testing.assert_array_equal(data.example, [0, 1, 1])
    np.testing.assert_array_equal(data.unit, [1, 0, 0])
    assert data.time.attrs["units"] == "ms"
    assert data.attrs == {"examples": 2, "steps": 5, "units": 2, "dt": 0.5}


def test_events_are_not_copied_and_cannot_be_written():
    example = np.zeros(3, dtype=np.int64)
    spikes = Spikes(example, np.arange(3), np.zeros(3, dtype=np.int32), 1, 3, 1, 1.0)
    assert np.shares_memory(spikes.example, example)
    assert spikes.unit.dtype == np.int64
    with pytest.raises(ValueError, match="read-only"):
        spikes.example[0] = 1
    example[0] = 0  # the caller's own array stays as it was


GOOD = Spikes([0, 0, 1], [1, 2, 0], [1, 0, 1], examples=2, steps=3, units=2, dt=1.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"examples": -1}, "examples must be at least 0, got -1"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"units": 0}, "units must be at least 1, got 0"),
        ({"dt": 0.0}, "dt must be positive and finite, got 0.0"),
        ({"dt": math.nan}, "dt must be positive and finite, got nan"),
        ({"step": [1, 2]}, "must be of equal length, got 3, 2, 3"),
        ({"unit": [1, 0, 2]}, "unit must be from 0 to units - 1 = 1, got 0 to 2"),
        ({"step": [-1, 2, 0]}, "step must be from 0 to steps - 1 = 2, got -1 to 2"),
        ({"examples": 1}, "example must be from 0 to examples - 1 = 0, got 0 to 1"),
        ({"unit": [1.0, 0.0, 1.0]}, r"unit must be whole numbers \(spikes,\), got float64"),
        ({"unit": [[1, 0, 1]]}, r"unit must be whole numbers \(spikes,\), got int64 of shape \(1, 3\)"),
        ({"example": [1, 0, 1]}, r"sorted by .*event 0 is \(1, 1, 1\), the next \(0, 2, 0\)"),
        ({"step": [2, 1, 0]}, r"sorted by .*event 0 is \(0, 2, 1\), the next \(0, 1, 0\)"),
        ({"step": [1, 1, 0]}, r"sorted by .*event 0 is \(0, 1, 1\), the next \(0, 1, 0\)"),
    ],
)
def test_what_is_wrong_is_said(change, message):
    with pytest.raises(ValueError, match=message):
        replace(GOOD, **change)


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"got float64 of shape \(1, 1, 1\)"):
        Spikes.from_dense(np.ones((1, 1, 1)), 1.0)
    with pytest.raises(ValueError, match=r"got int64 of shape \(2, 2\)"):
        Spikes.from_dense(np.ones((2, 2), dtype=int), 1.0)
    with pytest.raises(ValueError, match="must not be negative, got -1"):
        Spikes.from_dense([[[-1]]], 1.0)
    with pytest.raises(ValueError, match="up to 255 spikes of a unit in a step, got 256"):
        Spikes.from_dense([[[256]]], 1.0).dense()
    with pytest.raises(ValueError, match="at least one set of spikes"):
        Spikes.concatenate([])
    with pytest.raises(ValueError, match=r"dt must be the same in all sets of spikes, got 0\.5, 1\.0"):
        Spikes.concatenate([GOOD, replace(GOOD, dt=0.5)])
    with pytest.raises(IndexError, match="2 is out of bounds"):
        GOOD.of([2])
    with pytest.raises(ValueError, match="a slice or one-dimensional"):
        GOOD.of(1)
    for window in (0.5, 0.0, math.inf):
        with pytest.raises(ValueError, match=f"multiple of dt = 1 ms, got {window:g} ms"):
            GOOD.fano(window)
