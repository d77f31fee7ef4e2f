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
from .part import Strategy, made_by
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
            X: images (images, rows, columns) or (images, pixels), whole numbers or floats from 0 to `pixel_max`; they
                are learned, and stored, in 256 steps.
            y: their labels, (images,), of any kind; all that there will be.

        Raises:
            ValueError, DivergedError: see `partial_fit`; what was learned before is kept.
        """
        images, labels = self._checked(X, y)
        return self._begin(images, labels, np.unique(labels))

    def partial_fit(self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None) -> ContinualClassifier:
        """Learn some examples as the next task.

        Args:
            X, y: see `fit`.
            classes: all labels that there will be; needed the first time.

        Returns:
            The estimator itself.

        Raises:
            ValueError: images or labels that do not fit, a label that is none of the classes, no classes the first
                time, or others later, or other parameters than those that the first call began with.
            DivergedError: the loss is not finite. Then, and when it is interrupted, it is as it was before the call.
        """
        images, labels = self._checked(X, y)
        if not hasattr(self, "learner_"):
            if classes is None:
                raise ValueError("classes must be passed on the first call to partial_fit: all labels there will be")
            return self._begin(images, labels, _checked_classes(classes))
        if classes is not None and not np.array_equal(own := _checked_classes(classes), self.classes_):
            raise ValueError(f"classes are {self.classes_.tolist()} since the first call, got {own.tolist()}")
        images.check_features(self.n_features_in_, type(self).__name__)
        if self._begun_with != (self.strategy, self.settings, self.seed):
            raise ValueError("strategy, settings or seed are others than those of the first call: begin anew with fit")
        learner = self.learner_
        before, arrays = learner.stream, learner.arrays()
        task = _task(images, coded(labels, self.classes_), len(before.tasks))
        learner.stream = replace(before, tasks=(*before.tasks, task))
        try:
            learner.learn(learner.finished)
        except BaseException:  # also an interrupt
            learner.stream = before
            learner.restore(arrays)
            raise
        learner.stream = replace(before, tasks=(*before.tasks, _learned(task)))
        return self

    def _begin(self, images: Images, labels: NDArray[Any], own: NDArray[Any]) -> ContinualClassifier:
        task = _task(images, coded(labels, own), 0)
        stream = Stream("examples", "class", (task,), len(own))
        parts = made_by(self.strategy) if self.strategy is not None else []
        learner = Learner(stream, self.settings, parts, count("seed", self.seed, 0))
        learner.learn(0)
        learner.stream = replace(stream, tasks=(_learned(task),))
        self.learner_, self.classes_, self.n_features_in_ = learner, own, stream.features
        self._begun_with = (self.strategy, self.settings, self.seed)
        return self

    def _checked(self, X: ArrayLike, y: ArrayLike) -> tuple[Images, NDArray[Any]]:
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        images = Images.of(X, self.pixel_max)
        return images, checked_labels(y, len(images.pixels))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The label of each example, (examples,), among those that have been learned."""
        check_is_fitted(self, "learner_")
        images = Images.of(X, self.pixel_max)
        images.check_features(self.n_features_in_, type(self).__name__)
        inputs = _pixels(images) * np.float32(1 / _LARGEST)
        return np.asarray(self.classes_[self.learner_.answers(inputs, self.learner_.place)])


def _task(images: Images, labels: NDArray[np.int64], place: int) -> Task:
    examples = Examples(_pixels(images), np.arange(len(labels)), labels, _LARGEST)
    return Task(f"task {place}", examples, examples, tuple(np.unique(labels).tolist()))


def _learned(task: Task) -> Task:
    """A task that is over: its first example stands for all, of which only stores keep some."""
    examples = task.train
    first = Examples(examples.pixels[:1].copy(), examples.rows[:1], examples.labels[:1], examples.largest)
    return replace(task, train=first, test=first)


def _checked_classes(classes: ArrayLike) -> NDArray[Any]:
    own = np.unique(np.asarray(classes))
    if len(own) < 2:
        raise ValueError(f"there must be at least 2 classes to tell apart, got {own.tolist()}")
    return own


def _pixels(images: Images) -> NDArray[np.uint8]:
    """In 256 steps, as stores keep them."""
    return np.round(images.pixels * (_LARGEST / images.largest)).astype(np.uint8)
