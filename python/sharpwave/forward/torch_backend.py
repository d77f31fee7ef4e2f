"""Rates in torch: the same as in Julia, written plainly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from .epoch import Epoch, Settled, Work
from .rates import Array, RateNetwork, Settling, Weights

if TYPE_CHECKING:
    from torch import Tensor

    States = list[Tensor]  # of each layer after the input, (examples, units)


def learn(work: Work, weights: Weights, kept: Array | None) -> Epoch:
    """Change weights, and the states that examples settled to last, (examples, units), in place."""
    network, settling, nudging = work.network, work.settling, work.nudging
    links, biases = tensors(weights)
    inputs, targets = torch.from_numpy(np.asarray(work.inputs)), torch.from_numpy(np.asarray(work.targets))
    held = None if kept is None else torch.from_numpy(kept)
    batches, layers = len(work.order), len(network.sizes) - 1
    found = Epoch(
        np.zeros(batches, dtype=np.int64), np.zeros(batches), np.zeros((batches, layers)),
        np.zeros(batches, dtype=np.int64), None,
    )  # fmt: skip
    for place, (order, factor, beta) in enumerate(zip(work.order, work.factors, work.betas, strict=True)):
        some = torch.from_numpy(order[order >= 0])
        x, d = inputs[some], targets[some]
        constant = constants(network, links, biases, x)
        first = zeros(network, x) if held is None else list(torch.split(held[some], list(network.sizes[1:]), dim=1))
        free, change, steps = settle_states(network, settling, links, constant, first)
        found.change[place], found.steps[place] = change, steps
        found.wrong[place] = int((free[-1].argmax(1) != d.argmax(1)).sum())
        found.distance[place] = float((free[-1] - d).double().square().sum(1).mean())
        if held is not None:
            held[some] = torch.cat(free, dim=1)
        plus = minus = free
        if np.isfinite(change).all():
            plus, change, _ = nudged(work, links, constant, free, d, beta)
        if np.isfinite(change).all() and nudging.sides == "both":
            minus, change, _ = nudged(work, links, constant, free, d, -beta)
        if not np.isfinite(change).all():
            return found._replace(lost=(place, int(np.flatnonzero(~np.isfinite(change))[0])))
        span = 2 * beta if nudging.sides == "both" else beta
        _update(
            work, links, biases, x, d - free[-1].clamp(0, 1), (free, plus, minus), factor, factor / (span * len(some))
        )
    return found


def settle(network: RateNetwork, settling: Settling, weights: Weights, inputs: Array, batch: int) -> Settled:
    """Where states settle freely to."""
    links, biases = tensors(weights)
    found = []
    for x in torch.split(torch.from_numpy(np.asarray(inputs)), batch):
        constant = constants(network, links, biases, x)
        found.append(settle_states(network, settling, links, constant, zeros(network, x)))
    states = [np.concatenate([one[0][k].numpy() for one in found]) for k in range(len(network.sizes) - 1)]
    return Settled(states, np.array([one[1] for one in found]), np.array([one[2] for one in found]))


def constants(network: RateNetwork, links: Sequence[Tensor], biases: Sequence[Tensor], x: Tensor) -> States:
    """What drives each layer whatever the states: biases and the input x (examples, units)."""
    found = [bias.expand(len(x), -1) for bias in biases]
    for link, w in zip(network.links, links, strict=True):
        if link.source == 0:
            found[link.target - 1] = found[link.target - 1] + x @ w
    return found


def settle_states(
    network: RateNetwork, settling: Settling, links: Sequence[Tensor], constant: States, states: States,
    steps: int | None = None, leak: float = 1.0,
) -> tuple[States, list[float], int]:  # fmt: skip
    """States after a number of steps, or, if none is given, when they have settled; and the last changes.

    Args:
        network, settling: what settles, and how.
        links: weights.
        constant: see `constants`.
        states: to begin with.
        steps: None: until the tolerance is met, or the free steps are over.
        leak: of the outputs; what is more than 1 goes into the links from what they lack too.

    Returns:
        States; the largest change of each layer in the last step; the number of steps.
    """
    tolerance = settling.tolerance if steps is None and settling.tolerance else -1.0
    leaks, change, done = [1.0] * (len(states) - 1) + [leak], [np.inf], 0
    while done < (settling.free_steps if steps is None else steps) and max(change) > tolerance:
        done += 1
        active = [s.clamp(0, 1) for s in states]
        drive = list(constant)
        for link, w in zip(network.links, links, strict=True):
            if 0 < link.source <= len(states):
                drive[link.target - 1] = drive[link.target - 1] + active[link.source - 1] @ w
            elif link.source > len(states):
                drive[link.target - 1] = drive[link.target - 1] + (1 - leak) * active[-1] @ w
        moved = [s + settling.step * (u - k * s) for s, u, k in zip(states, drive, leaks, strict=True)]
        moved = [s.clamp(0, 1) for s in moved] if settling.clipped else moved
        change = [float((now - before).detach().abs().max()) for now, before in zip(moved, states, strict=True)]
        states = moved
    return states, change, done


def nudged(
    work: Work, links: Sequence[Tensor], constant: States, free: States, targets: Tensor, beta: float
) -> tuple[States, list[float], int]:
    """States to which the nudge takes those that settled freely."""
    lacking = targets - free[-1] if work.nudging.constant else targets
    pulled = [*constant[:-1], constant[-1] + 2 * beta * lacking]
    told = 2 * beta * (targets - free[-1].clamp(0, 1) if work.nudging.constant else targets)
    for link, w in zip(work.network.links, links, strict=True):
        if link.source > len(free):
            pulled[link.target - 1] = pulled[link.target - 1] + told @ w
    leak = 1.0 if work.nudging.constant else 1 + 2 * beta
    return settle_states(work.network, work.settling, links, pulled, free, work.settling.nudged_steps, leak)


def _update(
    work: Work, links: Sequence[Tensor], biases: Sequence[Tensor], x: Tensor, lacking: Tensor,
    states: tuple[States, States, States], decaying: float, factor: float,
) -> None:  # fmt: skip
    network = work.network
    free, plus, minus = ([x, *(s.clamp(0, 1) for s in some), lacking] for some in states)
    for link, w in zip(network.links, links, strict=True):
        before, after = link.source, link.target
        if work.nudging.rule == "contrastive" and before < len(network.sizes):
            change = plus[before].T @ plus[after] - minus[before].T @ minus[after]
        else:
            change = free[before].T @ (plus[after] - minus[after])
        if link.rate:
            w *= 1 - work.nudging.weight_decay * decaying * link.rate
            w += factor * link.rate * change
    for k, (bias, rate) in enumerate(zip(biases, network.bias_rates, strict=True), 1):
        bias += factor * rate * (plus[k] - minus[k]).sum(0)


def zeros(network: RateNetwork, x: Tensor) -> States:
    """States to begin with."""
    return [x.new_zeros(len(x), size) for size in network.sizes[1:]]


def tensors(weights: Weights) -> tuple[list[Tensor], list[Tensor]]:
    """Which share the memory of the arrays."""
    return [torch.from_numpy(w) for w in weights.links], [torch.from_numpy(b) for b in weights.biases]
