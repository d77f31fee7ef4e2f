"""Eigenvalues that go on from one point to the next."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray


def track(eigenvalues: ArrayLike) -> NDArray[np.complex128]:
    """Put the eigenvalues of each point in the order in which they follow from those of the point before.

    Args:
        eigenvalues: (points, n), in any order at each point.

    Returns:
        (points, n): a column is one eigenvalue on its way; from point to point, the sum of distances is the least that
        there is.

    Raises:
        ValueError: another shape, or numbers that are not finite.

    Example:
        >>> track([[1.0, 2.0], [2.1, 1.1], [1.2, 2.2]]).real.tolist()
        [[1.0, 2.0], [1.1, 2.1], [1.2, 2.2]]
    """
    from scipy.optimize import linear_sum_assignment

    found = np.array(eigenvalues, dtype=np.complex128)
    if found.ndim != 2 or not np.isfinite(found).all():
        raise ValueError(f"expected finite eigenvalues (points, n), got shape {found.shape}")
    for before, now in pairwise(found):
        _, columns = linear_sum_assignment(np.abs(before[:, None] - now))
        now[:] = now[columns]
    return found
