"""A readout from the order in which units fire."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .events import Spikes
from .readouts import Array, Integers, Readout

_INT64_MAX = np.iinfo(np.int64).max


class NGram(Readout):
    """Sequences of n spikes vote for the classes in whose examples they were seen.

    The spikes of an example are taken in the order of (step, unit). Each n in a row, the last n included, are an
    n-gram; fitting adds 1 to the n-gram's score for the example's class, and a class scores the sum over an example's
    n-grams of their scores for it. An example with fewer than n spikes scores 0 for all classes.

    Args:
        classes: number of classes.
        n: length of the sequences, at least 1; 2 in arXiv 1904.06269.

    Raises:
        ValueError: n is below 1 or, in fitting, units^n x classes is above 2^63 - 1.

    Source:
        arXiv 1904.06269; Hazan et al., "Unsupervised Learning with Self-Organizing Spiking Neural Networks",
        arXiv 1807.09374.

    Example:
        >>> layer = Spikes([0, 0, 0, 1, 1], [0, 1, 2, 0, 1], [0, 1, 0, 1, 0], examples=2, steps=3, units=2, dt=1.0)
        >>> NGram(classes=2).partial_fit(layer, [0, 1]).scores(layer).tolist()
        [[2.0, 1.0], [1.0, 1.0]]
    """

    def __init__(self, classes: int, n: int = 2) -> None:
        super().__init__(classes)
        if n < 1:
            raise ValueError(f"n must be at least 1, got {n}")
        self.n = n
        self._runs = [_Run.empty()]

    def _settings(self) -> dict[str, Any]:
        return {**super()._settings(), "n": self.n}

    def _begin(self, units: int) -> None:
        if units**self.n * self.classes > _INT64_MAX:
            raise ValueError(
                f"{self.n}-grams of {units} units in {self.classes} classes are more than 64 bits can number: "
                f"choose a smaller n"
            )

    def _learn(self, spikes: Spikes, labels: Integers) -> None:
        gram, example = self._grams(spikes)
        key, count = np.unique(gram * self.classes + labels[example], return_counts=True)
        self._runs.append(_Run(key, count))
        while len(self._runs) > 1 and len(self._runs[-2].key) <= 2 * len(self._runs[-1].key):
            newest = self._runs.pop()
            self._runs[-1] = self._runs[-1].merged(newest)

    def _scores(self, spikes: Spikes) -> Array:
        from scipy.sparse import csr_array

        gram, example = self._grams(spikes)
        known, place = np.unique(gram, return_inverse=True)
        begin = np.searchsorted(example, np.arange(spikes.examples + 1))
        seen = csr_array((np.ones(len(gram)), place, begin), shape=(spikes.examples, len(known)))
        scores = np.zeros((spikes.examples, self.classes))
        for run in self._runs:
            label, count, bounds = run.find(known, self.classes)
            scores += (seen @ csr_array((count, label, bounds), shape=(len(known), self.classes))).toarray()
        return scores

    def _learned(self) -> dict[str, NDArray[Any]]:
        whole = self._runs[0]
        for run in self._runs[1:]:
            whole = whole.merged(run)
        return {"keys": whole.key, "counts": whole.count}

    def _restore(self, learned: dict[str, NDArray[Any]]) -> None:
        self._runs = [_Run(learned["keys"], learned["counts"])]

    def _grams(self, spikes: Spikes) -> tuple[Integers, Integers]:
        """Number of each n-gram, its units as digits, and its example, sorted by example."""
        number = max(len(spikes) - self.n + 1, 0)
        gram = np.zeros(number, dtype=np.int64)
        for k in range(self.n):
            gram = gram * spikes.units + spikes.unit[k : k + number]
        example = spikes.example[:number]
        within = example == spikes.example[self.n - 1 :][:number]
        return gram[within], example[within]


class _Run:
    """How often n-grams were seen in classes: keys n-gram x classes + class, sorted, and their counts, (keys,).

    New ones make a run of their own, and runs are merged when they are of about one size. So a run is merged about
    log2(all / new) times and not at every fit, and there are no more than as many to look into.
    """

    def __init__(self, key: Integers, count: Integers) -> None:
        self.key = key
        self.count = count

    @classmethod
    def empty(cls) -> _Run:
        return cls(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))

    def merged(self, other: _Run) -> _Run:
        key = np.concatenate([self.key, other.key])
        order = np.argsort(key, kind="stable")  # linear in the keys: it finds the two sorted runs
        key = key[order]
        first = np.flatnonzero(np.diff(key, prepend=-1))
        return _Run(key[first], np.add.reduceat(np.concatenate([self.count, other.count])[order], first))

    def find(self, grams: Integers, classes: int) -> tuple[Integers, Integers, Integers]:
        """Classes and counts of sorted n-grams, one after the other, and where each one's begin, (grams + 1,)."""
        # Both ends in one go: searches that follow each other in order find what they read in the processor's cache.
        low, high = np.searchsorted(self.key, grams[:, None] * classes + [0, classes]).T
        length = high - low
        bounds = np.concatenate([[0], np.cumsum(length)])
        place = np.arange(bounds[-1]) + np.repeat(low - bounds[:-1], length)
        return self.key[place] % classes, self.count[place], bounds
