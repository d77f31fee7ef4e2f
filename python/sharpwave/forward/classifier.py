"""A classifier with scikit-learn's interface over all ways of learning."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from ..checkpoints import checkpoint_path, fingerprint, read_checkpoint, write_checkpoint
from ..counts import count
from ..images import Images, checked_labels, coded
from .method import Array, Integers, Learner, Method
from .rate_methods import ErrorForwardPropagation


@dataclass(eq=False, repr=False, kw_only=True)
class ForwardClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Learns images, or vectors from 0 to 1, without a backward pass.

    Args:
        method: the way of learning, with its settings, such as `ErrorForwardPropagation()`.
        epochs: how often all examples are learned.
        pixel_max: the value of a white pixel; None: 255 for whole numbers, 1 for floats.
        seed: of initial numbers, of the order of examples, and of all else that is drawn.
        checkpoint: an .npz file that is written after each epoch, from which `fit(..., resume=True)` goes on.
        verbose: whether a line is printed for each epoch.

    Attributes:
        classes_: labels, sorted.
        n_features_in_: features of an example.
        learner_: what has learned; see `Learner`.
        history_: by epoch, lists of `accuracy` (of examples before they were learned), `seconds`, and others that
            depend on the method.

    Example:
        >>> from sharpwave.data import load
        >>> digits = load("digits")
        >>> efp = ErrorForwardPropagation(hidden=(60, 60), rates=(0.5, 0.2, 0.02))
        >>> model = ForwardClassifier(method=efp, epochs=10, pixel_max=digits.pixel_max)
        >>> model = model.fit(digits.train_images, digits.train_labels)
        >>> model.score(digits.test_images, digits.test_labels) > 0.85
        True
    """

    method: Method = ErrorForwardPropagation()
    epochs: int = 15
    pixel_max: float | None = None
    seed: int = 0
    checkpoint: str | Path | None = None
    verbose: bool = False

    def fit(self, X: ArrayLike, y: ArrayLike, *, resume: bool = False) -> ForwardClassifier:
        """Learn examples, from new numbers on.

        Args:
            X: images (images, rows, columns) or (images, pixels), whole numbers or floats from 0 to `pixel_max`.
            y: their labels, (images,), of any kind.
            resume: whether to go on from the checkpoint, if there is one; the numbers come out as without a break.

        Returns:
            The estimator itself.

        Raises:
            ValueError: images, labels or a parameter that does not fit, fewer than two classes, a checkpoint of
                another training.
            DivergedError: a number ceased to be finite. What was learned before is kept, and so is the checkpoint.
        """
        path = checkpoint_path(self.checkpoint, resume)
        inputs, labels = self._begin(X, y)
        about = self._about(inputs, labels) if path else {}
        done = self._restore(path, about) if resume and path and path.exists() else 0
        for epoch in range(done, self.epochs):
            began = perf_counter()
            found = self.learner_.learn(inputs, labels, epoch, self.epochs)
            for name, value in {**found, "seconds": perf_counter() - began}.items():
                self.history_.setdefault(name, []).append(value)
            if path:
                self._save(path, about, epoch + 1)
            if self.verbose:
                print(f"epoch {epoch + 1}: " + ", ".join(f"{name} {v[-1]:.4g}" for name, v in self.history_.items()))
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The label of each example, (examples,)."""
        best = self._scores(X).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def decision_function(self, X: ArrayLike) -> Array:
        """What speaks for each class, (examples, classes); of two classes, for the second less for the first."""
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def _scores(self, X: ArrayLike) -> Array:
        check_is_fitted(self, "learner_")
        images = Images.of(X, self.pixel_max)
        images.check_features(self.n_features_in_, type(self).__name__)
        bad = [name for name, array in self.learner_.arrays().items() if not np.isfinite(array).all()]
        if bad:
            raise ValueError(
                f"numbers of the network are not finite: {', '.join(bad)} of learner_.arrays(). Fit it anew"
            )
        return self.learner_.scores(_scaled(images))

    def _begin(self, X: ArrayLike, y: ArrayLike | None) -> tuple[Array, Integers]:
        """Check everything, and forget what was learned before."""
        count("epochs", self.epochs)
        count("seed", self.seed, 0)
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        images = Images.of(X, self.pixel_max)
        labels = checked_labels(y, len(images.pixels))
        classes = np.unique(labels)
        if len(classes) < 2:
            raise ValueError(f"there must be at least 2 classes to tell apart, got 1 class: {classes.tolist()[0]!r}")
        features = images.pixels.shape[1]
        self.learner_: Learner = self.method.start(features, len(classes), len(labels), self.seed)
        self.classes_, self.n_features_in_ = classes, features
        self.history_: dict[str, list[float]] = {}
        return _scaled(images), coded(labels, classes)

    def _about(self, inputs: Array, labels: Integers) -> dict[str, Any]:
        """What the numbers depend on."""
        data = fingerprint(inputs, labels, self.classes_)
        return {"method": repr(self.method), "epochs": self.epochs, "seed": self.seed, "data": data}

    def _save(self, path: Path, about: dict[str, Any], done: int) -> None:
        write_checkpoint(path, about, {"done": done, "history": self.history_}, self.learner_.arrays())

    def _restore(self, path: Path, about: dict[str, Any]) -> int:
        state, arrays = read_checkpoint(path, about, "a ForwardClassifier")
        self.learner_.restore(arrays)
        self.history_ = state["history"]
        return int(state["done"])


def _scaled(images: Images) -> Array:
    """Pixels from 0 to 1, float32."""
    return np.ascontiguousarray(images.pixels / np.float32(images.largest), dtype=np.float32)
