"""Recall in a DSEM: ours in Julia and in torch against SciPy and torchdiffeq, and against its matrix products alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from .measure import Say, Series, measure, peer_series
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
COMPILING = 10.0  # seconds that a first call may take beyond the limit: only Julia compiles here
SMALLEST_ERROR = 1e-11
WITHIN = 2.0  # the factor over its matrix products alone that a large recall should stay within


def reference(case: RecallCase) -> Array:
    """Overlaps divided by N at the end, shape (batch, memories), by SciPy's DOP853 at rtol 1e-11."""
    form = "overlaps" if case.memories <= case.features else "features"
    distinct = min(case.batch, case.memories)  # further cues repeat the first ones
    ends = solve_recall(case, form, "DOP853", REFERENCE_RTOL, REFERENCE_RTOL, distinct)
    return ends[np.arange(case.batch) % distinct]


def error(y: Sequence[float], expected: Array) -> float:
    """The 2-norm of the difference of all overlaps at the end, over that of the reference."""
    difference = np.linalg.norm(np.asarray(y) - expected.ravel())
    return max(float(difference / np.linalg.norm(expected)), SMALLEST_ERROR)


def measure_recalls(ours: Worker, peers: Worker | None, limit: float, say: Say) -> tuple[list[Point], list[Cost]]:
    """Measure all cases.

    Args:
        ours, peers: the workers; without `peers`, ours alone.
        limit: seconds that one sample may take.
        say: takes lines that tell how it goes.

    Returns:
        The points; and for each case the time of our run at rtol 1e-5, bounded by its matrix products alone.
    """
    points: list[Point] = []
    costs: list[Cost] = []
    for problem, case in CASES.items():
        expected = reference(case)
        series = [Series(ours, solver, [(rtol, rtol) for rtol in OUR_RTOLS]) for solver in (OURS, OURS_TORCH)]
        series += peer_series(peers, problem, [(rtol, rtol) for rtol in PEER_RTOLS])
        series += [Series(ours, solver, [(0.0, 0.0)]) for solver in PRODUCTS]
        measured = measure(problem, series, partial(error, expected=expected), limit, say, compiling=COMPILING)
        points += [point for point in measured if point.solver not in PRODUCTS]
        costs += _beside_products(problem, measured)
    return points, costs


def _beside_products(problem: str, measured: Sequence[Point], rtol: float = 1e-5) -> list[Cost]:
    runs = [point for point in measured if point.solver == OURS and point.rtol == rtol]
    products = [(point.seconds, point) for point in measured if point.solver in PRODUCTS and point.seconds]
    if not products:
        return []
    each, best = min(products, key=lambda pair: pair[0])
    return [
        Cost(
            name=f"{problem}, rtol {rtol:.0e}",
            seconds=run.seconds,
            fastest=run.fastest,
            slowest=run.slowest,
            samples=run.samples,
            bound=WITHIN * each * run.stats["evaluations"],
            note=f"{WITHIN:g} times {run.stats['evaluations']:g} {best.solver}: {best.stats['products']}",
        )
        for run in runs
        if run.seconds is not None and run.fastest is not None and run.slowest is not None
    ]
