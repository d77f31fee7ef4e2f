"""Spiking networks in plain PyTorch: the oracle of the Julia kernels, and what stands in where there is no Julia.

The same description runs in the same order of events with the same random numbers, but dense: every array has an axis
of examples, every connection is a matrix, and Python loops over steps, connections and populations only (and, where
weights are shared, over the spikes that change them). Tensors are float64 on torch's default device.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .connections import LateralInhibition
from .drawing import input_spikes
from .events import Spikes
from .request import Outcome, Request, Watched
from .state import State
from .torch_layers import AnyLayer, InputLayer, Layer, NeuronLayer, tensor
from .torch_synapses import Synapses

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Events = tuple[Integers, Integers, Integers]
_LARGEST = 2**28  # bytes of arrivals under way in examples that run side by side though they do not learn


def simulate(request: Request) -> Outcome:
    """Run a request; see `Network.run`."""
    with torch.inference_mode():
        return _Run(request).outcome()


class _Run:
    """A run under way: what examples share, and what they leave."""

    def __init__(self, request: Request) -> None:
        network, examples = request.network, request.examples
        self.request, self.network, self.names = request, network, list(network.populations)
        self.synapses = {name: Synapses(request, name) for name in network.weighted}
        self.shared = {name: tensor(values) for name, values in request.state.shared.items()}
        self.slots = {
            name: max([1, *(self.synapses[n].slots for n, c in network.weighted.items() if c.post == name)])
            for name in network.programs
        }
        self.reward = tensor(request.reward if request.reward.size else np.zeros((examples, 1)))
        self.events: dict[str, list[Events]] = {name: [] for name in request.recorded}
        self.counts = {
            name: np.zeros((examples, network.populations[name].units), np.int32) for name in network.programs
        }
        self.totals = np.zeros((examples, len(self.names)), np.int64)
        self.presentations = np.zeros(examples, np.int64)
        self.finite = np.ones(examples, np.bool_)
        self.traces = [np.zeros((examples, request.steps // m.every, len(m.units))) for m in request.monitors]

    def outcome(self) -> Outcome:
        request = self.request
        batch = request.batch if request.learning else self._side_by_side()
        for first in range(0, request.examples, batch):
            present = np.arange(first, min(first + batch, request.examples))
            for presentation, scale in enumerate(request.repeat.scales if request.repeat else (1.0,)):
                done = self._present(present, presentation, scale)
                present = present[~done]
                if not len(present):
                    break
            if request.watch is not None:
                request.watch(min(first + batch, request.examples), request.examples)
        state = request.state
        if request.learning:
            weights = {name: synapses.learnt() for name, synapses in self.synapses.items()}
            state = State(weights, {name: values.cpu().numpy() for name, values in self.shared.items()})
        spikes = {name: self._spikes(name) for name in request.recorded}
        backend = f"torch {torch.__version__}"
        return Outcome(state, spikes, self.counts, self.totals, self.presentations, self.finite, self.traces, backend)

    def _side_by_side(self) -> int:
        sizes = [
            8 * self.network.populations[name].units * self.slots[name] * max(1, len(program.targets))
            for name, program in self.network.programs.items()
        ]
        return max(1, min(self.request.examples, _LARGEST // max([1, *sizes])))

    def _present(self, present: Integers, presentation: int, scale: float) -> NDArray[np.bool_]:
        """Present some examples; which of them are done with."""
        request = self.request
        drawn = input_spikes(request, present, presentation, scale)
        layers: dict[str, AnyLayer] = {
            name: InputLayer(request, name, present, drawn[name])
            if name in drawn
            else NeuronLayer(request, name, present, self.shared.get(name), self.slots[name])
            for name in self.names
        }
        for synapses in self.synapses.values():
            synapses.present(len(present))
        events: dict[str, list[Events]] = {name: [] for name in request.recorded}
        traces = [np.zeros((len(present), *values.shape[1:])) for values in self.traces]
        for step in range(1, request.steps + 1):
            self._advance(layers, step)
            for name, found in events.items():
                found.append(_events(layers[name], present, step))
            for monitor, values in zip(request.monitors, traces, strict=True):
                if step % monitor.every == 0:
                    values[:, step // monitor.every - 1] = self._watched(monitor, layers)
            if request.learning:
                self._learn(layers, present, step)
        if request.learning:
            for synapses in self._plastic():
                synapses.settle(layers[synapses.connection.post])
        return self._finish(layers, present, presentation, events, traces)

    def _advance(self, layers: dict[str, AnyLayer], step: int) -> None:
        """Arrivals of the last step's spikes, then new states, spikes and traces. Steps count from 1."""
        for name, connection in self.network.connections.items():
            pre, post = layers[connection.pre], layers[connection.post]
            assert isinstance(post, NeuronLayer)
            if name in self.synapses:
                self.synapses[name].deliver(pre, post, step)
            elif isinstance(connection, LateralInhibition):
                grouped = pre.spikes.view(len(pre.spikes), -1, connection.group or pre.shape[1])
                others = (grouped.sum(2, keepdim=True) - grouped).view(pre.shape)
                target = post.program.targets.index(connection.target)
                post.arrivals[target, post.slot(step)] += connection.weight * others
        for layer in layers.values():
            layer.advance(step)
            layer.note_spikes(step)

    def _plastic(self) -> list[Synapses]:
        return [s for s in self.synapses.values() if s.connection.plasticity is not None]

    def _learn(self, layers: dict[str, AnyLayer], present: Integers, step: int) -> None:
        reward = self.reward[present, min(step, self.reward.shape[1]) - 1]
        for synapses in self._plastic():
            connection = synapses.connection
            synapses.learn(layers[connection.pre], layers[connection.post], reward, step)
        for name, shared in self.shared.items():
            homeostasis = self.network.programs[name].homeostasis
            assert homeostasis is not None
            shared *= homeostasis.decay
            shared += homeostasis.increment * layers[name].crossed.to(shared.dtype).sum(0)

    def _watched(self, monitor: Watched, layers: dict[str, AnyLayer]) -> Array:
        layer = layers[monitor.population]
        assert isinstance(layer, NeuronLayer)
        values = layer.states[monitor.position] if monitor.kind == "state" else self.shared[monitor.population]
        return _numpy(values.expand(layer.shape))[:, monitor.units]

    def _finish(
        self,
        layers: dict[str, AnyLayer],
        present: Integers,
        presentation: int,
        events: dict[str, list[Events]],
        traces: list[Array],
    ) -> NDArray[np.bool_]:
        """Keep what the examples leave that need no further presentation."""
        repeat = self.request.repeat
        done: NDArray[np.bool_] = np.ones(len(present), np.bool_)
        if repeat is not None and presentation + 1 < len(repeat.scales):
            done = np.greater_equal(layers[repeat.population].counts.sum(1).cpu().numpy(), repeat.spikes)
        kept = present[done]
        for name, parts in events.items():
            self.events[name] += [tuple(array[np.isin(part[0], kept)] for array in part) for part in parts]  # type: ignore[misc]
        for position, (name, layer) in enumerate(layers.items()):
            counts = layer.counts.cpu().numpy()[done]
            self.totals[kept, position] = counts.sum(axis=1)
            if isinstance(layer, NeuronLayer):
                self.counts[name][kept] = counts
                for values in layer.states:
                    self.finite[kept] &= values.isfinite().all(1).cpu().numpy()[done]
        self.presentations[kept] = presentation + 1
        for everything, mine in zip(self.traces, traces, strict=True):
            everything[kept] = mine[done]
        return done

    def _spikes(self, name: str) -> Spikes:
        example, step, unit = (np.concatenate(parts) for parts in zip(*self.events[name], strict=True))
        order = np.lexsort((unit, step, example))
        units = self.network.populations[name].units
        request = self.request
        return Spikes(example[order], step[order], unit[order], request.examples, request.steps, units, self.network.dt)


def _numpy(values: Tensor) -> Array:
    array: Array = values.cpu().numpy()
    return array


def _events(layer: Layer, present: Integers, step: int) -> Events:
    """Example, step and unit of each spike of a layer in a step."""
    example, unit = (places.cpu().numpy() for places in torch.nonzero(layer.spikes, as_tuple=True))
    times = layer.spikes.cpu().numpy()[example, unit].astype(np.int64)
    example, unit = np.repeat(present[example], times), np.repeat(unit, times)
    return example, np.full(len(example), step - 1), unit
