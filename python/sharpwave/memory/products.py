"""Products with a matrix, on as many threads as they are worth."""

from __future__ import annotations

import functools
from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Multiplications from which BLAS uses more than one thread, and from which that saves more time than it costs.
_SMALL, _LARGE = 2**16, 2**28


def product(rows: Array, matrix: Array) -> Array:
    """`rows @ matrix` for any number of axes before the last one, as one product of two matrices.

    The threads that a BLAS wakes for a product keep their cores for tens of milliseconds after it, which a kernel that
    comes next would have to share. What takes less time than that is therefore computed on one thread.

    Args:
        rows: (..., K).
        matrix: (K, N).

    Returns:
        (..., N).

    Example:
        >>> product(np.ones((2, 3, 4)), np.ones((4, 5))).shape
        (2, 3, 5)
    """
    flat = rows.reshape(-1, rows.shape[-1])
    threads: Any = nullcontext()
    if _SMALL < flat.size * matrix.shape[1] < _LARGE:
        threads = _blas().limit(limits=1)
    with threads:
        return np.asarray((flat @ matrix).reshape(*rows.shape[:-1], matrix.shape[1]))


@functools.cache
def _blas() -> Any:
    """NumPy's BLAS, where its threads can be told apart from those of others."""
    from threadpoolctl import ThreadpoolController

    known = ThreadpoolController()
    return known.select(filepath=[lib["filepath"] for lib in known.info() if "numpy" in lib["filepath"]])
