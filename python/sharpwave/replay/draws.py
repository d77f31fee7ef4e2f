"""Random numbers for each thing that is drawn, which are not those of another thing."""

from __future__ import annotations

from zlib import crc32

import numpy as np


def draws(seed: int, what: str, number: int = 0) -> np.random.Generator:
    """Random numbers of a seed, for one thing, or for so many of its kind.

    Example:
        >>> first, again, other = draws(0, "store"), draws(0, "store"), draws(0, "batches", 1)
        >>> first.random() == again.random() != other.random()
        True
    """
    words = np.array([seed, (crc32(what.encode()) << 32) | number], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=words))


def torch_seed(seed: int, what: str) -> int:
    """A seed for torch, of a seed and of what is drawn."""
    return int(draws(seed, what).integers(2**63))
