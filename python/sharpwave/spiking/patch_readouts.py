"""Readouts of layers whose units form groups: patches, or places in the patches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .events import Spikes
from .readouts import Array, Integers, RateReadout

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class GroupReadout(RateReadout):
    """What the readouts share in which the units of a group compete.

    Attributes:
        groups: group of each unit, (units,).
    """

    def __init__(self, classes: int, groups: ArrayLike) -> None:
        super().__init__(classes)
        self.groups = np.array(groups)
        if self.groups.ndim != 1 or self.groups.dtype.kind not in "iu":
            raise ValueError(
                f"groups must be whole numbers (units,), got {self.groups.dtype} of shape {self.groups.shape}"
            )

    def _settings(self) -> dict[str, NDArray[Any]]:
        return {**super()._settings(), "groups": self.groups}

    def _begin(self, units: int) -> None:
        if len(self.groups) != units:
            raise ValueError(f"groups must have one entry for each of {units} units, got {len(self.groups)}")
        super()._begin(units)

    def _winners(self, spikes: Spikes) -> tuple[Integers, Integers, Integers]:
        """Example, unit and count of the unit with most spikes, the lowest of several, in each group that fires."""
        counts = spikes.sparse_counts().tocoo()
        group = self.groups[counts.col]
        order = np.lexsort((counts.col, -counts.data, group, counts.row))
        example, group = counts.row[order], group[order]
        first = np.ones(len(order), dtype=bool)
        first[1:] = (example[1:] != example[:-1]) | (group[1:] != group[:-1])
        chosen = order[first]
        return counts.row[chosen], counts.col[chosen], counts.data[chosen]


class MostSpiked(GroupReadout):
    """In each group of units only the one with most spikes, the lowest of several, votes for the class it stands for.

    A unit stands for the class it fires most for. A class scores its share of the spikes of all the units that vote.

    Args:
        classes: number of classes.
        groups: group of each unit, whole numbers, (units,). For F patches of n units, one patch after the other, it is
            `np.repeat(np.arange(F), n)`.

    Raises:
        ValueError: the groups are not whole numbers or, in fitting, not one for each unit.

    Source:
        The vote of arXiv 1808.08173, as in its first author's program, github.com/djsaunde/lm-snn.

    Example:
        >>> layer = Spikes.from_dense([[[3, 1, 0, 0]], [[0, 1, 0, 3]]], dt=1.0)
        >>> MostSpiked(classes=2, groups=[0, 0, 1, 1]).partial_fit(layer, [0, 1]).scores(layer).tolist()
        [[1.0, 0.0], [0.25, 0.75]]
    """

    def _scores(self, spikes: Spikes) -> Array:
        example, unit, count = self._winners(spikes)
        most = _table(spikes, example, unit, count)
        total = np.bincount(example, weights=count, minlength=spikes.examples)
        return np.asarray((most @ self._votes()) / np.maximum(total, 1)[:, None])


class SpatialCorrelation(GroupReadout):
    """Which patch leads at which place is compared with the examples of each class.

    At each place the patch with most spikes, the lowest of several, leads if it has more than .9 times the spikes of
    the example's most active unit; else none does. A class scores the number of places at which an example has the
    same leader as an example of the class, averaged over all those that were fitted: the inner product with the mean
    of their leaders.

    Args:
        classes: number of classes.
        groups: place of each unit, whole numbers, (units,). For F patches of n places, one patch after the other, it is
            `np.tile(np.arange(n), F)`.

    Raises:
        ValueError: the groups are not whole numbers or, in fitting, not one for each unit.

    Source:
        The spatial-correlation clusters of arXiv 1808.08173, as in its first author's program,
        github.com/djsaunde/lm-snn, from which the .9 is. That program compares with the last stretch of training;
        all of it is a choice made here.

    Example:
        >>> layer = Spikes.from_dense([[[3, 0, 0, 3]], [[0, 4, 4, 1]]], dt=1.0)
        >>> readout = SpatialCorrelation(classes=2, groups=[0, 1, 0, 1]).partial_fit(layer, [0, 1])
        >>> readout.scores(Spikes.from_dense([[[2, 0, 0, 2]], [[2, 2, 0, 0]]], dt=1.0)).tolist()
        [[2.0, 0.0], [1.0, 1.0]]
    """

    def _counted(self, spikes: Spikes) -> csr_array:
        example, unit, count = self._winners(spikes)
        most = np.zeros(spikes.examples, dtype=np.int64)
        np.maximum.at(most, example, count)
        leads = 10 * count > 9 * most[example]
        return _table(spikes, example[leads], unit[leads], np.ones(leads.sum(), dtype=np.int64))

    def _scores(self, spikes: Spikes) -> Array:
        return np.asarray(self._counted(spikes) @ self.rates)


def _table(spikes: Spikes, example: Integers, unit: Integers, value: Integers) -> csr_array:
    from scipy.sparse import csr_array

    return csr_array((value, (example, unit)), shape=(spikes.examples, spikes.units))
