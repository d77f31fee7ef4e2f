"""Where a map comes back after some steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..counts import count
from ..recurrent.network import RNN
from .maps import Map, PowerMap, orbit
from .newton import SAME, as_maps, different, first_states, search, sorted_eigenvalues

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


@overload
def cycles(
    given: Map | RNN, period: int, starts: ArrayLike | int = ..., *, tolerance: float = ..., steps: int = ...,
    seed: int = ..., backend: str = ...,
) -> Cycles: ...  # fmt: skip
@overload
def cycles(
    given: Sequence[Map | RNN], period: int, starts: ArrayLike | int = ..., *, tolerance: float = ...,
    steps: int = ..., seed: int = ..., backend: str = ...,
) -> list[Cycles]: ...  # fmt: skip
def cycles(
    given: Map | RNN | Sequence[Map | RNN], period: int, starts: ArrayLike | int = 100, *, tolerance: float = 1e-12,
    steps: int = 100, seed: int = 0, backend: str = "auto",
) -> Cycles | list[Cycles]:  # fmt: skip
    """Look for cycles of a map: points that come back after so many steps, and not before.

    Args:
        given: F, or an RNN without input; or several of one size.
        period: steps of a round.
        starts, tolerance, steps, seed, backend: see `fixed_points`, whose method this is, for F applied so many times.

    Raises:
        ValueError: a period below 1, starts that do not fit, maps of several sizes, or none.

    Example:
        The logistic map at 3.2 has one cycle of two steps, and it is stable:

        >>> from .maps import FunctionMap
        >>> found = cycles(FunctionMap(lambda x: 3.2 * x * (1 - x), 1), 2)
        >>> print(found)
        1 cycles of 2 steps, 1 stable
        >>> found.states.round(6).ravel().tolist()
        [0.513045, 0.799455]
    """
    maps, period = as_maps(given), count("period", period)
    h = first_states(starts, len(maps), maps[0].size, seed)
    ends, missing = search(maps, period, h, tolerance, steps, backend)
    found = [_different(one, period, *its) for one, *its in zip(maps, ends, missing <= tolerance, strict=True)]
    return found if isinstance(given, Sequence) else found[0]


def _different(map: Map, period: int, ends: Array, good: NDArray[np.bool_]) -> Cycles:
    """Orbits of the points that came back, those that come back before left out, each orbit once."""
    first = different(ends[good])
    states = np.concatenate([first[:, None], orbit(map, first, period - 1)], axis=1)
    short = (np.abs(states[:, 1:] - states[:, :1]).max(axis=2) <= SAME).any(axis=1)
    left, found = states[~short], []
    while len(left):
        found.append(left[0])
        left = left[np.abs(left[:, :1] - left[0]).max(axis=2).min(axis=1) > SAME]
    states, whole = np.array(found).reshape(-1, period, map.size), PowerMap(map, period)
    missing = np.abs(whole.step(states[:, 0]) - states[:, 0]).max(axis=1, initial=0.0)
    multipliers = sorted_eigenvalues(whole.jacobian(states[:, 0]))
    return Cycles(states, missing, multipliers, good.sum() / max(1, len(good)))
