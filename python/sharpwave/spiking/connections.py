"""How populations are connected: what weights there are, and between which units. Nothing sparse is ever made dense."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .plasticity import Plasticity

if TYPE_CHECKING:
    from scipy.sparse import csc_array

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


class Blocks(NamedTuple):
    """Synapses as the kernel takes them.

    The postsynaptic units of a group are `length` neighbours from `offset[g]` on, with the same presynaptic units:
    entry e of the group, from `first_entry[g]` to `first_entry[g + 1]`, is unit `entry_pre[e]`, whose weights to the
    group's units lie from `entry_weight[e]` on.
    """

    length: int
    offset: Integers
    first_entry: Integers
    entry_pre: Integers
    entry_weight: Integers

    def pairs(self) -> tuple[Integers, Integers, Integers]:
        """Presynaptic unit, postsynaptic unit and place of the weight of each synapse."""
        entries = np.diff(self.first_entry)
        within = np.arange(self.length)
        post = np.repeat(self.offset, entries)[:, None] + within
        weight = self.entry_weight[:, None] + within
        return np.repeat(self.entry_pre, self.length), post.ravel(), weight.ravel()


@dataclass(frozen=True, eq=False)
class Connection(ABC):
    """What all connections with weights have in common.

    Args:
        pre, post: names of the populations.
        weights: of the synapses, in the shape that the kind of connection says, in units of the target.
        target: variable of the postsynaptic model that weights are added to.
        delay: ms, a multiple of the time step: one for all, one for each presynaptic unit, or one for each weight. None
            is one step, the shortest there is.
        plasticity: how weights change while learning; None: they do not.
        norm: what the absolute weights of each postsynaptic unit are scaled to sum up to: before the first example and
            after each batch while learning, where it may take them out of the bounds of their rule until the next
            spike that changes them; None: they are left.
    """

    pre: str
    post: str
    weights: Array
    target: str = field(default="v", kw_only=True)
    delay: float | Array | None = field(default=None, kw_only=True)
    plasticity: Plasticity | None = field(default=None, kw_only=True)
    norm: float | None = field(default=None, kw_only=True)

    copies_winner = False  # see `Windowed`
    shared = False  # whether postsynaptic units share weights

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", _weights(self, self.weights))
        if self.norm is not None and not (self.norm > 0 and math.isfinite(self.norm)):
            raise ValueError(f"norm must be a positive sum of weights, got {self.norm}")
        if self.plasticity is not None:
            lower, upper = self.plasticity.bounds
            if self.weights.size and not lower <= self.weights.min() <= self.weights.max() <= upper:
                raise ValueError(
                    f"weights of {self.pre} -> {self.post} must lie within the bounds {lower:g} to {upper:g} of their "
                    f"plasticity, got {self.weights.min():g} to {self.weights.max():g}"
                )

    @abstractmethod
    def blocks(self, pre_units: int, post_units: int) -> Blocks:
        """The synapses between populations of these sizes.

        Raises:
            ValueError: the weights do not fit.
        """

    def with_weights(self, weights: ArrayLike) -> Connection:
        """The same connection with other weights of the same shape.

        Raises:
            ValueError: the shape is another.
        """
        new = _weights(self, weights)
        if new.shape != self.weights.shape:
            raise ValueError(f"weights of {self.pre} -> {self.post} must be {self.weights.shape}, got {new.shape}")
        return replace(self, weights=new)

    def _expect(self, shape: tuple[int, ...], words: str) -> None:
        if self.weights.shape != shape:
            raise ValueError(
                f"weights of {self.pre} -> {self.post} must be {words} = {shape}, got shape {self.weights.shape}"
            )


def _weights(connection: Connection, given: Any) -> Array:
    weights = np.array(given, dtype=np.float64, order="C")
    if not np.isfinite(weights).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(weights))[0])
        raise ValueError(
            f"weights of {connection.pre} -> {connection.post} must be finite, got {weights[place]} at {place}"
        )
    weights.flags.writeable = False
    return weights


class Dense(Connection):
    """Every unit of one population to every unit of another; weights (pre units, post units).

    Example:
        >>> Dense("input", "layer", np.ones((3, 2)), norm=1.0).blocks(3, 2).entry_weight.tolist()
        [0, 2, 4]
    """

    def blocks(self, pre_units: int, post_units: int) -> Blocks:
        self._expect((pre_units, post_units), "(presynaptic units, postsynaptic units)")
        rows = np.arange(pre_units)
        return Blocks(post_units, np.array([0]), np.array([0, pre_units]), rows, rows * post_units)


class OneToOne(Connection):
    """Unit k of one population to unit k of another of the same size; weights (units,).

    Example:
        >>> OneToOne("excitatory", "inhibitory", np.full(2, 10.4)).blocks(2, 2).entry_pre.tolist()
        [0, 1]
    """

    def blocks(self, pre_units: int, post_units: int) -> Blocks:
        if pre_units != post_units:
            raise ValueError(
                f"{self.pre} -> {self.post}: one to one needs equal sizes, got {pre_units} and {post_units}"
            )
        self._expect((pre_units,), "(units,)")
        units = np.arange(pre_units)
        return Blocks(1, units, np.arange(pre_units + 1), units, units)


@dataclass(frozen=True, eq=False)
class Sparse(Connection):
    """Single synapses: weight k goes from unit `sources[k]` to unit `targets[k]`; sorted by (target, source).

    `Sparse.from_matrix` makes one from a SciPy sparse matrix, `Sparse.random` one with a fixed probability.

    Example:
        >>> Sparse("a", "b", np.array([0.5, 0.25]), np.array([1, 0]), np.array([0, 2])).blocks(2, 3).offset.tolist()
        [0, 1, 2]
    """

    sources: Integers
    targets: Integers

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("sources", "targets"):
            given = np.array(getattr(self, name))
            if given.shape != self.weights.shape or given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
                raise ValueError(
                    f"{name} of {self.pre} -> {self.post} must be whole numbers, one for each of {self.weights.size} "
                    f"weights, got {given.dtype} of shape {given.shape}"
                )
            object.__setattr__(self, name, given.astype(np.int64))
        order = np.lexsort((self.sources, self.targets))
        if (np.diff(order) < 0).any():
            raise ValueError(
                f"synapses of {self.pre} -> {self.post} must be sorted by (target, source): use Sparse.from_matrix"
            )

    @classmethod
    def from_matrix(cls, pre: str, post: str, matrix: Any, **settings: Any) -> Sparse:
        """The synapses that are stored in a sparse matrix (pre units, post units); others see `Connection`."""
        from scipy.sparse import csc_array

        by_target: csc_array = csc_array(matrix)
        by_target.sort_indices()
        targets = np.repeat(np.arange(by_target.shape[1]), np.diff(by_target.indptr))
        return cls(pre, post, by_target.data, by_target.indices.astype(np.int64), targets, **settings)

    @classmethod
    def random(
        cls, pre: str, post: str, units: tuple[int, int], probability: float, weight: float, seed: int, **settings: Any
    ) -> Sparse:
        """Each pair of units with a probability, all with one weight.

        Args:
            pre, post: names of the populations.
            units: their sizes.
            probability: of a synapse, from 0 to 1.
            weight: of each.
            seed: of the random numbers.
            settings: see `Connection`.
        """
        if not 0 <= probability <= 1:
            raise ValueError(f"probability must be from 0 to 1, got {probability}")
        rng = np.random.Generator(np.random.Philox(seed))
        sources = [np.flatnonzero(rng.random(units[0]) < probability) for _ in range(units[1])]
        targets = np.repeat(np.arange(units[1]), [len(found) for found in sources])
        return cls(pre, post, np.full(len(targets), float(weight)), np.concatenate(sources), targets, **settings)

    def blocks(self, pre_units: int, post_units: int) -> Blocks:
        for name, units, count in (("sources", self.sources, pre_units), ("targets", self.targets, post_units)):
            if units.size and not 0 <= units.min() <= units.max() < count:
                raise ValueError(
                    f"{name} of {self.pre} -> {self.post} must be from 0 to {count - 1}, "
                    f"got {units.min()} to {units.max()}"
                )
        first = np.searchsorted(self.targets, np.arange(post_units + 1))
        return Blocks(1, np.arange(post_units), first, self.sources, np.arange(self.weights.size))


@dataclass(frozen=True, eq=False)
class LateralInhibition:
    """Within groups of neighbours each spike adds `weight` to all members of the group but the unit of its own number.

    It is a rule: there is no matrix.

    Args:
        pre, post: names of two populations of one size, or twice the same.
        weight: what is added; negative where it inhibits through the membrane potential, positive where it raises an
            inhibitory conductance.
        group: units in a group; None: all are one group. Of a locally connected layer, the number of filters.
        target: variable of the postsynaptic model.
    """

    pre: str
    post: str
    weight: float
    group: int | None = None
    target: str = field(default="v", kw_only=True)

    def __post_init__(self) -> None:
        if not math.isfinite(self.weight):
            raise ValueError(
                f"weight of the lateral inhibition of {self.post} must be a finite number, got {self.weight}"
            )
        if self.group is not None and self.group < 1:
            raise ValueError(f"group must be a positive number of units, got {self.group}")


def delay_steps(name: str, connection: Connection, pre_units: int, dt: float) -> tuple[int, Integers]:
    """Kind of delay (0 one for all, 1 by presynaptic unit, 2 by weight), and delays in steps.

    Raises:
        ValueError: a shape that fits none, or a delay that is no multiple of the step, or below it.
    """
    given = np.asarray(dt if connection.delay is None else connection.delay, dtype=np.float64)
    if given.ndim == 0:
        kind = 0
    elif given.shape == (pre_units,) and (given.shape != connection.weights.shape or isinstance(connection, OneToOne)):
        kind = 1
    elif given.shape == connection.weights.shape:
        kind = 2
    else:
        raise ValueError(
            f"{name}: delay must be one number, ({pre_units},) for presynaptic units, or "
            f"{connection.weights.shape} for weights, got shape {given.shape}"
        )
    steps = np.rint(given / dt)
    fits = np.isfinite(given) & (steps >= 1) & (np.abs(given - steps * dt) <= 1e-9 * np.maximum(given, dt))
    if not fits.all():
        bad = given[~fits].flat[0] if given.ndim else given
        raise ValueError(f"{name}: a delay must be a multiple of dt = {dt:g} ms, and at least that, got {bad:g} ms")
    return kind, steps.astype(np.int64).ravel()


def scaled(connection: Connection, blocks: Blocks, weights: Array) -> Array:
    """Weights (flat) with the absolute sum of each postsynaptic unit set to the connection's norm."""
    if connection.norm is None or not weights.size:
        return weights
    result = weights.copy()
    if connection.shared:
        shaped = result.reshape(connection.weights.shape)
        sums = np.abs(shaped).sum(axis=0)
        shaped *= np.divide(connection.norm, sums, out=np.ones_like(sums), where=sums > 0)
        return result
    _, post, place = blocks.pairs()
    sums = np.bincount(post, weights=np.abs(result[place]))
    factor = np.divide(connection.norm, sums, out=np.ones_like(sums), where=sums > 0)
    result[place] *= factor[post]
    return result


AnyConnection = Connection | LateralInhibition
Connections = Mapping[str, AnyConnection]
