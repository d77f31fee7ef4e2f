"""Figures of `privileged-basis`: matrices, and a picture that travels through the variables of a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..dynamics import PrivilegedBasis
    from ..recurrent import RNN, HistoryTask

# A wave that breaks, by rows.
_PICTURE = """
........
..###...
.#...#..
.#....#.
#.....#.
#.......
#......#
########
"""


def draw_operators(shown: Mapping[str, PrivilegedBasis]) -> Figure:
    """For each task the operator that was found, the task's own, and the basis."""
    from matplotlib.figure import Figure

    from ..plots import style

    with style():
        figure = Figure(figsize=(2.4 * len(shown) + 0.8, 7.6), layout="constrained")
        panels = figure.subplots(3, len(shown), squeeze=False)
        for place, (name, found) in enumerate(shown.items()):
            basis = found.basis / np.abs(found.basis).max()
            assert found.known is not None, "tasks of the paper are linear"
            for row, matrix in enumerate((found.operator, found.known, basis)):
                image = panels[row, place].imshow(
                    matrix, cmap="RdBu", vmin=-1, vmax=1, interpolation="nearest", aspect="auto"
                )
                panels[row, place].set(xticks=[], yticks=[])
            panels[0, place].set_title(name)
        for axes, label in zip(panels[:, 0], ("found", "the task's", "basis"), strict=True):
            axes.set_ylabel(label)
        figure.colorbar(image, ax=panels, shrink=0.4)
        return figure


def moving_waves(network: RNN, task: HistoryTask, found: PrivilegedBasis) -> tuple[Figure, Callable[[int], None], int]:
    """A picture shown to a network: the figure, what makes it a frame, and the number of frames."""
    from matplotlib.figure import Figure

    from ..plots import style

    rows = _PICTURE.split()
    picture = np.array([[1.0 if pixel == "#" else -1.0 for pixel in row] for row in rows])
    inputs, steps = picture.T, 3 * task.window
    seen = found.window(network.states(inputs, steps))
    values = np.concatenate([np.zeros_like(inputs), inputs, np.asarray(task.continued(inputs, steps - len(inputs)))])
    right = np.stack([values[t + 1 : t + 1 + task.window] for t in range(steps)])
    unread = np.isnan(seen[0])
    with style():
        figure = Figure(figsize=(5.6, 3.2), layout="constrained")
        panels = figure.subplots(1, 2)
        images = []
        for axes, title in zip(panels, ("network", "task"), strict=True):
            images.append(axes.imshow(np.zeros(picture.shape), cmap="RdBu", vmin=-1.5, vmax=1.5))
            axes.plot(*np.nonzero(unread), "x", color="0.75", markersize=4)
            axes.set(title=title, xticks=[], yticks=[])
            axes.grid(False)

    def draw(frame: int) -> None:
        for image, values in zip(images, (seen, right), strict=True):
            image.set_data(np.nan_to_num(values[frame]).T)
        figure.suptitle(f"step {frame + 1}" + (", inputs are shown" if frame < len(inputs) else ""), fontsize=10)

    return figure, draw, steps
