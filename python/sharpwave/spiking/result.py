"""What a run of a spiking network returns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .events import Spikes
from .state import State

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure

    from .request import Outcome, Request

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Stats:
    """What a run cost and how active it was.

    Attributes:
        seconds: of the simulation.
        backend: what ran.
        examples, steps: of each example.
        rates: mean rate of each population, Hz.
        active: fraction of each population's units that spiked at all.
        presentations: of all examples, repeated ones counted again.
        synaptic_events: weights that were added, over all connections with weights, in the last presentations.
        finite: whether all states were.
        problems: what is likely wrong with a network that is dead or explodes; these were warnings too.
        seed: of the random numbers.
    """

    seconds: float
    backend: str
    examples: int
    steps: int
    rates: Mapping[str, float]
    active: Mapping[str, float]
    presentations: int
    synaptic_events: int
    finite: bool
    problems: tuple[str, ...]
    seed: int

    @classmethod
    def of(cls, request: Request, outcome: Outcome, seconds: float) -> Stats:
        network = request.network
        duration = request.steps * network.dt * 1e-3 * request.examples
        totals = dict(zip(network.populations, outcome.totals.sum(axis=0).tolist(), strict=True))
        events = 0
        for name, connection in network.weighted.items():
            blocks, units = network.blocks[name], network.populations[connection.pre].units
            events += round(totals[connection.pre] * len(blocks.entry_pre) * blocks.length / units)
        return cls(
            seconds,
            outcome.backend,
            request.examples,
            request.steps,
            {name: totals[name] / (p.units * duration) for name, p in network.populations.items()},
            {name: float((counts.any(axis=0)).mean()) for name, counts in outcome.counts.items()},
            int(outcome.presentations.sum()),
            events,
            bool(outcome.finite.all()),
            tuple(activity_problems(request, outcome)),
            request.seed,
        )


def activity_problems(request: Request, outcome: Outcome) -> Iterator[str]:
    """What is likely wrong with a network that is dead or explodes."""
    network = request.network
    if not outcome.finite.all():
        yield (
            f"states of {int((~outcome.finite).sum())} of {request.examples} examples are no longer finite: the "
            f"equations explode; take a smaller dt than {network.dt:g} ms, smaller weights, or another method"
        )
    totals = dict(zip(network.populations, outcome.totals.sum(axis=0).tolist(), strict=True))
    for name, population in network.populations.items():
        if name in network.inputs:
            if totals[name] == 0:
                yield f"no unit of the input {name} spiked: its rates are 0, or too small for the duration"
            continue
        crossing = network.programs[name].step.outputs[-1][1]
        if crossing.operation == "constant":
            continue  # units that are not meant to spike
        sources = {c.pre for c in network.connections.values() if c.post == name}
        if totals[name] == 0 and any(totals[source] for source in sources):
            yield (
                f"{name} is dead: none of its {population.units} units spiked in {request.examples} examples though "
                "spikes arrived; weights are too small or inhibitory, or the threshold is too high"
            )
        refractory = len(network.programs[name].states) and "refractory" in network.programs[name].states
        most = 1.0 if not refractory else 0.5
        if totals[name] > 0.5 * most * population.units * request.steps * request.examples and request.steps > 1:
            rate = totals[name] / (population.units * request.steps * request.examples)
            yield (
                f"{name} explodes: its units spike in {rate:.0%} of all steps; weights are too large, or inhibition or "
                "a refractory time is missing"
            )


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """What a set of examples evoked.

    Attributes:
        spikes: of the recorded populations, by name.
        counts: spikes of each unit of each population of neurons, int32 (examples, units), by name.
        state: weights and shared variables after the run; those before it if it did not learn.
        presentations: how often each example was presented, (examples,).
        traces: of each monitor, by (population, variable): xarray.DataArray with the axes example, time (ms), unit.
        stats: see `Stats`.
    """

    spikes: Mapping[str, Spikes]
    counts: Mapping[str, NDArray[np.int32]]
    state: State
    presentations: Integers
    traces: Mapping[tuple[str, str], xarray.DataArray]
    stats: Stats

    @classmethod
    def of(cls, request: Request, outcome: Outcome, stats: Stats) -> Result:
        traces = {}
        if request.monitors:
            import xarray

            for monitor, values in zip(request.monitors, outcome.traces, strict=True):
                times = (np.arange(values.shape[1]) + 1) * monitor.every * request.network.dt
                traces[monitor.population, monitor.variable] = xarray.DataArray(
                    values,
                    dims=("example", "time", "unit"),
                    coords={
                        "example": np.arange(request.examples) + request.first_example,
                        "time": ("time", times, {"units": "ms"}),
                        "unit": monitor.units,
                    },
                    name=monitor.variable,
                )
        return cls(outcome.spikes, outcome.counts, outcome.state, outcome.presentations, traces, stats)

    def plot_raster(self, example: int = 0, populations: tuple[str, ...] | None = None) -> Figure:
        """The spikes of an example over time, a panel for each population; see `sharpwave.spiking.figures`."""
        from .figures import plot_raster

        names = tuple(self.spikes) if populations is None else populations
        return plot_raster({name: self.spikes[name] for name in names}, example)

    def __repr__(self) -> str:
        rates = ", ".join(f"{name} {rate:.3g} Hz" for name, rate in self.stats.rates.items() if math.isfinite(rate))
        return (
            f"Result({self.stats.examples} examples of {self.stats.steps} steps in {self.stats.seconds:.3g} s: {rates})"
        )
