"""Where experiences are kept: so many bytes, and what goes when they are full."""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..counts import count, count_or_none
from .draws import draws
from .priorities import Priorities

Integers = NDArray[np.int64]
Items = Mapping[str, NDArray[Any]]
_PRIORITY = 8  # bytes


class Field(NamedTuple):
    """What is kept of each item under a name.

    Attributes:
        shape: of one.
        dtype: of its numbers.
    """

    shape: tuple[int, ...]
    dtype: DTypeLike

    @property
    def bytes(self) -> int:
        """Of one item."""
        return prod(self.shape) * np.dtype(self.dtype).itemsize


class Policy(Protocol):
    """Decides where items go."""

    def places(self, store: Store, kinds: Integers, random: np.random.Generator) -> Integers:
        """A place for each of some new items, one after the other, or -1 where one is not kept.

        Args:
            store: before they come; `seen` counts those that have been offered.
            kinds: of the new items; see `Store.kinds`.
            random: what is random is drawn from it.
        """


class Store:
    """Experiences within a number of bytes.

    Args:
        budget: bytes, of all items with their priorities.
        fields: what is kept of an item; `"y"` must be among them.
        policy: what goes when it is full.
        seed: of what is drawn.
        by_task: whether a class is another kind in each task, which the field `"task"` tells.

    Attributes:
        capacity: items that the budget is for.
        size: items that are there.
        seen: items that have been offered.
        offered: of each kind.
        arrays: of each field, (capacity, ...); the first `size` hold items.
        priorities: of places; 1 of new items. Places are drawn in proportion to them where they are asked for.

    Raises:
        ValueError: a budget that is smaller than one item, or a policy that is none.

    Example:
        >>> fields = {"x": Field((2,), np.float32), "y": Field((), np.int64)}
        >>> store = Store(5 * 24, fields, Reservoir())
        >>> places = store.add({"x": np.ones((9, 2), dtype=np.float32), "y": np.arange(9)})
        >>> store.size, store.capacity, store.bytes, store.draw(3)["x"].shape
        (5, 5, 120, (3, 2))
    """

    def __init__(
        self, budget: int, fields: Mapping[str, Field], policy: Policy, seed: int = 0, by_task: bool = False
    ) -> None:
        if "y" not in fields:
            raise ValueError(f"a store needs the field 'y', labels; got {', '.join(fields) or 'none'}")
        each = sum(field.bytes for field in fields.values()) + _PRIORITY
        if isinstance(policy, type) or not callable(getattr(policy, "places", None)):
            raise ValueError(f"policy must be one, such as Reservoir(), got {policy!r}")
        if count("budget", budget, 0) < each:
            raise ValueError(f"a budget of {budget} bytes is smaller than one item, of {each} bytes")
        self.fields, self.policy, self.each, self.by_task = dict(fields), policy, each, by_task
        self.capacity, self.size, self.seen = int(budget) // each, 0, 0
        self.offered: dict[int, int] = {}
        self.arrays = {name: np.zeros((self.capacity, *f.shape), dtype=f.dtype) for name, f in fields.items()}
        self.priorities = Priorities(self.capacity)
        self.random = draws(seed, "store")

    @property
    def bytes(self) -> int:
        """Of the items that are there."""
        return self.size * self.each

    def kinds(self, items: Items) -> Integers:
        """What policies tell items apart by, (items,): their class, or their class of their task."""
        labels = items["y"].astype(np.int64)
        return labels + (items["task"].astype(np.int64) << 32) if self.by_task else labels

    def places_of(self, y: int, task: int) -> Integers:
        """Places of items that are of one kind with those of a label and a task."""
        kind = self.kinds({"y": np.array([y]), "task": np.array([task])})[0]
        there: Items = {name: self.arrays[name][: self.size] for name in ("y", "task") if name in self.fields}
        return np.flatnonzero(self.kinds(there) == kind)

    def add(self, items: Items) -> Integers:
        """Offer some items; the policy decides which are kept.

        Args:
            items: of each field, (items, ...).

        Returns:
            Their places, -1 of those that are not kept.

        Raises:
            ValueError: other fields, of other shapes, or numbers that are none.
        """
        self._check(items)
        places = self.choose(items)
        kept = np.flatnonzero(places >= 0)
        self._write(places[kept], {name: items[name][kept] for name in self.fields})
        return places

    def choose(self, labels: Items) -> Integers:
        """Offer items of some labels; those that are kept must be `put` where they belong before all else.

        The store takes them as being there.

        Args:
            labels: `"y"`, and `"task"` if the store goes by it, (items,).

        Returns:
            Their places, -1 of those that are not kept, or that others of these replace.
        """
        kinds = self.kinds(labels)
        places = self.policy.places(self, kinds, self.random)
        self.size = max(self.size, int(places.max(initial=-1)) + 1)
        self.seen += len(kinds)
        for kind, times in zip(*np.unique(kinds, return_counts=True), strict=True):
            self.offered[int(kind)] = self.offered.get(int(kind), 0) + int(times)
        last = {place: k for k, place in enumerate(places.tolist()) if place >= 0}  # of those that go to one place
        found, which = np.full(len(kinds), -1), list(last.values())
        found[which] = places[which]
        return found

    def put(self, places: Integers, items: Items) -> None:
        """Put items, of each field (items, ...), in places that are all different.

        Raises:
            ValueError: other fields, of other shapes, or numbers that are none.
        """
        self._check(items)
        self._write(places, items)

    def _write(self, places: Integers, items: Items) -> None:
        for name in self.fields:
            self.arrays[name][places] = items[name]
        self.priorities.set(places, np.ones(len(places)))

    def _check(self, items: Items) -> None:
        number = len(items["y"]) if "y" in items else 0
        for name, field in self.fields.items():
            given = items[name].shape if name in items else None
            if given != (number, *field.shape):
                raise ValueError(f"{name} of {number} items must be of shape {(number, *field.shape)}, got {given}")
            if items[name].dtype.kind == "f" and np.isnan(items[name]).any():
                raise ValueError(
                    f"{name} of items must be numbers, got NaN in item {np.argwhere(np.isnan(items[name]))[0][0]}"
                )

    def sample(self, number: int, by_priority: bool = False) -> Integers:
        """Places of so many items: each once where there are enough, or in proportion to priorities, (number,).

        Raises:
            ValueError: there are no items.
        """
        if not self.size:
            raise ValueError("nothing can be drawn: the store is empty")
        if by_priority:
            return self.priorities.draw(number, self.random)
        if number <= self.size // 2:
            return self._different(number)
        found = [self.random.permutation(self.size) for _ in range(-(-number // self.size))]
        return np.concatenate(found)[:number]

    def take(self, places: Integers) -> dict[str, NDArray[Any]]:
        """Items in some places."""
        return {name: array.take(places, axis=0) for name, array in self.arrays.items()}

    def draw(self, number: int) -> dict[str, NDArray[Any]]:
        """So many items, all as likely; see `sample`."""
        return self.take(self.sample(number))

    def _different(self, number: int) -> Integers:
        """Places that are all different, without a permutation of all."""
        found = np.unique(self.random.integers(0, self.size, number))
        while len(found) < number:
            more = self.random.integers(0, self.size, number - len(found))
            found = np.unique(np.concatenate([found, more]))
        return self.random.permutation(found)

    def state(self) -> dict[str, NDArray[Any]]:
        """All that it goes on from."""
        counts = np.array([self.size, self.seen])
        offered = np.array(sorted(self.offered.items()), dtype=np.int64).reshape(-1, 2)
        kept = {f"items/{name}": array[: self.size].copy() for name, array in self.arrays.items()}
        random = random_state(self.random)
        priorities, factor = self.priorities.state(self.size)
        numbers = {"priorities": priorities, "factor": np.array(factor)}
        return {"counts": counts, "offered": offered, "random": random, **numbers, **kept}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take up what `state` gave."""
        self.size, self.seen = (int(number) for number in state["counts"])
        self.offered = {int(kind): int(times) for kind, times in state["offered"]}
        # new arrays, by which policies see that others are there
        self.arrays = {name: np.zeros_like(array) for name, array in self.arrays.items()}
        for name, array in self.arrays.items():
            array[: self.size] = state[f"items/{name}"]
        self.priorities = Priorities.of(self.capacity, state["priorities"], float(state["factor"]))
        restore_random(self.random, state["random"])


class Reservoir:
    """Each item that was ever offered is there with the same probability (Vitter's algorithm R)."""

    def places(self, store: Store, kinds: Integers, random: np.random.Generator) -> Integers:
        """See `Policy`."""
        before = store.seen + np.arange(len(kinds))
        chosen = (random.random(len(kinds)) * (before + 1)).astype(np.int64)
        found = np.where(before < store.capacity, before, chosen)
        return np.where(found < store.capacity, found, -1)


class Ring:
    """The newest items."""

    def places(self, store: Store, kinds: Integers, random: np.random.Generator) -> Integers:
        """See `Policy`."""
        return (store.seen + np.arange(len(kinds))) % store.capacity


class ClassBalanced:
    """As many of each kind as can be: an item of a small one takes the place of one of the largest.

    Within a kind each item that was offered is there with the same probability, once its kind is as large as the
    largest, or smaller by one. Where there are more kinds than places, those without an item come in as by a
    `Reservoir`.

    Args:
        most: of each kind; None: as many as there is room for.
    """

    def __init__(self, most: int | None = None) -> None:
        self.most = count_or_none("most", most)
        self._there: dict[int, list[int]] = {}  # places of each kind, rising
        self._held = 0
        self._of: NDArray[Any] | None = None  # the labels that these places are of

    def places(self, store: Store, kinds: Integers, random: np.random.Generator) -> Integers:
        """See `Policy`."""
        if self._of is not store.arrays["y"]:
            self._look(store)
        found, offered, coming = np.full(len(kinds), -1), dict(store.offered), np.unique(kinds).tolist()
        for k, kind in enumerate(kinds.tolist()):
            if self._settled(coming, store.capacity):
                found[k:] = self._exchanged(kinds[k:], offered, random)
                break
            offered[kind] = offered.get(kind, 0) + 1
            found[k] = self._place(kind, offered[kind], store.seen + k, store.capacity, random)
        return found

    def _place(self, kind: int, offered: int, seen: int, capacity: int, random: np.random.Generator) -> int:
        """Of the next item of a kind, which is the so many-th of that, after so many of all."""
        own = self._there.setdefault(kind, [])
        if self._held < capacity and (self.most is None or len(own) < self.most):
            own.append(self._held)
            self._held += 1
            return own[-1]
        if self._held == capacity:
            largest = max(self._there.items(), key=lambda one: (len(one[1]), one[0]))[1]
            if len(own) + 1 < len(largest):
                place = largest.pop(int(random.integers(len(largest))))
                insort(own, place)
                return place
            if not own:  # no kind has more than one
                place = int(random.integers(seen + 1))
                if place >= capacity:
                    return -1
                next(places for places in self._there.values() if place in places).remove(place)
                own.append(place)
                return place
        chosen = int(random.random() * offered)
        return own[chosen] if chosen < len(own) else -1

    def _settled(self, kinds: Sequence[int], capacity: int) -> bool:
        """Whether these kinds stay as large as they are, and so does every other one."""
        sizes = [len(self._there.get(kind, ())) for kind in kinds]
        if self._held < capacity:
            return self.most is not None and min(sizes) >= self.most
        return min(sizes) > 0 and min(sizes) + 1 >= max(map(len, self._there.values()))

    def _exchanged(self, kinds: Integers, offered: Mapping[int, int], random: np.random.Generator) -> Integers:
        """Places of items of settled kinds: each takes one of its kind's, or none, as `_place` has it."""
        drawn, found = random.random(len(kinds)), np.full(len(kinds), -1)
        for kind in np.unique(kinds).tolist():
            which, own = np.flatnonzero(kinds == kind), np.array(self._there[kind])
            chosen = (drawn[which] * (offered.get(kind, 0) + 1 + np.arange(len(which)))).astype(np.int64)
            kept = chosen < len(own)
            found[which[kept]] = own[chosen[kept]]
        return found

    def _look(self, store: Store) -> None:
        self._there, self._held, self._of = {}, store.size, store.arrays["y"]
        held = {name: array[: store.size] for name, array in store.arrays.items()}
        for place, kind in enumerate(store.kinds(held).tolist()):
            self._there.setdefault(kind, []).append(place)


def random_state(random: np.random.Generator) -> NDArray[np.uint64]:
    """The state of a Philox generator as numbers."""
    state: Any = random.bit_generator.state
    inner = state["state"]
    rest = [state["buffer_pos"], state["has_uint32"], state["uinteger"]]
    return np.concatenate([inner["counter"], inner["key"], state["buffer"], np.array(rest, dtype=np.uint64)])


def restore_random(random: np.random.Generator, numbers: NDArray[np.uint64]) -> None:
    """Take up what `random_state` gave."""
    position, has, word = (int(number) for number in numbers[10:])
    random.bit_generator.state = {
        "bit_generator": "Philox", "state": {"counter": numbers[:4], "key": numbers[4:6]}, "buffer": numbers[6:10],
        "buffer_pos": position, "has_uint32": has, "uinteger": word,
    }  # fmt: skip
