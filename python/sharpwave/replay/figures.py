"""Pictures of what is known of tasks over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..plots import COLORS, style

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure


def plot_matrix(accuracy: xarray.DataArray) -> Figure:
    """Accuracy of each task after each was learned, `after` x `task`, as numbers on a heat map."""
    from matplotlib.figure import Figure

    values, names = accuracy.values, [str(name) for name in accuracy["task"].values]
    with style():
        figure = Figure(figsize=(1.5 + 0.6 * len(names), 1.1 + 0.6 * len(names)), layout="constrained")
        axes = figure.add_subplot()
        axes.imshow(values, vmin=0, vmax=1, cmap="Blues")
        for row, line in enumerate(values):
            for column, value in enumerate(line):
                color = "white" if value > 0.6 else "black"
                axes.text(column, row, f"{100 * value:.0f}", ha="center", va="center", color=color, fontsize=9)
        axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
        axes.set_yticks(range(len(names)), names)
        axes.set(xlabel="accuracy of the task / %", ylabel="after the task")
        axes.grid(False)
        return figure


def plot_curves(accuracy: xarray.DataArray) -> Figure:
    """Accuracy of each task from when it was learned on, and the mean of those so far."""
    from matplotlib.figure import Figure

    values, names = 100 * accuracy.values, [str(name) for name in accuracy["task"].values]
    places = np.arange(len(names))
    with style():
        figure = Figure(figsize=(5.6, 3.4), layout="constrained")
        axes = figure.add_subplot()
        for task, name in enumerate(names):
            color = COLORS[task % (len(COLORS) - 1)]
            axes.plot(places[task:], values[task:, task], "o-", color=color, markersize=3, label=name)
        means = [values[k, : k + 1].mean() for k in places]
        axes.plot(places, means, color=COLORS[-1], linestyle="dashed", label="all so far")
        axes.set_xticks(places, names)
        axes.set(xlabel="after the task", ylabel="accuracy / %", ylim=(-3, 103))
        axes.legend(title="task", loc="center left", bbox_to_anchor=(1, 0.5))
        return figure
