"""The house style of figures: fonts, sizes, and colours that colour-blind readers can tell apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .files import whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

# Okabe and Ito, "Color Universal Design" (2008), without their yellow, which is too light for a line on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#333333")
DASHES: tuple[Any, ...] = ("solid", (0, (5, 1.5)), (0, (1.5, 1)))

_STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.8,
    "xtick.color": "#333333",
    "ytick.color": "#333333",
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "figure.facecolor": "white",
    "figure.dpi": 150,
    "savefig.facecolor": "white",
    "svg.hashsalt": "sharpwave",  # the same figure gives the same file
}


@contextmanager
def style() -> Iterator[None]:
    """Apply the house style within a block; settings outside are left alone.

    Example:
        >>> from matplotlib.figure import Figure
        >>> with style():
        ...     axes = Figure(figsize=(5, 3)).add_subplot()
        >>> axes.spines["top"].get_visible()
        False
    """
    import matplotlib
    from cycler import cycler

    with matplotlib.rc_context({**_STYLE, "axes.prop_cycle": cycler(color=COLORS)}):
        yield


def line_style(index: int) -> dict[str, Any]:
    """Colour and dashes of the line with this index: different for the first 21 of a figure.

    Example:
        >>> line_style(0)["color"], line_style(7)["linestyle"]
        ('#0072B2', (0, (5, 1.5)))
    """
    return {
        "color": COLORS[index % len(COLORS)],
        "linestyle": DASHES[index // len(COLORS) % len(DASHES)],
    }


def image_grid(rows: Sequence[tuple[str, ArrayLike]], labels: Sequence[str], per_line: int = 5) -> Figure:
    """Draw rows of grey-level images with a label below each column, broken into lines that a phone can show.

    Args:
        rows: (name, images (n, height, width)) for each row, every image on its own grey scale.
        labels: n labels.
        per_line: columns of a line.

    Returns:
        A matplotlib figure.
    """
    import numpy as np
    from matplotlib.figure import Figure

    lines = [range(first, min(first + per_line, len(labels))) for first in range(0, len(labels), per_line)]
    columns = min(per_line, len(labels))
    with style():
        figure = Figure(figsize=(1.05 * columns + 0.3, (0.98 * len(rows) + 0.4) * len(lines)), layout="constrained")
        bands = figure.subfigures(len(lines), 1, squeeze=False)[:, 0]
        for band, line in zip(bands, lines, strict=True):
            grid = band.subplots(len(rows), columns, squeeze=False)
            for axis in grid.flat:
                axis.set_axis_off()
            for cells, (name, images) in zip(grid, rows, strict=True):
                for axis, index in zip(cells, line, strict=False):
                    axis.set_axis_on()
                    axis.imshow(np.asarray(images)[index], cmap="gray", interpolation="nearest")
                    axis.set(xticks=[], yticks=[])
                    axis.grid(visible=False)
                    axis.spines[:].set_visible(False)
                cells[0].set_ylabel(name, fontsize=9)
            for axis, index in zip(grid[-1], line, strict=False):
                axis.set_xlabel(labels[index], fontsize=9)
        return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Save a figure by atomic rename, in the format of the path's suffix, and without the date.

    Args:
        figure: a matplotlib figure.
        path: where; `.svg`, `.png` and `.pdf` are usual.
    """
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix)
    with style(), whole(path) as beside:
        figure.savefig(beside, metadata=metadata)


def save_animation(figure: Figure, draw: Callable[[int], None], frames: int, path: Path, *, fps: int = 3) -> None:
    """Save a figure that moves as a GIF, which goes round for ever, by atomic rename.

    Args:
        figure: a matplotlib figure.
        draw: makes it the frame of this number, from 0.
        frames: how many.
        path: where, with the suffix `.gif`.
        fps: frames a second.
    """
    from matplotlib.animation import FuncAnimation, PillowWriter
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    with style(), whole(path) as beside:
        moving = FuncAnimation(figure, draw, frames=frames, init_func=lambda: None, interval=1000 / fps)
        moving.save(str(beside), writer=PillowWriter(fps=fps), dpi=100)
