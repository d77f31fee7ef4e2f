"""Recall in a DSEM: ours in Julia and in torch against SciPy and torchdiffeq, and against its matrix products alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .measure import Say, Series, measure
from .peers.recall_cases import CASES, Array, RecallCase
from .peers.recall_scipy import solve_recall
from .record import Cost, Point
from .worker import Worker

OURS = "sharpwave Julia"
OURS_TORCH = "sharpwave torch"
PRODUCTS = ("products by OpenBLAS (NumPy)", "products by torch")

OUR_RTOLS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
PEER_RTOLS = (1e-3, 1e-5, 1e-7)
REFERENCE_RTOL = 1e-11
SMALLEST_ERROR = 1e-11
WITHIN = 2.0  # the factor over its matrix products alone that a large recall should stay within


def reference(case: RecallCase) -> Array:
    """Overlaps divided by N at the end, shape (batch, memories), by SciPy's DOP853 at rtol 1e-11."""
    form = "overlaps" if case.memories < case.features else "features"
    distinct = min(case.batch, case.memories)  # further cues repeat the first ones
    ends = solve_recall(case, form, "DOP853", REFERENCE_RTOL, REFERENCE_RTOL, distinct)
    return ends[np.arange(case.batch) % distinct]


def error(y: Sequence[float], expected: Array) -> float:
    """The 2-norm of the difference of all overlaps at the end, over that of the reference."""
    difference = np.linalg.norm(np.asarray(y) - expected.ravel())
    return max(float(difference / np.linalg.norm(expected)), SMALLEST_ERROR)


def measure_recalls(
    ours: Worker, peers: Worker | None, limit: float, say: Say
) -> tuple[list[Point], list[Cost]]:
    """Measure all cases.

    Args:
        ours, peers: the workers; without `peers`, ours alone.
        limit: seconds that one sample may take.
        say: takes lines that tell how it goes.

    Returns:
        The points; and for each case the time of our run at rtol 1e-5, with the time of its matrix products alone as bound.
    """
    points: list[Point] = []
    costs: list[Cost] = []
    for problem, case in CASES.items():
        expected = reference(case)
        series = [Series(ours, solver, [(rtol, rtol) for rtol in OUR_RTOLS]) for solver in (OURS, OURS_TORCH)]
        for solver, problems in (peers.describe()["solvers"] if peers else {}).items():
            if peers and problem in problems:
                series.append(Series(peers, solver, [(rtol, rtol) for rtol in PEER_RTOLS]))
        series += [Series(ours, solver, [(0.0, 0.0)]) for solver in PRODUCTS]
        measured = measure(problem, series, lambda y, expected=expected: error(y, expected) if y else 0.0, limit, say)
        points += [point for point in measured if point.solver not in PRODUCTS]
        costs += _beside_products(problem, measured)
    return points, costs


def _beside_products(problem: str, measured: Sequence[Point], rtol: float = 1e-5) -> list[Cost]:
    one = [point for point in measured if point.solver == OURS and point.rtol == rtol and point.seconds]
    products = [point for point in measured if point.solver in PRODUCTS and point.seconds]
    if not one or not products:
        return []
    run, best = one[0], min(products, key=lambda point: point.seconds or 0.0)
    assert run.seconds and run.fastest and run.slowest and best.seconds
    count = run.stats["evaluations"]
    note = f"bound: {WITHIN:g} times {count} evaluations of {best.solver}, {best.stats['products']}"
    name = f"{problem}, rtol {rtol:.0e}"
    bound = WITHIN * best.seconds * count
    return [Cost(name, run.seconds, run.fastest, run.slowest, run.samples, bound, note)]
