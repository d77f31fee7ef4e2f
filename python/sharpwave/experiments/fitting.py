"""A `ForwardClassifier` that learns images and is tested: what experiments keep of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..forward import ForwardClassifier, Method


@dataclass(frozen=True)
class Amounts:
    """How many images are learned and tested."""

    examples: int = 60_000
    """Training images, the first ones."""
    test_images: int = 10_000
    """Test images, the first ones."""


@dataclass(frozen=True)
class Images(Amounts):
    """What is learned and tested."""

    data_set: str = "mnist"
    """What is learned; see `sharpwave.data`."""


def first_images(about: Images, number: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """So many training images, pixels from 0 to 1 (number, pixels), and their labels: what probes are shown."""
    from ..data import load

    source = load(about.data_set)
    images: NDArray[Any] = source.train_images[:number].reshape(number, -1) / np.float32(source.pixel_max)
    return images, source.train_labels[:number]


def fit_and_test(
    about: Images, method: Method, epochs: int, seed: int, path: Path
) -> tuple[ForwardClassifier, dict[str, Any]]:  # fmt: skip
    """Let a classifier learn, from its checkpoint on if there is one, and test it.

    Args:
        about: the images.
        method: the way of learning.
        epochs: how long.
        seed: of all that is drawn.
        path: of the checkpoint, which is removed in the end.

    Returns:
        The classifier, and `error` in percent, `seconds` (of an epoch, median) and `diverged` (what was said, if it
        did), as JSON has it.
    """
    from ..data import load
    from ..forward import DivergedError, ForwardClassifier

    source = load(about.data_set)
    path.parent.mkdir(parents=True, exist_ok=True)
    model = ForwardClassifier(method=method, epochs=epochs, seed=seed, checkpoint=path, pixel_max=source.pixel_max)
    diverged = ""
    try:
        model.fit(source.train_images[: about.examples], source.train_labels[: about.examples], resume=True)
    except DivergedError as error:
        diverged = str(error)
    score = model.score(source.test_images[: about.test_images], source.test_labels[: about.test_images])
    path.unlink(missing_ok=True)
    seconds = float(np.median(model.history_.get("seconds", [np.nan])))
    return model, {"error": 100 * (1 - score), "seconds": seconds, "diverged": diverged}
