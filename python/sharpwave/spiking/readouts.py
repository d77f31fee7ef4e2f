"""Readouts from the spikes of an unsupervised layer to classes: what all share, and those that count spikes."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .events import Spikes

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Integers = NDArray[np.int64]
Array = NDArray[np.float64]
R = TypeVar("R", bound="Readout")


class Readout(ABC):
    """What all readouts share: they learn from labelled spikes in any number of chunks, then score and predict.

    What is learned accumulates over everything fitted, so that chunks come to the same as all examples at once.

    Args:
        classes: number of classes; labels are 0 to `classes` - 1.

    Attributes:
        units: number of units of the layer, 0 before the first fit.
        class_examples: number of examples fitted of each class, (classes,).

    Raises:
        ValueError: there is no class.
    """

    def __init__(self, classes: int) -> None:
        if classes < 1:
            raise ValueError(f"classes must be at least 1, got {classes}")
        self.classes = classes
        self.units = 0
        self.class_examples = np.zeros(classes, dtype=np.int64)

    def partial_fit(self: R, spikes: Spikes, labels: ArrayLike) -> R:
        """Learn from some more examples.

        Args:
            spikes: of the layer.
            labels: class of each example, (examples,).

        Returns:
            The readout itself.

        Raises:
            ValueError: the labels are not classes, one for each example, or the number of units is not that of before.
        """
        wanted = np.asarray(labels)
        if wanted.shape != (spikes.examples,) or (wanted.size and wanted.dtype.kind not in "iu"):
            raise ValueError(
                f"labels must be {spikes.examples} whole numbers, one for each example, "
                f"got {wanted.dtype} of shape {wanted.shape}"
            )
        if wanted.size and not 0 <= wanted.min() <= wanted.max() < self.classes:
            raise ValueError(f"labels must be from 0 to {self.classes - 1}, got {wanted.min()} to {wanted.max()}")
        if self.units == 0:
            self._begin(spikes.units)
            self.units = spikes.units
        self._check_units(spikes)
        wanted = wanted.astype(np.int64)
        self.class_examples += np.bincount(wanted, minlength=self.classes)
        self._learn(spikes, wanted)
        return self

    def scores(self, spikes: Spikes) -> Array:
        """Evidence for each class, 0 for none, (examples, classes).

        Raises:
            sklearn.exceptions.NotFittedError: nothing was fitted yet.
            ValueError: the number of units is not that of the fit.
        """
        if not self.class_examples.any():
            from sklearn.exceptions import NotFittedError

            raise NotFittedError(f"this {type(self).__name__} has seen no example: call partial_fit first")
        self._check_units(spikes)
        return self._scores(spikes)

    def predict(self, spikes: Spikes) -> Integers:
        """The class of the highest score, (examples,): the lowest of several.

        An example whose scores are all 0 (a silent one, for instance) is given the class that was seen most often in
        fitting.

        Raises:
            sklearn.exceptions.NotFittedError: nothing was fitted yet.
            ValueError: the number of units is not that of the fit.
        """
        scores = self.scores(spikes)
        return np.where(scores.any(axis=1), scores.argmax(axis=1), self.class_examples.argmax())

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """All that was learned, and the settings that it depends on, as copied NumPy arrays by name."""
        seen = {"units": self.units, "class_examples": self.class_examples}
        return {name: np.array(value) for name, value in {**self._settings(), **seen, **self._learned()}.items()}

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take over what another readout of this kind has learned; what this one has learned is lost.

        Args:
            state: what its `state_dict` returned, or an opened .npz file of it.

        Raises:
            ValueError: the state is of another kind of readout, or of one with other settings.
        """
        expected = {"units", "class_examples", *self._settings(), *self._learned()}
        if set(state) != expected:
            names, got = ", ".join(sorted(expected)), ", ".join(sorted(state))
            raise ValueError(f"the state of {type(self).__name__} has {names}; got {got}")
        for name, value in self._settings().items():
            if not np.array_equal(state[name], value):
                raise ValueError(f"this readout has {name} = {value}, the state is of one with {name} = {state[name]}")
        self.units = int(state["units"])
        self.class_examples = np.array(state["class_examples"])
        self._restore({name: np.array(state[name]) for name in self._learned()})

    def _check_units(self, spikes: Spikes) -> None:
        if spikes.units != self.units:
            raise ValueError(f"this readout was fitted to {self.units} units, got spikes of {spikes.units}")

    def _settings(self) -> dict[str, Any]:
        """The settings that what is learned depends on."""
        return {"classes": self.classes}

    @abstractmethod
    def _begin(self, units: int) -> None:
        """Make ready for a number of units, or raise if it cannot be."""

    @abstractmethod
    def _learn(self, spikes: Spikes, labels: Integers) -> None: ...

    @abstractmethod
    def _scores(self, spikes: Spikes) -> Array: ...

    @abstractmethod
    def _learned(self) -> dict[str, NDArray[Any]]: ...

    @abstractmethod
    def _restore(self, learned: dict[str, NDArray[Any]]) -> None: ...


class RateReadout(Readout):
    """What the readouts share that learn how much each unit fires for each class.

    Attributes:
        totals: what was counted of each unit over all examples of each class, (units, classes).
    """

    def __init__(self, classes: int) -> None:
        super().__init__(classes)
        self.totals = np.zeros((0, classes), dtype=np.int64)

    @property
    def rates(self) -> Array:
        """Mean count of each unit in an example of each class, 0 for a class not seen, (units, classes)."""
        return self.totals / np.maximum(self.class_examples, 1)

    @property
    def assignments(self) -> Integers:
        """Class of each unit, (units,): of its highest rate, the lowest of several; -1 for one that never fired."""
        return np.where(self.totals.any(axis=1), self.rates.argmax(axis=1), -1)

    def _begin(self, units: int) -> None:
        self.totals = np.zeros((units, self.classes), dtype=np.int64)

    def _counted(self, spikes: Spikes) -> csr_array:
        """What is counted over the examples of a class, (examples, units)."""
        return spikes.sparse_counts()

    def _learn(self, spikes: Spikes, labels: Integers) -> None:
        counted = self._counted(spikes).tocoo()
        np.add.at(self.totals, (counted.col, labels[counted.row]), counted.data)

    def _learned(self) -> dict[str, NDArray[Any]]:
        return {"totals": self.totals}

    def _restore(self, learned: dict[str, NDArray[Any]]) -> None:
        self.totals = learned["totals"]

    def _votes(self) -> Array:
        """1 for the class that a unit stands for, else 0, (units, classes)."""
        return np.asarray(self.assignments[:, None] == np.arange(self.classes), dtype=np.float64)

    def _shares(self) -> Array:
        """The votes by the number of units that stand for the class, (units, classes)."""
        votes = self._votes()
        return np.asarray(votes / np.maximum(votes.sum(axis=0), 1))


class AllActivity(RateReadout):
    """Each unit stands for the class it fires most for; a class scores the mean count of its units.

    Args:
        classes: number of classes.

    Source:
        Diehl and Cook, Frontiers in Computational Neuroscience 9 (2015) 99.

    Example:
        >>> layer = Spikes.from_dense([[[3, 0, 1]], [[0, 2, 1]]], dt=1.0)
        >>> readout = AllActivity(classes=2).partial_fit(layer, [0, 1])
        >>> readout.assignments.tolist(), readout.scores(layer).tolist()
        ([0, 1, 0], [[2.0, 0.0], [0.5, 2.0]])
    """

    def _scores(self, spikes: Spikes) -> Array:
        return np.asarray(spikes.sparse_counts() @ self._shares())


class ProportionWeighting(RateReadout):
    """All activity, in which a unit's spikes weigh as much as it is selective for the class it stands for.

    The weight is the unit's rate for its class by the sum of its rates for all classes; a class scores the mean of the
    weighted counts of its units.

    Args:
        classes: number of classes.

    Source:
        arXiv 1904.06269; Hazan et al., Frontiers in Neuroinformatics 12 (2018) 89.

    Example:
        >>> layer = Spikes.from_dense([[[3, 0]], [[1, 2]]], dt=1.0)
        >>> ProportionWeighting(classes=2).partial_fit(layer, [0, 1]).scores(layer).tolist()
        [[2.25, 0.0], [0.75, 2.0]]
    """

    def _scores(self, spikes: Spikes) -> Array:
        rates = self.rates
        total = rates.sum(axis=1, keepdims=True)
        proportions = np.divide(rates, total, out=np.zeros_like(rates), where=total > 0)
        return np.asarray(spikes.sparse_counts() @ (self._shares() * proportions))


class TopPercent(RateReadout):
    """Only the most active units of an example vote, each once, for the class it stands for.

    Those are the units with more spikes than the (100 - `percent`)th percentile of all units' counts, taken at the
    sorted count below it where it falls between two. A class scores its number of votes.

    Args:
        classes: number of classes.
        percent: of the units, between 0 and 100; 10 in arXiv 1808.08173.

    Raises:
        ValueError: the percentage is out of range.

    Source:
        The vote of arXiv 1808.08173, as in its first author's program, github.com/djsaunde/lm-snn.

    Example:
        >>> layer = Spikes.from_dense([[[3, 4, 1]], [[0, 1, 2]]], dt=1.0)
        >>> TopPercent(classes=2, percent=60).partial_fit(layer, [0, 1]).scores(layer).tolist()
        [[2.0, 0.0], [1.0, 1.0]]
    """

    def __init__(self, classes: int, percent: float = 10.0) -> None:
        super().__init__(classes)
        if not 0 < percent < 100:
            raise ValueError(f"percent must be between 0 and 100, got {percent}")
        self.percent = percent

    def _scores(self, spikes: Spikes) -> Array:
        counts = spikes.sparse_counts()
        firing = np.diff(counts.indptr)
        example = np.repeat(np.arange(spikes.examples), firing)
        # The count at this rank of an example's counts, sorted upwards: a silent unit's, or one of those stored.
        place = math.floor((spikes.units - 1) * (100 - self.percent) / 100) - (spikes.units - firing)
        threshold = np.zeros(spikes.examples, dtype=np.int64)
        stored = place >= 0
        ordered = counts.data[np.lexsort((counts.data, example))]
        threshold[stored] = ordered[(counts.indptr[:-1] + place)[stored]]
        counts.data = (counts.data > threshold[example]).astype(np.int64)
        return np.asarray(counts @ self._votes())
