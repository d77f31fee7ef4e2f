"""Figures of recalls and of energy surfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..plots import line_style, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .result import Recall

Array = NDArray[np.float64]

_LABELLED = 10  # memories named in a legend; of more, only those that are visited get a colour
_IMAGES = 12


def recall_figure(recall: Recall, image_shape: tuple[int, int] | None = None) -> Figure:
    """Overlaps over time with the visited memories, and below them energy, descent and drift.

    Args:
        recall: of a single cue.
        image_shape: (height, width) of the features; then the features are drawn above as images.

    Returns:
        A matplotlib figure.
    """
    from matplotlib.figure import Figure

    with style():
        strip = image_shape is not None
        figure = Figure(figsize=(7.5, 6.6 if strip else 5.4), layout="constrained")
        heights = [1.0, 2.2, 1.3, 1.3] if strip else [2.2, 1.3, 1.3]
        rows = figure.add_gridspec(len(heights), 1, height_ratios=heights)
        if image_shape is not None:
            _image_strip(figure, rows[0], recall, image_shape)
        over_time = [figure.add_subplot(rows[len(heights) - 3 + k]) for k in range(3)]
        for axes in over_time[1:]:
            axes.sharex(over_time[0])
        for axes in over_time[:-1]:
            axes.tick_params(labelbottom=False)
        _draw_overlaps(over_time[0], recall)
        t = recall.t.values
        over_time[1].plot(t, recall.energy, color="#333333")
        over_time[1].set(ylabel="energy")
        over_time[2].plot(t, recall.descent, **line_style(0), label="descent")
        over_time[2].plot(t, recall.drift, **line_style(1), label="drift")
        over_time[2].set(ylabel="d energy / dt", xlabel="time", xlim=(t[0], t[-1]))
        over_time[2].legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        return figure


def _draw_overlaps(axes: Any, recall: Recall) -> None:
    t, overlaps = recall.t.values, recall.overlaps.values
    visited = sorted({visit.memory for visit in recall.episodes})
    named = list(range(overlaps.shape[1])) if overlaps.shape[1] <= _LABELLED else visited[:_LABELLED]
    others = [k for k in range(overlaps.shape[1]) if k not in named]
    if others:
        axes.plot(t, overlaps[:, others], color="#bbbbbb", linewidth=0.6)
    for index, k in enumerate(named):
        axes.plot(t, overlaps[:, k], **line_style(index), label=str(k))
    shown = recall.episodes if len(recall.episodes) <= 40 else ()
    for visit in shown:
        axes.text((visit.enter + visit.leave) / 2, 1.04, str(visit.memory), ha="center", va="bottom", fontsize=8)
    axes.set(ylabel="overlap", ylim=(min(-0.3, float(np.nanmin(overlaps)) - 0.05), 1.16))
    axes.legend(title="memory", loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)


def _image_strip(figure: Figure, where: Any, recall: Recall, image_shape: tuple[int, int]) -> None:
    height, width = image_shape
    features = recall.model.features
    if height * width != features:
        raise ValueError(
            f"image_shape {image_shape} has {height * width} pixels, but the model has {features} features"
        )
    # late in a visit, when features have settled
    moments = [0.25 * visit.enter + 0.75 * visit.leave for visit in recall.episodes[:_IMAGES]]
    if not moments:
        moments = list(np.linspace(float(recall.t[0]), float(recall.t[-1]), _IMAGES)[1:])
    moments = [float(recall.t[0]), *moments]
    images = recall.features_at(moments).values.reshape(-1, height, width)
    cells = where.subgridspec(1, len(moments), wspace=0.08)
    for k, (moment, image) in enumerate(zip(moments, images, strict=True)):
        axes = figure.add_subplot(cells[k])
        axes.imshow(image, cmap="gray", interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        axes.set_xlabel("cue" if k == 0 else f"{moment:.3g}", fontsize=8)
