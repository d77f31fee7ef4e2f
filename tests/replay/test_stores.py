"""Stores: budgets hold, what is kept was offered, all are as likely, and a state goes on to the same numbers."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharpwave.replay.priorities import Priorities
from sharpwave.replay.stores import ClassBalanced, Field, Reservoir, Ring, Store

FIELDS = {"x": Field((3,), np.uint8), "y": Field((), np.int64)}
EACH = 3 + 8 + 8
POLICIES = {"reservoir": Reservoir, "ring": Ring, "class-balanced": ClassBalanced}


def items(labels, first: int = 0) -> dict[str, np.ndarray]:
    labels = np.asarray(labels, dtype=np.int64)
    numbers = (first + np.arange(len(labels))) % 251
    return {"x": np.stack([numbers, labels, numbers], axis=1).astype(np.uint8), "y": labels}


@pytest.mark.parametrize("policy", POLICIES)
@given(
    capacity=st.integers(1, 12),
    batches=st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=9), min_size=1, max_size=8),
)
@settings(max_examples=60, deadline=None)
def test_a_budget_is_never_exceeded_and_items_are_those_that_were_offered(policy, capacity, batches) -> None:
    store, offered = Store(capacity * EACH + 5, FIELDS, POLICIES[policy]()), []
    for labels in batches:
        given_ = items(labels, len(offered))
        places = store.add(given_)
        kept = places >= 0
        np.testing.assert_array_equal(store.take(places[kept])["x"], given_["x"][kept])
        offered += given_["x"].tolist()
        assert store.bytes <= capacity * EACH + 5
        assert store.size == min(capacity, len(offered))
    held = store.take(np.arange(store.size))
    assert all(offered.count(row) >= held["x"].tolist().count(row) for row in held["x"].tolist())
    np.testing.assert_array_equal(held["x"][:, 1], held["y"])
    assert store.seen == len(offered) == sum(store.offered.values())
    if policy == "class-balanced":
        counts = np.bincount(held["y"], minlength=4)
        for label in range(4):  # a class that has less than the largest one has all of its own, or one less
            assert counts[label] >= min(store.offered.get(label, 0), counts.max() - 1)
    if policy == "ring":
        assert sorted(held["x"].tolist()) == sorted(offered[-store.size :])


@pytest.mark.parametrize(
    "make", [*POLICIES.values(), partial(ClassBalanced, 3)], ids=[*POLICIES, "at most three of each class"]
)
@given(
    capacity=st.integers(1, 12), labels=st.lists(st.integers(0, 3), min_size=2, max_size=90),
    cuts=st.lists(st.integers(1, 89), max_size=5),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_what_is_kept_does_not_depend_on_how_many_are_offered_at_a_time(make, capacity, labels, cuts) -> None:
    whole, cut, single = (Store(capacity * EACH, FIELDS, make()) for _ in range(3))
    every = items(labels)
    whole.add(every)
    borders = sorted({0, len(labels), *(at for at in cuts if at < len(labels))})
    for store, parts in ((cut, pairwise(borders)), (single, pairwise(range(len(labels) + 1)))):
        for first, last in parts:
            store.add({name: array[first:last] for name, array in every.items()})
        for name in FIELDS:
            np.testing.assert_array_equal(store.arrays[name], whole.arrays[name])


@pytest.mark.parametrize("policy", ["reservoir", "class-balanced"])
def test_all_that_were_offered_are_as_likely_to_be_there(policy: str) -> None:
    times, there = 3000, np.zeros(40)
    for seed in range(times):
        store = Store(10 * EACH, FIELDS, POLICIES[policy](), seed)
        for first in range(0, 40, 5):
            store.add(items([0] * 5, first))
        there[store.take(np.arange(10))["x"][:, 0]] += 1
    expected = times * 10 / 40
    assert np.abs(there - expected).max() < 5 * np.sqrt(expected)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_store_that_is_taken_up_again_goes_on_to_the_same_numbers(policy: str) -> None:
    def go(store: Store, first: int) -> list:
        found = []
        for k in range(first, first + 60, 6):
            store.add(items((np.arange(6) * k) % 4, k))
            found += [store.draw(3)["x"].tolist(), store.sample(2, by_priority=True).tolist()]
        return found

    whole, half = (Store(17 * EACH, FIELDS, POLICIES[policy](), 3) for _ in range(2))
    expected = go(whole, 0) + go(whole, 60)
    found = go(half, 0)
    again = Store(17 * EACH, FIELDS, POLICIES[policy](), 99)
    again.restore(half.state())
    assert found + go(again, 60) == expected


@given(st.integers(1, 40), st.integers(1, 90))
def test_no_item_is_drawn_twice_before_all_are_drawn_once(size: int, number: int) -> None:
    store = Store(40 * EACH, FIELDS, Ring())
    store.add(items([0] * size))
    counts = np.bincount(store.sample(number), minlength=size)
    assert len(counts) == size
    assert counts.max() - counts.min() <= 1


@given(st.lists(st.just(0.0) | st.floats(1e-6, 10), min_size=1, max_size=30), st.integers(0, 5))
def test_places_are_drawn_in_proportion_to_their_priorities(values: list[float], seed: int) -> None:
    some = Priorities(len(values))
    some.set(np.arange(len(values)), np.array(values))
    np.testing.assert_allclose(some.total, sum(values))
    if some.total == 0:
        with pytest.raises(ValueError, match="all priorities are 0"):
            some.draw(1, np.random.default_rng(seed))
        return
    found = np.bincount(some.draw(4000, np.random.default_rng(seed)), minlength=len(values))
    assert len(found) == len(values)
    expected = 4000 * np.array(values) / sum(values)
    assert (found[expected == 0] == 0).all()
    assert (np.abs(found - expected) <= 5 * np.sqrt(expected) + 2).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Store(EACH - 1, FIELDS, Ring()),
            f"a budget of {EACH - 1} bytes is smaller than one item, of {EACH} bytes",
        ),
        (lambda: Store(100, {"x": FIELDS["x"]}, Ring()), "needs the field 'y'"),
        (lambda: Store(100, FIELDS, Ring()).draw(1), "the store is empty"),
        (
            lambda: Store(100, FIELDS, Ring()).add({"y": np.arange(3)}),
            r"x of 3 items must be of shape \(3, 3\), got None",
        ),
        (lambda: Priorities(3).set(np.arange(2), np.array([1.0, np.nan])), "must be finite and not negative, got nan"),
        (lambda: Priorities(3).set(np.arange(2), np.array([1.0, -1.0])), "got -1.0"),
        (lambda: Priorities(3).grow(float("inf")), "must stay finite and above 0, got 0.0 in all, times inf"),
        (lambda: Priorities(3).grow(0.0), "must stay finite and above 0"),
    ],
)
def test_what_cannot_be_stored_is_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("capacity", [40, 41, 43])
def test_where_tasks_share_classes_the_first_ones_are_kept_as_well(capacity: int) -> None:
    there = np.zeros(4)
    for seed in range(100):
        draw = np.random.default_rng(seed)
        store = Store(capacity * EACH, FIELDS, ClassBalanced(), seed)
        for task in range(4):
            labels = draw.integers(0, 2, 200)
            store.add({"x": np.full((200, 3), task, dtype=np.uint8), "y": labels})
        there += np.bincount(store.arrays["x"][:, 0], minlength=4)
    np.testing.assert_allclose(there / (100 * capacity), 0.25, atol=0.03)


def test_where_tasks_are_told_each_has_as_many_of_each_class() -> None:
    fields = {"y": Field((), np.int16), "task": Field((), np.int16)}
    store = Store(40 * 12, fields, ClassBalanced(5), by_task=True)
    for task in range(3):
        store.add({"y": np.repeat([0, 1], 50).astype(np.int16), "task": np.full(100, task, dtype=np.int16)})
        held = store.take(np.arange(store.size))
        np.testing.assert_array_equal(np.bincount(2 * held["task"] + held["y"]), 5)


def test_a_store_that_was_used_goes_on_as_a_new_one() -> None:
    def filled(store: Store, first: int) -> Store:
        for labels in ([0] * 9, [0, 1, 1, 2], [2] * 9):
            store.add(items(labels, first))
        return store

    used, new = (Store(12 * EACH, FIELDS, ClassBalanced()) for _ in range(2))
    state = filled(Store(12 * EACH, FIELDS, ClassBalanced(), 5), 0).state()
    for store in (filled(used, 100), new):
        store.restore(state)
        store.add(items([3] * 9 + [1] * 9, 200))
    for name in FIELDS:
        np.testing.assert_array_equal(used.arrays[name], new.arrays[name])


def test_where_there_are_more_classes_than_places_each_is_as_likely_to_be_there() -> None:
    there = np.zeros(12)
    for seed in range(2000):
        store = Store(4 * EACH, FIELDS, ClassBalanced(), seed)
        for label in range(12):
            store.add(items([label]))
        assert store.size == 4
        there[store.arrays["y"]] += 1
    expected = 2000 * 4 / 12
    assert ((there - expected) ** 2 / expected).sum() < 35


PRIORITY = st.floats(1e-3, 1e3) | st.just(0.0)


@given(st.lists(st.tuples(st.integers(0, 69), PRIORITY, st.floats(1e-60, 1e60)), min_size=1, max_size=30))
def test_numbers_that_grow_together_are_those_that_were_multiplied(changes: list[tuple[int, float, float]]) -> None:
    some, expected = Priorities(70), np.zeros(70)
    for place, value, factor in changes:
        some.set(np.array([place]), np.array([value]))
        expected[place] = value
        if 1e-250 < expected.max() * factor < 1e250 and expected[expected > 0].min(initial=1) * factor > 1e-250:
            some.grow(factor)
            expected *= factor
    np.testing.assert_allclose(some.values(), expected, rtol=1e-12)
    np.testing.assert_allclose(some.total, expected.sum(), rtol=1e-12)
    again = Priorities.of(70, *some.state(70))
    np.testing.assert_array_equal(again.values(), some.values())
    assert again.total == some.total
    if some.total:
        draws = [one.draw(50, np.random.default_rng(0)) for one in (some, again)]
        np.testing.assert_array_equal(*draws)
        assert (expected[draws[0]] > 0).all()
