"""Synapses in plain PyTorch: the weights of a connection as a dense matrix, delivery of spikes, and learning."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .connections import Connection
from .plasticity import Change
from .request import Request
from .torch_layers import Layer, NeuronLayer, expressions, tensor, zeros


class Synapses:
    """The synapses of a connection; their matrices are (presynaptic units, postsynaptic units).

    Attributes:
        weights: as the connection has them, but flat; last a 0 that stands for the synapses that there are not.
        place: where among them the weight of each pair of units is.
        shared: whether several synapses have one weight.
    """

    def __init__(self, request: Request, name: str) -> None:
        network = request.network
        connection = network.connections[name]
        assert isinstance(connection, Connection)
        self.connection, self.blocks = connection, network.blocks[name]
        self.shape = network.populations[connection.pre].units, network.populations[connection.post].units
        self.target = network.programs[connection.post].targets.index(connection.target)
        self.weights = tensor(np.append(request.state.weights[name], 0.0))
        pre, post, place = self.blocks.pairs()
        places = np.full(self.shape, connection.weights.size)
        places[pre, post] = place
        if (places < connection.weights.size).sum() < len(place):
            raise ValueError(
                f"connection {name!r} has several synapses between the same two units, which the torch backend cannot "
                "hold, for its weights are a matrix: add such weights up, or use the Julia backend"
            )
        self.place = tensor(places)
        self.shared = len(np.unique(place)) < len(place)
        self._where = {step: tensor(mask) for step, mask in self._delays(*network.delays[name], places).items()}
        self._matrices: dict[int, Tensor] = {}
        rule = connection.plasticity
        self._pre_traces = [network.traces[connection.pre].index(t) for t in rule.pre_traces.values()] if rule else []
        self._post_traces = (
            [network.traces[connection.post].index(t) for t in rule.post_traces.values()] if rule else []
        )
        self._eligibility_decay = np.exp(-network.dt / rule.eligibility) if rule and rule.eligibility else 0.0
        self.eligibility = zeros(0, 0)

    def _delays(self, kind: int, delays: NDArray[np.int64], places: NDArray[np.int64]) -> dict[int, NDArray[np.bool_]]:
        """For each delay in steps, which synapses have it."""
        each = np.append(delays, 0)[places] if kind == 2 else delays[:, None]
        return {int(step): np.broadcast_to(each == step, self.shape) for step in np.unique(delays)}

    @property
    def slots(self) -> int:
        """The longest delay in steps."""
        return max(self._where, default=1)

    def learnt(self) -> NDArray[np.float64]:
        """The weights in the connection's shape."""
        weights: NDArray[np.float64] = self.weights[:-1].cpu().numpy().copy()
        return weights.reshape(self.connection.weights.shape)

    def present(self, examples: int) -> None:
        """As before the first step of a batch."""
        wanted = self._eligibility_decay > 0
        self.eligibility = zeros(examples if wanted else 0, len(self.weights))

    def deliver(self, pre: Layer, post: NeuronLayer, step: int) -> None:
        """The spikes of the last step go on their way; those without a longer delay act in this one."""
        if not bool(pre.spikes.any()):
            return
        if not self._matrices:
            weights = self.weights[self.place]
            self._matrices = {delay: torch.where(mask, weights, 0.0) for delay, mask in self._where.items()}
        for delay, matrix in self._matrices.items():
            post.arrivals[self.target, post.slot(step - 1 + delay)] += pre.spikes @ matrix

    def learn(self, pre: Layer, post: Layer, reward: Tensor, step: int) -> None:
        """What the spikes of a step change."""
        rule = self.connection.plasticity
        assert rule is not None
        pre_traces = [pre.trace(k, step) for k in self._pre_traces]
        post_traces = [post.trace(k, step) for k in self._post_traces]
        before = [pre.trace_before(k) for k in self._pre_traces]
        self._change(rule.pre_change, pre, post, [post_traces, pre_traces, before], self.place, reward)
        before = [post.trace_before(k) for k in self._post_traces]
        self._change(rule.post_change, post, pre, [pre_traces, post_traces, before], self.place.T, reward)
        if self._eligibility_decay:
            everywhere = torch.arange(len(self.weights))
            self._move(everywhere, self._reduced(reward[:, None] * self.eligibility), everywhere < len(everywhere) - 1)
            self.eligibility *= self._eligibility_decay

    def _change(
        self,
        change: Change,
        spiking: Layer,
        other: Layer,
        traces: list[list[Tensor]],
        place: Tensor,
        reward: Tensor,
    ) -> None:
        """What one side's spikes change; here the spiking units are rows, and those of the other side columns."""
        if change.node is change.tree.zero:
            return
        others, own, before = traces
        units = _in_order(spiking.spikes)
        if not len(units):
            return
        # shared weights change for one spiking unit after the other, each of which has a weight only once
        for rows in units[:, None] if self.shared else (units,):
            times, places = spiking.spikes[:, rows], place[rows]
            variables = [
                self.weights[places],
                *(trace[:, None, :] for trace in others),
                *(trace[:, rows, None] for trace in (*own, *before)),
                reward[:, None, None],
            ]
            value = expressions([change.node], variables)[0]
            value = value[(None,) * (3 - value.ndim)]
            touched = places < len(self.weights) - 1
            if change.sparse:
                active = other.last > 0
                value = torch.where(active[:, None, :], value, 0.0)
                touched = touched & ((times > 0).to(torch.float64).T @ active.to(torch.float64) > 0)
            if self._eligibility_decay:
                each = change.sign * torch.where(times[:, :, None] > 0, times[:, :, None] * value, 0.0)
                self.eligibility.index_add_(1, places.ravel(), each.expand(-1, *places.shape).flatten(1))
            else:
                self._move(places, change.sign * self._reduced_over(times, value), touched)

    def _reduced_over(self, times: Tensor, value: Tensor) -> Tensor:
        """Changes (examples, rows, columns), as often as a unit spikes, reduced over the batch."""
        rule = self.connection.plasticity
        assert rule is not None
        if rule.reduction in ("sum", "mean") and value.shape[1] == 1 and bool(value.isfinite().all()):
            total = times.T @ value[:, 0].expand(len(times), -1)
            return total / len(times) if rule.reduction == "mean" else total
        return self._reduced(torch.where(times[:, :, None] > 0, times[:, :, None] * value, 0.0))

    def _reduced(self, changes: Tensor) -> Tensor:
        rule = self.connection.plasticity
        assert rule is not None
        match rule.reduction:
            case "max":
                return changes.amax(0)
            case "min":
                return changes.amin(0)
            case "mean":
                return changes.sum(0) / len(changes)
            case _:
                return changes.sum(0)

    def _move(self, places: Tensor, change: Tensor, touched: Tensor) -> None:
        """Add to the weights that are touched, all of them different, within the bounds."""
        rule = self.connection.plasticity
        assert rule is not None
        weights = self.weights[places]
        self.weights[places] = torch.where(touched, (weights + change).clamp(*rule.bounds), weights)
        self._matrices = {}

    def settle(self, post: Layer) -> None:
        """After a batch: weights scaled to their sum, winners copied."""
        if self.connection.norm is not None:
            self._normalise(post, self.connection.norm)
        if self.connection.copies_winner:
            self._copy_winners(post)
        self._matrices = {}

    def _normalise(self, post: Layer, norm: float) -> None:
        """Scale the weights of the units that the batch may have changed."""
        rule = self.connection.plasticity
        assert rule is not None
        changed = (post.counts > 0).any(0) if rule.pre_change.sparse else torch.ones(self.shape[1], dtype=torch.bool)
        weights = self.weights[self.place]
        sums = weights.abs().sum(0)
        if self.shared:  # units of one number in all groups have the same weights
            groups, length = len(self.blocks.offset), self.blocks.length
            changed = changed.view(groups, length).any(0).repeat(groups)
            sums = sums.view(groups, length)[0].repeat(groups)
        self.weights[self.place] = weights * torch.where(changed & (sums > 0), norm / sums, 1.0)

    def _copy_winners(self, post: Layer) -> None:
        """The units at one place of all groups take the weights of the one that spiked most, of equals the first."""
        groups, length = len(self.blocks.offset), self.blocks.length
        counts = post.counts.sum(0).view(groups, length).cpu().numpy()
        weights = self.weights[:-1].view(groups, -1, length)
        for unit in np.flatnonzero(counts.max(axis=0)):
            weights[:, :, unit] = weights[int(counts[:, unit].argmax()), :, unit].clone()


def _in_order(spikes: Tensor) -> Tensor:
    """The units that spike in any example: those of the last example first, as in the kernel."""
    _, units = torch.nonzero(spikes.flip(0), as_tuple=True)
    return torch.tensor(list(dict.fromkeys(units.tolist())), dtype=torch.int64)
