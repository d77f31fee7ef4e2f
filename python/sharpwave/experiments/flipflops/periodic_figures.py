"""Figures of networks that learn the time of day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...plots import COLORS, style
from .crossing import Lost
from .drawing import networks_over_time
from .networks import INPUTS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...dynamics import Crossing
    from ...recurrent import RNN

Array = NDArray[np.float64]
Crossings = Mapping[str, Sequence["Crossing | None"]]
_SETTLED = 60  # states that are drawn, after as many times ten


def draw_training(steps: Array, accuracy: Array, crossings: Crossings, rises: Sequence[int | None]) -> Figure:
    """Accuracy on both symbols (checkpoints, networks, 2), and above it when points are lost."""
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=(6.4, 3.2), layout="constrained")
        axes = figure.add_subplot()
        for column, name in enumerate(("a, whose effect depends on time (TD)", "b, whose effect does not (TI)")):
            networks_over_time(axes, steps, accuracy[:, :, column], COLORS[column], name)
        for place, symbol in enumerate(INPUTS):
            at = [one.at for one in crossings[symbol] if one is not None]
            axes.plot(at, np.full(len(at), 1.05 + 0.04 * place), "|", color=COLORS[2 + place], markersize=7,
                      label=f"the point of {symbol} is lost")  # fmt: skip
        latest = max([*(rise for rise in rises if rise is not None), steps[-1] / 4])
        axes.set(xlabel="iteration", ylabel="accuracy", xlim=(0, min(steps[-1], 3 * latest)), ylim=(0.4, 1.13))
        figure.legend(loc="outside lower center", ncols=2)
        return figure


def draw_crossings(crossings: Crossings, rises: Sequence[int | None], every: float) -> Figure:
    """When points are lost against when accuracy rises."""
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=(4.2, 3.6), layout="constrained")
        axes = figure.add_subplot()
        known = [float(rise) for rise in rises if rise is not None] or [0.0]
        line = np.array([min(known) - 3 * every, max(known) + 3 * every])
        axes.fill_between(line, line - 2 * every, line + every, color="0.9", linewidth=0)
        axes.plot(line, line, color="0.6", linewidth=0.8)
        for place, symbol in enumerate(INPUTS):
            both = zip(rises, crossings[symbol], strict=True)
            pairs = [(rise, one.at) for rise, one in both if rise is not None and one is not None]
            axes.plot(*np.array(pairs).reshape(-1, 2).T, "o", color=COLORS[2 + place], markersize=4, label=symbol)
        axes.set(xlabel="iteration from which TD > .75", ylabel="iteration at which the point is lost")
        axes.legend(title="under")
        return figure


def draw_spectra(lost: Mapping[str, Lost]) -> Figure:
    """Eigenvalues of both points through training."""
    from matplotlib.figure import Figure

    from ...dynamics import plot_eigenvalues

    with style():
        figure = Figure(figsize=(7.0, 3.4), layout="constrained")
        panels = figure.subplots(1, len(lost))
        for axes, (symbol, one) in zip(panels, lost.items(), strict=True):
            if one.crossing is not None:
                end = 1.3 * one.crossing.eigenvalue
                axes.plot([0, end.real], [0, end.imag], color="0.8", linewidth=0.8, zorder=0)
            drawn = plot_eigenvalues(axes, one.branch.eigenvalues, one.branch.at)
            axes.set(title=f"point of {symbol}", xlim=(-1.35, 1.35), ylim=(-1.35, 1.35))
        figure.colorbar(drawn, ax=panels, label="iteration")
        return figure


def draw_orbits(networks: Sequence[RNN], steps: Array, lost: Mapping[str, Lost]) -> Figure:
    """Where the last network settles under the first symbol, and the bifurcation diagram of its training."""
    from matplotlib.figure import Figure

    from ...dynamics import NetworkMap, leading_subspace, orbit, plot_branches, plot_orbit

    symbol, input = next(iter(INPUTS.items()))
    branch = lost[symbol].branch
    last = NetworkMap(networks[-1], input)
    values = branch.eigenvalues[-1][np.argsort(-np.abs(branch.eigenvalues[-1]))]
    pair = values[0].imag != 0 or values[1].imag == 0
    plane = leading_subspace(last, branch.states[-1], 2 if pair else 3)
    with style():
        figure = Figure(figsize=(7.4, 3.2), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.5))
        for place, network in enumerate(networks):
            settled = orbit(NetworkMap(network, input), branch.states[-1] + 1e-2, _SETTLED, 10 * _SETTLED)
            right.plot(np.full(len(settled), steps[place]), settled @ plane.dual[0], ".", color="0.7", markersize=1.5)
        plot_orbit(left, settled, plane, color=COLORS[0])
        left.plot(0, 0, "+", color="0.2")
        plot_branches(right, [branch], plane.dual[0], "iteration", "first coordinate")
        return figure
