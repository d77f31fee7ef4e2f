"""Readouts against plain loops over dense arrays; chunks, checkpoints and faults."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from sharpwave.spiking.events import Spikes
from sharpwave.spiking.linear_readout import LinearReadout
from sharpwave.spiking.ngram_readout import NGram
from sharpwave.spiking.patch_readouts import MostSpiked, SpatialCorrelation
from sharpwave.spiking.readouts import AllActivity, ProportionWeighting, TopPercent

CLASSES, UNITS, STEPS = 3, 6, 5
GROUPS = [0, 2, 0, 2, 2, 7]

READOUTS = {
    "all activity": lambda: AllActivity(CLASSES),
    "proportion": lambda: ProportionWeighting(CLASSES),
    "most spiked": lambda: MostSpiked(CLASSES, GROUPS),
    "top percent": lambda: TopPercent(CLASSES, 30),
    "spatial": lambda: SpatialCorrelation(CLASSES, GROUPS),
    "1-gram": lambda: NGram(CLASSES, 1),
    "2-gram": lambda: NGram(CLASSES),
    "3-gram": lambda: NGram(CLASSES, 3),
    "linear": lambda: LinearReadout(CLASSES),
}
EVERY = pytest.mark.parametrize("make", READOUTS.values(), ids=READOUTS)


def random_dense(rng, examples):
    """Numbers of spikes, (examples, steps, units); unit 0 never fires, and the more an example has, the rarer it is."""
    chance = rng.random((examples, 1, 1)) ** 2
    dense = rng.integers(1, 2, (examples, STEPS, UNITS), endpoint=True) * (
        rng.random((examples, STEPS, UNITS)) < chance
    )
    dense[:, :, 0] = 0
    return dense


@st.composite
def tasks(draw):
    """Training set, labels (often without one of the classes) and test set, which may have units silent in training."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    train = random_dense(rng, draw(st.integers(1, 12)))
    labels = rng.integers(0, draw(st.integers(1, CLASSES)), len(train))
    test = random_dense(rng, draw(st.integers(0, 6)))
    test[:, :, 0] = rng.integers(0, 2, (len(test), STEPS))
    return train, labels, test


def rates_by_loops(train, labels):
    rates = [[0.0] * CLASSES for _ in range(UNITS)]
    for c in range(CLASSES):
        own = [example for example, label in zip(train, labels, strict=True) if label == c]
        for u in range(UNITS):
            if own:
                rates[u][c] = sum(int(example[:, u].sum()) for example in own) / len(own)
    return rates


def assignments_by_loops(rates):
    return [rate.index(max(rate)) if max(rate) > 0 else -1 for rate in rates]


def winners_by_loops(counts):
    """(unit, count) of the first unit with most spikes in each group, if it has one."""
    for group in sorted(set(GROUPS)):
        own = [u for u in range(UNITS) if GROUPS[u] == group]
        best = max(own, key=lambda u: counts[u])
        if counts[best] > 0:
            yield best, counts[best]


def compare(readout, task, score):
    train, labels, test = task
    readout.partial_fit(Spikes.from_dense(train, 1.0), labels)
    expected = np.zeros((len(test), CLASSES))
    for e, example in enumerate(test):
        for c in range(CLASSES):
            expected[e, c] = score(example, example.sum(axis=0).tolist(), c)
    spikes = Spikes.from_dense(test, 1.0)
    scores = readout.scores(spikes)
    np.testing.assert_allclose(scores, expected, rtol=1e-12)
    assert scores.dtype == np.float64
    most_seen = Counter(sorted(labels.tolist())).most_common(1)[0][0]
    guesses = [row.tolist().index(max(row)) if any(row) else most_seen for row in scores]
    np.testing.assert_array_equal(readout.predict(spikes), guesses)


@given(tasks())
def test_rates_and_assignments(task):
    train, labels, _ = task
    readout = AllActivity(CLASSES).partial_fit(Spikes.from_dense(train, 1.0), labels)
    rates = rates_by_loops(train, labels)
    np.testing.assert_allclose(readout.rates, rates, rtol=1e-15)
    np.testing.assert_array_equal(readout.assignments, assignments_by_loops(rates))
    assert readout.assignments[0] == -1


@given(tasks())
def test_all_activity(task):
    assigned = assignments_by_loops(rates_by_loops(*task[:2]))

    def score(_, counts, c):
        own = [counts[u] for u in range(UNITS) if assigned[u] == c]
        return sum(own) / len(own) if own else 0

    compare(AllActivity(CLASSES), task, score)


@given(tasks())
def test_proportion_weighting(task):
    rates = rates_by_loops(*task[:2])
    assigned = assignments_by_loops(rates)

    def score(_, counts, c):
        own = [counts[u] * rates[u][c] / sum(rates[u]) for u in range(UNITS) if assigned[u] == c]
        return sum(own) / len(own) if own else 0

    compare(ProportionWeighting(CLASSES), task, score)


@given(tasks())
def test_most_spiked(task):
    assigned = assignments_by_loops(rates_by_loops(*task[:2]))

    def score(_, counts, c):
        winners = list(winners_by_loops(counts))
        total = sum(count for _, count in winners)
        return sum(count for u, count in winners if assigned[u] == c) / total if total else 0

    compare(MostSpiked(CLASSES, GROUPS), task, score)


@given(tasks(), st.sampled_from([10, 20, 30, 50, 90]))
def test_top_percent(task, percent):
    assigned = assignments_by_loops(rates_by_loops(*task[:2]))

    def score(_, counts, c):
        least = np.percentile(counts, 100 - percent)
        return sum(counts[u] > least and assigned[u] == c for u in range(UNITS))

    compare(TopPercent(CLASSES, percent), task, score)


@given(tasks())
def test_spatial_correlation(task):
    train, labels, _ = task

    def leaders(counts):
        return {u for u, count in winners_by_loops(counts) if count > 0.9 * max(counts)}

    def score(_, counts, c):
        own = [example for example, label in zip(train, labels, strict=True) if label == c]
        matches = sum(len(leaders(counts) & leaders(example.sum(axis=0).tolist())) for example in own)
        return matches / len(own) if own else 0

    compare(SpatialCorrelation(CLASSES, GROUPS), task, score)


def test_a_leader_has_more_than_nine_tenths_of_the_most_spikes():
    layer = Spikes.from_dense([[[20, 18, 19]]], 1.0)
    readout = SpatialCorrelation(1, [0, 1, 2]).partial_fit(layer, [0])
    assert readout.totals.tolist() == [[1], [0], [1]]


@given(tasks(), st.integers(1, 4))
def test_n_grams(task, n):
    train, labels, _ = task

    def grams(example):
        order = [u for row in example for u, number in enumerate(row) for _ in range(number)]
        return [tuple(order[k : k + n]) for k in range(len(order) - n + 1)]

    known = [Counter() for _ in range(CLASSES)]
    for example, label in zip(train, labels, strict=True):
        known[label].update(grams(example))
    compare(NGram(CLASSES, n), task, lambda example, _, c: sum(known[c][gram] for gram in grams(example)))


@given(tasks())
def test_1_grams_are_counts(task):
    train, labels, test = (Spikes.from_dense(part, 1.0) if part.ndim == 3 else part for part in task)
    totals = AllActivity(CLASSES).partial_fit(train, labels).totals
    np.testing.assert_array_equal(NGram(CLASSES, 1).partial_fit(train, labels).scores(test), test.counts() @ totals)


def test_the_linear_readout_is_the_regression_of_scikit_learn():
    rng = np.random.default_rng(0)
    train, test = (Spikes.from_dense(random_dense(rng, size), 1.0) for size in (60, 20))
    for seen in ([0, 1, 2], [0, 2], [1]):
        labels = rng.choice(seen, 60)
        probabilities = np.zeros((20, CLASSES))
        if len(seen) > 1:
            probabilities[:, seen] = (
                LogisticRegression(max_iter=1000).fit(train.counts(), labels).predict_proba(test.counts())
            )
        else:
            probabilities[:, seen] = 1
        readout = LinearReadout(CLASSES).partial_fit(train, labels)
        np.testing.assert_allclose(readout.scores(test), probabilities, atol=1e-4)  # the tolerance of the solver


@EVERY
def test_chunks_come_to_the_same_as_all_at_once(make):
    rng = np.random.default_rng(1)
    train, test = (Spikes.from_dense(random_dense(rng, size), 1.0) for size in (200, 30))
    labels = rng.integers(0, CLASSES, 200)
    expected = make().partial_fit(train, labels).scores(test)
    readout = make()
    for cut in np.split(np.arange(200), [1, 2, 50, 50, 60, 130]):
        readout.partial_fit(train.of(cut), labels[cut])
        readout.scores(test)
    np.testing.assert_array_equal(readout.scores(test), expected)


@EVERY
def test_a_checkpoint_resumes(make, tmp_path):
    rng = np.random.default_rng(2)
    train, test = (Spikes.from_dense(random_dense(rng, size), 1.0) for size in (100, 30))
    labels = rng.integers(0, CLASSES, 100)
    empty = make()
    readout, other = make(), make().partial_fit(train.of(slice(7)), labels[:7])
    other.load_state_dict(empty.state_dict())
    with pytest.raises(NotFittedError):
        other.scores(test)
    for half in (slice(50), slice(50, None)):
        readout.partial_fit(train.of(half), labels[half])
        np.savez(tmp_path / "state.npz", **readout.state_dict())
        other.partial_fit(train.of(half), labels[half])
        np.testing.assert_array_equal(other.scores(test), readout.scores(test))
        other = make()
        with np.load(tmp_path / "state.npz") as state:
            other.load_state_dict(state)
        np.testing.assert_array_equal(other.scores(test), readout.scores(test))


@EVERY
def test_a_state_is_a_copy(make):
    rng = np.random.default_rng(3)
    train = Spikes.from_dense(random_dense(rng, 40), 1.0)
    labels = rng.integers(0, CLASSES, 40)
    readout = make().partial_fit(train, labels)
    state = readout.state_dict()
    kept = {name: array.copy() for name, array in state.items()}
    other = make()
    other.load_state_dict(state)
    for one in (readout, other):
        one.partial_fit(train, labels)
    for name, array in state.items():
        assert isinstance(array, np.ndarray)
        np.testing.assert_array_equal(array, kept[name])


@pytest.mark.parametrize(
    "name", [name for name in READOUTS if name != "linear"]
)  # which has a bias: silence has a score
def test_a_silent_example_is_given_the_class_seen_most_often(name):
    train = Spikes.from_dense(np.ones((6, STEPS, UNITS), dtype=int), 1.0)
    readout = READOUTS[name]().partial_fit(train, [0, 2, 2, 1, 1, 0]).partial_fit(train.of([0]), [2])
    silent = Spikes([], [], [], 2, STEPS, UNITS, 1.0)
    assert not readout.scores(silent).any()
    assert readout.predict(silent).tolist() == [2, 2]


@EVERY
def test_no_examples_at_all(make):
    none = Spikes([], [], [], 0, STEPS, UNITS, 1.0)
    readout = make().partial_fit(none, [])
    with pytest.raises(NotFittedError, match="has seen no example: call partial_fit first"):
        readout.predict(none)
    readout.partial_fit(Spikes.from_dense(np.ones((2, STEPS, UNITS), dtype=int), 1.0), [0, 1])
    assert readout.scores(none).shape == (0, CLASSES)
    assert readout.predict(none).shape == (0,)


@EVERY
def test_bad_inputs_are_refused_and_change_nothing(make):
    rng = np.random.default_rng(4)
    train = Spikes.from_dense(random_dense(rng, 10), 1.0)
    narrow = Spikes.from_dense(random_dense(rng, 10)[:, :, 1:], 1.0)
    labels = rng.integers(0, CLASSES, 10)
    with pytest.raises(NotFittedError):
        make().predict(train)
    readout = make().partial_fit(train, labels)
    before = readout.state_dict()
    for spikes, wrong, message in [
        (train, labels[:-1], r"10 whole numbers, one for each example, got int64 of shape \(9,\)"),
        (train, labels[:, None], r"got int64 of shape \(10, 1\)"),
        (train, labels.astype(float), r"got float64 of shape \(10,\)"),
        (train, np.where(labels == 1, 3, labels), "labels must be from 0 to 2, got 0 to 3"),
        (train, np.where(labels == 1, -1, labels), "labels must be from 0 to 2, got -1 to 2"),
        (narrow, labels, "fitted to 6 units, got spikes of 5"),
    ]:
        with pytest.raises(ValueError, match=message):
            readout.partial_fit(spikes, wrong)
    with pytest.raises(ValueError, match="fitted to 6 units, got spikes of 5"):
        readout.scores(narrow)
    after = readout.state_dict()
    for name in before:
        np.testing.assert_array_equal(after[name], before[name])


def test_bad_settings():
    with pytest.raises(ValueError, match="classes must be at least 1, got 0"):
        AllActivity(0)
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        NGram(CLASSES, 0)
    with pytest.raises(ValueError, match="percent must be between 0 and 100, got 100"):
        TopPercent(CLASSES, 100)
    with pytest.raises(ValueError, match=r"groups must be whole numbers \(units,\), got float64"):
        MostSpiked(CLASSES, [0.0, 1.0])
    spikes = Spikes([0], [0], [0], 1, 1, 2, 1.0)
    with pytest.raises(ValueError, match="one entry for each of 2 units, got 3"):
        SpatialCorrelation(CLASSES, [0, 1, 2]).partial_fit(spikes, [0])


def test_n_grams_are_numbered_up_to_the_last_that_fits_in_64_bits():
    for units, n, classes in [(2**31, 2, 2), (9000, 5, 10)]:
        wide = Spikes([0], [0], [units - 1], 1, 1, units, 1.0)
        with pytest.raises(ValueError, match=f"{n}-grams of {units} units in {classes} classes .* choose a smaller n"):
            NGram(classes, n).partial_fit(wide, [0])
    last = 2**31 - 1
    wide = Spikes([0, 0, 0], [0, 1, 2], [last] * 3, 1, 3, 2**31, 1.0)
    assert NGram(1).partial_fit(wide, [0]).scores(wide).tolist() == [[4.0]]


def test_states_of_other_readouts_are_refused():
    state = NGram(CLASSES, 2).state_dict()
    with pytest.raises(ValueError, match="this readout has n = 3, the state is of one with n = 2"):
        NGram(CLASSES, 3).load_state_dict(state)
    with pytest.raises(ValueError, match="this readout has classes = 4, the state is of one with classes = 3"):
        NGram(4).load_state_dict(state)
    with pytest.raises(ValueError, match="the state of AllActivity has class_examples, classes, totals, units; got"):
        AllActivity(CLASSES).load_state_dict(state)
    groups = MostSpiked(CLASSES, GROUPS).state_dict()
    with pytest.raises(ValueError, match="this readout has groups"):
        MostSpiked(CLASSES, GROUPS[::-1]).load_state_dict(groups)
