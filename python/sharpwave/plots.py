"""The house style of figures: fonts, sizes, and colours that colour-blind readers can tell apart."""

from __future__ import annotations

from collections.abc import Iterator
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


def image_grid(rows: list[tuple[str, ArrayLike]], labels: list[str], inches: float = 0.95) -> Figure:
    """Draw rows of grey-level images with a name at each row and a label below each column.

    Args:
        rows: (name, images (n, height, width)) for each row, every image on its own grey scale.
        labels: n labels.
        inches: the side of an image.

    Returns:
        A matplotlib figure.
    """
    import numpy as np
    from matplotlib.figure import Figure

    with style():
        columns = len(labels)
        figure = Figure(figsize=(inches * columns + 0.1, (inches + 0.12) * len(rows) + 0.45), layout="compressed")
        axes = np.atleast_2d(figure.subplots(len(rows), columns, squeeze=False))
        for line, (name, images) in zip(axes, rows, strict=True):
            for axis, image in zip(line, np.asarray(images), strict=True):
                axis.imshow(image, cmap="gray", interpolation="nearest")
                axis.set(xticks=[], yticks=[])
                axis.grid(visible=False)
                axis.spines[:].set_visible(False)
            line[0].set_title(name)
        for axis, label in zip(axes[-1], labels, strict=True):
            axis.set_xlabel(label, fontsize=9)
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
