"""Figures of the experiment `lc-snn`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ...plots import COLORS, style
from .published import Published

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

_CROSS: dict[str, Any] = {
    "linestyle": (0, (4, 1.5)),
    "linewidth": 1.0,
    "marker": "x",
    "markersize": 5,
    "markeredgewidth": 1.3,
}
_LINES = {"LC-SNN": COLORS[0], "Diehl-Cook": COLORS[1]}


def accuracy_by_size(sizes: Sequence[int], curves: Mapping[str, Array], published: Mapping[int, Published]) -> Figure:
    """Accuracy against the number of filters, on a logarithmic axis.

    Args:
        sizes: numbers of filters, rising.
        curves: by readout, accuracies in percent (seeds, sizes), NaN where a size has fewer seeds.
        published: by size.
    """
    with style():
        figure = Figure(figsize=(4.8, 3.6), layout="constrained")
        axes = figure.add_subplot()
        for color, (name, values) in zip(COLORS, curves.items(), strict=False):
            _line(axes, sizes, values, label=name, color=color)
        known = {size: value for size, value in published.items() if sizes[0] <= size <= sizes[-1]}
        _reference(axes, known, COLORS[-1], "published")
        axes.set(xlabel="filters F", ylabel="accuracy / %", xscale="log")
        _spaced_ticks(axes, sizes)
        axes.legend(loc="lower right")
        return figure


def accuracy_of_the_lesioned(
    fractions: Sequence[float],
    found: Mapping[tuple[str, str], Array],
    published: Mapping[tuple[str, str], Mapping[float, Published]],
) -> Figure:
    """Accuracy against the share of synapses, and of neurons, that are deleted.

    Args:
        fractions: those shares.
        found: by network and what is deleted, accuracies in percent (draws, fractions).
        published: by the same, and by share.
    """
    with style():
        figure = Figure(figsize=(7.5, 3.4), layout="constrained")
        panels: dict[str, Axes] = dict(zip(("synapses", "neurons"), figure.subplots(1, 2, sharey=True), strict=True))
        for (network, what), values in found.items():
            _line(panels[what], fractions, values, label=network, color=_LINES[network])
            _reference(panels[what], published.get((network, what), {}), _LINES[network], f"{network}, published")
        for what, axes in panels.items():
            axes.set(xlabel=f"share of {what} deleted", ylim=(0, 100))
        panels["synapses"].set_ylabel("accuracy / %")
        panels["synapses"].legend(loc="lower left")
        return figure


def accuracy_while_learning(
    stops: Sequence[int], curves: Mapping[str, tuple[str, Array]], published: Mapping[str, tuple[int, float]]
) -> Figure:
    """Accuracy against the number of images learned, on a logarithmic axis.

    Args:
        stops: numbers of images, rising.
        curves: by network, its label, and accuracies in percent (seeds, stops).
        published: by network, a number of images and the accuracy after them.
    """
    with style():
        figure = Figure(figsize=(4.8, 3.6), layout="constrained")
        axes = figure.add_subplot()
        for network, (label, values) in curves.items():
            _line(axes, stops, values, label=label, color=_LINES[network])
        for network, (images, accuracy) in published.items():
            cross = {**_CROSS, "linestyle": "none"}
            axes.plot(images, accuracy, color=_LINES[network], label=f"{network}, published", **cross)
        axes.set(xlabel="images learned", ylabel="accuracy / %", xscale="log")
        _spaced_ticks(axes, stops)
        axes.legend(loc="lower right")
        return figure


def _line(axes: Axes, positions: Sequence[float], values: Array, *, label: str, color: str) -> None:
    """Means over repeats with their standard deviations as bars."""
    mean = np.nanmean(values, axis=0)
    repeats = (~np.isnan(values)).sum(axis=0)
    sd = np.array([np.nanstd(v, ddof=1) if n > 1 else 0.0 for v, n in zip(values.T, repeats, strict=True)])
    axes.errorbar(positions, mean, sd, color=color, marker="o", markersize=4, capsize=2.5, label=label)


def _reference(axes: Axes, published: Mapping[Any, Published], color: str, label: str) -> None:
    """Published means with a band of their standard deviations."""
    if published:
        means, sds = np.array(list(published.values())).T
        axes.plot(list(published), means, color=color, label=label, **_CROSS)
        axes.fill_between(list(published), means - sds, means + sds, color=color, alpha=0.15, linewidth=0)


def _spaced_ticks(axes: Axes, numbers: Sequence[int]) -> None:
    """Ticks at the last number, and at those that are at most half of the tick after."""
    ticks: list[int] = []
    for number in reversed(numbers):
        if not ticks or 2 * number <= ticks[-1]:
            ticks.append(number)
    axes.set(xticks=ticks, xticklabels=[f"{number:,}" for number in ticks])
    axes.minorticks_off()
