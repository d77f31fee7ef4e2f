"""Input spikes of a batch as the kernels draw them: from rates, probabilities or a caller's events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .philox import random_words, unit_interval
from .populations import Input
from .request import Request

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
_BLOCKS = 256  # of four numbers, drawn at once


class InputSpikes(NamedTuple):
    """Spikes of one input population in a batch by step: those of step t lie from `first[t]` to `first[t + 1]`."""

    first: Integers
    example: Integers
    unit: Integers

    def at(self, step: int) -> tuple[Integers, Integers]:
        """Place of the example in the batch, and unit, of each spike of a step, from 0."""
        these = slice(self.first[step], self.first[step + 1])
        return self.example[these], self.unit[these]


def input_spikes(request: Request, present: Integers, presentation: int, scale: float) -> dict[str, InputSpikes]:
    """The input of some examples.

    Args:
        request: the run.
        present: numbers of the examples, from 0.
        presentation: how often they were presented before; each time has random numbers of its own.
        scale: of the rates.
    """
    found, first_unit = {}, 0
    for position, (name, population) in enumerate(request.network.populations.items()):
        if not isinstance(population, Input):
            continue
        units = slice(first_unit, first_unit + population.units)
        if population.source == "events":
            parts = [_given(request, example, units) for example in present]
        else:
            place = population.source, position + 1
            parts = [_drawn(request, *place, int(example), units, presentation, scale) for example in present]
        found[name] = _by_step(parts, request.steps)
        first_unit += population.units
    return found


def _given(request: Request, example: int, units: slice) -> tuple[Integers, Integers]:
    first, last = np.searchsorted(request.events[0], [example, example + 1])
    step, unit = (part[first:last] for part in request.events[1:])
    mine = (unit >= units.start) & (unit < units.stop)
    return step[mine], unit[mine] - units.start


def _drawn(
    request: Request, source: str, stream: int, example: int, units: slice, presentation: int, scale: float
) -> tuple[Integers, Integers]:
    """Spikes of each unit in turn, by the gaps between them: exponential, or geometric for at most one a step."""
    rates = request.rates[example, units] * scale
    geometric = source == "bernoulli"
    with np.errstate(divide="ignore"):  # in steps; a gap is the mean one times a number that is exponential with mean 1
        mean = -1 / np.log1p(-np.minimum(rates, 1.0)) if geometric else 1000 / (rates * request.network.dt)
    gaps = _exponential(request, stream, example, presentation)
    found: list[tuple[int, int]] = []
    for unit in np.flatnonzero(rates).tolist():
        at, length = 0.0, float(mean[unit])
        while (step := (at := at + next(gaps) * length) // 1) < request.input_steps:
            found.append((int(step), unit))
            if geometric:
                at = step + 1
    pairs = np.array(found, dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _exponential(request: Request, stream: int, example: int, presentation: int) -> Iterator[float]:
    first = 0
    while True:
        blocks = np.arange(first, first + _BLOCKS)
        words = random_words(request.seed, stream, request.first_example + example, presentation, blocks)
        yield from (-np.log(unit_interval(words))).T.ravel().tolist()
        first += _BLOCKS


def _by_step(parts: list[tuple[Integers, Integers]], steps: int) -> InputSpikes:
    example = np.repeat(np.arange(len(parts)), [len(step) for step, _ in parts])
    step, unit = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    order = np.lexsort((unit, example, step))
    return InputSpikes(np.searchsorted(step[order], np.arange(steps + 1)), example[order], unit[order])
