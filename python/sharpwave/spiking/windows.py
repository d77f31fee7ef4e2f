"""Connections through windows over an image, with weights for each position or for all."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .connections import Blocks, Connection

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Windows(Connection):
    """Square windows over an image, all of one size.

    Args:
        image_shape: rows and columns of the presynaptic image.
        kernel_size: rows, and columns, of a window.
        stride: pixels from one window to the next.
    """

    image_shape: tuple[int, int]
    kernel_size: int
    stride: int

    @property
    def filters(self) -> int:
        return int(self.weights.shape[-1])

    @property
    def positions(self) -> int:
        """Number of windows."""
        return math.prod(window_grid(self.image_shape, self.kernel_size, self.stride))

    def _window_blocks(self, pre_units: int, post_units: int, shared: bool) -> Blocks:
        rows, columns = self.image_shape
        if rows * columns != pre_units:
            raise ValueError(f"{self.pre} has {pre_units} units, which is no image of {rows} x {columns}")
        pixels = windows(self.image_shape, self.kernel_size, self.stride)
        positions, size = pixels.shape
        if post_units != positions * self.filters:
            raise ValueError(
                f"{self.post} must have {positions} positions x {self.filters} filters = "
                f"{positions * self.filters} units, got {post_units}"
            )
        entry = np.arange(size) if shared else np.arange(positions * size).reshape(positions, size)
        places = np.broadcast_to(entry * self.filters, (positions, size)).ravel()
        first = np.arange(positions + 1) * size
        return Blocks(self.filters, np.arange(positions) * self.filters, first, pixels.ravel(), places.copy())


@dataclass(frozen=True, eq=False)
class Windowed(_Windows):
    """Each position of a window has weights of its own; weights (positions, kernel_size**2, filters).

    Postsynaptic units are numbered by position, then filter.

    Args:
        copies_winner: after each batch of learning, the units of a filter at all positions take the weights of the one
            that spiked most (the shared variant of arXiv 1808.08173).
    """

    copies_winner: bool = False

    def blocks(self, pre_units: int, post_units: int) -> Blocks:
        blocks = self._window_blocks(pre_units, post_units, shared=False)
        self._expect((self.positions, self.kernel_size**2, self.filters), "(positions, window's pixels, filters)")
        return blocks


@dataclass(frozen=True, eq=False)
class Convolutional(_Windows):
    """All positions of a window share the weights, also while learning; weights (kernel_size**2, filters).

    Postsynaptic units are numbered by position, then filter. Changes of shared weights are those of single positions,
    one after the other. `norm` is the sum over a filter.
    """

    shared = True

    def blocks(self, pre_units: int, post_units: int) -> Blocks:
        blocks = self._window_blocks(pre_units, post_units, shared=True)
        self._expect((self.kernel_size**2, self.filters), "(window's pixels, filters)")
        return blocks


def window_grid(image_shape: tuple[int, int], kernel_size: int, stride: int) -> tuple[int, int]:
    """Rows and columns of windows on an image.

    Raises:
        ValueError: the window does not fit.

    Example:
        >>> window_grid((20, 20), 12, 4)
        (3, 3)
    """
    if not (0 < kernel_size <= min(image_shape) and stride > 0):
        raise ValueError(
            f"a window of {kernel_size} pixels in steps of {stride} does not fit an image of {image_shape}"
        )
    rows, columns = ((size - kernel_size) // stride + 1 for size in image_shape)
    return rows, columns


def windows(image_shape: tuple[int, int], kernel_size: int, stride: int) -> Integers:
    """Pixels of each window, row by row, (positions, kernel_size**2)."""
    rows, columns = window_grid(image_shape, kernel_size, stride)
    corner = (np.arange(rows)[:, None] * stride * image_shape[1] + np.arange(columns) * stride).reshape(-1, 1)
    within = (np.arange(kernel_size)[:, None] * image_shape[1] + np.arange(kernel_size)).ravel()
    return corner + within
