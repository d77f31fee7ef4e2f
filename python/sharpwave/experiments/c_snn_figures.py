"""Figures of the experiment `c-snn`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ..plots import COLORS, line_style, style
from .trained_digits import learning_curve

Votes = Mapping[str, tuple[float, float]]  # mean accuracy and standard deviation by vote


def votes_by_kernel_size(found: Mapping[tuple[str, int], Votes], published: Mapping[tuple[str, int], float]) -> Figure:
    """Accuracy against kernel size, a panel for each layer and a line for each vote.

    Args:
        found: by layer and kernel size.
        published: the same, where it is known.
    """
    layers = list(dict.fromkeys(layer for layer, _ in found))
    with style():
        figure = Figure(figsize=(2.2 * len(layers) + 1.5, 3.4), layout="constrained")
        panels = figure.subplots(1, len(layers), sharey=True, squeeze=False)[0]
        for axes, layer in zip(panels, layers, strict=True):
            sizes = sorted(k for name, k in found if name == layer)
            for place, vote in enumerate(found[layer, sizes[0]]):
                mean, sd = np.array([found[layer, k][vote] for k in sizes]).T
                look = {"color": COLORS[place], "markersize": 4, "capsize": 2}
                axes.errorbar(sizes, mean, np.nan_to_num(sd), fmt="o-", label=vote, **look)
            known = [k for k in sizes if (layer, k) in published]
            values = [published[layer, k] for k in known]
            axes.plot(known, values, "x", color="black", markersize=7, label="published")
            axes.set(title=layer, xlabel="kernel size k", xticks=sizes)
        panels[0].set_ylabel("accuracy / %")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right center")
        return figure


def accuracy_while_learning(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """Accuracy on the next images against those learned.

    Args:
        found: what `learn_and_test` returned, for each seed, by name of the line.
    """
    with style():
        figure = Figure(figsize=(6.4, 3.6), layout="constrained")
        axes = figure.add_subplot()
        for place, (name, ones) in enumerate(found.items()):
            seen, accuracy = learning_curve(ones)
            axes.plot(seen, accuracy, label=name, marker="o" if len(seen) < 3 else None, **line_style(place))
        axes.set(xlabel="images learned", ylabel="accuracy / %", xlim=(0, None))
        figure.legend(loc="outside right center")
        return figure
