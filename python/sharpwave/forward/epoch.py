"""What a backend is given, and gives back, of an epoch of learning or of states that settle."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .rates import Array, Nudging, RateNetwork, Settling


class Work(NamedTuple):
    """An epoch of learning.

    Attributes:
        network, settling, nudging: what learns, and how.
        order: places of the examples of each batch, (batches, examples); -1 is none.
        factors: of rates, (batches,).
        betas: of the (first) nudge, (batches,).
        inputs: of all examples, (examples, units).
        targets: of all examples, (examples, outputs).
    """

    network: RateNetwork
    settling: Settling
    nudging: Nudging
    order: NDArray[np.int64]
    factors: NDArray[np.float64]
    betas: NDArray[np.float64]
    inputs: Array
    targets: Array


class Epoch(NamedTuple):
    """What an epoch was like.

    Attributes:
        wrong: outputs of a batch that were largest elsewhere than the target, before it was learned, (batches,).
        distance: mean squared distance of outputs from targets, (batches,).
        change: largest change of a state of a layer in the last free step, (batches, layers).
        steps: free steps, (batches,).
        lost: batch and layer, from 0, in which a state was not finite, and where it ended; None: it is whole.
    """

    wrong: NDArray[np.int64]
    distance: NDArray[np.float64]
    change: NDArray[np.float64]
    steps: NDArray[np.int64]
    lost: tuple[int, int] | None


class Settled(NamedTuple):
    """States that examples settled to.

    Attributes:
        states: of each layer after the input, (examples, units).
        change: largest change in the last step, of each batch and layer, (batches, layers).
        steps: of each batch, (batches,).
    """

    states: list[Array]
    change: NDArray[np.float64]
    steps: NDArray[np.int64]


def split(states: Array, sizes: tuple[int, ...]) -> list[Array]:
    """States of all units (examples, units), by layer after the input."""
    return np.split(states, np.cumsum(sizes[1:])[:-1], axis=1)
