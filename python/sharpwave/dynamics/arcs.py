"""Curves of fixed points of a path, step by step along their length, so that they can turn back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .paths import Path

Array = NDArray[np.float64]
_CLOSE = 1e-9  # length of a last Newton step, whose square is the error
_NEWTON = 12  # such steps at most


@dataclass(frozen=True, eq=False)
class Arc:
    """Points (h, p) with h = F(h, p), as vectors z = (h / width, p / step) of n + 1 numbers.

    Args:
        path: F.
        step: a length of 1 in p.
        width: a length of 1 in h.
    """

    path: Path
    step: float
    width: float

    def vector(self, state: Array, p: float) -> Array:
        """z."""
        return np.append(state / self.width, p / self.step)

    def split(self, z: Array) -> tuple[Array, float]:
        """h and p."""
        return z[:-1] * self.width, float(z[-1]) * self.step

    def jacobian(self, z: Array) -> Array:
        """Derivative (n, n) of F by h."""
        state, p = self.split(z)
        return self.path.at(p).jacobian(state)

    def _system(self, z: Array) -> tuple[Array, Array]:
        """F - h (n,) and its derivative (n, n + 1), in units of the width."""
        state, p = self.split(z)
        map = self.path.at(p)
        residual = (map.step(state) - state) / self.width
        by_state = map.jacobian(state) - np.eye(self.path.size)
        by_p = self.path.rate(state, p) * (self.step / self.width)
        return residual, np.column_stack([by_state, by_p])

    def corrected(self, guess: Array, row: Array) -> Array | None:
        """The point near a guess in the plane through it that is orthogonal to a row; None: none was found."""
        z = guess.copy()
        for _ in range(_NEWTON):
            residual, derivative = self._system(z)
            if not np.isfinite(residual).all():
                return None
            if not residual.any():
                return z
            move = _solved(np.vstack([derivative, row]), np.append(residual, 0.0))
            if move is None:
                return None
            z = z - move
            size = np.abs(move).max()
            if size < _CLOSE:
                return z
            if not size < 10:
                return None
        return None

    def tangent(self, z: Array, before: Array) -> Array:
        """Direction (n + 1,) of the curve at a point, of length 1, that goes on from another direction; where curves
        cross, that direction itself."""
        found = _solved(np.vstack([self._system(z)[1], before]), np.append(np.zeros(self.path.size), 1.0))
        return before if found is None else found / np.linalg.norm(found)


def _solved(matrix: Array, values: Array) -> Array | None:
    try:
        found = np.linalg.solve(matrix, values)
    except np.linalg.LinAlgError:
        return None
    return np.asarray(found, dtype=np.float64) if np.isfinite(found).all() else None
