"""Numbers of things."""

from __future__ import annotations

from typing import Any


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
