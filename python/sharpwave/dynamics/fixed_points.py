"""Where a map stays, and what it is like there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..counts import count
from ..recurrent.network import RNN
from .maps import Map, as_map

Array = NDArray[np.float64]
_SHORTEST = 2.0**-12  # share of a Newton step that is still tried
SAME = 1e-6  # distance of points that are one


@dataclass(frozen=True, eq=False)
class FixedPoints:
    """Fixed points of a map, each once.

    Attributes:
        states: h (points, n), the one nearest to 0 first.
        residuals: largest component of F(h) - h, (points,).
        eigenvalues: of the map's linearisation there, (points, n), the largest modulus first.
        conditions: of 1 minus the linearisation, (points,): by how much the point is further from the truth than its
            residual, at most; infinite at a bifurcation.
        reached: share of the starts that came to some point.
    """

    states: Array
    residuals: Array
    eigenvalues: NDArray[np.complex128]
    conditions: Array
    reached: float

    @property
    def stable(self) -> NDArray[np.bool_]:
        """Whether all eigenvalues are inside the unit circle, (points,)."""
        return np.asarray(np.abs(self.eigenvalues[:, 0]) < 1)

    def __str__(self) -> str:
        counts = f"{len(self.states)} fixed points, {self.stable.sum()} stable"
        return f"{counts}; {100 * self.reached:.0f} % of starts came to one"

    def print_summary(self) -> None:
        """Print a line for each point."""
        print(self)
        for state, residual, values in zip(self.states, self.residuals, self.eigenvalues, strict=True):
            lead = f"{abs(values[0]):.6f} at {np.degrees(np.angle(values[0])):.2f} degrees"
            print(f"|h| = {np.linalg.norm(state):.6f}, residual {residual:.1e}, largest eigenvalue {lead}")


def fixed_points(
    given: Map | RNN, starts: ArrayLike | int = 100, *, tolerance: float = 1e-12, steps: int = 100, seed: int = 0
) -> FixedPoints:
    """Look for fixed points h = F(h) by Newton's method with line search, from all starts together.

    Args:
        given: F, or an RNN, which gets no input; with one, see `NetworkMap`.
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
    map = as_map(given)
    h = first_states(starts, map.size, seed)
    ends = newton(map, h, tolerance, steps)
    with np.errstate(all="ignore"):
        good = ends[np.abs(map.step(ends) - ends).max(axis=1, initial=0.0) <= tolerance]
    found: list[Array] = []
    for end in good[np.argsort(np.linalg.norm(good, axis=1).round(6), kind="stable")]:
        if all(np.abs(end - other).max() > SAME for other in found):
            found.append(end)
    states = np.array(found).reshape(-1, map.size)
    jacobians = map.jacobian(states)
    conditions = np.array([np.linalg.cond(np.eye(map.size) - jacobian) for jacobian in jacobians])
    residuals = np.abs(map.step(states) - states).max(axis=1, initial=0.0)
    return FixedPoints(states, residuals, sorted_eigenvalues(jacobians), conditions, len(good) / max(1, len(h)))


def sorted_eigenvalues(matrices: Array) -> NDArray[np.complex128]:
    """Of (..., n, n), (..., n), the largest modulus first."""
    found = np.linalg.eigvals(matrices).astype(np.complex128)
    return np.take_along_axis(found, np.argsort(-np.abs(found), axis=-1, kind="stable"), axis=-1)


def first_states(starts: ArrayLike | int, n: int, seed: int) -> Array:
    """States to begin from, as `fixed_points` has them."""
    if np.ndim(starts) == 0:
        drawn = np.random.default_rng(seed).uniform(-1, 1, (count("starts", starts, 0), n))
        return np.concatenate([np.zeros((1, n)), drawn])
    h = np.array(starts, dtype=np.float64)
    if h.ndim != 2 or h.shape[1] != n or not np.isfinite(h).all():
        raise ValueError(f"starts must be finite and (starts, {n}), or a number, got shape {h.shape}")
    return h


def newton(map: Map, starts: Array, tolerance: float, steps: int) -> Array:
    """Newton's method from all starts; a step that makes the residual larger is halved, and a start that no share of a
    step brings nearer is left where it is."""
    h, going = starts.copy(), np.arange(len(starts))
    with np.errstate(all="ignore"):
        for _ in range(steps):
            residual = map.step(h[going]) - h[going]
            wrong = np.abs(residual).max(axis=1, initial=0.0)
            going, residual = going[wrong > tolerance], residual[wrong > tolerance]
            if not len(going):
                break
            move = _solved(np.eye(map.size) - map.jacobian(h[going]), residual)
            size, share = np.linalg.norm(residual, axis=1), np.ones(len(going))
            waiting = np.arange(len(going))
            while len(waiting) and share[waiting[0]] >= _SHORTEST:
                there = h[going[waiting]] + share[waiting, None] * move[waiting]
                nearer = np.linalg.norm(map.step(there) - there, axis=1) < size[waiting]
                h[going[waiting[nearer]]] = there[nearer]
                waiting = waiting[~nearer]
                share[waiting] /= 2
            going = np.delete(going, waiting)
    return h


def _solved(matrices: Array, values: Array) -> Array:
    """Solutions of linear systems; of singular ones those of least squares."""
    try:
        return np.asarray(np.linalg.solve(matrices, values[..., None])[..., 0], dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.stack([_least_squares(matrix, value) for matrix, value in zip(matrices, values, strict=True)])


def _least_squares(matrix: Array, value: Array) -> Array:
    if not (np.isfinite(matrix).all() and np.isfinite(value).all()):
        return np.full(len(value), np.nan)
    return np.asarray(np.linalg.lstsq(matrix, value, rcond=None)[0], dtype=np.float64)
