"""The spikes of a population as events, and their statistics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import xarray
    from scipy.sparse import csr_array

Integers = NDArray[np.int64]
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Spikes:
    """The spikes of one population over a set of examples, one event for each spike.

    Events are sorted by (example, step, unit); a unit may spike more than once in a step. Step k stands for the time
    k dt after the example's beginning. The arrays are read-only int64; given as such, they are not copied.
    `len(spikes)` is the number of spikes.

    Attributes:
        example: example of each spike, 0 to `examples` - 1, (spikes,).
        step: time step of each spike, 0 to `steps` - 1, (spikes,).
        unit: unit of each spike, 0 to `units` - 1, (spikes,).
        examples: number of examples, 0 or more.
        steps: number of time steps of every example, at least 1.
        units: number of units, at least 1.
        dt: length of a time step, ms, positive.

    Raises:
        ValueError: the arrays are not whole numbers of equal length, in range and sorted, or a number is out of range.

    Example:
        >>> spikes = Spikes([0, 0, 1], [2, 5, 5], [1, 0, 0], examples=2, steps=10, units=2, dt=1.0)
        >>> spikes
        Spikes(3 spikes: 2 examples, 10 steps of 1 ms, 2 units)
        >>> spikes.counts().tolist()
        [[1, 1], [1, 0]]
    """

    example: Integers
    step: Integers
    unit: Integers
    examples: int
    steps: int
    units: int
    dt: float

    def __post_init__(self) -> None:
        for name, least in (("examples", 0), ("steps", 1), ("units", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if not (math.isfinite(self.dt) and self.dt > 0):
            raise ValueError(f"dt must be positive and finite, got {self.dt}")
        for name in ("example", "step", "unit"):
            object.__setattr__(self, name, _events(name, getattr(self, name), getattr(self, f"{name}s")))
        lengths = len(self.example), len(self.step), len(self.unit)
        if len(set(lengths)) > 1:
            raise ValueError(f"example, step and unit must be of equal length, got {', '.join(map(str, lengths))}")
        example, step, unit = np.diff(self.example), np.diff(self.step), np.diff(self.unit)
        behind = (example < 0) | ((example == 0) & ((step < 0) | ((step == 0) & (unit < 0))))
        if behind.any():
            k = int(behind.argmax())
            first, then = ((int(self.example[j]), int(self.step[j]), int(self.unit[j])) for j in (k, k + 1))
            raise ValueError(f"events must be sorted by (example, step, unit): event {k} is {first}, the next {then}")

    @classmethod
    def from_dense(cls, array: ArrayLike, dt: float) -> Spikes:
        """The spikes of an array with an entry for each example, step and unit.

        Args:
            array: booleans, or whole numbers of spikes, (examples, steps, units).
            dt: length of a time step, ms.

        Raises:
            ValueError: the array is of another kind or shape, or has a negative number.

        Example:
            >>> spikes = Spikes.from_dense([[[0, 1], [1, 0]]], dt=0.5)
            >>> spikes.step.tolist(), spikes.unit.tolist()
            ([0, 1], [1, 0])
        """
        dense = np.asarray(array)
        if dense.ndim != 3 or dense.dtype.kind not in "biu":
            raise ValueError(
                "spikes must be booleans or whole numbers (examples, steps, units), "
                f"got {dense.dtype} of shape {dense.shape}"
            )
        if dense.size and dense.min() < 0:
            raise ValueError(f"numbers of spikes must not be negative, got {dense.min()}")
        places = np.nonzero(dense)
        example, step, unit = np.repeat(np.stack(places), dense[places].astype(np.int64), axis=1)
        examples, steps, units = dense.shape
        return cls(example, step, unit, examples, steps, units, dt)

    @classmethod
    def concatenate(cls, parts: Sequence[Spikes]) -> Spikes:
        """The examples of several sets, one set after the other.

        Args:
            parts: at least one, all with the same steps, units and dt.

        Raises:
            ValueError: there is none, or they differ.

        Example:
            >>> one = Spikes.from_dense([[[1, 0]]], dt=1.0)
            >>> Spikes.concatenate([one, one]).example.tolist()
            [0, 1]
        """
        if not parts:
            raise ValueError("there must be at least one set of spikes to concatenate, got none")
        first = parts[0]
        for name in ("steps", "units", "dt"):
            values = sorted({getattr(part, name) for part in parts})
            if len(values) > 1:
                raise ValueError(f"{name} must be the same in all sets of spikes, got {', '.join(map(str, values))}")
        begin = np.cumsum([0, *(part.examples for part in parts)])
        return cls(
            np.concatenate([part.example + start for part, start in zip(parts, begin, strict=False)]),
            np.concatenate([part.step for part in parts]),
            np.concatenate([part.unit for part in parts]),
            int(begin[-1]),
            first.steps,
            first.units,
            first.dt,
        )

    def of(self, examples: slice | ArrayLike) -> Spikes:
        """The spikes of some of the examples, which are numbered anew in the order given.

        Args:
            examples: a slice, indices (which may repeat), or a boolean for each example.

        Raises:
            IndexError: an index is out of range.
            ValueError: it is neither a slice nor one-dimensional.

        Example:
            >>> spikes = Spikes.from_dense([[[1, 0]], [[0, 1]]], dt=1.0)
            >>> spikes.of([1, 0]).unit.tolist()
            [1, 0]
        """
        chosen = np.arange(self.examples)[examples if isinstance(examples, slice) else _indices(examples)]
        bounds = self._bounds()
        length = bounds[chosen + 1] - bounds[chosen]
        shift = bounds[chosen] - (np.cumsum(length) - length)
        event = np.arange(length.sum()) + np.repeat(shift, length)
        renumbered = np.repeat(np.arange(len(chosen)), length)
        return Spikes(renumbered, self.step[event], self.unit[event], len(chosen), self.steps, self.units, self.dt)

    def counts(self) -> Integers:
        """Number of spikes, (examples, units)."""
        cell = self.example * self.units + self.unit
        return np.bincount(cell, minlength=self.examples * self.units).reshape(self.examples, self.units)

    def sparse_counts(self) -> csr_array:
        """Number of spikes, a sparse int64 array (examples, units): for large populations that are mostly silent."""
        from scipy.sparse import csr_array

        ones = np.ones(len(self), dtype=np.int64)
        counts = csr_array((ones, self.unit.copy(), self._bounds()), shape=(self.examples, self.units))
        counts.sum_duplicates()  # in place
        return counts

    def rates(self) -> Array:
        """Firing rates over the whole example, Hz, (examples, units)."""
        return self.counts() / (self.steps * self.dt * 1e-3)

    def dense(self) -> NDArray[np.uint8]:
        """Number of spikes in each step, (examples, steps, units).

        It takes examples x steps x units bytes, and eight times as much while it is made: for small sets.

        Raises:
            ValueError: a unit has more than 255 spikes in a step.
        """
        shape = self.examples, self.steps, self.units
        cell = (self.example * self.steps + self.step) * self.units + self.unit
        dense = np.bincount(cell, minlength=math.prod(shape))
        if dense.size and dense.max() > 255:
            raise ValueError(f"a dense array holds up to 255 spikes of a unit in a step, got {dense.max()}")
        return dense.astype(np.uint8).reshape(shape)

    def xarray(self) -> xarray.Dataset:
        """The events as a data set with the axis spike.

        `example`, `time` in ms and `unit` are its coordinates, `step` is a variable; numbers of examples, steps and
        units and `dt` are attributes.
        """
        import xarray

        return xarray.Dataset(
            {"step": ("spike", self.step)},
            coords={
                "example": ("spike", self.example),
                "time": ("spike", self.step * self.dt, {"units": "ms"}),
                "unit": ("spike", self.unit),
            },
            attrs={"examples": self.examples, "steps": self.steps, "units": self.units, "dt": self.dt},
        )

    def interspike_intervals(self) -> Array:
        """Times between successive spikes of a unit in an example, ms, sorted by (example, unit, time).

        Example:
            >>> Spikes([0, 0, 0], [1, 3, 8], [0, 0, 0], examples=1, steps=10, units=1, dt=0.5).interspike_intervals()
            array([1. , 2.5])
        """
        return self._intervals()[1]

    def cv(self) -> float:
        """Coefficient of variation of the intervals between spikes: 0 for a clock, 1 for a Poisson process.

        It is the standard deviation (over n) of a unit's intervals in an example by their mean, averaged over all
        units and examples with at least 3 spikes, not all of them in one step; NaN where there are none.

        Example:
            >>> Spikes([0, 0, 0], [1, 2, 5], [0, 0, 0], examples=1, steps=10, units=1, dt=1.0).cv()
            0.5
        """
        train, interval = self._intervals()
        _, group, number = np.unique(train, return_inverse=True, return_counts=True)
        mean = np.bincount(group, weights=interval) / number
        spread = np.sqrt(np.bincount(group, weights=(interval - mean[group]) ** 2) / number)
        counted = (number >= 2) & (mean > 0)
        return float((spread[counted] / mean[counted]).mean()) if counted.any() else math.nan

    def fano(self, window: float) -> float:
        """Fano factor of the counts: 0 for a clock, 1 for a Poisson process.

        Every example is cut into windows; what is left at its end is not used. A unit's factor is the variance (over
        n - 1) by the mean of its counts in all windows of all examples, which are thus taken as repeats of one
        condition. The result is the mean over the units that fired in them, NaN if none did.

        Args:
            window: length of a window, ms, a multiple of dt.

        Raises:
            ValueError: the window is no multiple of dt, or there are less than two windows.

        Example:
            >>> Spikes([0, 0, 0], [1, 2, 5], [0, 0, 0], examples=1, steps=8, units=1, dt=1.0).fano(window=4.0)
            0.3333333333333333
        """
        length = round(window / self.dt) if math.isfinite(window) else 0
        if length < 1 or not math.isclose(length * self.dt, window, rel_tol=1e-9):
            raise ValueError(f"window must be a multiple of dt = {self.dt:g} ms, got {window:g} ms")
        each = self.steps // length
        number = each * self.examples
        if number < 2:
            raise ValueError(
                f"a Fano factor needs at least two windows, got {number} of {window:g} ms in {self.examples} examples "
                f"of {self.steps * self.dt:g} ms: choose a shorter window"
            )
        place = self.step // length
        cell = ((self.unit * self.examples + self.example) * each + place)[place < each]
        filled, count = np.unique(cell, return_counts=True)
        unit = filled // number
        total = np.bincount(unit, weights=count, minlength=self.units)
        squares = np.bincount(unit, weights=count**2, minlength=self.units)
        fired = total > 0
        mean = total[fired] / number
        variance = (squares[fired] - total[fired] * mean) / (number - 1)
        return float((variance / mean).mean()) if fired.any() else math.nan

    def __len__(self) -> int:
        return len(self.example)

    def __repr__(self) -> str:
        return (
            f"Spikes({len(self)} spikes: {self.examples} examples, {self.steps} steps of {self.dt:g} ms, "
            f"{self.units} units)"
        )

    def _bounds(self) -> Integers:
        """First event of each example and, last, the number of events, (examples + 1,)."""
        return np.searchsorted(self.example, np.arange(self.examples + 1))

    def _intervals(self) -> tuple[Integers, Array]:
        """Spike train (example units + unit) and length in ms of each interval, sorted by (train, time)."""
        train = self.example * self.units + self.unit
        order = np.argsort(train, kind="stable")
        train, step = train[order], self.step[order]
        same = train[1:] == train[:-1]
        return train[1:][same], np.diff(step)[same] * self.dt


def _events(name: str, values: ArrayLike, stop: int) -> Integers:
    given = np.asarray(values)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise ValueError(f"{name} must be whole numbers (spikes,), got {given.dtype} of shape {given.shape}")
    array = given.astype(np.int64, copy=False).view()
    array.flags.writeable = False
    if array.size and not 0 <= array.min() <= array.max() < stop:
        raise ValueError(f"{name} must be from 0 to {name}s - 1 = {stop - 1}, got {array.min()} to {array.max()}")
    return array


def _indices(examples: ArrayLike) -> NDArray[np.int64 | np.bool_]:
    array = np.asarray(examples)
    if array.ndim != 1:
        raise ValueError(f"examples must be a slice or one-dimensional, got shape {array.shape}")
    return array if array.size else array.astype(np.int64)
