"""When errors arrive at the layers of a network of rates, and whether links go down the gradient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from .epoch import Work
from .rates import Array, Nudging, RateNetwork, Settling, Weights
from .torch_backend import constants as constants_of
from .torch_backend import learn, nudged, settle_states, tensors, zeros


def arrival(
    network: RateNetwork, settling: Settling, nudging: Nudging, weights: Weights, inputs: Array, targets: Array
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """When the error arrives at each layer of a network of rates.

    Args:
        network, settling, nudging, weights: what settles, and how it is nudged.
        inputs: of examples, (examples, units).
        targets: of examples, (examples, outputs).

    Returns:
        Largest change of an activity by the nudge after each step, (nudged steps, layers), and the first step, from 1,
        in which there is one, (layers,); 0: it never comes.
    """
    links, biases = tensors(weights)
    x, d = torch.from_numpy(np.asarray(inputs)), torch.from_numpy(np.asarray(targets))
    constant = constants_of(network, links, biases, x)
    free, _, _ = settle_states(network, settling, links, constant, zeros(network, x))
    nothing = np.zeros(0)
    changes = []
    for steps in range(1, settling.nudged_steps + 1):
        some = Settling(settling.free_steps, steps, settling.step, settling.tolerance, settling.clipped)
        work = Work(network, some, nudging, np.zeros((0, 0), dtype=np.int64), nothing, nothing, inputs, targets)
        plus, _, _ = nudged(work, links, constant, free, d, nudging.beta)
        minus, _, _ = settle_states(network, some, links, constant, free, steps)
        pairs = zip(plus, minus, strict=True)
        changes.append([float((a.clamp(0, 1) - b.clamp(0, 1)).abs().max()) for a, b in pairs])
    found = np.array(changes)
    came = found > 1e-12
    return found, np.where(came.any(axis=0), came.argmax(axis=0) + 1, 0)


def rate_alignment(
    network: RateNetwork, settling: Settling, nudging: Nudging, weights: Weights, inputs: Array, targets: Array
) -> NDArray[np.float64]:
    """Angle in degrees of each link's change from the way down the gradient; below 90 the error falls.

    The gradient is that of the squared error of the outputs' activities after the free steps, back through all of them.
    Links that are tied have one gradient, of both ways.

    Args:
        network, settling, nudging, weights: what settles, and how it is nudged; nothing of it changes.
        inputs: of examples, (examples, units).
        targets: of examples, (examples, outputs).

    Returns:
        Of each link, (links,); NaN where it does not change or the gradient is 0.
    """
    taught = replace(network, links=tuple(link._replace(rate=1.0) for link in network.links))
    plain, changed = replace(nudging, weight_decay=0.0), weights.copy()
    order = np.arange(len(inputs))[None]
    learn(Work(taught, settling, plain, order, np.ones(1), plain.betas(1, 0, 0), inputs, targets), changed, None)
    x, d = torch.from_numpy(np.asarray(inputs)), torch.from_numpy(np.asarray(targets))
    links, biases = tensors(weights.copy())
    links = [w.requires_grad_() for w in links]
    free, _, _ = settle_states(network, settling, links, constants_of(network, links, biases, x), zeros(network, x))
    loss = (free[-1].clamp(0, 1) - d).square().sum()
    gradients = torch.autograd.grad(loss, links, allow_unused=True)
    down = [np.zeros(w.shape) if g is None else -g.double().numpy() for g, w in zip(gradients, links, strict=True)]
    for first, second in network.tied:
        down[first] = down[first] + down[second].T
        down[second] = down[first].T
    return np.array([
        _angle(after.astype(np.float64) - before, way)
        for after, before, way in zip(changed.links, weights.links, down, strict=True)
    ])  # fmt: skip


def _angle(one: Array, other: Array) -> float:
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    return float(np.degrees(np.arccos(np.clip((one * other).sum() / lengths, -1, 1)))) if lengths else np.nan
