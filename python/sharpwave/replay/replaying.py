"""Parts that show stored examples again, or see to it that they are not forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from .learner import Arrays, Batch, Learner, Part
from .stores import ClassBalanced, Field, Policy, Reservoir, Store
from .streams import Examples

_OFFERED = 1000  # examples that are offered at a time
When = Literal["task", "step"]


class Stored(Part):
    """Keeps examples in a store.

    Args:
        budget: of the store, bytes.
        policy: of the store.
        when: examples are offered: `"task"`: all of a task, after it; `"step"`: those of each step.
        logits: whether what the network said of them when they came is kept too.
    """

    def __init__(self, budget: int, policy: Policy, when: When = "task", logits: bool = False) -> None:
        self.budget, self.policy, self.when, self.logits = budget, policy, when, logits

    def start(self, learner: Learner) -> None:
        """See `Part`."""
        super().start(learner)
        train = learner.stream.tasks[0].train
        fields = {
            "x": Field((learner.stream.features,), np.uint8), "y": Field((), np.int16), "task": Field((), np.int16),
        }  # fmt: skip
        if self.logits:
            fields["logits"] = Field((learner.stream.outputs,), np.float32)
        self.largest = train.largest
        self.store = Store(self.budget, fields, self.policy, learner.seed)

    def after(self, batch: Batch) -> None:
        """See `Part`."""
        if self.when == "step":
            self.offer(batch)

    def end(self, place: int, examples: Examples) -> None:
        """See `Part`."""
        if self.when == "task":
            order = torch.randperm(len(examples), generator=self.learner.generator).numpy()
            for first in range(0, len(order), _OFFERED):
                self.offer(self.learner.batch(examples, order[first : first + _OFFERED], place))

    @torch.no_grad()
    def offer(self, batch: Batch) -> None:
        """Offer some examples to the store."""
        items: dict[str, NDArray[Any]] = {
            "x": (batch.x * self.largest).round().to(torch.uint8).numpy(), "y": batch.y.numpy().astype(np.int16),
            "task": batch.task.numpy().astype(np.int16),
        }  # fmt: skip
        if self.logits:
            items["logits"] = self.learner.network(batch.x).numpy()
        self.store.add(items)

    def shown(self, items: Mapping[str, NDArray[Any]]) -> Batch:
        """Stored items as examples; they count as replayed."""
        x = torch.from_numpy(items["x"] * np.float32(1 / self.largest))
        self.learner.replayed += len(x)
        y, task = (torch.from_numpy(items[name].astype(np.int64)) for name in ("y", "task"))
        return Batch(x, y, task)

    def arrays(self) -> Arrays:
        """See `Part`."""
        return self.store.state()

    def restore(self, arrays: Arrays) -> None:
        """See `Part`."""
        self.store.restore(arrays)


class ExperienceReplay(Stored):
    """Stored examples are learned beside new ones, with a weight of 1 - 1 / t in task t.

    Args:
        budget, policy, when: see `Stored`.
        batch: examples that are shown again at a time; None: as many as there are new ones.
    """

    def __init__(
        self, budget: int, policy: Policy | None = None, when: When = "task", batch: int | None = None
    ) -> None:  # fmt: skip
        super().__init__(budget, policy or ClassBalanced(), when)
        self.batch = batch

    def loss(self, batch: Batch, loss: Tensor) -> Tensor:
        """See `Part`."""
        if not self.store.size:
            return loss
        again = self.shown(self.store.draw(self.batch or len(batch)))
        share = 1 / (self.learner.place + 1)
        return share * loss + (1 - share) * self.learner.entropy(self.learner.network(again.x), again)


class DarkReplay(Stored):
    """Stored examples are learned with what the network said of them when they came, and with their labels (DER++).

    Args:
        budget: see `Stored`.
        alpha: weight of the squared distance of what is said from what was.
        beta: weight of the cross-entropy.
        batch: examples that are shown again at a time, of each kind.

    Source:
        Buzzega and others, NeurIPS 2020.
    """

    def __init__(self, budget: int, alpha: float = 0.5, beta: float = 1.0, batch: int = 128) -> None:
        super().__init__(budget, Reservoir(), "step", logits=True)
        self.alpha, self.beta, self.batch = alpha, beta, batch

    def loss(self, batch: Batch, loss: Tensor) -> Tensor:
        """See `Part`."""
        if not self.store.size:
            return loss
        first, second = (self.store.draw(self.batch) for _ in range(2))
        again, also, network = self.shown(first), self.shown(second), self.learner.network
        kept = functional.mse_loss(network(again.x), torch.from_numpy(first["logits"]))
        return loss + self.alpha * kept + self.beta * self.learner.entropy(network(also.x), also)


class AveragedGradients(Stored):
    """A step that would raise the loss of stored examples loses its part along their gradient (A-GEM).

    Args:
        budget, policy, when: see `Stored`.
        batch: stored examples that the gradient is of; None: as many as there are new ones.

    Source:
        Chaudhry and others, ICLR 2019.
    """

    def __init__(
        self, budget: int, policy: Policy | None = None, when: When = "task", batch: int | None = None
    ) -> None:  # fmt: skip
        super().__init__(budget, policy or ClassBalanced(), when)
        self.batch = batch

    def project(self, batch: Batch) -> None:
        """See `Part`."""
        if not self.store.size:
            return
        again = self.shown(self.store.draw(self.batch or len(batch)))
        weights = list(self.learner.network.parameters())
        reference = torch.autograd.grad(self.learner.entropy(self.learner.network(again.x), again), weights)
        own = [w.grad for w in weights]
        along = sum(float((g * r).sum()) for g, r in zip(own, reference, strict=True) if g is not None)
        if along < 0:
            square = sum(float(r.square().sum()) for r in reference)
            for g, r in zip(own, reference, strict=True):
                if g is not None:
                    g -= along / square * r
