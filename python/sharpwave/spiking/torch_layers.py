"""Populations in plain PyTorch: states, spikes and traces of all examples of a batch, as (examples, units)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sharpwave.equations.evaluation import walk
from sharpwave.equations.tree import Node

from .drawing import InputSpikes
from .philox import NOISE_STREAM, SPIKE_STREAM, random_words, unit_interval
from .populations import Population
from .programs import UnitProgram
from .request import Request

Integers = NDArray[np.int64]


def tensor(array: NDArray[np.float64] | NDArray[np.int64] | NDArray[np.bool_]) -> Tensor:
    """A tensor with the numbers of an array, on torch's default device."""
    return torch.tensor(array)


def zeros(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.zeros(shape, dtype=dtype)


def expressions(roots: Sequence[Node], variables: Sequence[Tensor | float], time: float = 0.0) -> list[Tensor]:
    """The values of some expressions of variables by their number, whose shapes fit together."""

    def leaf(node: Node) -> Tensor:
        value = time if node.operation == "time" else variables[int(node.value)]
        return value if isinstance(value, Tensor) else torch.asarray(value, dtype=torch.float64)

    return walk(roots, leaf, torch)


class Layer:
    """What a population's spikes leave in the examples of a batch.

    Attributes:
        spikes: number of them in this step.
        crossed: whether a unit has crossed its threshold in this step; of an input, nothing.
        last: the step of a unit's last spike, from 1; 0 if there is none.
        counts: number of spikes up to now.
    """

    def __init__(self, request: Request, name: str, present: Integers) -> None:
        network = request.network
        self.shape = len(present), network.populations[name].units
        self.spikes = zeros(*self.shape)
        self.crossed = zeros(*self.shape, dtype=torch.bool)
        self.last = zeros(*self.shape, dtype=torch.int64)
        self.counts = zeros(*self.shape, dtype=torch.int64)
        self._traces = network.traces[name]
        self._decays = [
            tensor(np.cumprod([1.0, *[np.exp(-network.dt / trace.tau)] * request.steps])) for trace in self._traces
        ]
        self._values = [zeros(*self.shape) for _ in self._traces]
        self._before = [zeros(*self.shape) for _ in self._traces]

    def trace(self, number: int, step: int) -> Tensor:
        """A trace as it is after the spikes of this step."""
        return self._values[number] * self._decays[number][step - self.last]

    def trace_before(self, number: int) -> Tensor:
        """A trace as it was before the last spike of each unit."""
        return self._before[number]

    def note_spikes(self, step: int) -> None:
        spiking = self.spikes > 0
        if not bool(spiking.any()):
            return
        for number, trace in enumerate(self._traces):
            # of several spikes in one step the last one counts: it comes after the others
            before = self.trace(number, step) + (self.spikes - 1)
            if trace.on_spike == "set":
                before = torch.where(self.spikes > 1, 1.0, before)
            after = before + 1 if trace.on_spike == "add" else torch.ones_like(before)
            self._before[number] = torch.where(spiking, before, self._before[number])
            self._values[number] = torch.where(spiking, after, self._values[number])
        self.last = torch.where(spiking, step, self.last)
        self.counts += self.spikes.to(torch.int64)


class InputLayer(Layer):
    """A population whose spikes come from outside."""

    def __init__(self, request: Request, name: str, present: Integers, drawn: InputSpikes) -> None:
        super().__init__(request, name, present)
        self._drawn = drawn

    def advance(self, step: int) -> None:
        """Steps count from 1."""
        example, unit = self._drawn.at(step - 1)
        self.spikes = zeros(*self.shape)
        if len(unit):
            self.spikes.index_put_((tensor(example), tensor(unit)), torch.ones(1, dtype=torch.float64), accumulate=True)


class NeuronLayer(Layer):
    """A population of neurons.

    Attributes:
        states: by number, as its program takes them.
        arrivals: by target and slot, (targets, slots, examples, units); step t takes what slot t modulo their number
            holds.
        shared: the shared variable of its units, if it has one.
    """

    def __init__(self, request: Request, name: str, present: Integers, shared: Tensor | None, slots: int) -> None:
        super().__init__(request, name, present)
        population = request.network.populations[name]
        assert isinstance(population, Population)
        self.program, self.shared = request.network.programs[name], shared
        self.states = [
            tensor(request.initial[name, variable][present])
            if (name, variable) in request.initial
            else torch.full(self.shape, value, dtype=torch.float64)
            for variable, value in zip(self.program.states, self.program.initial, strict=True)
        ]
        self.arrivals = zeros(len(self.program.targets), slots, *self.shape)
        self._one_spike = population.one_spike
        self._varied = [tensor(values) for values in population.varied.values()]
        self._dt, self._seed = request.network.dt, request.seed
        self._examples = (present + request.first_example)[:, None]
        self._place = list(request.network.populations).index(name) + 1

    def slot(self, step: int) -> int:
        return step % self.arrivals.shape[1]

    def advance(self, step: int) -> None:
        """New states from those of the last step and what arrives in this one; then resets. Steps count from 1."""
        arrivals = self.arrivals[:, self.slot(step)].clone()
        self.arrivals[:, self.slot(step)] = 0.0
        fixed = [*([] if self.shared is None else [self.shared]), *self._varied]
        fixed += [self._uniform(step)] if self.program.uniform else []
        after = self._run(self.program.step, [*self.states, *arrivals, *fixed], step)
        self.crossed = after[-1] != 0
        self.states = after[:-1]
        self.spikes = self.crossed.to(torch.float64)
        if not bool(self.crossed.any()):
            return
        reset = self._run(self.program.reset, [*self.states, *arrivals, *fixed], step)
        changed = [position for position, _ in self.program.reset.outputs]
        for position, value in zip(changed[:-1], reset[:-1], strict=True):
            self.states[position] = torch.where(self.crossed, value, self.states[position])
        if self._one_spike:
            self._choose(step)

    def _run(self, program: UnitProgram, arrays: list[Tensor], step: int) -> list[Tensor]:
        values = expressions([node for _, node in program.outputs], arrays, step * self._dt)
        return [value.expand(self.shape) for value in values]

    def _uniform(self, step: int) -> Tensor:
        examples, units = self.shape
        blocks = np.arange(-(-units // 4))
        words = random_words(self._seed, NOISE_STREAM + self._place, self._examples, step, blocks)
        return tensor(np.moveaxis(unit_interval(words), 0, 2).reshape(examples, -1)[:, :units])

    def _choose(self, step: int) -> None:
        """Of the units that crossed only one spikes in each example."""
        word = random_words(self._seed, SPIKE_STREAM + self._place, self._examples[:, 0], step, 0)[0]
        chosen = (tensor(unit_interval(word)) * self.crossed.to(torch.float64).sum(1)).floor()
        number = self.crossed.cumsum(1) - 1
        self.spikes = (self.crossed & (number == chosen[:, None])).to(torch.float64)


AnyLayer = InputLayer | NeuronLayer
