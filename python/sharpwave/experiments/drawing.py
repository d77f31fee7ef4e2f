"""Figures of recalls, for reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ..memory import Recall, Visit
from ..plots import COLORS, line_style, style

if TYPE_CHECKING:
    import xarray

_SIZE = (4.8, 3.4)  # inches: a phone shows it a little smaller, a wide screen a little larger
_MOMENTS = 9


def moments_of(overlaps: xarray.DataArray, visits: Sequence[Visit], count: int = _MOMENTS) -> NDArray[np.float64]:
    """Where the overlap of each of the first visits is highest; evenly spaced times if there were no visits.

    Args:
        overlaps: (time, memory).
        visits: as they followed one another.
        count: how many times at most.

    Returns:
        Times, (moments,).
    """
    t = overlaps.time.values
    if not visits:
        return np.linspace(t[0], t[-1], count)
    moments = []
    for visit in visits[:count]:
        during = (t >= visit.enter) & (t <= visit.leave)
        moments.append(t[np.where(during, overlaps.values[:, visit.memory], -np.inf).argmax()])
    return np.array(moments)


def overlaps_over_time(overlaps: xarray.DataArray, visits: Sequence[Visit], names: Sequence[str]) -> Figure:
    """One line for each memory, with its name above each visit.

    Args:
        overlaps: (time, memory).
        visits: as they followed one another.
        names: of the memories.
    """
    with style():
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.add_subplot()
        t = overlaps.time.values
        for index, overlap in enumerate(overlaps.values.T):
            axes.plot(t, overlap, **line_style(index))
        short = max(map(len, names)) <= 2
        placed = {"ha": "center"} if short else {"ha": "left", "rotation": 45}
        for visit in (visit for visit in visits if visit.enter < t[-1]):
            middle = (visit.enter + min(visit.leave, t[-1])) / 2
            axes.text(middle, 1.03, names[visit.memory], va="bottom", fontsize=8.5, **placed)
        axes.set(xlabel="time / tau_f", ylabel="overlap", xlim=(0, t[-1]), yticks=[0, 0.5, 1])
        return figure


def energy_over_time(recall: Recall) -> Figure:
    """The energy, and below it the two parts of its rate of change.

    Args:
        recall: of a single cue.
    """
    with style():
        figure = Figure(figsize=_SIZE, layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True)
        above.plot(recall.t, recall.energy, color=COLORS[-1])
        above.set(ylabel="energy")
        below.plot(recall.t, recall.descent, **line_style(0), label="descent")
        below.plot(recall.t, recall.drift, color=COLORS[1], linestyle=(0, (4, 1)), label="drift")
        below.set(xlabel="time / tau_f", ylabel="its rate", xlim=(0, float(recall.t[-1])))
        figure.legend(*below.get_legend_handles_labels(), ncols=2, loc="outside lower right")
        figure.align_ylabels()
        return figure


def surprise_over_epochs(surprise: NDArray[np.float64]) -> Figure:
    """How much the free network differed from what it was shown, in each epoch of learning.

    Args:
        surprise: (epochs,).
    """
    with style():
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.add_subplot()
        axes.plot(np.arange(1, len(surprise) + 1), surprise, marker="o", markersize=4)
        axes.set(xlabel="epoch", ylabel="surprise", ylim=(0, None))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        return figure
