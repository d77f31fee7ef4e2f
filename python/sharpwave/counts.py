"""Numbers that are given, checked."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def count(name: str, value: Any, least: int = 1) -> int:
    """A whole number of something, as an int.

    Raises:
        ValueError: it is no whole number, or too small.

    Example:
        >>> count("steps", 3), count("steps", 4.0)
        (3, 4)
        >>> count("steps", 2.7)
        Traceback (most recent call last):
        ValueError: steps must be a whole number from 1 on, got 2.7
    """
    try:
        found = int(value)
        fits = found == value and found >= least
    except (TypeError, ValueError, OverflowError):
        fits = False
    if not fits:
        raise ValueError(f"{name} must be a whole number from {least} on, got {value!r}")
    return found


def count_or_none(name: str, value: Any) -> int | None:
    """A whole number of something from 1 on, or None; see `count`."""
    return value if value is None else count(name, value)


def positive(name: str, value: float) -> float:
    """A positive number.

    Raises:
        ValueError: it is not, or not finite.

    Example:
        >>> positive("speed", 0.0)
        Traceback (most recent call last):
        ValueError: speed must be positive, got 0.0
    """
    if not 0 < value < inf:
        raise ValueError(f"{name} must be positive, got {value}")
    return value


def whole_numbers(name: str, given: ArrayLike, shape: str) -> NDArray[np.int64]:
    """Whole numbers from 0 in a row, as int64.

    Args:
        name, shape: for the error.
        given: the numbers.

    Raises:
        ValueError: they are none.

    Example:
        >>> whole_numbers("labels", [0, -1], "(examples,)")
        Traceback (most recent call last):
        ValueError: labels must be whole numbers from 0, (examples,), got -1
    """
    array = np.asarray(given)
    if array.ndim != 1 or array.dtype.kind not in "iu" or array.min(initial=0) < 0:
        what = f"{array.min()}" if array.size and array.dtype.kind == "i" else f"{array.dtype} {array.shape}"
        raise ValueError(f"{name} must be whole numbers from 0, {shape}, got {what}")
    return array.astype(np.int64, copy=False)
