"""The interface that the estimators over ready-made networks share."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin, TransformerMixin
from sklearn.utils.validation import _num_samples, check_is_fitted

from ..images import checked_labels, coded
from .events import Spikes
from .learner import Learner
from .lesions import without_neurons, without_synapses
from .network import Network
from .readouts import RateReadout, Readout
from .state import State
from .votes import vote_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
S = TypeVar("S", bound="SpikingClassifier")

_CHUNK = 1000
_EXAMPLES = 2**32  # tests number their images from here on, so that their random numbers are never those of learning


class SpikingClassifier(ClassifierMixin, TransformerMixin, Learner):  # type: ignore[misc]  # scikit-learn has no types
    """A network that learns images by plasticity alone, and readouts that learn which spikes go with which class.

    Args:
        readout: which vote decides: `"all"`, `"proportion"`, `"ngram"` (of two spikes), `"linear"`, `"top"` (ten
            percent), `"most-spiked"` or `"correlation"`. After learning it may be set to another that was kept.
        readouts: those that are trained besides, all in one go.
        epochs: how often `fit` goes through the images, in the order given.
        batch: images that learn together, see `Network.run`; 1 as in the papers.
        reduction: of weight changes over a batch, `"sum"`, `"mean"`, `"max"` or `"min"`.
        learning_rate_decay: factor of the learning rates after every 250 images.
        min_spikes: an image that evokes fewer spikes is presented again, brighter; 0 for never.
        pixel_max: the value of a white pixel; None: 255 for whole numbers, 1 for floats.
        seed: of initial weights and of all spikes drawn.
        precision: of the simulation, `"double"` or `"single"`.
        threads: at most so many; None: all of Julia's. Results do not depend on it.
        checkpoint: an .npz file to which `fit` saves its learning, and from which `fit(..., resume=True)` goes on.
        checkpoint_every: images from one checkpoint to the next.
        verbose: whether learning shows a progress bar, with images per second and accuracy.

    Attributes:
        classes_: labels, sorted.
        n_features_in_, image_shape_: pixels of an image, and its rows and columns.
        state_: weights and thresholds.
        readouts_: by name.
        examples_seen_: number of images learned; an image counts in each epoch.
        history_: by chunk of some 250 images, lists of `examples` (seen by its end), `accuracy` (of the chunk, before
            the readouts learn it; NaN for the first), `seconds` (of learning), `spikes` and `presentations` (mean of an
            image).
    """

    def predict(self, X: ArrayLike, readout: str | None = None) -> NDArray[Any]:
        """The label of each image, (images,).

        Args:
            X: images as in `fit`.
            readout: whose vote; None: that of the parameter `readout`.

        Raises:
            sklearn.exceptions.NotFittedError: before `fit`.
            ValueError: images that do not fit, or a readout that was not kept.
        """
        chosen = self._chosen(readout)
        return np.asarray(self.classes_[np.concatenate([chosen.predict(spikes) for spikes in self._responses(X)])])

    def decision_function(self, X: ArrayLike, readout: str | None = None) -> Array:
        """Evidence for each class, (images, classes); of two classes, that for the second less that for the first.

        Arguments and errors are those of `predict`.
        """
        chosen = self._chosen(readout)
        scores = np.concatenate([chosen.scores(spikes) for spikes in self._responses(X)])
        return np.asarray(scores[:, 1] - scores[:, 0]) if len(self.classes_) == 2 else scores

    def score(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, readout: str | None = None
    ) -> float:
        """Accuracy, from 0 to 1; `sample_weight` weights images. Other arguments and errors are those of `predict`."""
        labels = checked_labels(y, _num_samples(X))
        weights = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        return float(np.average(self.predict(X, readout) == labels, weights=weights))

    def score_each(self, X: ArrayLike, y: ArrayLike) -> dict[str, float]:
        """Accuracy of each readout that was kept, by name, from one presentation of the images."""
        check_is_fitted(self, "readouts_")
        labels, at, right = checked_labels(y, _num_samples(X)), 0, dict.fromkeys(self.readouts_, 0)
        for spikes in self._responses(X):
            wanted = labels[at : at + spikes.examples]
            for name, readout in self.readouts_.items():
                right[name] += int((self.classes_[readout.predict(spikes)] == wanted).sum())
            at += spikes.examples
        return {name: count / at for name, count in right.items()}

    def relabel(self: S, X: ArrayLike, y: ArrayLike) -> S:
        """Let the readouts learn anew, from the spikes that images evoke now; weights and thresholds stay as they are.

        Readouts that learn beside the network remember what units fired for when their weights were others.

        Args:
            X, y: images and labels as in `fit`, of the same classes.

        Returns:
            The estimator itself.

        Raises:
            sklearn.exceptions.NotFittedError: before `fit`.
            ValueError: images or labels that do not fit.

        Source:
            Diehl and Cook (2015) give neurons their classes by one presentation of the training set after learning.
        """
        check_is_fitted(self, "readouts_")
        labels, at = coded(checked_labels(y, _num_samples(X)), self.classes_), 0
        readouts = self._readouts(self.network())
        for spikes in self._responses(X):
            for readout in readouts.values():
                readout.partial_fit(spikes, labels[at : at + spikes.examples])
            at += spikes.examples
        self.readouts_ = readouts
        return self

    def transform(self, X: ArrayLike) -> Integers:
        """Number of spikes of each unit of the layer, (images, units): features for any other classifier."""
        check_is_fitted(self, "readouts_")
        return np.concatenate([spikes.counts() for spikes in self._responses(X)])

    def respond(self, X: ArrayLike) -> Spikes:
        """The layer's spikes for each image."""
        check_is_fitted(self, "readouts_")
        return Spikes.concatenate(list(self._responses(X)))

    def network(self) -> Network:
        """The network before learning; with `state_` it runs as learned."""
        check_is_fitted(self, "readouts_")
        return self._network(self._window(), 1.0)

    def delete_synapses(self: S, fraction: float, seed: int = 0) -> S:
        """The same estimator less some of its plastic synapses, for tests only.

        Args:
            fraction: of the synapses, from 0 to 1, drawn at random.
            seed: of the draw.

        Returns:
            Another estimator.

        Raises:
            ValueError: the fraction is out of range.

        Source:
            The robustness of arXiv 1904.06269.
        """
        left = without_synapses(self.network(), self.state_, fraction, seed)
        return self._lesioned(left, f"{fraction:.0%} of its synapses are deleted")

    def delete_neurons(self: S, fraction: float, seed: int = 0) -> S:
        """The same estimator less some of the layer's neurons, which never spike; otherwise as `delete_synapses`."""
        left = without_neurons(self.network(), self._layer, self.state_, fraction, seed)
        return self._lesioned(left, f"{fraction:.0%} of its neurons are deleted")

    def plot_filters(self, limit: int = 100) -> Figure:
        """The learned weights as images, of the first `limit` units or filters; see `sharpwave.spiking.figures`."""
        from .figures import plot_filters

        check_is_fitted(self, "readouts_")
        shape = self._window()
        grid = self._grid(shape)
        return plot_filters(self.state_.weights["input"], shape if grid is None else None, grid, limit=limit)

    def plot_assignments(self, readout: str | None = None) -> Figure:
        """The class that each unit stands for; see `sharpwave.spiking.figures`.

        Args:
            readout: one that gives units a class; None: the first of those.

        Raises:
            ValueError: it gives them none.
        """
        from .figures import plot_assignments

        check_is_fitted(self, "readouts_")
        with_classes = {name: kept for name, kept in self.readouts_.items() if isinstance(kept, RateReadout)}
        name = next(iter(with_classes), "all") if readout is None else readout
        self._chosen(name)
        if name not in with_classes:
            raise ValueError(f"the readout {name!r} gives units no class; of those kept, do: {', '.join(with_classes)}")
        return plot_assignments(with_classes[name].assignments, self.classes_, self._grid(self._window()))

    def _responses(self, X: ArrayLike) -> Iterator[Spikes]:
        images, network = self._images(X), self.network()
        for first in range(0, len(images.pixels), _CHUNK):
            part = slice(first, min(first + _CHUNK, len(images.pixels)))
            yield self._run(network, images, part, _EXAMPLES + first, learning=False, watch=None).spikes[self._layer]

    def _chosen(self, readout: str | None) -> Readout:
        check_is_fitted(self, "readouts_")
        name = self.readout if readout is None else readout
        vote_names(name, ())  # raises for a name that is none
        if name not in self.readouts_:
            raise ValueError(
                f"the readout {name!r} was not trained, but {', '.join(map(repr, self.readouts_))}: name it in "
                "readouts, and fit again"
            )
        return self.readouts_[name]

    def _lesioned(self: S, state: State, what: str) -> S:
        other = copy.copy(self)
        other.state_, other.lesions_ = state, (*self.lesions_, what)
        return other

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.positive_only = True
        tags.non_deterministic = True  # the spikes drawn for an image depend on its place in the set
        tags.classifier_tags.poor_score = True
        tags.transformer_tags.preserves_dtype = []
        return tags
