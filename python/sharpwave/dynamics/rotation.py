"""How fast a trajectory goes round."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..counts import count

Array = NDArray[np.float64]


def winding_number(states: ArrayLike, center: ArrayLike | None = None, plane: ArrayLike | None = None) -> float:
    """Turns a step of a trajectory about a point, as seen in a plane.

    Angles between steps are averaged with a weight that is smooth, and 0 at both ends, so that on a closed curve the
    mean converges faster than any power of the number of steps.

    Args:
        states: h after each step, (steps, n).
        center: the point (n,); None: the mean of the states.
        plane: two rows (2, n) that give coordinates, such as the `dual` of a `Subspace`; None: the two principal
            components.

    Returns:
        From -1/2 to 1/2; its inverse is the period, in steps. A step of more than half a turn is taken for one back.

    Raises:
        ValueError: fewer than three steps, or shapes that do not fit.

    Source:
        S. Das, Y. Saiki, E. Sander and J. A. Yorke, Quantitative quasiperiodicity, Nonlinearity 30, 2017.

    Example:
        >>> turn = 2 * np.pi * 0.1 * np.arange(200)
        >>> round(abs(winding_number(np.stack([np.cos(turn), np.sin(turn)], axis=1))), 9)
        0.1
    """
    h = np.asarray(states, dtype=np.float64)
    if h.ndim != 2 or len(h) < 3 or h.shape[1] < 2 or not np.isfinite(h).all():
        raise ValueError(f"expected finite states (steps, n), at least three steps and n=2, got shape {h.shape}")
    n = h.shape[1]
    middle = h.mean(axis=0) if center is None else np.asarray(center, dtype=np.float64)
    if middle.shape != (n,):
        raise ValueError(f"the center must be ({n},), got shape {middle.shape}")
    if plane is None:
        rows = np.linalg.svd(h - h.mean(axis=0), full_matrices=False)[2][:2]
    else:
        rows = np.asarray(plane, dtype=np.float64)
    if rows.shape != (2, n):
        raise ValueError(f"the plane must be (2, {n}), got shape {rows.shape}")
    x, y = ((h - middle) @ rows.T).T
    turns = np.angle((x[1:] + 1j * y[1:]) * (x[:-1] - 1j * y[:-1])) / (2 * np.pi)
    t = (np.arange(len(turns)) + 0.5) / len(turns)
    weights = np.exp(-1 / (t * (1 - t)))
    return float(weights @ turns / weights.sum())


def smallest_period(states: ArrayLike, longest: int = 200, tolerance: float = 1e-6) -> int | None:
    """After how many steps a trajectory comes back, to stay.

    Args:
        states: h after each step, (steps, n), without a transient.
        longest: period that is looked for.
        tolerance: largest difference of a component.

    Returns:
        The period in steps, 1 at a fixed point; None if there is none up to the longest, as in quasi-periodic motion
        and chaos.

    Raises:
        ValueError: states of another shape, or not twice as many as the longest period.

    Example:
        >>> smallest_period(np.array([[0.0], [1.0], [2.0]] * 10), longest=5)
        3
    """
    h, longest = np.asarray(states, dtype=np.float64), count("longest", longest)
    if h.ndim != 2 or len(h) < 2 * longest:
        raise ValueError(f"expected at least {2 * longest} states (steps, n), got shape {h.shape}")
    for period in range(1, longest + 1):
        if np.abs(h[period:] - h[:-period]).max() <= tolerance:
            return period
    return None
