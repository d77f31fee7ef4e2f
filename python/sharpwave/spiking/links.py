"""Links between the patches of a convolutional layer: which patches, and which positions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sharpwave.suggest import unknown

Integers = NDArray[np.int64]
Links = Literal["pairs", "linear", "all"]
Lattice = Literal[4, 8, "all"]
LINKS = ("pairs", "linear", "all")
LATTICES = (4, 8, "all")


def linked_units(patches: int, grid: tuple[int, int], links: Links, lattice: Lattice) -> tuple[Integers, Integers]:
    """Sources and targets of the links, sorted by (target, source); units are numbered by position, then patch.

    Args:
        patches: number of patches.
        grid: rows and columns of positions.
        links: between which patches: `"pairs"` (0 with 1, 2 with 3; a last one stays without), `"linear"` (each to the
            next, and the last one back to the one before) or `"all"`.
        lattice: from a position to its 4 or 8 neighbours, or to `"all"` positions, its own too.

    Raises:
        ValueError: a kind of links or lattice that there is not.

    Example:
        >>> linked_units(2, (1, 2), "pairs", 4)
        (array([3, 2, 1, 0]), array([0, 1, 2, 3]))
    """
    if links not in LINKS:
        raise ValueError(unknown("links", links, LINKS))
    if lattice not in LATTICES:
        raise ValueError(f"lattice must be 4, 8 or 'all', got {lattice!r}")
    ways = list(zip(*_ways(patches, links), strict=True)) or [(), ()]
    leaving, reaching = (np.array(ends, dtype=np.int64) for ends in ways)
    here, there = _neighbours(grid, lattice)
    sources = (here[:, None] * patches + leaving).ravel()
    targets = (there[:, None] * patches + reaching).ravel()
    order = np.lexsort((sources, targets))
    return sources[order], targets[order]


def _ways(patches: int, links: Links) -> Iterator[tuple[int, int]]:
    """From which patch to which."""
    if links == "all":
        yield from ((a, b) for a in range(patches) for b in range(patches) if a != b)
    elif links == "pairs":
        for a in range(0, patches - 1, 2):
            yield from ((a, a + 1), (a + 1, a))
    elif patches > 1:
        yield from ((a, a + 1) for a in range(patches - 1))
        yield patches - 1, patches - 2


def _neighbours(grid: tuple[int, int], lattice: Lattice) -> tuple[Integers, Integers]:
    """Positions from which and to which a lattice leads."""
    row, column = np.divmod(np.arange(math.prod(grid)), grid[1])
    rows, columns = np.abs(row[:, None] - row), np.abs(column[:, None] - column)
    if lattice == "all":
        near = np.ones_like(rows, dtype=bool)
    elif lattice == 8:
        near = np.maximum(rows, columns) == 1
    else:
        near = rows + columns == 1
    here, there = np.nonzero(near)
    return here, there
