"""A classifier of activities that needs each example once (streaming LDA)."""

from __future__ import annotations

import sys

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .learner import Learner
from .part import Arrays, Part
from .streams import Examples

_CHUNK = 2000


class StreamingDiscriminant(Part):
    """Means of classes and one covariance of the last hidden layer's activities; layers learn the first task only.

    Args:
        shrinkage: share of the identity in the covariance that is inverted.

    Source:
        Hayes and Kanan, Lifelong machine learning with deep streaming linear discriminant analysis, 2020; layers
        learn the first task instead of other images, as a choice.
    """

    def __init__(self, shrinkage: float = 1e-4) -> None:
        if not 0 < shrinkage <= 1:
            raise ValueError(f"shrinkage must be above 0 and at most 1, got {shrinkage}")
        self.shrinkage = shrinkage

    @property
    def freezes(self) -> int:
        """See `Part`; all of them."""
        return sys.maxsize

    def start(self, learner: Learner) -> None:
        """See `Part`."""
        super().start(learner)
        units, outputs = learner.network.head.in_features, learner.stream.outputs
        self.means, self.counts = np.zeros((outputs, units)), np.zeros(outputs)
        self.scatter = np.zeros((units, units))
        self._answer: tuple[Tensor, Tensor] | None = None

    def learns(self, place: int) -> bool:
        """See `Part`."""
        return place == 0

    @torch.no_grad()
    def end(self, place: int, examples: Examples) -> None:
        """See `Part`."""
        for first in range(0, len(examples), _CHUNK):
            some = np.arange(first, min(first + _CHUNK, len(examples)))
            batch = self.learner.batch(examples, some, place)
            self.see(self.learner.network.features(batch.x).numpy().astype(np.float64), batch.y.numpy())

    def see(self, features: NDArray[np.float64], labels: NDArray[np.int64]) -> None:
        """Take in examples one by one.

        The covariance S becomes (n S + n / (n + 1) d d') / (n + 1), with d from the mean of the class before.

        Args:
            features: (examples, units).
            labels: (examples,).
        """
        away = np.empty_like(features)
        for k, (one, label) in enumerate(zip(features, labels, strict=True)):
            away[k] = one - self.means[label]
            self.counts[label] += 1
            self.means[label] += away[k] / self.counts[label]
        n = self.counts.sum() - len(labels) + np.arange(len(labels))
        self.scatter += (away * (n / (n + 1))[:, None]).T @ away  # n times the covariance
        self._answer = None

    @property
    def covariance(self) -> NDArray[np.float64]:
        """(units, units)."""
        found: NDArray[np.float64] = self.scatter / max(1.0, self.counts.sum())
        return found

    def scores(self, x: Tensor) -> Tensor | None:
        """See `Part`."""
        if not self.counts.any():
            return None
        if self._answer is None:
            e = self.shrinkage
            precision = np.linalg.pinv((1 - e) * self.covariance + e * np.eye(len(self.scatter)), hermitian=True)
            weights = self.means @ precision
            bias = -0.5 * (weights * self.means).sum(axis=1)
            self._answer = torch.from_numpy(weights).float(), torch.from_numpy(bias).float()
        weights_, bias_ = self._answer
        return self.learner.network.features(x) @ weights_.T + bias_

    def arrays(self) -> Arrays:
        """See `Part`."""
        return {"means": self.means.copy(), "counts": self.counts.copy(), "scatter": self.scatter.copy()}

    def restore(self, arrays: Arrays) -> None:
        """See `Part`."""
        self.means, self.counts = arrays["means"].copy(), arrays["counts"].copy()
        self.scatter, self._answer = arrays["scatter"].copy(), None
