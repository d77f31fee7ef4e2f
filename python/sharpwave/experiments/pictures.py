"""Episodes of real images: which are taken, and how they become patterns and cues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ..data import ImageDataset

Array = NDArray[np.float64]

_DIGITS = tuple("0123456789")
_FASHION = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")
_CANDIDATES = 50  # images of a class among which the one least like the others is taken


def first_available(*names: str) -> ImageDataset:
    """The first data set of these that can be had."""
    from ..data import DataUnavailableError, load

    for name in names[:-1]:
        try:
            return load(name)
        except DataUnavailableError:
            continue
    return load(names[-1])


def class_names(dataset: ImageDataset) -> Sequence[str]:
    """What its ten classes are called."""
    return _FASHION if dataset.name == "fashion-mnist" else _DIGITS


def one_of_each(dataset: ImageDataset, classes: Sequence[int] | NDArray[Any], rng: np.random.Generator) -> Array:
    """A training image of each class: of some candidates the one that is least correlated with those taken before.

    Returns:
        Images (classes, height, width) with values from 0 to 1.
    """
    taken: list[Array] = []
    for label in classes:
        candidates = rng.choice(np.flatnonzero(dataset.train_labels == label), _CANDIDATES, replace=False)
        images = dataset.train_images[candidates] / dataset.pixel_max
        likeness = np.abs(standardized(images) @ standardized(np.array(taken)).T).max(1) if taken else np.zeros(1)
        taken.append(images[likeness.argmin()])
    return np.array(taken)


def standardized(images: Array) -> Array:
    """Images as patterns (images, pixels) of mean 0 and variance 1, as patterns of -1 and 1 have."""
    flat = images.reshape(len(images), -1)
    patterns: Array = (flat - flat.mean(1, keepdims=True)) / flat.std(1, keepdims=True)
    return patterns


def corrupted(pattern: Array, lost: float, noise: float, rng: np.random.Generator) -> Array:
    """A pattern with Gaussian noise, and zeros in its last part.

    Args:
        pattern: (pixels,).
        lost: fraction of the pixels that are zeroed.
        noise: standard deviation of the noise.
        rng: draws the noise.
    """
    cue = pattern + noise * rng.standard_normal(len(pattern))
    cue[len(pattern) - round(lost * len(pattern)) :] = 0.0
    return cue
