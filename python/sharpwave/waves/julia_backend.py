"""Wave lattices in Julia: one call of a kernel for all examples and steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sharpwave_bridge import call

from .boundaries import AttentionBoundary, LinearBoundary

if TYPE_CHECKING:
    from .lattice import WaveLattice

Array = NDArray[np.float64]


def roll(
    lattice: WaveLattice, start: Array, drive: Array, steps: int, threads: int | None, *, keep: bool = True
) -> tuple[Array, Array]:
    """What started in each step (none if not `keep`), and the substrate after the last.

    Raises:
        KernelError: the kernel refused an argument.
        JuliaUnavailableError: there is no Julia.
    """
    kind, columns, kinds, weights = _numbers(lattice.boundary)
    values = np.empty((len(start), steps if keep else 0, lattice.rows))
    substrate, drive = np.array(start, order="C"), np.ascontiguousarray(drive)
    call("run_waves", np.array([kind, steps, threads or 0]), columns, kinds, weights, drive, substrate, values)
    return values, substrate


def _numbers(boundary: object) -> tuple[int, NDArray[np.int64], NDArray[np.int64], Array]:
    """Kind of a boundary, columns and kinds of its terms, and all its weights."""
    none = np.zeros(0, dtype=np.int64)
    if isinstance(boundary, AttentionBoundary):
        return 1, none, none, np.concatenate([boundary.score.ravel(), boundary.value.ravel()])
    assert isinstance(boundary, LinearBoundary)
    terms = boundary.phi
    kinds = np.array([value.ndim for value in terms.values()], dtype=np.int64)
    return 0, np.array(list(terms), dtype=np.int64), kinds, np.concatenate([value.ravel() for value in terms.values()])
