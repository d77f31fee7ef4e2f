"""The data sets themselves, against what their publishers and users state; MNIST and Fashion-MNIST are fetched once."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from sharpwave import data
from sharpwave.data.catalog import ARCHIVES
from sharpwave_bridge import paths


def real(name: str) -> data.ImageDataset:
    try:
        return data.load(name)
    except (data.DataUnavailableError, paths.CacheError) as error:
        pytest.skip(f"{name} cannot be had here: {error}")


@pytest.fixture(scope="module")
def mnist() -> data.ImageDataset:
    return real("mnist")


@pytest.fixture(scope="module")
def fashion() -> data.ImageDataset:
    return real("fashion-mnist")


def test_mnist_has_its_classes(mnist: data.ImageDataset) -> None:
    assert mnist.train_images.shape == (60000, 28, 28)
    assert mnist.test_images.shape == (10000, 28, 28)
    # Counts of the digits 0 to 9, as tabulated for the training and the test set in the literature on MNIST.
    train = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    test = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert np.bincount(mnist.train_labels).tolist() == train
    assert np.bincount(mnist.test_labels).tolist() == test
    assert mnist.train_labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]


def test_fashion_mnist_has_its_classes(fashion: data.ImageDataset) -> None:
    assert fashion.train_images.shape == (60000, 28, 28)
    assert fashion.test_images.shape == (10000, 28, 28)
    # Section 2 of arXiv:1708.07747: 6000 training and 1000 test images of each class.
    assert np.bincount(fashion.train_labels).tolist() == [6000] * 10
    assert np.bincount(fashion.test_labels).tolist() == [1000] * 10


# Mean and standard deviation of the training pixels, scaled to 1, as in PyTorch's MNIST example and common use for
# Fashion-MNIST. The sums were taken from files with the published MD5.
@pytest.mark.parametrize(
    ("name", "mean", "deviation", "pixel_sum"),
    [("mnist", 0.1307, 0.3081, 1567298545), ("fashion-mnist", 0.2860, 0.3530, 3431114169)],
)
def test_pixels_have_the_published_moments(name: str, mean: float, deviation: float, pixel_sum: int) -> None:
    images = real(name).train_images
    values, counts = np.arange(256) / 255, np.bincount(images.ravel(), minlength=256)
    measured = float(values @ counts) / images.size
    assert measured == pytest.approx(mean, abs=5e-5)
    assert np.sqrt(float(values**2 @ counts) / images.size - measured**2) == pytest.approx(deviation, abs=1e-4)
    assert int(images.sum(dtype=np.int64)) == pixel_sum


def test_fashion_mnist_has_the_known_md5(fashion: data.ImageDataset) -> None:
    # MD5 of the files before compression.
    known = [
        "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "9018921c3c673c538a1fc5bad174d6f9",
        "8181f5470baa50b63fa0f6fddb340f0a",
        "15d484375f8d13e6eb1aabb0c3f46965",
    ]
    files = [paths.data_dir() / fashion.name / file.name for file in ARCHIVES[fashion.name].files]
    assert [hashlib.md5(f.read_bytes(), usedforsecurity=False).hexdigest() for f in files] == known


def test_digits_are_those_of_the_uci_test_set() -> None:
    digits = data.load("digits")
    labels = np.concatenate([digits.train_labels, digits.test_labels])
    # Class distribution of the test set in optdigits.names of the UCI repository.
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    images = np.concatenate([digits.train_images, digits.test_images])
    assert images.dtype == np.uint8
    assert images.max() == digits.pixel_max == 16


def test_arrays_are_read_only_and_contiguous() -> None:
    digits = data.load("digits")
    for array in (digits.train_images, digits.train_labels, digits.test_images, digits.test_labels):
        assert array.flags.c_contiguous
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize(
    ("name", "meant"), [("mnits", "mnist"), ("fashion_mnist", "fashion-mnist"), ("digit", "digits")]
)
def test_an_unknown_name_gets_a_suggestion(name: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"unknown data set '{name}': did you mean '{meant}'"):
        data.load(name)


def test_every_available_name_has_a_status() -> None:
    assert sorted(status.name for status in data.status()) == list(data.available())


def test_importing_is_light() -> None:
    code = "import sys, sharpwave.data; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "matplotlib", "xarray", "scipy", "sklearn", "pooch", "requests"} & set(loaded)


def test_spoken_digits_are_drawn_once_and_told_apart() -> None:
    from sklearn.linear_model import LogisticRegression

    spoken = real("spoken-digits")
    assert spoken.train_images.shape == (2400, 20, 13)
    assert spoken.test_images.shape == (600, 20, 13)
    both = np.bincount(spoken.train_labels) + np.bincount(spoken.test_labels)
    assert both.tolist() == [300] * 10
    rows = {row.tobytes() for row in spoken.train_images}
    assert not any(row.tobytes() in rows for row in spoken.test_images)
    flat = [images.reshape(len(images), -1) / 255 for images in (spoken.train_images, spoken.test_images)]
    model = LogisticRegression(max_iter=300).fit(flat[0], spoken.train_labels)
    assert model.score(flat[1], spoken.test_labels) > 0.85  # 10 % is chance
