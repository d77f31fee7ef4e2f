"""A linear classifier on the spike counts of a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .events import Spikes
from .readouts import Array, Integers, Readout

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class LinearReadout(Readout):
    """Multinomial logistic regression on spike counts; a class scores its probability.

    Fitting only keeps the counts, as sparse arrays; the regression (scikit-learn's, with its default regularisation,
    C = 1) is run at the first scores after it, on all of them. A class of which no example was fitted has probability
    0; where examples of only one were, that has probability 1.

    Args:
        classes: number of classes.

    Example:
        >>> layer = Spikes.from_dense([[[3, 0]], [[0, 3]]], dt=1.0)
        >>> readout = LinearReadout(classes=3).partial_fit(layer, [2, 1])
        >>> readout.predict(layer).tolist(), readout.scores(layer).shape
        ([2, 1], (2, 3))
    """

    def __init__(self, classes: int) -> None:
        super().__init__(classes)
        self._forget()

    def _begin(self, units: int) -> None:
        self._forget()

    def _forget(self) -> None:
        self._counts: list[csr_array] = []
        self._labels: list[Integers] = []
        self._model: tuple[Array, Array] | None = None

    def _learn(self, spikes: Spikes, labels: Integers) -> None:
        self._counts.append(spikes.sparse_counts())
        self._labels.append(labels)
        self._model = None

    def _scores(self, spikes: Spikes) -> Array:
        from scipy.special import softmax

        if self._model is None:
            self._model = self._regression()
        weights, bias = self._model
        return np.asarray(softmax(spikes.sparse_counts() @ weights + bias, axis=1))

    def _regression(self) -> tuple[Array, Array]:
        """Weights (units, classes) and bias (classes,) of the logits."""
        from sklearn.linear_model import LogisticRegression

        counts, labels = self._fitted()
        seen = np.flatnonzero(self.class_examples)
        weights, bias = np.zeros((self.units, self.classes)), np.full(self.classes, -np.inf)
        bias[seen] = 0.0
        if len(seen) > 1:
            model = LogisticRegression(max_iter=1000).fit(counts, labels)
            fitted = seen[-1:] if len(seen) == 2 else seen  # of two classes there is one logit, against the first
            weights[:, fitted], bias[fitted] = model.coef_.T, model.intercept_
        return weights, bias

    def _fitted(self) -> tuple[csr_array, Integers]:
        from scipy.sparse import csr_array, vstack

        if not self._counts:
            return csr_array((0, self.units), dtype=np.int64), np.zeros(0, dtype=np.int64)
        return vstack(self._counts, format="csr"), np.concatenate(self._labels)

    def _learned(self) -> dict[str, NDArray[Any]]:
        counts, labels = self._fitted()
        return {"counts": counts.data, "unit": counts.indices, "bounds": counts.indptr, "labels": labels}

    def _restore(self, learned: dict[str, NDArray[Any]]) -> None:
        from scipy.sparse import csr_array

        self._forget()
        parts = learned["counts"], learned["unit"], learned["bounds"]
        self._counts.append(csr_array(parts, shape=(len(learned["labels"]), self.units)))
        self._labels.append(learned["labels"])
