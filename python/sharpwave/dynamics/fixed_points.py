"""Where a network without input stays, and what it is like there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..counts import count
from ..recurrent.network import RNN

Array = NDArray[np.float64]
_SHORTEST = 2.0**-12  # share of a Newton step that is still tried
_SAME = 1e-6  # distance of points that are one


@dataclass(frozen=True, eq=False)
class FixedPoints:
    """Fixed points of a network, each once.

    Attributes:
        states: h (points, n), the one nearest to 0 first.
        residuals: largest component of F(h) - h, (points,).
        eigenvalues: of the network's linearisation there, (points, n), the largest modulus first.
        reached: share of the starts that came to some point.
    """

    states: Array
    residuals: Array
    eigenvalues: NDArray[np.complex128]
    reached: float

    @property
    def stable(self) -> NDArray[np.bool_]:
        """Whether all eigenvalues are inside the unit circle, (points,)."""
        return np.asarray(np.abs(self.eigenvalues[:, 0]) < 1)

    def __str__(self) -> str:
        counts = f"{len(self.states)} fixed points, {self.stable.sum()} stable"
        return f"{counts}; {100 * self.reached:.0f} % of starts came to one"


def fixed_points(
    network: RNN, starts: ArrayLike | int = 100, *, tolerance: float = 1e-12, steps: int = 100, seed: int = 0
) -> FixedPoints:
    """Look for fixed points h = s(W_hh h) of a network without input, by Newton's method with line search.

    Args:
        network: whose.
        starts: states (starts, n) to begin from, such as some that it goes through; a number: as many from U(-1, 1),
            and 0.
        tolerance: largest component of the residual of a point.
        steps: of Newton's method at most.
        seed: of starts at random.

    Returns:
        What was found, which need not be all there are. It is empty if no start came to a point.

    Raises:
        ValueError: starts of another shape, or not finite.

    Example:
        A unit that excites itself has two stable points and one between:

        >>> points = fixed_points(RNN([[2.0]], [[1.0]], [[1.0]]))
        >>> points.states.round(3).ravel().tolist()
        [0.0, -0.958, 0.958]
        >>> print(points)
        3 fixed points, 2 stable; 100 % of starts came to one
    """
    n = network.hidden
    if np.ndim(starts) == 0:
        drawn = np.random.default_rng(seed).uniform(-1, 1, (count("starts", starts, 0), n))
        h = np.concatenate([np.zeros((1, n)), drawn])
    else:
        h = np.array(starts, dtype=np.float64)
    if h.ndim != 2 or h.shape[1] != n or not np.isfinite(h).all():
        raise ValueError(f"starts must be finite and (starts, {n}), or a number, got shape {h.shape}")
    ends = np.array([_newton(network, start, tolerance, steps) for start in h]).reshape(-1, n)
    found: list[Array] = []
    residuals = np.abs(network.step(ends) - ends).max(axis=1, initial=0.0)
    good = ends[residuals <= tolerance]
    for end in good[np.argsort(np.linalg.norm(good, axis=1).round(6), kind="stable")]:
        if all(np.abs(end - other).max() > _SAME for other in found):
            found.append(end)
    states = np.array(found).reshape(-1, n)
    eigenvalues = np.array([np.linalg.eigvals(network.jacobian(state)) for state in states], dtype=np.complex128)
    eigenvalues = eigenvalues.reshape(-1, n)
    order = np.argsort(-np.abs(eigenvalues), axis=1, kind="stable")
    left = np.abs(network.step(states) - states).max(axis=1, initial=0.0)
    return FixedPoints(states, left, np.take_along_axis(eigenvalues, order, axis=1), len(good) / max(1, len(h)))


def _newton(network: RNN, h: Array, tolerance: float, steps: int) -> Array:
    """Newton's method from one start; a step that makes the residual larger is halved, and given up when too short."""
    residual = network.step(h) - h
    for _ in range(steps):
        size = np.abs(residual).max()
        if size <= tolerance:
            break
        move = np.linalg.lstsq(np.eye(len(h)) - network.jacobian(h), residual, rcond=None)[0]
        share = 1.0
        while share >= _SHORTEST:
            there = network.step(h + share * move) - (h + share * move)
            if np.linalg.norm(there) < np.linalg.norm(residual):
                break
            share /= 2
        else:
            break
        h, residual = h + share * move, there
    return h
