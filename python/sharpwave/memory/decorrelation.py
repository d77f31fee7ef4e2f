"""Images with their pixels' correlations taken out, as memories that do not resemble each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Decorrelation:
    """A linear map of images to features of unit norm whose components are about uncorrelated, and back.

    `fit` makes one. Natural images resemble each other (cosines of .5 to .9 between images of different classes);
    after this map they do not (below .15 for MNIST and Fashion-MNIST), so that each gets a memory of its own.

    Attributes:
        mean: mean image, (pixels,).
        forward: symmetric, (pixels, pixels): (covariance + floor)^(-1/2).
        backward: its inverse.
    """

    mean: Array
    forward: Array
    backward: Array

    @classmethod
    def fit(cls, images: ArrayLike, floor: float = 0.1) -> Decorrelation:
        """The map of zero-phase whitening (ZCA) of a set of images.

        Args:
            images: (images, ...), any scale; many more than there are pixels, such as a training set.
            floor: variance, as a fraction of the mean variance of a pixel, below which directions are not amplified.

        Source:
            Bell and Sejnowski, Vision Research 37 (1997) 3327.
        """
        flat = _flat(images)
        mean = flat.mean(0)
        values, vectors = np.linalg.eigh(np.cov(flat, rowvar=False))
        scale = np.sqrt(np.maximum(values, 0) + floor * values.mean())
        return cls(mean, (vectors / scale) @ vectors.T, (vectors * scale) @ vectors.T)

    def encode(self, images: ArrayLike) -> Array:
        """Features of images, (images, pixels), each of unit norm.

        Raises:
            ValueError: the images do not have this map's number of pixels.
        """
        flat = _flat(images)
        if flat.shape[1] != len(self.mean):
            raise ValueError(f"images must have {len(self.mean)} pixels, got {flat.shape[1]}")
        features = (flat - self.mean) @ self.forward
        return np.asarray(features / np.linalg.norm(features, axis=1, keepdims=True))

    def decode(self, features: ArrayLike) -> Array:
        """Images of features, (..., pixels), at the features' scale and without the mean image."""
        return np.asarray(np.asarray(features, dtype=np.float64) @ self.backward)


def _flat(images: ArrayLike) -> Array:
    array = np.asarray(images, dtype=np.float64)
    if array.ndim < 2:
        raise ValueError(f"images must be (images, ...), got shape {array.shape}")
    return array.reshape(len(array), -1)
