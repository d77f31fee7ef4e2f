"""Figures of spiking networks: rasters, learned filters, and the classes that units stand for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..plots import COLORS, style
from .events import Spikes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .readouts import RateReadout

Array = NDArray[np.float64]

# Paul Tol, "Colour Schemes", SRON/EPS/TN/09-002 (2012): twelve colours that colour-blind readers can tell apart.
CLASS_COLORS = ("#332288", "#6699CC", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#661100", "#CC6677",
                "#AA4466", "#882255", "#AA4499")  # fmt: skip
_NONE = "#eeeeee"
_LABELLED = 450  # cells that still have room for their class
_TICKED = 40  # units whose spikes are ticks
_VECTORS = 20_000  # spikes that are drawn as vectors


def plot_raster(spikes: Mapping[str, Spikes], example: int = 0) -> Figure:
    """The spikes of one example over time, a panel for each population.

    Args:
        spikes: of each population, by name.
        example: number of the example.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: there is no population.
        IndexError: there is no such example.

    Example:
        >>> spikes = Spikes([0, 0], [1, 4], [0, 2], examples=1, steps=10, units=3, dt=1.0)
        >>> [axes.get_ylabel() for axes in plot_raster({"layer": spikes}).axes]
        ['layer unit']
    """
    from matplotlib.figure import Figure

    if not spikes:
        raise ValueError("spikes: expected at least one population, such as result.spikes")
    for name, found in spikes.items():
        if not 0 <= example < found.examples:
            raise IndexError(f"example must be from 0 to {found.examples - 1} of {name}, got {example}")
    heights = [1.0 + 0.6 * math.log10(found.units) for found in spikes.values()]
    with style():
        figure = Figure(figsize=(7.5, 0.7 + 1.1 * sum(heights)), layout="constrained")
        panels = figure.subplots(len(spikes), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        for k, (axes, (name, found)) in enumerate(zip(panels, spikes.items(), strict=True)):
            one = found.of([example])
            color, rasterized = COLORS[k % len(COLORS)], len(one) > _VECTORS
            mark: dict[str, Any] = {"marker": "|", "markersize": min(60 * heights[k] / found.units, 12)}
            if found.units > _TICKED:
                size = min(max(60 / math.sqrt(len(one) + 1), 1.8), 4.5)
                mark = {"marker": "o", "markersize": size, "markeredgewidth": 0}
            axes.plot(one.step * one.dt, one.unit, linestyle="none", color=color, **mark, rasterized=rasterized)
            axes.set(ylabel=f"{name} unit", ylim=(found.units - 0.5, -0.5), xlim=(0, one.steps * one.dt))
            axes.set_title(f"{len(one)} spike{'s' * (len(one) != 1)}", fontsize=9, loc="right", color="#555555")
            axes.yaxis.get_major_locator().set_params(integer=True, nbins=5)
            axes.grid(axis="y", visible=False)
        panels[-1].set_xlabel("time (ms)")
        return figure


def plot_filters(
    weights: ArrayLike,
    image_shape: tuple[int, int] | None = None,
    grid: tuple[int, int] | None = None,
    *,
    limit: int = 100,
) -> Figure:
    """Learned weights as images, one tile for each unit, or for each filter with its windows where they are.

    Args:
        weights: (pixels, units) of a dense or convolutional layer, or (positions, window's pixels, filters) of a
            locally connected one.
        image_shape: rows and columns of the pixels; None: a square.
        grid: rows and columns of the positions; None: a square.
        limit: no more than so many tiles.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: the weights have another shape.

    Example:
        >>> plot_filters(np.random.default_rng(0).random((9, 144, 25))).axes[0].get_title("left")
        '25 filters at 3 x 3 positions'
    """
    from matplotlib.figure import Figure

    array = np.asarray(weights, dtype=np.float64)
    if array.ndim not in (2, 3) or not array.size or limit < 1:
        raise ValueError(
            "weights must be (pixels, units) or (positions, window's pixels, filters), and limit at least 1, "
            f"got shape {array.shape} and {limit}"
        )
    windows = array[None] if array.ndim == 2 else array
    positions = (1, 1) if array.ndim == 2 else _sides("grid", grid, len(windows))
    rows, columns = _sides("image_shape", image_shape, windows.shape[1])
    number = min(windows.shape[2], limit)
    what = "units" if array.ndim == 2 else f"filters at {positions[0]} x {positions[1]} positions"
    title = f"{number} {what}" if number == windows.shape[2] else f"{number} of {windows.shape[2]} {what}"
    lowest = min(0.0, float(array.min()))
    tiles = [_joined(windows[:, :, k].reshape(-1, rows, columns), positions, 1, np.nan) for k in range(number)]
    wide = array.ndim == 3 and len(windows) > 1
    picture = _joined(np.array(tiles), _square(number), 4 if wide else 1, lowest - 1 if wide else np.nan)
    with style():
        height, width = picture.shape
        figure = Figure(figsize=(6.4, 0.5 + 5.4 * height / width), layout="constrained")
        axes = figure.add_subplot()
        image = axes.imshow(picture, cmap=_greys(), vmin=lowest, vmax=array.max(), interpolation="nearest")
        _bare(axes)
        axes.set_title(title)
        bar = figure.colorbar(image, ax=axes, shrink=0.6, aspect=30, pad=0.02)
        bar.set_label("weight")
        bar.outline.set_visible(False)
        return figure


def plot_assignments(
    assignments: RateReadout | ArrayLike,
    classes: Sequence[Any] | NDArray[Any] | None = None,
    grid: tuple[int, int] | None = None,
) -> Figure:
    """The class that each unit stands for, in the arrangement of `plot_filters`, and the number of units of each class.

    Args:
        assignments: number of each unit's class, -1 for none, (units,), or a readout that gives units a class. Units
            are numbered by position, then filter.
        classes: their names; None: their numbers.
        grid: rows and columns of the positions of a locally connected layer; None: units see the whole image.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: assignments are not whole numbers from -1 on, or more than there are names, or do not fit the grid.

    Example:
        >>> plot_assignments([0, 1, 1, -1], ["cat", "dog"]).axes[1].get_xlabel()
        'units'
    """
    from matplotlib.colors import ListedColormap, to_rgb
    from matplotlib.figure import Figure

    given = np.asarray(getattr(assignments, "assignments", assignments))
    positions = grid or (1, 1)
    if given.ndim != 1 or not given.size or given.dtype.kind not in "iu" or given.min() < -1:
        raise ValueError(f"assignments must be whole numbers from -1 on, (units,), got {given.dtype} of {given.shape}")
    if given.size % math.prod(positions):
        raise ValueError(f"{given.size} units are no multiple of {positions[0]} x {positions[1]} positions")
    names = [str(name) for name in (range(int(given.max()) + 1) if classes is None else classes)]
    if given.max() >= len(names):
        raise ValueError(f"there is a unit of class {given.max()}, but names of {len(names)} classes")
    by_filter = given.reshape(math.prod(positions), -1).T
    tiles = np.array([row.reshape(positions) for row in by_filter])
    cells = _joined(tiles.astype(np.float64), _square(len(tiles)), 0, np.nan)
    colors = [CLASS_COLORS[k % len(CLASS_COLORS)] for k in range(len(names))]
    with style():
        height, width = cells.shape
        figure = Figure(figsize=(7.8, max(0.6 + 5.0 * height / width, 1.2 + 0.22 * len(names))), layout="constrained")
        axes, bars = figure.subplots(1, 2, width_ratios=(3.2, 1))
        palette = ListedColormap([_NONE, *colors])
        axes.imshow(cells, cmap=palette, vmin=-1.5, vmax=len(names) - 0.5, interpolation="nearest")
        _bare(axes)
        edge = {"color": "white", "linewidth": 2.5 if grid else 0.8}
        for at in range(positions[0], height, positions[0]):
            axes.axhline(at - 0.5, **edge)
        for at in range(positions[1], width, positions[1]):
            axes.axvline(at - 0.5, **edge)
        what = "filters" if grid else "units"
        where = f" at {positions[0]} x {positions[1]} positions" if grid else ""
        axes.set_title(f"classes of {len(tiles)} {what}{where}")
        if given.size <= _LABELLED and max(map(len, names)) <= 3:
            for (row, column), value in np.ndenumerate(cells):
                if value >= 0:
                    dark = float(np.dot(to_rgb(colors[int(value)]), (0.3, 0.59, 0.11))) < 0.55
                    size = 200 / max(height, width)
                    axes.text(column, row, names[int(value)], ha="center", va="center", fontsize=min(size, 9),
                              color="white" if dark else "#222222")  # fmt: skip
        _draw_bars(bars, given, names, colors)
        return figure


def _draw_bars(axes: Any, given: NDArray[Any], names: list[str], colors: list[str]) -> None:
    counts = np.bincount(given + 1, minlength=len(names) + 1)
    none = bool(counts[0])
    shown = [*counts[1:], counts[0]] if none else list(counts[1:])
    axes.barh(range(len(shown)), shown, color=[*colors, _NONE] if none else colors, height=0.8)
    axes.set_yticks(range(len(shown)), [*names, "none"] if none else names)
    axes.set(xlabel="units", ylim=(len(shown) - 0.4, -0.6))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.xaxis.get_major_locator().set_params(integer=True, nbins=4)


def _joined(tiles: Array, grid: tuple[int, int], gap: int, nothing: float) -> Array:
    """Tiles (tiles, rows, columns) side by side, and a value for the gaps and where there is none."""
    rows, columns = tiles.shape[1] + gap, tiles.shape[2] + gap
    picture = np.full((grid[0] * rows - gap, grid[1] * columns - gap), nothing)
    for k, tile in enumerate(tiles):
        row, column = divmod(k, grid[1])
        picture[row * rows : row * rows + tile.shape[0], column * columns : column * columns + tile.shape[1]] = tile
    return picture


def _square(number: int) -> tuple[int, int]:
    columns = math.ceil(math.sqrt(number))
    return math.ceil(number / columns), columns


def _sides(name: str, given: tuple[int, int] | None, number: int) -> tuple[int, int]:
    side = math.isqrt(number)
    rows, columns = (side, side) if given is None else given
    if rows * columns != number:
        got = "none, and that is no square" if given is None else given
        raise ValueError(f"{name} must be rows and columns of {number} in all, got {got}")
    return rows, columns


def _greys() -> Any:
    """White for the lowest weight; thin gaps are tinted, wide ones white."""
    import matplotlib

    return matplotlib.colormaps["gray_r"].with_extremes(bad="#cfe0f0", under="white")


def _bare(axes: Any) -> None:
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
