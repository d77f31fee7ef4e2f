"""Where a map stays, and what it is like there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..recurrent.network import RNN
from .maps import Map
from .newton import as_maps, different, first_states, search, sorted_eigenvalues

Array = NDArray[np.float64]


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


@overload
def fixed_points(
    given: Map | RNN, starts: ArrayLike | int = ..., *, tolerance: float = ..., steps: int = ..., seed: int = ...,
    backend: str = ...,
) -> FixedPoints: ...  # fmt: skip
@overload
def fixed_points(
    given: Sequence[Map | RNN], starts: ArrayLike | int = ..., *, tolerance: float = ..., steps: int = ...,
    seed: int = ..., backend: str = ...,
) -> list[FixedPoints]: ...  # fmt: skip
def fixed_points(
    given: Map | RNN | Sequence[Map | RNN], starts: ArrayLike | int = 100, *, tolerance: float = 1e-12,
    steps: int = 100, seed: int = 0, backend: str = "auto",
) -> FixedPoints | list[FixedPoints]:  # fmt: skip
    """Look for fixed points h = F(h) by Newton's method with line search, from all starts together.

    Args:
        given: F, or an RNN, which gets no input; with one, see `NetworkMap`. Or several of one size, which are looked
            into at once.
        starts: states (starts, n) to begin from, such as some that it goes through, or for several maps
            (maps, starts, n); a number: as many from U(-1, 1), and 0.
        tolerance: largest component of the residual of a point.
        steps: of Newton's method at most; a start whose residual eight of them do not halve is given up.
        seed: of starts at random.
        backend: `"julia"`, for networks of tanh units, on all threads; `"numpy"` for any; `"auto"` is Julia where it
            can be.

    Returns:
        What was found, which need not be all there are, for each map if there are several. It is empty if no start came
        to a point.

    Raises:
        ValueError: starts of another shape, or not finite; maps of several sizes, or none.

    Example:
        A unit that excites itself has two stable points and one between:

        >>> points = fixed_points(RNN([[2.0]], [[1.0]], [[1.0]]))
        >>> points.states.round(3).ravel().tolist()
        [0.0, -0.958, 0.958]
        >>> print(points)
        3 fixed points, 2 stable; 100 % of starts came to one
    """
    maps = as_maps(given)
    h = first_states(starts, len(maps), maps[0].size, seed)
    ends, missing = search(maps, 1, h, tolerance, steps, backend)
    found = [_different(*one) for one in zip(maps, ends, missing <= tolerance, strict=True)]
    return found if isinstance(given, Sequence) else found[0]


def _different(map: Map, ends: Array, good: NDArray[np.bool_]) -> FixedPoints:
    states = different(ends[good])
    jacobians = map.jacobian(states)
    conditions = np.array([np.linalg.cond(np.eye(map.size) - jacobian) for jacobian in jacobians])
    residuals = np.abs(map.step(states) - states).max(axis=1, initial=0.0)
    return FixedPoints(states, residuals, sorted_eigenvalues(jacobians), conditions, good.sum() / max(1, len(good)))
