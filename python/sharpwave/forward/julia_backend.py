"""Rates in Julia: one call for an epoch."""

from __future__ import annotations

from typing import Any

import numpy as np

from sharpwave_bridge import call

from .epoch import Epoch, Settled, Work, split
from .rates import Array, RateNetwork, Settling, Weights


def learn(work: Work, weights: Weights, kept: Array | None) -> Epoch:
    """Change weights, and the states that examples settled to last, (examples, units), in place.

    Raises:
        KernelError: the kernel refused an argument.
    """
    network, settling, nudging = work.network, work.settling, work.nudging
    batches, layers = len(work.order), len(network.sizes) - 1
    flat, biases = _flat(weights)
    held = np.empty((0, len(biases)), dtype=weights.dtype) if kept is None else kept
    found = Epoch(
        np.zeros(batches, dtype=np.int64), np.zeros(batches), np.zeros((batches, layers)),
        np.zeros(batches, dtype=np.int64), None,
    )  # fmt: skip
    stopped = np.empty(2, dtype=np.int64)
    both, contrastive = nudging.sides == "both", nudging.rule == "contrastive"
    flags = [settling.clipped, nudging.constant, both, contrastive]
    call(
        _name("learn_rates", weights),
        np.array([settling.free_steps, settling.nudged_steps, *flags, 0]),
        np.array([settling.step, settling.tolerance, nudging.weight_decay]),
        *_network(network),
        np.array([link.rate for link in network.links]),
        np.array(network.bias_rates, dtype=np.float64),
        work.order, work.factors, work.betas, work.inputs, work.targets, flat, biases, held,
        found.wrong, found.distance, found.change, found.steps, stopped,
    )  # fmt: skip
    at = 0
    for w in weights.links:
        w[...] = flat[at : at + w.size].reshape(w.shape)
        at += w.size
    for b, part in zip(weights.biases, np.split(biases, np.cumsum(network.sizes[1:])[:-1]), strict=True):
        b[...] = part
    return found._replace(lost=None if stopped[0] < 0 else (int(stopped[0]), int(stopped[1])))


def settle(network: RateNetwork, settling: Settling, weights: Weights, inputs: Array, batch: int) -> Settled:
    """Where states settle freely to."""
    batches, layers = -(-len(inputs) // batch), len(network.sizes) - 1
    flat, biases = _flat(weights)
    states = np.empty((len(inputs), len(biases)), dtype=weights.dtype)
    change, steps = np.empty((batches, layers)), np.empty(batches, dtype=np.int64)
    call(
        _name("settle_rates", weights),
        np.array([settling.free_steps, settling.clipped, batch, 0]),
        np.array([settling.step, settling.tolerance]),
        *_network(network), inputs, flat, biases, states, change, steps,
    )  # fmt: skip
    return Settled(split(states, network.sizes), change, steps)


def _network(network: RateNetwork) -> tuple[Any, Any]:
    links = [(link.source, link.target) for link in network.links]
    return np.array(network.sizes, dtype=np.int64), np.array(links, dtype=np.int64)


def _flat(weights: Weights) -> tuple[Array, Array]:
    return np.concatenate([w.ravel() for w in weights.links]), np.concatenate(weights.biases)


def _name(kernel: str, weights: Weights) -> str:
    return kernel if weights.dtype == np.float32 else f"{kernel}_64"
