"""Loading a data set by its name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..suggest import unknown
from . import cache, spoken
from .catalog import ARCHIVES
from .idx import read_idx
from .images import ImageDataset

# The first half trains and the second tests, in the order of the file, as in scikit-learn's example
# "Recognizing hand-written digits" (test_size=0.5, shuffle=False).
_DIGITS_TRAIN = 898


def available() -> tuple[str, ...]:
    """The names that `load` takes.

    Example:
        >>> available()
        ('digits', 'fashion-mnist', 'mnist', 'spoken-digits')
    """
    return tuple(sorted(["digits", spoken.NAME, *ARCHIVES]))


def load(name: str) -> ImageDataset:
    """Load a data set of images, which is fetched into the cache directory the first time.

    * "mnist": handwritten digits, 60000 training and 10000 test images of 28x28, pixels 0 to 255, 10 classes.
    * "fashion-mnist": articles of clothing, of the same sizes.
    * "digits": handwritten digits, 898 training and 899 test images of 8x8, pixels 0 to 16, 10 classes; it
      comes with scikit-learn, so it needs no network at all.
    * "spoken-digits": recordings of ten spoken digits, 2400 for training and 600 for tests, drawn once; of each 13
      cepstral coefficients at 20 times, pixels 0 to 255. Times are interpolated linearly and pixels scaled by the
      coefficients' percentiles, both choices.

    Every load checks the files by their checksums. A damaged file is reported in a warning and fetched again.

    Args:
        name: one of `available()`.

    Returns:
        An `ImageDataset`: train_images and test_images uint8 (images, rows, columns), train_labels and
        test_labels int64 (images,), all read-only.

    Raises:
        ValueError: there is no data set of this name.
        DataUnavailableError: it is not in the cache, and no source can be reached.
        CacheError: it is not in the cache, and the cache cannot be written (see `SHARPWAVE_CACHE`).

    Example:
        >>> digits = load("digits")
        >>> digits
        ImageDataset('digits', train (898, 8, 8), test (899, 8, 8))
        >>> digits.train_labels[:5]
        array([0, 1, 2, 3, 4])
    """
    if name == "digits":
        return _digits()
    if name == spoken.NAME:
        return spoken.load_spoken()
    if name not in ARCHIVES:
        raise ValueError(unknown("data set", name, available()))
    archive = ARCHIVES[name]
    arrays = [read_idx(raw, file.shape) for file, raw in zip(archive.files, cache.contents(archive), strict=True)]
    train_images, train_labels, test_images, test_labels = arrays
    return ImageDataset(name, train_images, _labels(train_labels), test_images, _labels(test_labels), archive.source)


def _digits() -> ImageDataset:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = bunch.images.astype(np.uint8)  # whole numbers from 0 to 16, kept as float64 there
    images.flags.writeable = False
    labels = _labels(bunch.target)
    return ImageDataset(
        "digits",
        images[:_DIGITS_TRAIN],
        labels[:_DIGITS_TRAIN],
        images[_DIGITS_TRAIN:],
        labels[_DIGITS_TRAIN:],
        "E. Alpaydin and C. Kaynak, Optical recognition of handwritten digits, UCI repository, 1998",
        pixel_max=16,
    )


def _labels(values: NDArray[np.integer]) -> NDArray[np.int64]:
    labels = values.astype(np.int64)
    labels.flags.writeable = False
    return labels
