"""Phases of learning to keep time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..torch_learning import said
from ..training import TEST, Trained
from .task import AutomatonTask


@dataclass(frozen=True)
class Phases:
    """Steps of training at which phases begin, None for those that do not.

    Attributes:
        plateau: what does not depend on time is right: its accuracy is at least `perfect` for the first time.
        rise: the plateau is over: the accuracy of what depends on time stays above `risen` from here on.
        perfection: all is nearly right: that accuracy stays at least `perfect` from here on.
    """

    plateau: int | None
    rise: int | None
    perfection: int | None


def find_phases(
    steps: ArrayLike, timeless: ArrayLike, timed: ArrayLike, *, risen: float = 0.75, perfect: float = 0.98
) -> Phases:
    """When each phase begins, by thresholds that accuracies pass: the first for the first time, others for good.

    Args:
        steps: of training, rising, (checkpoints,).
        timeless: accuracy on symbols whose effect does not depend on time (TI), (checkpoints,).
        timed: accuracy on those whose effect does (TD).
        risen, perfect: thresholds; the first is that of arXiv 2306.07125, the second a choice. How much the steps found
            depend on them is seen by giving others.

    Raises:
        ValueError: series of different lengths.

    Example:
        >>> find_phases([0, 10, 20, 30, 40], [0.5, 1, 1, 1, 1], [0.5, 0.5, 0.6, 0.9, 0.99])
        Phases(plateau=10, rise=30, perfection=40)
    """
    at, first, second = (np.asarray(series, dtype=np.float64) for series in (steps, timeless, timed))
    if not at.shape == first.shape == second.shape or at.ndim != 1:
        raise ValueError(f"expected series of one length, got shapes {at.shape}, {first.shape} and {second.shape}")

    def for_good(good: NDArray[np.bool_]) -> int | None:
        wrong = np.flatnonzero(~good)
        begin = wrong[-1] + 1 if len(wrong) else 0
        return int(at[begin]) if begin < len(at) else None

    learned = np.flatnonzero(first >= perfect)
    plateau = int(at[learned[0]]) if len(learned) else None
    return Phases(plateau, for_good(second > risen), for_good(second >= perfect))


def accuracy_by_symbol(
    trained: Trained, task: AutomatonTask, horizon: int, *, examples: int = 256, seed: int = 0
) -> NDArray[np.float64]:
    """Share of outputs with the right sign in the steps in which a symbol is seen, on examples that are new.

    Args:
        trained: networks, with parameters kept on the way.
        task: what they learned.
        horizon: steps of an example.
        examples, seed: how many, and of which numbers.

    Returns:
        (kept, replicas, symbols); NaN for a symbol that was never seen.

    Raises:
        ValueError: no parameters were kept.
    """
    import torch

    count = len(next(iter(trained.kept.values())))
    if not count:
        raise ValueError("no parameters were kept: give `train` steps to keep")
    inputs, targets = task.batch(seed, 0, examples, horizon, TEST)
    symbols = inputs.argmax(-1).numpy()
    found = np.empty((count, len(trained.seeds), task.inputs))
    for place in range(count):
        parameters: dict[str, Any] = {name: torch.from_numpy(value[place]) for name, value in trained.kept.items()}
        with torch.no_grad():
            shown = inputs.expand(len(trained.seeds), *inputs.shape)
            outputs = said(trained.architecture, task, parameters, shown, horizon)
        right = (outputs * targets > 0).double().mean(-1).numpy()
        for symbol in range(task.inputs):
            seen = symbols == symbol
            found[place, :, symbol] = right[:, seen].mean(axis=1) if seen.any() else np.nan
    return found
