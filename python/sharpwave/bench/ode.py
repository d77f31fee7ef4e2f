"""Stiff and delay problems: our solvers against the peers', error against time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ..equations.problems import problem
from .measure import Say, Series, measure, peer_series
from .record import Point
from .worker import Worker

# atol is rtol times this: below the smallest components that a relative error is asked of.
ATOL_OVER_RTOL = {"hires": 1e-3, "rober": 1e-8, "orego": 1e-3, "vdpol": 1.0, "mackey_glass": 1.0}
OURS = dict.fromkeys(ATOL_OVER_RTOL, "sharpwave Rodas5P") | {"mackey_glass": "sharpwave Tsit5"}

OUR_RTOLS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11)
PEER_RTOLS = (1e-4, 1e-6, 1e-8, 1e-10)
SMALLEST_ERROR = 1e-15  # the references' own accuracy; a smaller difference says nothing


def error(name: str, y: Sequence[float]) -> float:
    """The largest relative error of a component of the final state.

    Example:
        >>> error("vdpol", (1.706167732170483, -0.8928097010247975 * 1.5))
        0.5
    """
    differences = [abs(a - b) / abs(b) for a, b in zip(y, problem(name).reference, strict=True)]
    return max(*differences, SMALLEST_ERROR)


def measure_odes(ours: Worker, peers: Worker | None, limit: float, say: Say) -> list[Point]:
    """Measure all problems.

    Args:
        ours, peers: the workers; without `peers`, ours alone.
        limit: seconds that one sample may take.
        say: takes lines that tell how it goes.
    """
    points: list[Point] = []
    for name, scale in ATOL_OVER_RTOL.items():
        series = [Series(ours, OURS[name], [(rtol, rtol * scale) for rtol in OUR_RTOLS])]
        series += peer_series(peers, name, [(rtol, rtol * scale) for rtol in PEER_RTOLS])
        points += measure(name, series, partial(error, name), limit, say)
    return points
