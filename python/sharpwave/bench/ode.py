"""Stiff and delay problems: our solvers against the peers', error against time."""

from __future__ import annotations

from collections.abc import Sequence

from .measure import Say, Series, measure
from .record import Point
from .worker import Worker

# Final states: for HIRES, ROBER, OREGO and VDPOL those of the problem sets named in `peers.problems`; for Mackey-Glass from an
# independent solver to 22 digits.
REFERENCES: dict[str, tuple[float, ...]] = {
    "HIRES": (
        0.7371312573325668e-3,
        0.1442485726316185e-3,
        0.5888729740967575e-4,
        0.1175651343283149e-2,
        0.2386356198831331e-2,
        0.6238968252742796e-2,
        0.2849998395185769e-2,
        0.2850001604814231e-2,
    ),
    "ROBER": (0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050),
    "OREGO": (1.000814870318523, 1228.178521549917, 132.0554942846706),
    "VDPOL": (1.706167732170483, -0.8928097010247975),
    "Mackey-Glass": (1.010443111700142347784,),
}
# atol is rtol times this: below the smallest components that a relative error is asked of.
ATOL_OVER_RTOL = {"HIRES": 1e-3, "ROBER": 1e-8, "OREGO": 1e-3, "VDPOL": 1.0, "Mackey-Glass": 1.0}
OURS = {name: "sharpwave Rodas5P" for name in REFERENCES} | {"Mackey-Glass": "sharpwave Tsit5"}

OUR_RTOLS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11)
PEER_RTOLS = (1e-4, 1e-6, 1e-8, 1e-10)
SMALLEST_ERROR = 1e-15  # the references' own accuracy; a smaller difference says nothing


def error(problem: str, y: Sequence[float]) -> float:
    """The largest relative error of a component of the final state.

    Example:
        >>> error("VDPOL", (1.706167732170483, -0.8928097010247975 * 1.5))
        0.5
    """
    differences = [abs(a - b) / abs(b) for a, b in zip(y, REFERENCES[problem], strict=True)]
    return max(*differences, SMALLEST_ERROR)


def measure_odes(ours: Worker, peers: Worker | None, limit: float, say: Say) -> list[Point]:
    """Measure all problems.

    Args:
        ours, peers: the workers; without `peers`, ours alone.
        limit: seconds that one sample may take.
        say: takes lines that tell how it goes.
    """
    points: list[Point] = []
    for problem, scale in ATOL_OVER_RTOL.items():
        series = [Series(ours, OURS[problem], [(rtol, rtol * scale) for rtol in OUR_RTOLS])]
        for solver, problems in (peers.describe()["solvers"] if peers else {}).items():
            if peers and problem in problems:
                series.append(Series(peers, solver, [(rtol, rtol * scale) for rtol in PEER_RTOLS]))
        points += measure(problem, series, lambda y, problem=problem: error(problem, y), limit, say)
    return points
