"""From what `Network.run` is given to a `Request`: everything is checked before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sharpwave.suggest import unknown

from .events import Spikes
from .network import Network
from .populations import Input, Population
from .request import Monitor, Precision, Repeat, Request, Watched
from .state import State

if TYPE_CHECKING:
    from collections.abc import Callable

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


def prepare(
    network: Network,
    inputs: Mapping[str, Any],
    duration: float,
    *,
    input_duration: float | None = None,
    learning: bool = False,
    batch: int = 1,
    state: State | None = None,
    seed: int = 0,
    first_example: int = 0,
    record: Any = None,
    monitors: Sequence[Monitor] = (),
    repeat: Repeat | None = None,
    reward: ArrayLike | None = None,
    initial: Mapping[tuple[str, str], ArrayLike] | None = None,
    threads: int | None = None,
    precision: Precision = "double",
    watch: Callable[[int, int], None] | None = None,
) -> Request:
    """Check what `Network.run` is given; see there."""
    steps = network.steps("duration", duration)
    if steps < 1:
        raise ValueError(f"duration must be at least one step of {network.dt:g} ms, got {duration:g} ms")
    input_steps = steps if input_duration is None else network.steps("input_duration", input_duration)
    if input_steps > steps:
        raise ValueError(
            f"input_duration must not be longer than the duration of {duration:g} ms, got {input_duration:g}"
        )
    for name, value, least in (("batch", batch, 1), ("first_example", first_example, 0), ("seed", seed, 0)):
        if not isinstance(value, (int, np.integer)) or value < least or value >= 2**63:
            raise ValueError(f"{name} must be a whole number from {least} on, got {value!r}")
    if precision not in ("double", "single"):
        raise ValueError(unknown("precision", precision, ("double", "single")))
    rates, events, examples = _inputs(network, inputs, steps)
    if not network.inputs and initial:
        examples = len(np.asarray(next(iter(initial.values()))))
        rates = np.zeros((examples, 0))
    names = tuple(n for n in network.populations if n not in network.inputs) if record is None else tuple(record)
    for name in names:
        if name not in network.populations:
            raise ValueError(f"record: {unknown('population', name, network.populations)}")
    if repeat is not None and repeat.population not in network.populations:
        raise ValueError(f"repeat: {unknown('population', repeat.population, network.populations)}")
    return Request(
        network,
        _state(network, state),
        examples,
        int(first_example),
        int(batch),
        steps,
        input_steps,
        int(seed),
        bool(learning),
        int(threads or 0),
        rates,
        events,
        tuple(n for n in network.populations if n in names),
        tuple(_watched(network, m, steps) for m in monitors),
        repeat,
        _reward(network, reward, examples, steps, learning),
        {key: _initial(network, key, values, examples) for key, values in (initial or {}).items()},
        precision,
        watch,
    )


def _inputs(
    network: Network, inputs: Mapping[str, Any], steps: int
) -> tuple[Array, tuple[Integers, Integers, Integers], int]:
    for name in inputs:
        if name not in network.inputs:
            raise ValueError(f"inputs: {unknown('input population', name, network.inputs)}")
    missing = [name for name in network.inputs if name not in inputs]
    if missing:
        raise ValueError(f"inputs: there is nothing for {', '.join(missing)}")
    if not network.inputs:
        return np.zeros((1, 0)), _sorted([], 0), 1
    columns: list[Array | None] = []
    events: list[tuple[Integers, Integers, Integers]] = []
    counts: dict[str, int] = {}
    first, draws = 0, False
    for name in network.inputs:
        population = network.populations[name]
        assert isinstance(population, Input)
        given = inputs[name]
        if population.source == "events":
            counts[name] = _check_events(network, name, population, given, steps)
            events.append((given.example, given.step, given.unit + first))
            columns.append(None)
        else:
            array = _rates(name, population, given)
            counts[name], draws = len(array), True
            columns.append(array)
        first += population.units
    if len(set(counts.values())) > 1:
        each = ", ".join(f"{name} has {count}" for name, count in counts.items())
        raise ValueError(f"inputs must have equally many examples; {each}")
    examples = next(iter(counts.values()))
    if examples == 0:
        raise ValueError("inputs have no examples: expected at least one")
    if not draws:
        return np.zeros((examples, 0)), _sorted(events, first), examples
    if len(columns) == 1 and columns[0] is not None:
        return columns[0], _sorted(events, first), examples
    parts = [
        np.zeros((examples, network.populations[name].units)) if column is None else column
        for name, column in zip(network.inputs, columns, strict=True)
    ]
    return np.concatenate(parts, axis=1), _sorted(events, first), examples


def _check_events(network: Network, name: str, population: Input, given: Any, steps: int) -> int:
    if not isinstance(given, Spikes):
        raise ValueError(f"inputs: {name} takes Spikes, got {type(given).__name__}: Spikes.from_dense makes them")
    if (given.units, given.steps) != (population.units, steps) or not math.isclose(given.dt, network.dt):
        raise ValueError(
            f"inputs: the spikes of {name} must have {population.units} units and {steps} steps of {network.dt:g} ms, "
            f"got {given}"
        )
    return given.examples


def _rates(name: str, population: Input, given: Any) -> Array:
    if isinstance(given, Spikes):
        raise ValueError(f"inputs: {name} draws its spikes: give rates, or make it Input({population.units}, 'events')")
    array = np.asarray(given)
    if array.dtype.kind not in "fiub" or array.ndim < 2 or math.prod(array.shape[1:]) != population.units:
        raise ValueError(
            f"inputs: {name} must be numbers (examples, {population.units}), got {array.dtype} of shape {array.shape}"
        )
    array = np.ascontiguousarray(array.reshape(len(array), population.units), dtype=np.float64)
    low, high = (array.min(), array.max()) if array.size else (0.0, 0.0)
    what, largest = ("a rate", np.inf) if population.source == "poisson" else ("a probability", 1.0)
    if not (low >= 0 and high <= largest and np.isfinite(high)):
        good = np.isfinite(array) & (array >= 0) & (array <= largest)
        example, unit = (int(k) for k in np.argwhere(~good)[0])
        limit = "finite and not negative" if population.source == "poisson" else "from 0 to 1"
        raise ValueError(
            f"inputs: {name}: {what} must be {limit}, got {array[example, unit]} for example {example}, unit {unit}; "
            "clip or replace such values (np.nan_to_num)"
        )
    return array


def _sorted(events: Sequence[tuple[Integers, Integers, Integers]], units: int) -> tuple[Integers, Integers, Integers]:
    if not events:
        return (np.zeros(0, np.int64),) * 3
    if len(events) == 1:
        return events[0]
    example, step, unit = (np.concatenate(parts) for parts in zip(*events, strict=True))
    order = np.lexsort((unit, step, example))
    return example[order], step[order], unit[order]


def _state(network: Network, state: State | None) -> State:
    if state is None:
        return network.initial_state()
    models = {n: p.model for n, p in network.populations.items() if isinstance(p, Population)}
    shapes: dict[str, dict[str, tuple[int, ...]]] = {
        "weights": {name: connection.weights.shape for name, connection in network.weighted.items()},
        "shared": {name: (network.populations[name].units,) for name, model in models.items() if model.shared},
    }
    found: dict[str, dict[str, Array]] = {"weights": {}, "shared": {}}
    for kind, parts in found.items():
        given = getattr(state, kind)
        for name in given:
            if name not in shapes[kind]:
                raise ValueError(f"state: {unknown(kind, name, shapes[kind])}")
        for name, shape in shapes[kind].items():
            if name not in given or np.shape(given[name]) != shape:
                got = np.shape(given[name]) if name in given else "nothing"
                raise ValueError(f"state: {kind} of {name!r} must be of shape {shape}, got {got}")
            parts[name] = np.array(given[name], dtype=np.float64)
            if not np.isfinite(parts[name]).all():
                raise ValueError(f"state: {kind} of {name!r} must be finite")
    return State(found["weights"], found["shared"])


def _watched(network: Network, monitor: Monitor, steps: int) -> Watched:
    population = network.populations.get(monitor.population)
    if not isinstance(population, Population):
        neurons = [n for n in network.populations if n not in network.inputs]
        raise ValueError(f"monitor: {unknown('population of neurons', monitor.population, neurons)}")
    program = network.programs[monitor.population]
    shared = [population.model.shared.name] if population.model.shared else []
    if monitor.variable not in (*program.states, *shared):
        raise ValueError(f"monitor: {unknown('variable', monitor.variable, (*program.states, *shared))}")
    if not 1 <= monitor.every <= steps:
        raise ValueError(f"monitor: every must be from 1 to {steps} steps, got {monitor.every}")
    units = np.arange(population.units) if monitor.units is None else np.array(monitor.units, dtype=np.int64)
    if units.ndim != 1 or not units.size or not 0 <= units.min() <= units.max() < population.units:
        raise ValueError(
            f"monitor: units of {monitor.population} must be from 0 to {population.units - 1}, got {units}"
        )
    if monitor.variable in program.states:
        place: tuple[Literal["state", "shared"], int] = "state", program.states.index(monitor.variable)
    else:
        place = "shared", 0
    return Watched(monitor.population, monitor.variable, *place, units, monitor.every)


def _reward(network: Network, reward: ArrayLike | None, examples: int, steps: int, learning: bool) -> Array:
    wanted = learning and any(c.plasticity and c.plasticity.rewarded for c in network.weighted.values())
    if reward is None:
        if wanted:
            raise ValueError("reward: a rule of this network needs one: (examples,) or (examples, steps)")
        return np.zeros((examples, 0))
    array = np.array(reward, dtype=np.float64)
    if array.shape not in ((examples,), (examples, steps)) or not np.isfinite(array).all():
        raise ValueError(
            f"reward must be finite numbers of shape ({examples},) or ({examples}, {steps}), got shape {array.shape}"
        )
    return array.reshape(examples, -1)


def _initial(network: Network, key: tuple[str, str], values: ArrayLike, examples: int) -> Array:
    name, variable = key
    if name not in network.programs:
        raise ValueError(f"initial: {unknown('population of neurons', name, network.programs)}")
    population = network.populations[name]
    assert isinstance(population, Population)
    states = [v.name for v in population.model.states]
    if variable not in states:
        raise ValueError(f"initial: {unknown('variable', variable, states)}")
    array = np.array(values, dtype=np.float64)
    if array.shape != (examples, population.units) or not np.isfinite(array).all():
        raise ValueError(
            f"initial: {variable} of {name} must be finite numbers (examples, units) = "
            f"({examples}, {population.units}), got shape {array.shape}"
        )
    return array
