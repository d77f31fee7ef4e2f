"""The workload of continual learning: two classes after the other, with experience replay, in one pass.

The protocol of split MNIST, with 784-400-400-10 units, rectified, and Adam at .001.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class ReplayCase:
    """Experience replay from a store that is filled after each task, as many images of each class as there is room."""

    threads: int = 2
    batch: int = 128  # new images, and as many stored ones
    memory: int = 1000  # images
    hidden: tuple[int, ...] = (400, 400)
    learning_rate: float = 1e-3
    classes: tuple[tuple[int, int], ...] = ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9))
    pixels: int = 784

    @property
    def sizes(self) -> tuple[int, ...]:
        """Of layers, from pixels to classes."""
        return (self.pixels, *self.hidden, sum(map(len, self.classes)))


REPLAY = {"experience replay, split MNIST": ReplayCase()}


def perceptron(case: ReplayCase) -> Any:
    """The network of a case, untrained, for images of shape (1, 28, 28)."""
    from torch import nn

    layers = [part for a, b in pairwise(case.sizes) for part in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), *layers[:-1])


def read(images: str) -> tuple[Array, Array, Array, Array]:
    """Training images, bytes, and labels, and those for the test, of a file."""
    with np.load(images) as file:
        return file["x"], file["y"], file["test_x"], file["test_y"]


class Pictures:
    """A data set whose images are made tensors one by one, as transforms of data sets do it."""

    def __init__(self, pixels: Array, labels: Array) -> None:
        self.pixels, self.targets = pixels, labels.tolist()

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, k: int) -> tuple[Any, int]:
        """A tensor of shape (1, height, width), from 0 to 1, and its label."""
        import torch

        return torch.from_numpy(self.pixels[k]).unsqueeze(0).float().div(255), self.targets[k]


def accuracy(network: Any, images: Array, labels: Array) -> float:
    """Share of images that are told right, among all classes."""
    import torch

    with torch.no_grad():
        said = network.eval()(torch.from_numpy(images).float().div(255)).argmax(1)
    return float((said.numpy() == labels).mean())
