"""The description of a spiking network, checked when it is made, and the state that learning changes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sharpwave.equations.errors import EquationError
from sharpwave.suggest import unknown

from .connections import AnyConnection, Blocks, Connection, LateralInhibition, delay_steps, scaled
from .plasticity import Trace
from .populations import AnyPopulation, Input, Population
from .programs import PopulationProgram, population_program
from .state import State
from .units import quantity

if TYPE_CHECKING:
    from .request import Monitor, Repeat
    from .result import Result

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
LARGEST_BUFFER = 2**31  # bytes of arrivals under way, for one example


@dataclass(frozen=True, eq=False)
class Network:
    """A spiking network: populations, and connections between them. It does not change; `run` returns a new state.

    In a step first the spikes of the last step arrive (or of earlier ones, where there are delays), then all
    populations step in the order given, then weights learn from the spikes of this step.

    Args:
        populations: `Input` or `Population` by name.
        connections: connections by name.
        dt: time step, ms.

    Raises:
        ValueError: a name that is not known, sizes that do not fit, a delay that is no multiple of the step.
        EquationError: a model that does not fit the step, or connections onto variables that it does not have.

    Example:
        >>> from sharpwave.spiking import Dense, Spikes, lif
        >>> network = Network({"input": Input(3, "events"), "layer": Population(2, lif())},
        ...                   {"feedforward": Dense("input", "layer", np.full((3, 2), 20.0))})
        >>> spikes = Spikes.from_dense(np.ones((1, 5, 3), dtype=int), dt=1.0)
        >>> network.run({"input": spikes}, duration=5.0).spikes["layer"].step.tolist()
        [1, 1]
    """

    populations: Mapping[str, AnyPopulation]
    connections: Mapping[str, AnyConnection] = field(default_factory=dict)
    dt: float = 1.0
    programs: Mapping[str, PopulationProgram] = field(init=False, repr=False)
    blocks: Mapping[str, Blocks] = field(init=False, repr=False)
    delays: Mapping[str, tuple[int, Integers]] = field(init=False, repr=False)
    traces: Mapping[str, tuple[Trace, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        step = quantity("dt", self.dt).value
        if not step > 0:
            raise ValueError(f"dt must be a positive time in ms, got {self.dt!r}")
        if not self.populations:
            raise ValueError("populations: expected at least one, such as {'input': Input(784), ...}")
        for name, connection in self.connections.items():
            for end in (connection.pre, connection.post):
                if end not in self.populations:
                    raise ValueError(f"connection {name!r}: {unknown('population', end, self.populations)}")
            self._check_target(name, connection)
        found: dict[str, dict[str, Any]] = {"programs": {}, "blocks": {}, "delays": {}, "traces": {}}
        for name, population in self.populations.items():
            if isinstance(population, Population):
                targets = dict.fromkeys(c.target for c in self.connections.values() if c.post == name)
                program = population_program(population.model, tuple(targets), tuple(population.varied), step, name)
                found["programs"][name] = program
            found["traces"][name] = self._traces_of(name)
        for name, connection in self.connections.items():
            pre, post = (self.populations[end].units for end in (connection.pre, connection.post))
            if isinstance(connection, LateralInhibition):
                self._check_lateral(name, connection, pre, post)
                continue
            found["blocks"][name] = connection.blocks(pre, post)
            found["delays"][name] = delay_steps(name, connection, pre, step)
            self._check_buffer(name, connection, found["delays"][name][1], post)
        for attribute, value in {
            **found,
            "populations": dict(self.populations),
            "connections": dict(self.connections),
        }.items():
            object.__setattr__(self, attribute, MappingProxyType(value))
        object.__setattr__(self, "dt", step)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Names of the populations whose spikes come from outside."""
        return tuple(name for name, population in self.populations.items() if isinstance(population, Input))

    @cached_property
    def weighted(self) -> Mapping[str, Connection]:
        """The connections with weights."""
        return {name: c for name, c in self.connections.items() if isinstance(c, Connection)}

    @property
    def synapses(self) -> int:
        """Number of synapses with weights; those that share weights are counted one by one."""
        return sum(len(blocks.entry_pre) * blocks.length for blocks in self.blocks.values())

    @cached_property
    def _initial(self) -> State:
        weights = {
            name: scaled(c, self.blocks[name], c.weights.ravel()).reshape(c.weights.shape)
            for name, c in self.weighted.items()
        }
        shared = {}
        for name, population in self.populations.items():
            if isinstance(population, Population) and population.model.shared:
                value = population.model.initial_values[population.model.shared.name]
                shared[name] = np.full(population.units, value)
        return State(weights, shared)

    def initial_state(self) -> State:
        """Weights as described, scaled where the connection has a norm, and shared variables as they begin."""
        found = self._initial
        return State(
            {name: array.copy() for name, array in found.weights.items()},
            {name: array.copy() for name, array in found.shared.items()},
        )

    def run(
        self,
        inputs: Mapping[str, Any],
        duration: float,
        *,
        input_duration: float | None = None,
        learning: bool = False,
        batch: int = 1,
        state: State | None = None,
        seed: int = 0,
        first_example: int = 0,
        record: Sequence[str] | None = None,
        monitors: Sequence[Monitor] = (),
        repeat: Repeat | None = None,
        reward: ArrayLike | None = None,
        initial: Mapping[tuple[str, str], ArrayLike] | None = None,
        threads: int | None = None,
        precision: Literal["double", "single"] = "double",
        watch: Callable[[int, int], None] | None = None,
        backend: Literal["auto", "julia", "torch"] = "auto",
    ) -> Result:
        """Simulate a set of examples, each from the initial values on.

        Without learning every example is on its own. With it, the examples of a batch go from step to step together,
        and after each step weights and shared variables change, reduced over the batch, in place for all.

        Args:
            inputs: for each input population, by name, rates in Hz or probabilities of a spike in a step,
                (examples, units), or `Spikes`.
            duration: of an example, ms, a multiple of the step.
            input_duration: how long of it rates drive the inputs, ms; None: all of it.
            learning: whether weights and shared variables change.
            batch: examples that learn together; the last batch may be smaller.
            state: weights and shared variables to begin with; None: `initial_state()`.
            seed: of all random numbers.
            first_example: number of the first example: random numbers belong to seed, example and step, so that a set
                of examples may be run in parts.
            record: names of populations whose spikes are kept; None: all neurons, no inputs.
            monitors: `Monitor`s of variables.
            repeat: `Repeat`, to present examples again that evoke too few spikes.
            reward: of each example, (examples,), or of each step, (examples, steps), for rules that use it.
            initial: values at the beginning of each example, by (population, variable), (examples, units); a variable
                that does not move (`dI/dt = 0*pA/ms : pA`) is a constant input of the example.
            threads: at most so many; None: all of Julia's. The results do not depend on it.
            precision: of weights and states in the Julia kernel: `"single"` halves what is moved through memory.
            watch: called with (examples done, examples) about ten times a second.
            backend: `"julia"`; `"torch"`, dense and slow, for comparison; `"auto"`: Julia where there is one.

        Raises:
            ValueError: an input that does not fit, is negative or not finite; a time that is no multiple of the step.
        """
        from .running import run

        return run(
            self,
            inputs,
            duration,
            input_duration=input_duration,
            learning=learning,
            batch=batch,
            state=state,
            seed=seed,
            first_example=first_example,
            record=record,
            monitors=monitors,
            repeat=repeat,
            reward=reward,
            initial=initial,
            watch=watch,
            threads=threads,
            precision=precision,
            backend=backend,
        )

    def _check_target(self, name: str, connection: AnyConnection) -> None:
        population = self.populations[connection.post]
        if isinstance(population, Input):
            raise ValueError(f"connection {name!r}: {connection.post!r} is an input, whose spikes come from outside")
        states = [v.name for v in population.model.states]
        if connection.target not in states:
            raise EquationError(f"connection {name!r}: {unknown('target', connection.target, states)}")

    def _traces_of(self, name: str) -> tuple[Trace, ...]:
        """The distinct traces that plastic connections want of a population."""
        found: dict[Trace, None] = {}
        for connection in self.connections.values():
            rule = connection.plasticity if isinstance(connection, Connection) else None
            if rule is None:
                continue
            if connection.pre == name:
                found |= dict.fromkeys(rule.pre_traces.values())
            if connection.post == name:
                found |= dict.fromkeys(rule.post_traces.values())
        return tuple(found)

    def _check_lateral(self, name: str, connection: LateralInhibition, pre: int, post: int) -> None:
        group = connection.group or post
        if pre != post or post % group:
            raise ValueError(
                f"connection {name!r}: lateral inhibition needs populations of one size that is a multiple of the "
                f"group, got {pre} and {post} units, groups of {group}"
            )

    def _check_buffer(self, name: str, connection: Connection, steps: Integers, post: int) -> None:
        size = int(steps.max(initial=1)) * post * 8
        if size > LARGEST_BUFFER:
            longest = int(steps.max()) * self.dt
            raise ValueError(
                f"connection {name!r}: a delay of {longest:g} ms is longer than the buffer: {post} units need "
                f"{size / 2**30:.1f} GiB for each example, more than {LARGEST_BUFFER / 2**30:.0f}; choose a shorter "
                f"delay, or a longer step"
            )

    def steps(self, name: str, time: float) -> int:
        """A time in steps.

        Raises:
            ValueError: it is no multiple of the step, or negative.
        """
        if not (isinstance(time, (int, float, np.number)) and math.isfinite(time) and time >= 0):
            raise ValueError(f"{name} must be a time in ms, not negative, got {time!r}")
        count = round(time / self.dt)
        if not math.isclose(count * self.dt, time, rel_tol=1e-9, abs_tol=1e-12):
            raise ValueError(f"{name} must be a multiple of dt = {self.dt:g} ms, got {time:g} ms")
        return count
