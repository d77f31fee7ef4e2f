"""Where a map comes back after some steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..counts import count
from ..recurrent.network import RNN
from .fixed_points import SAME, fixed_points
from .maps import Map, PowerMap, as_map

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Cycles:
    """Cycles of a map, each once.

    Attributes:
        states: (cycles, period, n), from a point on along the cycle.
        residuals: largest component of what is missing after a round, (cycles,).
        multipliers: Floquet multipliers, eigenvalues of the linearisation of a round, (cycles, n), the largest first.
        reached: share of the starts that came to a point which comes back after a period, be it on a shorter cycle.
    """

    states: Array
    residuals: Array
    multipliers: NDArray[np.complex128]
    reached: float

    @property
    def stable(self) -> NDArray[np.bool_]:
        """Whether all multipliers are inside the unit circle, (cycles,)."""
        return np.asarray(np.abs(self.multipliers[:, 0]) < 1)

    def __str__(self) -> str:
        found, period = self.states.shape[:2]
        return f"{found} cycles of {period} steps, {self.stable.sum()} stable"


def cycles(
    given: Map | RNN,
    period: int,
    starts: ArrayLike | int = 100,
    *,
    tolerance: float = 1e-12,
    steps: int = 100,
    seed: int = 0,
) -> Cycles:
    """Look for cycles of a map: points that come back after so many steps, and not before.

    Args:
        given: F, or an RNN without input.
        period: steps of a round.
        starts, tolerance, steps, seed: see `fixed_points`, whose method this is, for F applied so many times.

    Raises:
        ValueError: a period below 1, or starts that do not fit.

    Example:
        The logistic map at 3.2 has one cycle of two steps, and it is stable:

        >>> from .maps import FunctionMap
        >>> found = cycles(FunctionMap(lambda x: 3.2 * x * (1 - x), 1), 2)
        >>> print(found)
        1 cycles of 2 steps, 1 stable
        >>> found.states.round(6).ravel().tolist()
        [0.513045, 0.799455]
    """
    map, period = as_map(given), count("period", period)
    round_ = PowerMap(map, period)
    points = fixed_points(round_, starts, tolerance=tolerance, steps=steps, seed=seed)
    orbits: list[Array] = []
    places: list[int] = []
    for place, point in enumerate(points.states):
        orbit = [point]
        for _ in range(period - 1):
            orbit.append(map.step(orbit[-1]))
        again = [np.abs(state - point).max() for state in orbit[1:]]
        known = any(np.abs(other - point).max(axis=1).min() < SAME for other in orbits)
        if min(again, default=np.inf) > SAME and not known:
            orbits.append(np.array(orbit))
            places.append(place)
    states = np.array(orbits).reshape(-1, period, map.size)
    return Cycles(states, points.residuals[places], points.eigenvalues[places], points.reached)
