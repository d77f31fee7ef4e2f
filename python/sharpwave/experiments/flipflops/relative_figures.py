"""Figures of networks that learn how long ago the last symbol was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...plots import COLORS, style
from .drawing import networks_over_time

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]


def draw_points(steps: Array, accuracy: Array, stable: Array, ones: Sequence[Any]) -> Figure:
    """Accuracy by symbol (checkpoints, networks, 3), and how many have two stable points (networks, checkpoints)."""
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=(6.4, 4.6), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        for column, name in enumerate(("a", "b", "null")):
            networks_over_time(above, steps, accuracy[:, :, column], COLORS[column], name)
        below.plot(steps, (stable >= 2).mean(axis=0), color=COLORS[3])
        for place, which in enumerate(("first", "good")):
            at = [getattr(one, which).at for one in ones if getattr(one, which) is not None]
            below.plot(at, np.full(len(at), 1.1 + 0.12 * place), "|", color=COLORS[4 + place], markersize=7,
                       label={"first": "appears", "good": "appears for good"}[which])  # fmt: skip
        above.set(ylabel="accuracy", ylim=(0.3, 1.03))
        above.legend(loc="lower right", ncols=3)
        below.set(xlabel="iteration", ylabel="share with two", ylim=(-0.03, 1.3), xlim=(0, steps[-1]))
        below.legend(loc="center right")
        return figure


def draw_counting(distances: Array, tau: int) -> Figure:
    """Distances (networks, steps since the last symbol)."""
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=(4.6, 3.2), layout="constrained")
        axes = figure.add_subplot()
        since = np.arange(distances.shape[1])
        axes.plot(since[1:], distances[:, 1:].T, color=COLORS[0], linewidth=0.4, alpha=0.5)
        axes.plot(since[1:], np.nanmedian(distances[:, 1:], axis=0), color=COLORS[0])
        axes.axvline(tau + 0.5, color="0.4", linestyle=":", linewidth=1)
        axes.set(xlabel="steps since the last symbol", ylabel="distance", ylim=(0, None))
        return figure
