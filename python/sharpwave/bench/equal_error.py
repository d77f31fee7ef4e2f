"""The time that a solver needs for a given error, read from the errors and times that it was measured at."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

MARGIN = (
    2.0  # errors smaller than the smallest measured one by up to this factor are read from the last segment prolonged
)


@dataclass(frozen=True)
class Reading:
    """A time at equal error.

    Attributes:
        seconds: the time.
        error: the error made in that time; smaller than the one asked for where `how` is "more accurate".
        how: "interpolated"; "extrapolated", beyond the smallest measured error but within `MARGIN`; or "more accurate",
            where the solver was never measured as inaccurate as that, so that its fastest run stands for it.
    """

    seconds: float
    error: float
    how: str


def front(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The (error, seconds) that no other point beats in both, by rising error and falling time.

    Example:
        >>> front([(1e-3, 1.0), (1e-6, 3.0), (1e-4, 4.0)])
        [(1e-06, 3.0), (0.001, 1.0)]
    """
    kept: list[tuple[float, float]] = []
    for error, seconds in sorted(points):
        if not kept or seconds < kept[-1][1]:
            kept.append((error, seconds))
    return kept


def seconds_at(error: float, points: Iterable[tuple[float, float]]) -> Reading | None:
    """The time for an error: linear interpolation of log time over log error, along the front of the points.

    Args:
        error: the error asked for, positive.
        points: (error, seconds) measured, all positive.

    Returns:
        The reading, or None where the points do not reach the error: all are less accurate by more than `MARGIN`,
        or there are none.

    Example:
        >>> seconds_at(1e-5, [(1e-4, 1.0), (1e-6, 4.0)]).seconds
        2.0
    """
    curve = front(points)
    if not curve:
        return None
    if error >= curve[-1][0]:
        return Reading(curve[-1][1], curve[-1][0], "interpolated" if error == curve[-1][0] else "more accurate")
    if error < curve[0][0]:
        if len(curve) < 2 or error * MARGIN < curve[0][0]:
            return None
        return Reading(_on_line(error, curve[0], curve[1]), error, "extrapolated")
    right = next(i for i, (known, _) in enumerate(curve) if known > error)
    return Reading(_on_line(error, curve[right - 1], curve[right]), error, "interpolated")


def _on_line(error: float, a: tuple[float, float], b: tuple[float, float]) -> float:
    slope = math.log(b[1] / a[1]) / math.log(b[0] / a[0])
    return a[1] * math.exp(slope * math.log(error / a[0]))
