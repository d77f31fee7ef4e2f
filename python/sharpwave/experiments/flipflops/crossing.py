"""When a fixed point of a network loses its stability in training, and how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ...dynamics import Branch, Crossing
    from ...recurrent import RNN

Array = NDArray[np.float64]


class Lost(NamedTuple):
    """The branch of a fixed point, and the crossing after which it is not stable any more; None: it is in the end."""

    branch: Branch
    crossing: Crossing | None


def lost(networks: Sequence[RNN], steps: Array, input: Sequence[float]) -> Lost:
    """Follow the fixed point of the first network, that nearest to 0, to the last."""
    from ...dynamics import NetworkMap, NetworkPath, fixed_points, follow

    first = fixed_points(NetworkMap(networks[0], input), 20, backend="numpy").states[0]
    spacing = float(steps[1] - steps[0])
    path = NetworkPath(networks, steps, input)
    branch = follow(path, first, float(steps[0]), float(steps[-1]), step=spacing / 2)
    stable = np.flatnonzero(branch.stable)
    if branch.stable[-1] or not len(stable):
        return Lost(branch, None)
    between = float(branch.at[stable[-1] : stable[-1] + 2].mean())
    outward = [crossing for crossing in branch.crossings if crossing.outward]
    return Lost(branch, min(outward, key=lambda crossing: abs(crossing.at - between)))


def in_interval(crossing: Crossing | None, rise: int | None, every: float) -> bool:
    """Whether a crossing is in the interval of checkpoints at whose end a threshold was passed, or in one beside it."""
    return crossing is not None and rise is not None and rise - 2 * every <= crossing.at <= rise + every
