"""A classifier that is given its examples some at a time, with scikit-learn's interface."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from ..counts import count
from ..images import Images, checked_labels, coded
from .learner import Learner
from .network import Settings
from .part import Strategy
from .streams import Examples, Stream, Task

_LARGEST = 255


@dataclass(eq=False, repr=False, kw_only=True)
class ContinualClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Learns images, or vectors from 0 to 1, some after the others, and does not forget the first ones.

    Each `partial_fit` is a task; what is told apart are all classes that have been learned so far.

    Args:
        strategy: makes the parts that keep it from forgetting, such as `lambda: [ExperienceReplay(100_000)]`; None:
            nothing does.
        settings: how each task is learned.
        pixel_max: the value of a white pixel; None: 255 for whole numbers, 1 for floats.
        seed: of initial weights and of all that is drawn.

    Attributes:
        classes_: labels, sorted.
        n_features_in_: features of an example.
        learner_: what has learned; see `Learner`.

    Example:
        >>> from sharpwave.data import load
        >>> from sharpwave.replay import ExperienceReplay
        >>> digits, settings = load("digits"), Settings(hidden=(60,), learning_rate=3e-3, batch=32, iterations=60)
        >>> model = ContinualClassifier(
        ...     strategy=lambda: [ExperienceReplay(20_000)], settings=settings, pixel_max=digits.pixel_max
        ... )
        >>> for classes in ([0, 1, 2, 3], [4, 5, 6], [7, 8, 9]):
        ...     chosen = np.isin(digits.train_labels, classes)
        ...     model = model.partial_fit(
        ...         digits.train_images[chosen], digits.train_labels[chosen], classes=np.arange(10)
        ...     )
        >>> model.score(digits.test_images, digits.test_labels) > 0.75
        True
    """

    strategy: Strategy | None = None
    settings: Settings = Settings()
    pixel_max: float | None = None
    seed: int = 0

    def fit(self, X: ArrayLike, y: ArrayLike) -> ContinualClassifier:
        """Forget everything, and learn examples as the first task.

        Args:
            X: images (images, rows, columns) or (images, pixels), whole numbers or floats from 0 to `pixel_max`.
            y: their labels, (images,), of any kind; all that there will be.
        """
        for name in ("learner_", "classes_", "n_features_in_"):
            self.__dict__.pop(name, None)
        labels = checked_labels(y, len(np.asarray(y)))
        return self.partial_fit(X, y, classes=np.unique(labels))

    def partial_fit(self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None) -> ContinualClassifier:
        """Learn some examples as the next task.

        Args:
            X, y: see `fit`.
            classes: all labels that there will be; needed the first time.

        Returns:
            The estimator itself.

        Raises:
            ValueError: images or labels that do not fit, a label that is none of the classes, no classes the first
                time, or others later.
            DivergedError: the loss is not finite.
        """
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        images = Images.of(X, self.pixel_max)
        labels = checked_labels(y, len(images.pixels))
        first = not hasattr(self, "learner_")
        own = self._checked_classes(classes, first)
        task = self._task(images, coded(labels, own), 0 if first else len(self.learner_.stream.tasks))
        if first:
            stream = Stream("examples", "class", (task,), len(own))
            parts = self.strategy() if self.strategy else []
            self.learner_: Learner = Learner(stream, self.settings, parts, count("seed", self.seed, 0))
            self.classes_, self.n_features_in_ = own, stream.features
        else:
            images.check_features(self.n_features_in_, type(self).__name__)
            before = self.learner_.stream
            self.learner_.stream = replace(before, tasks=(*before.tasks, task))
        self.learner_.learn(self.learner_.finished)
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The label of each example, (examples,), among those that have been learned."""
        check_is_fitted(self, "learner_")
        images = Images.of(X, self.pixel_max)
        images.check_features(self.n_features_in_, type(self).__name__)
        inputs = _pixels(images) * np.float32(1 / _LARGEST)
        return np.asarray(self.classes_[self.learner_.answers(inputs, self.learner_.place)])

    def _task(self, images: Images, labels: NDArray[np.int64], place: int) -> Task:
        examples = Examples(_pixels(images), np.arange(len(labels)), labels, _LARGEST)
        outputs = tuple(int(label) for label in np.unique(labels))
        return Task(f"task {place}", examples, examples, outputs)

    def _checked_classes(self, classes: ArrayLike | None, first: bool) -> NDArray[Any]:
        if classes is None:
            if first:
                raise ValueError("classes must be passed on the first call to partial_fit: all labels there will be")
            return np.asarray(self.classes_)
        own = np.unique(np.asarray(classes))
        if len(own) < 2:
            raise ValueError(f"there must be at least 2 classes to tell apart, got {own.tolist()}")
        if not first and not np.array_equal(own, self.classes_):
            raise ValueError(f"classes are {self.classes_.tolist()} since the first call, got {own.tolist()}")
        return own


def _pixels(images: Images) -> NDArray[np.uint8]:
    """In 256 steps, as stores keep them."""
    return np.round(images.pixels * (_LARGEST / images.largest)).astype(np.uint8)
