"""Encoders: from rates, probabilities or intensities to the spikes of a population.

The drawn ones take a seed and the number of their first example: an example's spikes depend on its own numbers, the
seed and its place among all examples, and not on how the examples are split into batches. Populations that are to be
independent need different seeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import index
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .events import Array, Integers, Spikes

# Last word of the generator's counter. The engine's own numbers have 0 there, so that a seed in common does no harm.
_POISSON, _BERNOULLI = 1, 2
_COINS = 1 << 20  # tossed at once
_SILENT = "give 0 for a unit that is to be silent"

# Spikes of one example in order, each as step * units + unit.
_Draw: TypeAlias = Callable[[np.random.Generator, Array], Integers]


def poisson(rates: ArrayLike, duration: float, dt: float = 1.0, *, seed: int = 0, first_example: int = 0) -> Spikes:
    """Spikes of independent Poisson processes of constant rates.

    The gaps between spikes are exponential and time is continuous: spikes are put into steps only at the end, so that
    a unit may have several in one step, and the Fano factor is 1 at every rate.

    Args:
        rates: firing rates, Hz, 0 or more, (examples, units) or images (examples, height, width).
        duration: of every example, ms, a multiple of dt.
        dt: length of a time step, ms.
        seed: of the random numbers, 0 to 2^64 - 1.
        first_example: place of the first of these examples among all examples, for a batch of a larger set.

    Returns:
        The spikes; the pixels of images are units row by row.

    Raises:
        ValueError: a rate is negative or not finite, the duration is no multiple of dt, or the seed or a shape is out
            of range.

    Source:
        P. Dayan & L. F. Abbott, Theoretical Neuroscience (2001), 1.4: the homogeneous Poisson process.

    Example:
        >>> rates = np.array([[40.0, 0.0], [5.0, 80.0]])
        >>> spikes = poisson(rates, duration=100_000.0, seed=1)
        >>> bool((abs(spikes.rates() - rates) < 3).all())
        True
        >>> second = poisson(rates[1:], duration=100_000.0, seed=1, first_example=1)
        >>> second.step.tolist() == spikes.of([1]).step.tolist()
        True
    """
    wanted = _numbers("rates", rates)
    steps = _steps(duration, dt)

    def draw(rng: np.random.Generator, rate: Array) -> Integers:
        # One process of rate 1 on the units' expected numbers of spikes, laid end to end: each unit has its own part.
        end = np.cumsum(rate * (duration * 1e-3))
        place = _unit_process(rng, float(end[-1]))
        unit = np.searchsorted(end, place, side="right")
        begin = np.append(0.0, end)[unit]
        step = (place - begin) / (end[unit] - begin) * steps
        # A place just before a part's end may be rounded to it.
        return np.sort(np.minimum(step.astype(np.int64), steps - 1) * len(rate) + unit)

    return _drawn(wanted, draw, steps, dt, seed, first_example, _POISSON)


def bernoulli(
    probabilities: ArrayLike, duration: float, dt: float = 1.0, *, seed: int = 0, first_example: int = 0
) -> Spikes:
    """Spikes by a coin in every step: a unit spikes in it once with its probability, or not at all.

    With a probability p the Fano factor is 1 - p; for small p it is a Poisson process of rate p / dt.

    Args:
        probabilities: of a spike in a step, 0 to 1, (examples, units) or images (examples, height, width).
        duration: of every example, ms, a multiple of dt.
        dt: length of a time step, ms.
        seed: of the random numbers, 0 to 2^64 - 1.
        first_example: place of the first of these examples among all examples, for a batch of a larger set.

    Returns:
        The spikes; the pixels of images are units row by row.

    Raises:
        ValueError: a probability is not from 0 to 1, the duration is no multiple of dt, or the seed or a shape is out
            of range.

    Source:
        P. Dayan & L. F. Abbott, Theoretical Neuroscience (2001), 1.4: spikes in small steps with probability r dt.

    Example:
        >>> bernoulli([[0.0, 1.0]], duration=3.0).dense().tolist()
        [[[0, 1], [0, 1], [0, 1]]]
    """
    wanted = _numbers("probabilities", probabilities)
    _refuse("probabilities", wanted, wanted > 1, "from 0 to 1", "divide them, or give rates to `poisson`")
    steps = _steps(duration, dt)

    def draw(rng: np.random.Generator, probability: Array) -> Integers:
        units = len(probability)
        at_once = max(1, _COINS // units)
        heads = [
            start * units + np.flatnonzero(rng.random((min(at_once, steps - start), units)) < probability)
            for start in range(0, steps, at_once)
        ]
        return np.concatenate(heads)

    return _drawn(wanted, draw, steps, dt, seed, first_example, _BERNOULLI)


def latency(values: ArrayLike, duration: float, dt: float = 1.0, *, largest: float = 1.0) -> Spikes:
    """One spike of each unit, the earlier the larger its value; units of value 0 are silent.

    A value v spikes in step floor((1 - v / largest) duration / dt): the largest in the first step, values towards 0
    in the last.

    Args:
        values: 0 to `largest`, (examples, units) or images (examples, height, width).
        duration: of every example, ms, a multiple of dt.
        dt: length of a time step, ms.
        largest: value that spikes in the first step, such as 255 for images of bytes.

    Returns:
        The spikes; the pixels of images are units row by row.

    Raises:
        ValueError: a value is not from 0 to `largest`, which is not positive, the duration is no multiple of dt, or the
            shape is wrong.

    Source:
        S. R. Kheradpisheh & T. Masquelier, S4NN, arXiv 1910.09495: t = floor((I_max - I) t_max / I_max), with t_max
        just after the last step, so that value 0 does not spike.

    Example:
        >>> latency([[1.0, 0.75, 0.01, 0.0]], duration=8.0).dense()[0].argmax(axis=0).tolist()
        [0, 2, 7, 0]
        >>> latency([[1.0, 0.75, 0.01, 0.0]], duration=8.0).counts().tolist()
        [[1, 1, 1, 0]]
    """
    if not (math.isfinite(largest) and largest > 0):
        raise ValueError(f"largest must be positive and finite, got {largest:g}")
    wanted = _numbers("values", values)
    _refuse("values", wanted, wanted > largest, f"from 0 to {largest:g}", "divide them, or give their `largest`")
    steps = _steps(duration, dt)
    example, unit = np.nonzero(wanted)
    step = np.floor(steps - wanted[example, unit] * steps / largest).astype(np.int64)
    return _sorted(example, np.minimum(step, steps - 1), unit, (len(wanted), steps, wanted.shape[1]), dt)


def rank_order(values: ArrayLike, duration: float, dt: float = 1.0) -> Spikes:
    """One spike of each unit, in the order of their values, the largest first; units of value 0 are silent.

    Only the order counts: where an example has d different values above 0, those of rank r (0 for the largest) spike in
    step floor(r / d duration / dt). Equal values spike in the same step, and where there are more of them than steps,
    so do neighbours.

    Args:
        values: 0 or more, (examples, units) or images (examples, height, width).
        duration: of every example, ms, a multiple of dt.
        dt: length of a time step, ms.

    Returns:
        The spikes; the pixels of images are units row by row.

    Raises:
        ValueError: a value is negative or not finite, the duration is no multiple of dt, or the shape is wrong.

    Source:
        S. Thorpe & J. Gautrais, Rank order coding (1998), in: Computational Neuroscience: Trends in Research. That
        ranks are spread evenly over the duration is a choice made here.

    Example:
        >>> spikes = rank_order([[0.2, 0.0, 9.0, 0.3]], duration=6.0)
        >>> spikes.unit.tolist(), spikes.step.tolist()
        ([2, 3, 0], [0, 2, 4])
    """
    wanted = _numbers("values", values)
    steps = _steps(duration, dt)
    step = np.zeros(wanted.shape, dtype=np.int64)
    for row, place in zip(wanted, step, strict=True):
        different, rank = np.unique(-row[row > 0], return_inverse=True)
        place[row > 0] = rank * steps // max(1, len(different))
    example, unit = np.nonzero(wanted)
    return _sorted(example, step[example, unit], unit, (len(wanted), steps, wanted.shape[1]), dt)


def repeat(pattern: Spikes | ArrayLike, duration: float, dt: float | None = None) -> Spikes:
    """A pattern again and again: the same numbers of spikes in every step, or given spikes from their beginning.

    Args:
        pattern: number of spikes of each unit in each step, whole numbers or booleans, (examples, units) or images
            (examples, height, width); or the spikes of one period, repeated example by example.
        duration: of every example, ms, a multiple of dt and of the period.
        dt: length of a time step, ms; default 1, for spikes their own.

    Returns:
        The spikes; the pixels of images are units row by row.

    Raises:
        ValueError: the numbers are not whole or negative, the duration does not fit, dt is not that of the spikes, or
            the shape is wrong.

    Source:
        BindsNET's RepeatEncoder, which repeats the array; here its values are numbers of spikes.

    Example:
        >>> repeat([[0, 2, 1]], duration=2.0).dense().tolist()
        [[[0, 2, 1], [0, 2, 1]]]
        >>> repeat(Spikes([0], [1], [0], examples=1, steps=3, units=1, dt=0.5), duration=4.5).step.tolist()
        [1, 4, 7]
    """
    if isinstance(pattern, Spikes):
        period = pattern
        if dt is not None and dt != period.dt:
            raise ValueError(f"dt must be that of the spikes, {period.dt:g} ms, got {dt:g} ms: leave it out")
    else:
        array = _matrix("pattern", pattern)
        if array.dtype.kind == "f":
            raise ValueError(f"pattern must be whole numbers of spikes, got {array.dtype}: convert it, or draw spikes")
        _refuse("pattern", array, array < 0, "0 or more", _SILENT)
        period = Spikes.from_dense(array[:, None, :], 1.0 if dt is None else dt)
    steps = _steps(duration, period.dt)
    times, rest = divmod(steps, period.steps)
    if rest:
        length = period.steps * period.dt
        raise ValueError(f"duration must be a multiple of the pattern's {length:g} ms, got {duration:g} ms")
    step = np.arange(times)[:, None] * period.steps + period.step
    example, unit = (np.tile(events, times) for events in (period.example, period.unit))
    return _sorted(example, step.ravel(), unit, (period.examples, steps, period.units), period.dt)


def _matrix(name: str, values: ArrayLike) -> NDArray[Any]:
    """Numbers as given, images flattened, (examples, units)."""
    array = np.asarray(values)
    if array.dtype.kind not in "biuf" or array.ndim not in (2, 3) or 0 in array.shape[1:]:
        raise ValueError(
            f"{name} must be numbers (examples, units) or images (examples, height, width), "
            f"got {array.dtype} of shape {array.shape}"
        )
    return array.reshape(len(array), math.prod(array.shape[1:]))


def _numbers(name: str, values: ArrayLike) -> Array:
    """Finite numbers of 0 or more, images flattened, (examples, units)."""
    array = _matrix(name, values).astype(np.float64, copy=False)
    _refuse(name, array, ~((array >= 0) & (array < math.inf)), "0 or more and finite", _SILENT)
    return array


def _refuse(name: str, array: NDArray[Any], bad: NDArray[np.bool_], expected: str, advice: str) -> None:
    if bad.any():
        example, unit = (int(i) for i in np.unravel_index(int(bad.argmax()), bad.shape))
        raise ValueError(
            f"{name} must be {expected}, got {array[example, unit]:g} in example {example}, unit {unit}: {advice}"
        )


def _steps(duration: float, dt: float) -> int:
    if not (math.isfinite(dt) and dt > 0):
        raise ValueError(f"dt must be positive and finite, got {dt:g}")
    if not (math.isfinite(duration) and duration > 0):
        raise ValueError(f"duration must be positive and finite, got {duration:g} ms")
    steps = round(duration / dt)
    if not math.isclose(steps * dt, duration, rel_tol=1e-9):
        near = max(1, math.floor(duration / dt)), math.floor(duration / dt) + 1
        choice = " or ".join(dict.fromkeys(f"{number * dt:g} ms" for number in near))
        raise ValueError(f"duration must be a multiple of dt = {dt:g} ms, got {duration:g} ms: choose {choice}")
    return steps


def _unit_process(rng: np.random.Generator, length: float) -> Array:
    """Places of a Poisson process of rate 1 on a line, in order."""
    parts, reached = [np.empty(0)], 0.0
    while reached < length:
        room = length - reached
        parts.append(reached + np.cumsum(rng.standard_exponential(int(room + 4 * math.sqrt(room)) + 8)))
        reached = float(parts[-1][-1])
    places = np.concatenate(parts)
    return places[: np.searchsorted(places, length)]


def _drawn(values: Array, draw: _Draw, steps: int, dt: float, seed: int, first_example: int, encoder: int) -> Spikes:
    """The spikes of all examples, each drawn with a generator of its own."""
    if not 0 <= index(seed) < 2**64:
        raise ValueError(f"seed must be from 0 to 2^64 - 1, got {seed}")
    if not 0 <= index(first_example) <= 2**63 - len(values):
        raise ValueError(f"first_example must be 0 or more, got {first_example}")
    counter = np.array([0, 0, 0, encoder], dtype=np.uint64)
    cells = []
    for example, row in enumerate(values, index(first_example)):
        key = np.array([index(seed), example], dtype=np.uint64)
        cells.append(draw(np.random.Generator(np.random.Philox(counter=counter, key=key)), row))
    examples, units = values.shape
    lengths = np.array([len(cell) for cell in cells], dtype=np.int64)
    step, unit = np.divmod(np.concatenate([np.empty(0, dtype=np.int64), *cells]), units)
    return Spikes(np.repeat(np.arange(examples), lengths), step, unit, examples, steps, units, dt)


def _sorted(example: Integers, step: Integers, unit: Integers, shape: tuple[int, int, int], dt: float) -> Spikes:
    """Spikes from events in any order; the shape is (examples, steps, units)."""
    examples, steps, units = shape
    cell = np.sort((example * steps + step) * units + unit)
    rest, unit = np.divmod(cell, units)
    example, step = np.divmod(rest, steps)
    return Spikes(example, step, unit, examples, steps, units, dt)
