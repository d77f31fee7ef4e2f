"""A fixed point followed along a path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..counts import count
from .arcs import Arc
from .crossings import Crossing, Stretch
from .paths import Path
from .tracking import track

Array = NDArray[np.float64]
_SHORTEST = 2.0**-20  # of a step along the branch, in units of the longest
_BENT = 2.0**-14  # steps as short as this may turn by any angle, as at a checkpoint
_STRAIGHT = 0.8  # cosine of the angle by which others may
_NEAR = 0.001  # an eigenvalue within twice this of 1 may move by as much in a step


@dataclass(frozen=True, eq=False)
class Branch:
    """Fixed points along a path, in the order in which they were found.

    Attributes:
        at: p of each point, (points,); it falls where the branch turns back.
        states: h (points, n).
        eigenvalues: of the linearisation, (points, n), a column is one eigenvalue on its way.
        crossings: in order, where an eigenvalue crosses the unit circle, or touches it because the branch itself is one
            that branches off at a pitchfork.
        ended: why it ends: at the `"last"` or the `"first"` p, for want of `"points"`, or `"lost"`, if no way on was
            found.
    """

    at: Array
    states: Array
    eigenvalues: NDArray[np.complex128]
    crossings: tuple[Crossing, ...]
    ended: Literal["last", "first", "points", "lost"]

    @property
    def stable(self) -> NDArray[np.bool_]:
        """Whether all eigenvalues are inside the unit circle, (points,)."""
        return np.asarray(np.abs(self.eigenvalues).max(axis=1) < 1)

    def __str__(self) -> str:
        ways = {"last": "at its last p", "first": "back at its first p", "points": "for want of points", "lost": "lost"}
        ends = f"from {self.at[0]:g} to {self.at[-1]:g}, where it ends {ways[self.ended]}"
        return f"{len(self.at)} points {ends}; {len(self.crossings)} crossings of the unit circle"

    def print_summary(self) -> None:
        """Print a line for the branch, and one for each crossing."""
        print(self)
        for crossing in self.crossings:
            print(crossing)


def follow(
    path: Path, start: ArrayLike, first: float, last: float, *, step: float | None = None, width: float | None = None,
    tolerance: float = 1e-10, points: int = 1000,
) -> Branch:  # fmt: skip
    """Follow a fixed point from one p towards another, round folds if need be, and locate what happens on the way.

    Steps are along the branch's own length (pseudo-arclength continuation), and are shortened where it bends; a closed
    branch is gone round until there are points enough.

    Args:
        path: F(h, p).
        start: near h (n,) at the first p.
        first, last: p.
        step: largest change of p in a step; None: a hundredth of the way.
        width: largest change of h, its norm, in a step; None: a tenth of the square root of n.
        tolerance: of p at a crossing.
        points: at most.

    Raises:
        ValueError: there is no fixed point near the start, or arguments do not fit.

    Source:
        H. B. Keller, Numerical solution of bifurcation and nonlinear eigenvalue problems, 1977.

    Example:
        The logistic map's point loses its stability at 3, where a cycle of two steps branches off:

        >>> from .paths import FunctionPath
        >>> branch = follow(FunctionPath(lambda x, r: r * x * (1 - x), 1), [0.5], 2.0, 4.0)
        >>> print(branch.crossings[0])
        flip at 3: an eigenvalue at 180.000 degrees goes out of the unit circle
    """
    n, h = path.size, np.array(start, dtype=np.float64)
    if h.shape != (n,) or not np.isfinite(h).all():
        raise ValueError(f"the start must be finite and ({n},), got shape {h.shape}")
    largest = abs(last - first) / 100 if step is None else float(step)
    if not (np.isfinite([first, last]).all() and first != last and 0 < largest < np.inf and tolerance > 0):
        raise ValueError(
            f"expected two different numbers, a step and a tolerance, got {first}, {last}, {step}, {tolerance}"
        )
    arc, at_most = Arc(path, largest, 0.1 * np.sqrt(n) if width is None else float(width)), count("points", points)
    along = np.append(np.zeros(n), np.sign(last - first))
    z = arc.corrected(arc.vector(h, first), along)
    if z is None:
        raise ValueError(f"there is no fixed point near the start at {first:g}: look for one with `fixed_points`")
    here = _Point(z, arc.tangent(z, along), np.linalg.eigvals(arc.jacobian(z)).astype(np.complex128))
    found, crossings, length, ended = [here], [], 1.0, "points"
    while len(found) < at_most:
        new, length = _next(arc, here, length)
        if new is None:
            ended = "lost"
            break
        edge = _passed(arc.split(new.z)[1], first, last)
        if edge is not None:
            new = _at(arc, here, new, edge)
            if new is None:
                ended = "lost"
                break
        crossings += _crossings(arc, here, new, tolerance)
        found.append(new)
        if edge is not None:
            ended = "last" if edge == last else "first"
            break
        here, length = new, min(1.0, 2 * length)
    states, at = zip(*(arc.split(point.z) for point in found), strict=True)
    spectra = np.array([point.eigenvalues for point in found])
    return Branch(np.array(at), np.array(states), spectra, tuple(crossings), ended)  # type: ignore[arg-type]


class _Point(NamedTuple):
    """A point of a branch: its vector, the direction in which the branch goes on, eigenvalues in their order."""

    z: Array
    tangent: Array
    eigenvalues: NDArray[np.complex128]


def _next(arc: Arc, here: _Point, length: float) -> tuple[_Point | None, float]:
    """The point after a step of at most this length, and the step's length; None: there is no way on."""
    while length >= _SHORTEST:
        onward = here.tangent
        z = arc.corrected(here.z + length * onward, onward)
        if z is None and length <= _BENT:  # at a checkpoint the branch may turn back, but not in p
            onward = np.append(np.zeros(len(here.z) - 1), np.sign(onward[-1]))
            z = arc.corrected(here.z + 2 * _BENT * onward, onward)
        if z is not None:
            new = _point(arc, here, z, onward)
            if length <= _BENT or (here.tangent @ new.tangent >= _STRAIGHT and not _hurried(here, new)):
                return new, length
        length /= 2
    return None, length


def _point(arc: Arc, before: _Point, z: Array, onward: Array) -> _Point:
    _, eigenvalues = track([before.eigenvalues, np.linalg.eigvals(arc.jacobian(z))])
    return _Point(z, arc.tangent(z, onward), eigenvalues)


def _at(arc: Arc, here: _Point, beyond: _Point, p: float) -> _Point | None:
    """The point at a p between two."""
    share = (p / arc.step - here.z[-1]) / (beyond.z[-1] - here.z[-1])
    guess = np.append((here.z + share * (beyond.z - here.z))[:-1], p / arc.step)
    z = arc.corrected(guess, np.append(np.zeros(len(guess) - 1), 1.0))
    return None if z is None else _point(arc, here, z, beyond.tangent)


def _hurried(here: _Point, new: _Point) -> bool:
    """Whether the eigenvalue nearest to 1 has come far: near 1 there may be other branches, not to be taken."""
    nearest = int(np.argmin(np.abs(here.eigenvalues - 1)))
    before, after = here.eigenvalues[nearest], new.eigenvalues[nearest]
    return bool(abs(after - before) > max(_NEAR, abs(before - 1) / 2))


def _passed(p: float, first: float, last: float) -> float | None:
    """Which end of the way p is at or beyond."""
    ahead = np.sign(last - first)
    if (p - last) * ahead >= 0:
        return last
    return first if (p - first) * ahead < 0 else None


def _crossings(arc: Arc, here: _Point, new: _Point, tolerance: float) -> list[Crossing]:
    """Of all eigenvalues that are inside the circle at one point and outside at the next, pairs once; and where a
    branch turns back at a pitchfork."""
    stretch, found = Stretch(arc, here.z, new.z, here.tangent, new.tangent), []
    for before, after in zip(here.eigenvalues, new.eigenvalues, strict=True):
        if (abs(before) > 1) != (abs(after) > 1) and min(before.imag, after.imag) >= 0:
            found.append(stretch.crossing(complex(before), complex(after), tolerance))
    if stretch.turns and not any(crossing.kind == "fold" for crossing in found):
        found.append(stretch.touch())
    return found
