"""A labelled set of grey-scale images."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, repr=False)
class ImageDataset:
    """Images with their classes, in the publisher's split into training and test.

    All arrays are read-only; take a copy to change one.

    Attributes:
        name: name of the data set.
        train_images: uint8 (images, rows, columns), 0 is background.
        train_labels: int64 (images,), class of each image, from 0.
        test_images: uint8 (images, rows, columns).
        test_labels: int64 (images,).
        source: the publication that describes the data.
        pixel_max: the largest value of a pixel, 255 unless the data set is coarser.
    """

    name: str
    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    source: str
    pixel_max: int = 255

    def first(self, train: int, test: int) -> ImageDataset:
        """The first images of each split, or all where there are fewer."""
        return replace(
            self, train_images=self.train_images[:train], train_labels=self.train_labels[:train],
            test_images=self.test_images[:test], test_labels=self.test_labels[:test],
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"ImageDataset({self.name!r}, train {self.train_images.shape}, test {self.test_images.shape})"
