"""Pictures of orbits, eigenvalues and branches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .continuation import Branch
from .subspaces import Subspace

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]


def plot_orbit(axes: Axes, states: ArrayLike, plane: Subspace, label: str | None = None, **style: Any) -> None:
    """Draw a trajectory in the first two coordinates of a subspace, such as that of the leading eigenvectors.

    Args:
        axes: of matplotlib.
        states: h after each step (steps, n).
        plane: whose `coordinates` are drawn, at least two.
        label: for a legend.
        style: of `axes.plot`.

    Raises:
        ValueError: a subspace of one dimension.

    Example:
        >>> from matplotlib.figure import Figure
        >>> axes = Figure().add_subplot()
        >>> plane = Subspace(np.zeros(3), np.eye(3)[:, :2], np.eye(3)[:2])
        >>> plot_orbit(axes, np.random.default_rng(0).normal(size=(20, 3)), plane)
        >>> len(axes.lines)
        1
    """
    x = plane.coordinates(states)
    if x.shape[-1] < 2:
        raise ValueError("an orbit is drawn in two coordinates, the subspace has one")
    axes.plot(x[..., 0], x[..., 1], **{"marker": "o", "markersize": 2.5, "linewidth": 0.7, "label": label, **style})
    axes.set(xlabel="first coordinate", ylabel="second coordinate", aspect="equal")


def plot_eigenvalues(axes: Axes, eigenvalues: ArrayLike, at: ArrayLike, colors: str = "viridis") -> Any:
    """Draw eigenvalues on their way, and the unit circle.

    Args:
        axes: of matplotlib.
        eigenvalues: (points, n), as a `Branch` has them.
        at: p of each point, (points,), which is told by the colour.
        colors: name of a colour map of matplotlib.

    Returns:
        What `figure.colorbar` takes.

    Example:
        >>> from matplotlib.figure import Figure
        >>> axes = Figure().add_subplot()
        >>> len(plot_eigenvalues(axes, np.zeros((5, 2)), np.arange(5)).get_offsets())
        10
    """
    values, p = np.asarray(eigenvalues, dtype=np.complex128), np.asarray(at, dtype=np.float64)
    turn = np.linspace(0, 2 * np.pi, 400)
    axes.plot(np.cos(turn), np.sin(turn), color="0.6", linewidth=0.8, zorder=0)
    shade = np.broadcast_to(p[:, None], values.shape)
    drawn = axes.scatter(values.real.ravel(), values.imag.ravel(), c=shade.ravel(), cmap=colors, s=5, linewidths=0)
    axes.set(xlabel="real part", ylabel="imaginary part", aspect="equal")
    return drawn


def plot_branches(
    axes: Axes, branches: Sequence[Branch], height: ArrayLike | None = None, xlabel: str = "p", ylabel: str = "h"
) -> None:
    """Draw a bifurcation diagram: branches, solid where they are stable, dashed where not, and their crossings.

    Args:
        axes: of matplotlib.
        branches: what `follow` found.
        height: what is drawn of a state, weights (n,); None: its first component.
        xlabel, ylabel: what the axes say.

    Example:
        >>> from matplotlib.figure import Figure
        >>> from .continuation import follow
        >>> from .paths import FunctionPath
        >>> branch = follow(FunctionPath(lambda x, r: r * x * (1 - x), 1), [0.5], 2.0, 4.0)
        >>> axes = Figure().add_subplot()
        >>> plot_branches(axes, [branch], xlabel="r", ylabel="x")
        >>> [text.get_text() for text in axes.texts]
        ['flip']
    """
    from ..plots import COLORS

    for place, branch in enumerate(branches):
        color = COLORS[place % len(COLORS)]
        weights = np.eye(branch.states.shape[1])[0] if height is None else np.asarray(height, dtype=np.float64)
        y, stable = branch.states @ weights, branch.stable
        for kind, style in ((True, "-"), (False, "--")):
            own = stable == kind
            shown = own | np.roll(own, 1) & (np.arange(len(own)) > 0)  # up to the first point of the other kind
            axes.plot(branch.at, np.where(shown, y, np.nan), style, color=color)
        for crossing in branch.crossings:
            at = (crossing.at, float(crossing.state @ weights))
            axes.plot(*at, "o", color="0.2", markersize=4)
            axes.annotate(crossing.kind, at, xytext=(4, 4), textcoords="offset points", fontsize=8)
    axes.set(xlabel=xlabel, ylabel=ylabel)
