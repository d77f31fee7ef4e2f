"""What is said of learning one task after the other. Libraries differ in what they call by a name: each is defined."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..suggest import unknown

Array = NDArray[np.float64]


def final_accuracy(r: Array) -> float:
    """ACC: mean of all tasks after the last one, mean_j R_Tj."""
    return float(r[-1].mean())


def backward_transfer(r: Array) -> float:
    """BWT: how much better the last state is at earlier tasks than the state right after each was,
    mean_{i<T}(R_Ti - R_ii) (Lopez-Paz and Ranzato 2017). Below 0: forgetting."""
    tasks = len(r)
    return float(np.mean([r[-1, i] - r[i, i] for i in range(tasks - 1)])) if tasks > 1 else 0.0


def forgetting(r: Array) -> float:
    """How much worse the last state is at earlier tasks than the best one before, mean_{j<T}(max_{l<T} R_lj - R_Tj)
    (Chaudhry and others 2018)."""
    tasks = len(r)
    return float(np.mean([r[:-1, j].max() - r[-1, j] for j in range(tasks - 1)])) if tasks > 1 else 0.0


def average_accuracy(r: Array) -> float:
    """Mean over time of the accuracy of all tasks so far, mean_i mean_{j<=i} R_ij (as in iCaRL's tables)."""
    return float(np.mean([r[i, : i + 1].mean() for i in range(len(r))]))


def learning_accuracy(r: Array) -> float:
    """LA: accuracy of each task right after it was learned, mean_i R_ii (plasticity)."""
    return float(np.diag(r).mean())


METRICS: dict[str, Callable[[Array], float]] = {
    "accuracy": final_accuracy,
    "backward transfer": backward_transfer,
    "forgetting": forgetting,
    "average accuracy": average_accuracy,
    "learning accuracy": learning_accuracy,
}


def metric(name: str, matrix: ArrayLike) -> float:
    """A number of a whole matrix.

    Args:
        name: one of `METRICS`, which say how they are defined.
        matrix: R_ij, accuracy on task j after task i was learned, (tasks, tasks).

    Raises:
        ValueError: there is no such number, or the matrix is not square or has accuracies that are none.

    Example:
        >>> r = [[0.9, 0.1], [0.5, 0.8]]
        >>> {name: round(metric(name, r), 3) for name in ("accuracy", "backward transfer", "forgetting")}
        {'accuracy': 0.65, 'backward transfer': -0.4, 'forgetting': 0.4}
    """
    if name not in METRICS:
        raise ValueError(unknown("metric", name, METRICS))
    return METRICS[name](_checked(matrix))


def forward_transfer(matrix: ArrayLike, before: ArrayLike) -> float:
    """FWT: how much better a task is before it is learned than without any learning, mean_{i>1}(R_{i-1,i} - b_i).

    Args:
        matrix: see `metric`.
        before: accuracy of each task without any learning, b, (tasks,).

    Raises:
        ValueError: see `metric`; or there is not one such accuracy for each task.
    """
    r = _checked(matrix)
    b = _row("before", before, len(r))
    return float(np.mean([r[i - 1, i] - b[i] for i in range(1, len(r))])) if len(r) > 1 else 0.0


def omega(matrix: ArrayLike, offline: ArrayLike) -> float:
    """Omega_all: accuracy of all tasks so far, over that of a learner that has them all at once, mean over time
    (Hayes and Kanan 2020).

    Args:
        matrix: see `metric`.
        offline: accuracy of the offline learner on the first tasks up to each, (tasks,), above 0; such as of
            `offline_accuracies`.

    Raises:
        ValueError: see `metric`; or there is not one such accuracy for each task.
    """
    r = _checked(matrix)
    whole = _row("offline", offline, len(r))
    if not whole.all():
        raise ValueError("offline must be above 0: other accuracies are divided by it")
    return float(np.mean([r[i, : i + 1].mean() / whole[i] for i in range(len(r))]))


def _row(name: str, given: ArrayLike, tasks: int) -> Array:
    row = np.asarray(given, dtype=np.float64)
    if row.shape != (tasks,) or not ((row >= 0) & (row <= 1)).all():
        raise ValueError(f"{name} must be an accuracy from 0 to 1 for each of {tasks} tasks, got {row.tolist()}")
    return row


def _checked(matrix: ArrayLike) -> Array:
    r = np.asarray(matrix, dtype=np.float64)
    if r.ndim != 2 or r.shape[0] != r.shape[1] or not len(r):
        raise ValueError(f"expected accuracies (tasks, tasks), got shape {r.shape}")
    if not ((r >= 0) & (r <= 1)).all():
        raise ValueError("accuracies must be from 0 to 1")
    return r
