"""Random numbers by their place, the same as the kernels draw: Philox 4x64-10, many places at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Words = NDArray[np.uint64]

# J. Salmon et al., Parallel random numbers: as easy as 1, 2, 3 (2011).
_MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
_WEYL = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
_ROUNDS = 10
_HALF, _LOWER = np.uint64(32), np.uint64(0xFFFFFFFF)

# Streams of a network: its inputs are numbered by population, from 1; choices among spikers and noise follow.
SPIKE_STREAM, NOISE_STREAM = 1 << 16, 2 << 16


def philox(counter: Sequence[ArrayLike], key: tuple[int, int]) -> Words:
    """Four random words for each counter.

    Args:
        counter: its four words, whole numbers of shapes that fit together.
        key: two words, from 0 to 2^64 - 1.

    Returns:
        The words, (4, ...).

    Example:
        >>> [hex(int(word)) for word in philox((0, 0, 0, 0), (0, 0))]
        ['0x16554d9eca36314c', '0xdb20fe9d672d0fdc', '0xd7e772cee186176b', '0x7e68b68aec7ba23b']
    """
    a, b, c, d = np.broadcast_arrays(*(np.asarray(word, dtype=np.uint64) for word in counter))
    first, second = key
    for _ in range(_ROUNDS):
        high_a, low_a = _product(_MULTIPLIERS[0], a)
        high_c, low_c = _product(_MULTIPLIERS[1], c)
        a, b, c, d = high_c ^ b ^ np.uint64(first), low_c, high_a ^ d ^ np.uint64(second), low_a
        first, second = (first + _WEYL[0]) % 2**64, (second + _WEYL[1]) % 2**64
    return np.stack([a, b, c, d])


def random_words(seed: int, stream: int, example: ArrayLike, step: ArrayLike, block: ArrayLike) -> Words:
    """The four words of each place, (4, ...).

    Args:
        seed: of all numbers of a run.
        stream: what they are used for.
        example, step, block: numbers from 0, of shapes that fit together.
    """
    return philox((block, step, example, 0), (seed, stream))


def unit_interval(words: Words) -> NDArray[np.float64]:
    """Floats in (0, 1): the upper 52 bits of each word, and a half."""
    return ((words >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def _product(factor: int, words: Words) -> tuple[Words, Words]:
    """The upper and the lower word of each product; halves of words are multiplied, so that nothing overflows."""
    high, low = np.uint64(factor >> 32), np.uint64(factor & 0xFFFFFFFF)
    words_high, words_low = words >> _HALF, words & _LOWER
    lowest = low * words_low
    middle = high * words_low + (lowest >> _HALF)
    other = low * words_high + (middle & _LOWER)
    return high * words_high + (middle >> _HALF) + (other >> _HALF), (other << _HALF) | (lowest & _LOWER)
