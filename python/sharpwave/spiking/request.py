"""What a run is asked for and what it returns, as the backends take and give it: checked, and in arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .events import Spikes
from .network import Network
from .state import State

if TYPE_CHECKING:
    from collections.abc import Callable

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Precision = Literal["double", "single"]


@dataclass(frozen=True)
class Monitor:
    """Keeps a variable of some units of a population, at the end of every so many steps.

    Args:
        population: name of the population.
        variable: a variable of its model.
        units: numbers of the units; None: all of them.
        every: steps from one sample to the next.
    """

    population: str
    variable: str
    units: Sequence[int] | None = None
    every: int = 1


@dataclass(frozen=True)
class Repeat:
    """Presents an example again, its rates scaled up, while fewer spikes than wanted come of it.

    Args:
        population: whose spikes are counted.
        spikes: wanted, at least.
        scales: factors of the rates, presentation by presentation. The last one counts, whatever comes of it.
    """

    population: str
    spikes: int = 5
    scales: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0)

    def __post_init__(self) -> None:
        if self.spikes < 1 or not self.scales or not all(s > 0 and math.isfinite(s) for s in self.scales):
            raise ValueError(f"expected at least one spike, and positive factors, got {self.spikes}, {self.scales}")


class Watched(NamedTuple):
    """A monitor, resolved: `kind` is `"state"` or `"shared"`, `position` its number among those."""

    population: str
    variable: str
    kind: Literal["state", "shared"]
    position: int
    units: Integers
    every: int


@dataclass(frozen=True, eq=False)
class Request:
    """A checked run; times are in steps.

    Attributes:
        rates: of all input units side by side, in the order of `network.inputs`, (examples, units); no column where no
            population draws its spikes.
        events: of all input populations that are given theirs: example, step, unit (among all input units), sorted.
        repeat: and the number of spikes wanted of it; scales `(1,)` without.
        reward: (examples, 0, 1 or steps).
        initial: of variables that are given by (population, variable), (examples, units).
    """

    network: Network
    state: State
    examples: int
    first_example: int
    batch: int
    steps: int
    input_steps: int
    seed: int
    learning: bool
    threads: int
    rates: Array
    events: tuple[Integers, Integers, Integers]
    recorded: tuple[str, ...]
    monitors: tuple[Watched, ...]
    repeat: Repeat | None
    reward: Array
    initial: Mapping[tuple[str, str], Array]
    precision: Precision
    watch: Callable[[int, int], None] | None = field(default=None)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a backend returns.

    Attributes:
        state: after the run.
        spikes: of the recorded populations.
        counts: spikes of each unit of each population of neurons, (examples, units).
        totals: spikes of each population, (examples, populations).
        presentations: of each example.
        finite: whether all states of an example were finite at its end.
        traces: of each monitor, (examples, samples, units).
        backend: what ran.
    """

    state: State
    spikes: Mapping[str, Spikes]
    counts: Mapping[str, NDArray[np.int32]]
    totals: Integers
    presentations: Integers
    finite: NDArray[np.bool_]
    traces: Sequence[Array]
    backend: str
