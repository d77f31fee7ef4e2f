"""An automaton as a diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .automaton import ANY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from .automaton import TimedAutomaton, Transition

_RADIUS = 0.22  # of a state


def plot_automaton(automaton: TimedAutomaton) -> Figure:
    """Draw states as circles, the initial one with an arrow from nowhere, and transitions as arrows with their labels.

    Returns:
        A matplotlib figure.

    Example:
        >>> from .flipflop import temporal_flipflop
        >>> len(plot_automaton(temporal_flipflop()).axes)
        1
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle

    from ...plots import style

    count = len(automaton.states)
    turn = np.pi + 2 * np.pi * np.arange(count) / count
    distance = 0.0 if count == 1 else max(1.1, 0.45 * count)
    places = distance * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    reach = distance + 1.1
    with style():
        figure = Figure(figsize=(2.2 * reach, 1.7 * reach), layout="constrained")
        axes = figure.add_subplot()
        axes.set(xlim=(-reach - 0.4, reach + 0.4), ylim=(-reach, reach), aspect="equal")
        axes.set_axis_off()
        for (source, target), label in _labels(automaton).items():
            _arrow(axes, places, source, target, label)
        first = np.array([-0.8, -0.6])
        _line(axes, places[0] + first * 0.75, places[0] + first * _RADIUS, 0.0)
        for name, (x, y) in zip(automaton.states, places.tolist(), strict=True):
            axes.add_patch(Circle((x, y), _RADIUS, facecolor="white", edgecolor="0.2"))
            axes.text(x, y, name, ha="center", va="center", fontsize=10 if len(name) < 3 else 7)
        return figure


def _labels(automaton: TimedAutomaton) -> dict[tuple[int, int], str]:
    """A line for each transition, by source and target."""
    found: dict[tuple[int, int], list[str]] = {}
    for transition in automaton.transitions:
        target = automaton.states.index(transition.target)
        sources = automaton.states if transition.source == ANY else (transition.source,)
        for source in sources:
            found.setdefault((automaton.states.index(source), target), []).append(_label(transition))
    return {pair: "\n".join(lines) for pair, lines in found.items()}


def _label(transition: Transition) -> str:
    symbol = "any" if transition.symbol == ANY else transition.symbol
    guard = f", {transition.guard}" if transition.guard else ""
    resets = " / " + ", ".join(f"{clock} := 0" for clock in transition.resets) if transition.resets else ""
    return symbol + guard + resets


def _arrow(axes: Axes, places: NDArray[np.float64], source: int, target: int, label: str) -> None:
    start, end = places[source], places[target]
    if source == target:
        size = np.linalg.norm(start)
        out = start / size if size else np.array([0.0, 1.0])
        out = np.array([0.0, 1.0]) if len(places) < 3 else out  # of two states loops go up
        side = np.array([-out[1], out[0]])
        _line(axes, start + _RADIUS * (0.8 * out + 0.6 * side), start + _RADIUS * (0.8 * out - 0.6 * side), -1.6)
        _text(axes, start + out * 0.62, out, label)
        return
    along = (end - start) / np.linalg.norm(end - start)
    side = np.array([along[1], -along[0]])  # to the right of the way
    _line(axes, start + _RADIUS * along, end - _RADIUS * along, 0.25)
    _text(axes, (start + end) / 2 + side * (0.14 * np.linalg.norm(end - start) + 0.06), side, label)


def _text(axes: Axes, at: NDArray[np.float64], away: NDArray[np.float64], label: str) -> None:
    """A label that begins at a place and grows away from what it belongs to."""
    x, y = at.tolist()
    horizontal = "center" if abs(away[0]) < 0.5 else "left" if away[0] > 0 else "right"
    vertical = "center" if abs(away[1]) < 0.3 else "bottom" if away[1] > 0 else "top"
    axes.text(x, y, label, ha=horizontal, va=vertical, fontsize=8)


def _line(axes: Axes, start: NDArray[np.float64], end: NDArray[np.float64], bend: float) -> None:
    arrow = {"arrowstyle": "-|>", "color": "0.35", "connectionstyle": f"arc3,rad={bend}", "shrinkA": 0, "shrinkB": 2}
    axes.annotate("", xy=(float(end[0]), float(end[1])), xytext=(float(start[0]), float(start[1])), arrowprops=arrow)
