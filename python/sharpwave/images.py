"""Images and labels as estimators are given them, checked."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


class Images(NamedTuple):
    """Checked images: `pixels` (images, pixels) as they were given, and the largest value that a pixel may have.

    `shape` is rows and columns; None where only their number is known and is no square.
    """

    pixels: NDArray[Any]
    shape: tuple[int, int] | None
    largest: float

    @classmethod
    def of(cls, given: ArrayLike, pixel_max: float | None) -> Images:
        """Check images.

        Args:
            given: (images, rows, columns) or (images, pixels), whole numbers or floats.
            pixel_max: the value of a white pixel; None: 255 for whole numbers, 1 for floats.

        Raises:
            ValueError: they are no images, or a pixel is not finite, negative, or above the largest value.
            TypeError: they are no numbers.

        Example:
            >>> Images.of(np.zeros((2, 28, 28), dtype=np.uint8), None).largest
            255.0
            >>> Images.of([[0.0, 0.5, 0.0, 2.0]], None)
            Traceback (most recent call last):
            ...
            ValueError: images: pixels of floats must be from 0 to 1, got 2.0 in image 0, pixel 3 (row 1, column 1); \
give the value of a white pixel as pixel_max
        """
        if issparse(given):
            raise ValueError("images: sparse data is not supported: pass a dense array, X.toarray()")
        array = np.asarray(given)
        if np.iscomplexobj(array):
            raise ValueError(f"images: Complex data not supported: expected whole numbers or floats, got {array.dtype}")
        if array.dtype.kind == "O":
            try:
                array = array.astype(np.float64)
            except (TypeError, ValueError) as error:
                raise TypeError(f"images must be a dense array of numbers: {error}") from None
        if array.dtype.kind not in "biuf" or array.ndim not in (2, 3):
            raise ValueError(
                "images must be numbers (images, rows, columns) or (images, pixels), "
                f"got {array.dtype} of shape {array.shape}. Reshape your data: a single image x is x[None]"
            )
        if 0 in array.shape:
            none = "0 sample(s)" if len(array) == 0 else "0 feature(s)"
            raise ValueError(f"images: {none} (shape={array.shape}) while a minimum of 1 is required.")
        pixels = array.reshape(len(array), -1)
        side = math.isqrt(pixels.shape[1])
        shape = array.shape[1:] if array.ndim == 3 else (side, side) if side**2 == pixels.shape[1] else None
        kind = "floats" if array.dtype.kind == "f" else "whole numbers"
        largest = pixel_max if pixel_max is not None else 1.0 if kind == "floats" else 255.0
        if not (largest > 0 and math.isfinite(largest)):
            raise ValueError(f"pixel_max must be the positive value of a white pixel, got {pixel_max}")
        _check_range(pixels, shape, float(largest), kind)
        return cls(pixels, shape, float(largest))

    def check_features(self, expected: int, whose: str, more: str = "") -> None:
        """Raise a ValueError if there are not as many pixels as an estimator of this name has learned."""
        if self.pixels.shape[1] != expected:
            raise ValueError(
                f"X has {self.pixels.shape[1]} features, but {whose} is expecting {expected} features as input{more}"
            )

    def cropped(self, examples: slice, crop: int) -> NDArray[Any]:
        """Some of the images, less `crop` pixels at each edge, (images, pixels)."""
        chosen = self.pixels[examples]
        if crop == 0:
            return chosen
        assert self.shape is not None
        return chosen.reshape(-1, *self.shape)[:, crop:-crop, crop:-crop].reshape(len(chosen), -1)


def _check_range(pixels: NDArray[Any], shape: tuple[int, int] | None, largest: float, kind: str) -> None:
    if 0 <= pixels.min() <= pixels.max() <= largest:
        return
    image, pixel = (int(k) for k in np.argwhere(~((pixels >= 0) & (pixels <= largest)))[0])
    value = pixels[image, pixel]
    place = f"image {image}, pixel {pixel}"
    if shape is not None:
        place += f" (row {pixel // shape[1]}, column {pixel % shape[1]})"
    what = {True: "NaN", False: f"{value}"}[bool(np.isnan(value))]
    if not np.isfinite(value):
        raise ValueError(f"images must be finite, got {what} in {place}; np.nan_to_num replaces NaN and inf")
    hint = "give the value of a white pixel as pixel_max" if value > largest else "Negative values in data: shift them"
    raise ValueError(f"images: pixels of {kind} must be from 0 to {largest:g}, got {what} in {place}; {hint}")


def checked_labels(labels: ArrayLike, examples: int) -> NDArray[Any]:
    """Labels of any kind, (examples,).

    Raises:
        ValueError: they are of another number, or no classes.
    """
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import column_or_1d

    array = np.asarray(labels)
    if array.ndim == 2 and array.shape[1] == 1:
        array = np.asarray(column_or_1d(array, warn=True))
    if array.ndim != 1 or len(array) != examples:
        raise ValueError(f"labels must be one for each of {examples} images, got shape {array.shape}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"labels: Input y contains NaN or inf, got {array[~np.isfinite(array)][0]}")
    check_classification_targets(array)
    return array


def coded(labels: NDArray[Any], classes: NDArray[Any]) -> Integers:
    """The number of each label's class.

    Raises:
        ValueError: a label that is no class.

    Example:
        >>> coded(np.array(["b", "a"]), np.array(["a", "b"])).tolist()
        [1, 0]
    """
    code = np.searchsorted(classes, labels)
    known = classes[np.minimum(code, len(classes) - 1)] == labels
    if not known.all():
        bad = labels[~known].tolist()[0]
        raise ValueError(f"labels must be among the {len(classes)} classes of the first fit, got {bad!r}")
    return code.astype(np.int64)
