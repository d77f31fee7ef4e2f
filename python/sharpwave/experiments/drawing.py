"""Figures of recalls, for reports."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..memory import Recall, Visit
from ..plots import COLORS, image_grid, line_style, style

Array = NDArray[np.float64]

_SIZE = (4.8, 3.4)  # inches: a phone shows it a little smaller, a wide screen a little larger
_MOMENTS = 9


def images_over_time(recall: Recall, cue: Array, stored: Array, names: Sequence[str]) -> Figure:
    """What the features show, from the cue on, above the stored image that is nearest.

    Args:
        recall: of a single cue.
        cue: the cue as an image (height, width).
        stored: the memories as images (memories, height, width).
        names: of the memories.

    Returns:
        A matplotlib figure, with an image from each of the first visits, at its highest overlap; if there were no
        visits, from evenly spaced moments.
    """
    moments = [_peak(recall, visit) for visit in recall.episodes[:_MOMENTS]]
    moments = moments or list(np.linspace(0.0, float(recall.t[-1]), _MOMENTS))
    shown = recall.features_at(moments).values.reshape(len(moments), *cue.shape)
    nearest = recall.overlaps.sel(time=[0.0, *moments], method="nearest").argmax("memory").values
    labels = [f"{names[k]}\n{t:.1f}" for k, t in zip(nearest[1:], moments, strict=True)]
    return image_grid([("recalled", np.array([cue, *shown])), ("stored", stored[nearest])], ["cue", *labels])


def _peak(recall: Recall, visit: Visit) -> float:
    during = (recall.t.values >= visit.enter) & (recall.t.values <= visit.leave)
    overlap = np.where(during, recall.overlaps.values[:, visit.memory], -np.inf)
    return float(recall.t.values[overlap.argmax()])


def overlaps_over_time(recall: Recall, names: Sequence[str]) -> Figure:
    """One line for each memory, with its name above each visit.

    Args:
        recall: of a single cue.
        names: of the memories.
    """
    with style():
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.add_subplot()
        for index, overlap in enumerate(recall.overlaps.values.T):
            axes.plot(recall.t, overlap, **line_style(index))
        short = max(map(len, names)) <= 2
        placed = {"ha": "center"} if short else {"ha": "left", "rotation": 45}
        for visit in recall.episodes:
            middle = (visit.enter + visit.leave) / 2
            axes.text(middle, 1.03, names[visit.memory], va="bottom", fontsize=8.5, **placed)
        axes.set(xlabel="time / tau_f", ylabel="overlap", xlim=(0, float(recall.t[-1])), yticks=[0, 0.5, 1])
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
