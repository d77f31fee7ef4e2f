"""Spiking networks in Julia: a description is built once, and a whole set of examples is one call of a kernel."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from sharpwave.equations.encoding import Writer
from sharpwave.equations.operations import OPCODES
from sharpwave.equations.tree import ordered
from sharpwave_bridge import call, session

from .connections import Connection, LateralInhibition
from .events import Spikes
from .network import Network
from .plasticity import REDUCTIONS, Change, Plasticity, Trace
from .populations import Input, Population
from .programs import UnitProgram
from .request import Outcome, Request
from .state import State

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
_SOURCES = {"events": 1, "poisson": 2, "bernoulli": 3}
_keys = itertools.count(1)


def simulate(request: Request) -> Outcome:
    """Run a request; see `Network.run`.

    Raises:
        KernelError: the kernel refused an argument.
        JuliaUnavailableError: there is no Julia.
    """
    network = request.network
    names = list(network.populations)
    neurons = [name for name in names if name not in network.inputs]
    weights = _flat([request.state.weights[name] for name in network.weighted])
    columns = _columns(request)
    example, step, unit = request.events
    recorded = np.array([name in request.recorded for name in names], dtype=np.int64)
    counted = np.array([name in neurons for name in names], dtype=np.int64)
    monitors, units, values = _monitors(request)
    monitored = np.empty((request.examples, values))
    summary = np.empty((request.examples, len(names) + 2), np.int64)
    counts = np.empty((request.examples, sum(network.populations[name].units for name in neurons)), np.int32)
    kept, key = np.zeros(len(names), np.int64), next(_keys)
    wanted, watched, scales = 0, 0, np.ones(1)
    if request.repeat is not None:
        wanted, watched = request.repeat.spikes, names.index(request.repeat.population) + 1
        scales = np.array(request.repeat.scales, dtype=np.float64)
    sizes = (request.examples, request.first_example, request.batch, request.steps, request.input_steps, request.seed)
    numbers = np.array([*sizes, request.learning, request.threads, key, wanted, watched], dtype=np.int64)
    with _built(network, 64 if request.precision == "double" else 32) as handle:
        call(
            "simulate_spiking",
            handle,
            numbers,
            network.dt,
            scales,
            weights,
            columns,
            _initial(request),
            request.rates,
            np.searchsorted(example, np.arange(request.examples + 1)),
            step.astype(np.int32),
            unit.astype(np.int32),
            request.reward,
            recorded,
            counted,
            monitors,
            units,
            monitored,
            summary,
            counts,
            kept,
            progress=request.watch,
        )
    bounds = np.cumsum([0, *(network.populations[name].units for name in neurons)])
    return Outcome(
        _state(request, weights, columns) if request.learning else request.state,
        _spikes(request, kept, key),
        {name: counts[:, bounds[k] : bounds[k + 1]] for k, name in enumerate(neurons)},
        summary[:, : len(names)],
        summary[:, -2].copy(),
        summary[:, -1] == 1,
        _traces(request, monitored),
        f"julia {session().runtime.version} ({session().runtime.name})",
    )


@contextmanager
def _built(network: Network, bits: int) -> Iterator[int]:
    handle = np.zeros(1, np.int64)
    call("spiking_network", bits, handle)
    number = int(handle[0])
    try:
        places = {name: k + 1 for k, name in enumerate(network.populations)}
        for name in network.populations:
            _add_population(network, name, number, bits)
        for name, connection in network.connections.items():
            ends = places[connection.pre], places[connection.post]
            channel = network.programs[connection.post].targets.index(connection.target) + 1
            if isinstance(connection, LateralInhibition):
                group = connection.group or network.populations[connection.post].units
                call("spiking_lateral", number, np.array([*ends, channel, group], np.int64), float(connection.weight))
            else:
                _add_connection(network, name, connection, number, (*ends, channel), bits)
        yield number
    finally:
        call("spiking_release", number)


def _add_population(network: Network, name: str, handle: int, bits: int) -> None:
    population = network.populations[name]
    traces = np.array([[_decay(t, network.dt), t.on_spike == "add"] for t in network.traces[name]], np.float64)
    traces = traces.reshape(-1, 2)
    if isinstance(population, Input):
        numbers = np.array([population.units, _SOURCES[population.source], *(0,) * 7], np.int64)
        empty = np.zeros(0)
        call("spiking_population", handle, numbers, np.zeros(2, np.int64), empty, empty, np.zeros(2), traces)
        return
    program = network.programs[name]
    flags = program.uniform, program.step.timed, population.one_spike, program.homeostasis is not None
    sizes = len(program.states), len(program.targets), len(program.columns)
    call(
        "spiking_population",
        handle,
        np.array([population.units, 0, *sizes, *flags], np.int64),
        np.array([_compiled(program.step, bits), _compiled(program.reset, bits)], np.int64),
        program.step.scalars,
        program.reset.scalars,
        np.array(program.homeostasis or (0.0, 1.0)),
        traces,
    )


def _compiled(program: UnitProgram, bits: int) -> int:
    handle = np.zeros(1, np.int64)
    call("compile_unitwise", bits, program.code, program.values, handle)
    return int(handle[0])


def _add_connection(
    network: Network, name: str, connection: Connection, handle: int, places: tuple[int, int, int], bits: int
) -> None:
    blocks, (kind, delays) = network.blocks[name], network.delays[name]
    numbers = np.array([*places, connection.weights.size, kind, blocks.length, connection.copies_winner], np.int64)
    call(
        "spiking_connection",
        handle,
        numbers,
        blocks.offset,
        blocks.first_entry,
        blocks.entry_pre,
        blocks.entry_weight,
        delays,
        float(connection.norm or 0.0),
    )
    rule = connection.plasticity
    if rule is not None:
        _add_rule(network, connection, rule, handle, bits)


def _add_rule(network: Network, connection: Connection, rule: Plasticity, handle: int, bits: int) -> None:
    pre = [network.traces[connection.pre].index(t) + 1 for t in rule.pre_traces.values()]
    post = [network.traces[connection.post].index(t) + 1 for t in rule.post_traces.values()]
    (on_pre, pre_scalars), (on_post, post_scalars) = (
        _rule_program(rule.pre_change, bits),
        _rule_program(rule.post_change, bits),
    )
    reduction = REDUCTIONS.index(rule.reduction)
    sides = ((on_pre, rule.pre_change), (on_post, rule.post_change))
    numbers = [reduction, *(n for program, change in sides for n in (program, change.sparse, change.simple))]
    eligibility = float(np.exp(-network.dt / rule.eligibility)) if rule.eligibility else 0.0
    call(
        "spiking_rule",
        handle,
        np.array(numbers, np.int64),
        _own_traces(rule.pre_change, pre),
        np.array(post, np.int64),
        _own_traces(rule.post_change, post),
        np.array(pre, np.int64),
        pre_scalars,
        post_scalars,
        np.array([rule.pre_change.sign, rule.post_change.sign]),
        np.array(rule.bounds, np.float64),
        eligibility,
    )


def _own_traces(change: Change, places: list[int]) -> Integers:
    """Traces of the side that spikes, then the same before the spike (negative); 0 for those that are not read."""
    read = {int(part.value) for part in ordered([change.node]) if part.operation == "variable"}
    first = 1 + len(change.other)
    return np.array([k if first + n in read else 0 for n, k in enumerate([*places, *(-k for k in places)])], np.int64)


def _rule_program(change: Change, bits: int) -> tuple[int, Array]:
    """The program of a change, and its numbers: arrays are w, traces of the other side, change; all else is numbers."""
    if change.node is change.tree.zero:
        return 0, np.zeros(0)
    writer = Writer(())
    value = writer.write([change.node])[0]
    code = np.array(list(writer.rows), np.int64).reshape(-1, 4)
    arrays = 1 + len(change.other)
    number = (code[:, 0] == OPCODES["variable"]) & (code[:, 1] >= arrays)
    code[number, 1] += len(writer.constants) - arrays
    code[number, 0] = OPCODES["constant"]
    handle = np.zeros(1, np.int64)
    call("compile_unitwise", bits, code, np.array([[arrays, value]], np.int64), handle)
    return int(handle[0]), np.array(list(writer.constants), np.float64)


def _decay(trace: Trace, dt: float) -> float:
    return float(np.exp(-dt / trace.tau))


def _flat(arrays: list[Array]) -> Array:
    return np.concatenate([np.zeros(0), *(array.ravel() for array in arrays)])


def _columns(request: Request) -> Array:
    """By population: the shared variable, then the parameters that differ between units."""
    found = []
    for name, population in request.network.populations.items():
        if isinstance(population, Population):
            shared = [request.state.shared[name]] if population.model.shared else []
            found += [*shared, *population.varied.values()]
    return _flat(found)


def _initial(request: Request) -> Array:
    """Initial values by population, state and unit: of all examples, or of each, (1 or examples, states)."""
    network = request.network
    common = _flat([np.repeat(p.initial, network.populations[name].units) for name, p in network.programs.items()])
    if not request.initial:
        return common[None]
    values, at = np.tile(common, (request.examples, 1)), 0
    for name, program in network.programs.items():
        units = network.populations[name].units
        for k, variable in enumerate(program.states):
            if (name, variable) in request.initial:
                values[:, at + k * units : at + (k + 1) * units] = request.initial[name, variable]
        at += len(program.states) * units
    return values


def _monitors(request: Request) -> tuple[Integers, NDArray[np.int32], int]:
    names, rows, values = list(request.network.populations), [], 0
    for m in request.monitors:
        program = request.network.programs[m.population]
        array = m.position + 1 if m.kind == "state" else len(program.states) + len(program.targets) + 1
        rows.append([names.index(m.population) + 1, array, m.every, len(m.units)])
        values += (request.steps // m.every) * len(m.units)
    units = np.concatenate([np.zeros(0, np.int64), *(m.units for m in request.monitors)]).astype(np.int32)
    return np.array(rows, np.int64).reshape(-1, 4), units, values


def _traces(request: Request, monitored: Array) -> list[Array]:
    found, at = [], 0
    for m in request.monitors:
        shape = request.examples, request.steps // m.every, len(m.units)
        size = shape[1] * shape[2]
        found.append(monitored[:, at : at + size].reshape(shape))
        at += size
    return found


def _state(request: Request, weights: Array, columns: Array) -> State:
    found, at = {}, 0
    for name, connection in request.network.weighted.items():
        size = connection.weights.size
        found[name] = weights[at : at + size].reshape(connection.weights.shape)
        at += size
    shared, at = {}, 0
    for name, population in request.network.populations.items():
        if isinstance(population, Population):
            if population.model.shared:
                shared[name] = columns[at : at + population.units].copy()
            at += population.units * len(request.network.programs[name].columns)
    return State(found, shared)


def _spikes(request: Request, kept: Integers, key: int) -> dict[str, Spikes]:
    network, found = request.network, {}
    for n, name in enumerate(request.recorded):
        number = int(kept[list(network.populations).index(name)])
        first = np.zeros(request.examples + 1, np.int64)
        step, unit = np.zeros(number, np.int32), np.zeros(number, np.int32)
        call("fetch_spikes", key, n + 1, int(n + 1 == len(request.recorded)), first, step, unit)
        example = np.repeat(np.arange(request.examples), np.diff(first))
        found[name] = Spikes(
            example, step.astype(np.int64), unit.astype(np.int64), request.examples, request.steps,
            network.populations[name].units, network.dt,
        )  # fmt: skip
    return found
