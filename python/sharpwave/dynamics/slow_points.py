"""Where a map almost stays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..counts import count
from ..recurrent.network import RNN
from .maps import Map, as_map
from .newton import different, first_states, sorted_eigenvalues

Array = NDArray[np.float64]
_SAME = 1e-3  # distance of minima that are one: they are flat


@dataclass(frozen=True, eq=False)
class SlowPoints:
    """Minima of a map's speed, the slowest first; those of speed 0 are its fixed points.

    Attributes:
        states: h (points, n).
        speeds: |F(h) - h|, (points,).
        eigenvalues: of the linearisation there, (points, n), the largest modulus first.
    """

    states: Array
    speeds: Array
    eigenvalues: NDArray[np.complex128]

    def __str__(self) -> str:
        least = f", the slowest moves by {self.speeds[0]:.3g} a step" if len(self.speeds) else ""
        return f"{len(self.speeds)} slow points{least}"


def slow_points(
    given: Map | RNN, starts: ArrayLike | int = 100, *, fastest: float = 0.1, tolerance: float = 1e-8,
    steps: int = 500, seed: int = 0,
) -> SlowPoints:  # fmt: skip
    """Look for states at which the speed |F(h) - h| is least, by the method of Levenberg and Marquardt.

    Where two fixed points have vanished, or are about to appear, there is such a state, and trajectories linger.

    Args:
        given: F, or an RNN without input.
        starts, seed: see `fixed_points`.
        fastest: points of a larger speed are left out.
        tolerance: largest component of the gradient of half the squared speed at a minimum.
        steps: of the method at most.

    Raises:
        ValueError: starts of another shape, or not finite, or no step.

    Source:
        D. Sussillo and O. Barak, Opening the black box, Neural Computation 25, 2013.

    Example:
        Just before a fold, the ghost of the points that are to come:

        >>> from .maps import FunctionMap
        >>> found = slow_points(FunctionMap(lambda x: x + x**2 + 1e-4, 1))
        >>> found.speeds.round(6).tolist(), abs(found.states).round(4).tolist()
        ([0.0001], [[0.0]])
    """
    map, steps = as_map(given), count("steps", steps)
    h = first_states(starts, 1, map.size, seed)[0]
    damping, going = np.full(len(h), 1e-3), np.ones(len(h), dtype=bool)
    residual, jacobian = map.step(h) - h, map.jacobian(h) - np.eye(map.size)
    with np.errstate(all="ignore"):
        for _ in range(steps):
            gradient = np.einsum("pij,pi->pj", jacobian, residual)
            going &= np.abs(gradient).max(axis=1, initial=0.0) > tolerance
            some = np.flatnonzero(going)
            if not len(some):
                break
            square = jacobian[some].mT @ jacobian[some]
            scale = damping[some] * (1e-12 + np.einsum("pii->pi", square).max(axis=1))
            square += scale[:, None, None] * np.eye(map.size)
            there = h[some] - np.linalg.solve(square, gradient[some][..., None])[..., 0]
            then = map.step(there) - there
            better = (then**2).sum(axis=1) < (residual[some] ** 2).sum(axis=1)
            damping[some] = np.where(better, damping[some] / 5, damping[some] * 4)
            going[some[damping[some] > 1e12]] = False
            moved = some[better]
            h[moved], residual[moved] = there[better], then[better]
            jacobian[moved] = map.jacobian(h[moved]) - np.eye(map.size)
        gradient = np.einsum("pij,pi->pj", jacobian, residual)
        good = np.abs(gradient).max(axis=1, initial=0.0) <= tolerance
        good &= np.linalg.norm(residual, axis=1) <= fastest
    states = different(h[good], np.linalg.norm(residual[good], axis=1), _SAME)
    speeds = np.linalg.norm(map.step(states) - states, axis=1)
    return SlowPoints(states, speeds, sorted_eigenvalues(map.jacobian(states)))
