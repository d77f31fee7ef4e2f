"""Exemplars that are near to the means of their classes, and classification by means of them (iCaRL)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ..torch_state import frozen_copy, grouped, module_arrays, restore_module, under
from .learner import Learner
from .part import Arrays, Batch
from .stores import ClassBalanced
from .storing import Stored
from .streams import Examples

_CHUNK = 2000


def herded(features: NDArray[Any], number: int) -> NDArray[np.int64]:
    """Places of so many examples, in order: with each, the mean of those so far comes as near to that of all as it can.

    Args:
        features: (examples, features).
        number: of places; no more than there are examples.

    Source:
        Welling, Herding dynamical weights, ICML 2009, as in iCaRL.

    Example:
        >>> herded(np.array([[0.0], [1.0], [5.0], [2.0]]), 3).tolist()
        [3, 1, 2]
    """
    features = np.asarray(features, dtype=np.float64)
    wanted, so_far = features.mean(axis=0), np.zeros(features.shape[1])
    free, found = np.ones(len(features), dtype=bool), np.zeros(min(number, len(features)), dtype=np.int64)
    squares = (features**2).sum(axis=1)
    for k in range(len(found)):
        # |wanted - (so_far + f) / (k + 1)|^2 but for what is the same of all
        left = (k + 1) * wanted - so_far
        away = squares - 2 * (features @ left)
        away[~free] = np.inf
        found[k] = away.argmin()
        free[found[k]] = False
        so_far += features[found[k]]
    return found


class Exemplars(Stored):
    """Stores herded examples of each class, learns them mixed with new ones, and answers with the nearest class mean.

    Each output learns by itself whether it is right; outputs of classes that were there before learn what the network
    said before the task. Activities of the last hidden layer, of length 1, are compared with the means of the stored
    ones.

    Args:
        budget: of the store, bytes. It is shared out to all classes of the stream.

    Source:
        Rebuffi and others, iCaRL, CVPR 2017; the same number of each class at any time, as in van de Ven and others,
        2022.

    Raises:
        ValueError: the scenario is another than `"class"`, or the budget is for less than one example a class.
    """

    def __init__(self, budget: int) -> None:
        super().__init__(budget, ClassBalanced())
        self.old: nn.Module | None = None
        self._means: Tensor | None = None

    def start(self, learner: Learner) -> None:
        """See `Part`."""
        if learner.stream.scenario != "class":
            raise ValueError(f"exemplars are for the scenario 'class', got {learner.stream.scenario!r}")
        super().start(learner)
        self.each = self.store.capacity // learner.stream.outputs
        if self.each < 1:
            raise ValueError(
                f"a budget of {self.budget} bytes is for {self.store.capacity} examples: fewer than the "
                f"{learner.stream.outputs} classes"
            )
        learner.replace_loss(self._loss, self)

    def begin(self, place: int) -> None:
        """See `Part`."""
        self.old = frozen_copy(self.learner.network) if place else None

    def _loss(self, batch: Batch) -> Tensor:
        learner, outputs = self.learner, self.learner.stream.outputs
        if self.store.size:
            share = self.store.size / (self.store.size + len(learner.stream.tasks[learner.place].train))
            number = int(self.store.random.binomial(len(batch), share))
            again, kept = self.shown(self.store.take(self.store.sample(number))), len(batch) - number
            batch = Batch.joined([batch.first(kept), again])
        wanted = functional.one_hot(batch.y, outputs).float()
        known = list(learner.stream.known(learner.place))
        if self.old is not None:
            before = list(learner.stream.known(learner.place - 1))
            wanted[:, before] = self.old(batch.x)[:, before].sigmoid()
        said = learner.network(batch.x)[:, known]
        return functional.binary_cross_entropy_with_logits(said, wanted[:, known], reduction="none").sum(1).mean()

    @torch.no_grad()
    def end(self, place: int, examples: Examples) -> None:
        """See `Part`."""
        for label in np.unique(examples.labels):
            own = np.flatnonzero(examples.labels == label)
            features = np.concatenate([
                self._features(torch.from_numpy(examples.inputs(own[k : k + _CHUNK]))).numpy()
                for k in range(0, len(own), _CHUNK)
            ])  # fmt: skip
            chosen = own[herded(features, self.each)]
            self.offer(self.learner.batch(examples, chosen, place))
        self._means = None

    def _features(self, x: Tensor) -> Tensor:
        return functional.normalize(self.learner.network.features(x), dim=1)

    @torch.no_grad()
    def scores(self, x: Tensor) -> Tensor | None:
        """See `Part`."""
        if not self.store.size:
            return None
        if self._means is None:
            self._means = self.means()
        near = -torch.cdist(self._features(x), self._means)
        return near.masked_fill(~self._means.any(1), -torch.inf)

    def means(self) -> Tensor:
        """Of what is stored of each class, of length 1, (outputs, units); 0 where there is nothing."""
        held = self.read(self.store.take(np.arange(self.store.size)))
        features = self._features(held.x)
        found = torch.zeros(self.learner.stream.outputs, features.shape[1])
        for label in np.unique(held.y.numpy()).tolist():
            found[label] = functional.normalize(features[held.y == label].mean(0), dim=0)
        return found

    def after(self, batch: Batch) -> None:
        """See `Part`."""
        self._means = None

    def arrays(self) -> Arrays:
        """See `Part`."""
        return super().arrays() | grouped({"old": module_arrays(self.old) if self.old else {}})

    def restore(self, arrays: Arrays) -> None:
        """See `Part`."""
        super().restore(arrays)
        old = under("old", arrays)
        self.begin(1 if old else 0)
        if self.old:
            restore_module(self.old, old)
        self._means = None
