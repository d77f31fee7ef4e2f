"""What the figures of all flipflops share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray


def networks_over_time(axes: Axes, steps: NDArray[Any], values: NDArray[Any], color: str, label: str) -> None:
    """Draw values (checkpoints, networks): a thin line for each network, a thick one for their mean."""
    axes.plot(steps, values, color=color, linewidth=0.4, alpha=0.4)
    axes.plot(steps, values.mean(axis=1), color=color, label=label)
