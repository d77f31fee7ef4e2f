"""When errors arrive at the layers of a network of rates."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from .epoch import Work
from .rates import Array, Nudging, RateNetwork, Settling, Weights
from .torch_backend import constants as constants_of
from .torch_backend import nudged, settle_states, tensors, zeros


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
