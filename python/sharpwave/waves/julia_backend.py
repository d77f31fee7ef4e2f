"""Wave lattices in Julia: one call of a kernel for all examples and steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sharpwave_bridge import call

from .boundaries import LinearBoundary

if TYPE_CHECKING:
    from .lattice import WaveLattice

Array = NDArray[np.float64]


def roll(
    lattice: WaveLattice, start: Array, drive: Array, steps: int, threads: int | None, *, keep: bool = True
) -> tuple[Array, Array]:
    """What started in each step (none if not `keep`), and the memory after the last.

    Raises:
        KernelError: the kernel refused an argument.
        JuliaUnavailableError: there is no Julia.
    """
    # A linear boundary is read from the memory at once, however waves travel; for others columns are added up.
    linear = isinstance(lattice.boundary, LinearBoundary)
    encoded = (lattice.feedback if linear else lattice.boundary).encoded()
    assert encoded is not None, "a boundary that the kernel knows"
    columns, places, weights = _mixed(lattice) if not linear else _NOTHING
    values = np.empty((len(start), steps if keep else 0, lattice.rows))
    memory, drive = np.array(start, order="C"), np.ascontiguousarray(drive)
    numbers = np.array([encoded.kind, start.shape[1] if linear else lattice.columns, steps, threads or 0])
    call(
        "run_waves", numbers, encoded.integers, encoded.weights, columns, places, weights, drive, memory, values,
    )  # fmt: skip
    return values, memory


_NOTHING = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)


def _mixed(lattice: WaveLattice) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """What columns, from 1, are made of, and what is added to the next value, as column 0; none if it is all plain."""
    if lattice.transport.plain:
        return _NOTHING
    columns, places, weights = lattice.transport.seen
    columns = columns + 1
    if lattice.ends == "periodic":
        arriving = lattice.transport.arriving
        columns = np.concatenate([columns, np.zeros(len(arriving[0]), dtype=np.int64)])
        places, weights = (np.concatenate(pair) for pair in zip((places, weights), arriving, strict=True))
    return columns, places + 1, weights
