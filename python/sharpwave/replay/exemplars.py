"""Exemplars that stand for their classes, and classification by means of them (iCaRL)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..counts import positive
from ..torch_state import frozen_copy, grouped, module_arrays, restore_module, under
from .herding import Herding
from .learner import Learner
from .part import Arrays, Batch
from .storing import Stored
from .streams import Examples


class Exemplars(Stored):
    """Stores herded examples of each class, learns them mixed with new ones, and answers with the nearest class mean.

    Each output learns by itself whether it is right; outputs of classes that were there before learn what the network
    said before the task, but for new examples of these classes. Activities of the last hidden layer, of length 1, are
    compared with the means of the stored ones.

    Args:
        budget: of the store, bytes. It is shared out to all classes of the stream.
        temperature: of what the network said before the task; what it says is taken as it is.

    Source:
        Rebuffi and others, iCaRL, CVPR 2017; the same number of each class at any time, as in van de Ven and others,
        2022, as is the temperature; in the first of these it is 1. With 1 and digits two by two 87.4 and 88.4 % are
        right, with 2 92.6 and 93.5 %.

    Raises:
        ValueError: the scenario is another than `"class"`, the budget is for less than one example a class, or a
            temperature that is not positive.
    """

    def __init__(self, budget: int, temperature: float = 2.0) -> None:
        super().__init__(budget, Herding())
        self.temperature = positive("temperature", temperature)
        self.old: nn.Module | None = None
        self._means: Tensor | None = None

    def start(self, learner: Learner) -> None:
        """See `Part`."""
        if learner.stream.scenario != "class":
            raise ValueError(f"exemplars are for the scenario 'class', got {learner.stream.scenario!r}")
        super().start(learner)
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
            batch, new = Batch.joined([batch.some(slice(kept)), again]), kept
        else:
            new = len(batch)
        wanted = functional.one_hot(batch.y, outputs).float()
        known = list(learner.stream.known(learner.place))
        if self.old is not None:
            before = torch.tensor(learner.stream.known(learner.place - 1))
            taught = torch.isin(batch.y, before)  # new examples of classes that were there before teach them
            taught[new:] = False
            rows = (~taught).nonzero()
            wanted[rows, before] = self.old(batch.x[rows[:, 0]])[:, before].div(self.temperature).sigmoid()
        said = learner.network(batch.x)[:, known]
        return functional.binary_cross_entropy_with_logits(said, wanted[:, known], reduction="none").sum(1).mean()

    def end(self, place: int, examples: Examples) -> None:
        """See `Part`."""
        super().end(place, examples)
        self._means = None

    @torch.no_grad()
    def scores(self, x: Tensor) -> Tensor | None:
        """See `Part`."""
        if not self.store.size:
            return None
        if self._means is None:
            self._means = self.means()
        near = -torch.cdist(self.direction(x), self._means)
        return near.masked_fill(~self._means.any(1), -torch.inf)

    def means(self) -> Tensor:
        """Of what is stored of each class, of length 1, (outputs, units); 0 where there is nothing."""
        held = self.read(self.store.take(np.arange(self.store.size)))
        features = self.direction(held.x)
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
