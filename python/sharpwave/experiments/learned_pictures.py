"""An episode of images learned online, recalled from its first image, and turned back into images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .drawing import moments_of

if TYPE_CHECKING:
    import xarray

    from ..data import ImageDataset
    from ..memory import Decorrelation, LearnedMemory, Visit

Array = NDArray[np.float64]

_FITTED = 10_000  # images from which the pixels' correlations are estimated


@dataclass(frozen=True, eq=False)
class LearnedPictures:
    """What became of an episode of K images.

    Attributes:
        memory: the network after learning.
        overlaps: (time, memory), with the images' features.
        visits: images that were recalled, in order.
        in_order: whether all were recalled in exactly their order.
        moments: times at which the first K visits' overlaps are highest, (places,).
        nearest: the image that leads at each of these times, (places,).
        recalled: features at these times as images, (places, height, width).
        likeness: cosine between each recalled image and the one that leads, without the mean image, (places,).
    """

    memory: LearnedMemory
    overlaps: xarray.DataArray
    visits: Sequence[Visit]
    in_order: bool
    moments: Array
    nearest: NDArray[np.intp]
    recalled: Array
    likeness: Array


def fitted(dataset: ImageDataset) -> Decorrelation:
    """The map that takes a data set's pixel correlations out, from its first training images."""
    from ..memory import Decorrelation

    return Decorrelation.fit(dataset.train_images[:_FITTED] / dataset.pixel_max)


def learn_pictures(
    shown: Array, decorrelation: Decorrelation, *, epochs: int, seed: int, backend: str
) -> LearnedPictures:
    """Learn images in their order online, and recall them from the first.

    Args:
        shown: (images, height, width), values from 0 to 1.
        decorrelation: from images to features; see `fitted`.
        epochs: how often the episode is shown.
        seed: of the random weights that learning starts from.
        backend: who computes the recall.
    """
    from ..memory import learn, untrained

    items = decorrelation.encode(shown)
    memory = learn(untrained(items, seed=seed), items, epochs=epochs)
    recall = memory.recall(backend=backend)
    visits, overlaps = memory.visits(recall), recall.overlaps_with(items)
    moments = moments_of(overlaps, visits, len(items))
    nearest = overlaps.sel(time=moments, method="nearest").argmax("memory").values
    features = recall.features_at(moments).values
    flat = shown[nearest].reshape(len(moments), -1) - decorrelation.mean
    return LearnedPictures(
        memory,
        overlaps,
        visits,
        memory.in_order(recall),
        moments,
        nearest,
        _images(decorrelation, features, flat, items[nearest]).reshape(-1, *shown.shape[1:]),
        _cosines(decorrelation.decode(features), flat),
    )


def _images(decorrelation: Decorrelation, features: Array, flat: Array, items: Array) -> Array:
    """Features as images, with the contrast of the images that they are compared with."""
    bare = decorrelation.decode(items)
    contrast = (flat * bare).sum(1, keepdims=True) / (bare**2).sum(1, keepdims=True)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    recalled: Array = decorrelation.mean + contrast * decorrelation.decode(unit)
    return recalled.clip(0.0, 1.0)


def _cosines(left: Array, right: Array) -> Array:
    cosines: Array = (left * right).sum(1) / np.linalg.norm(left, axis=1) / np.linalg.norm(right, axis=1)
    return cosines
