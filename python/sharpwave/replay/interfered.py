"""Replay of what a step would harm most (MIR)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional

from ..counts import count, count_or_none, positive
from .part import Batch
from .stores import ClassBalanced, Policy
from .storing import Stored, When


class InterferedReplay(Stored):
    """Of some stored examples those are shown again whose loss a step without them would raise most.

    Args:
        budget, policy, when, batch: see `ExperienceReplay`.
        candidates: stored examples that are looked at, for each one that is shown.
        step: the step, as a multiple of the gradient.

    Source:
        Aljundi and others, Maximally Interfered Retrieval, NeurIPS 2019.
    """

    def __init__(
        self, budget: int, policy: Policy | None = None, when: When = "task", batch: int | None = None,
        candidates: int = 4, step: float = 0.1,
    ) -> None:  # fmt: skip
        super().__init__(budget, policy or ClassBalanced(), when)
        self.batch = count_or_none("batch", batch)
        self.candidates, self.step = count("candidates", candidates), positive("step", step)

    def loss(self, batch: Batch, loss: Tensor) -> Tensor:
        """See `Part`."""
        if not self.store.size:
            return loss
        learner, store, number = self.learner, self.store, self.batch or len(batch)
        weights = {name: w for name, w in learner.network.named_parameters() if w.requires_grad}
        gradients = torch.autograd.grad(loss, list(weights.values()), retain_graph=True)
        pairs = zip(weights.items(), gradients, strict=True)
        moved = {name: (w - self.step * g).detach() for (name, w), g in pairs}
        places = store.sample(min(number * self.candidates, store.size))
        some = self.read(store.take(places))
        with torch.no_grad():
            now, then = learner.network(some.x), functional_call(learner.network, moved, (some.x,))
            harm = _losses(learner.said(then, some), some.y) - _losses(learner.said(now, some), some.y)
        worst = harm.topk(min(number, len(harm))).indices.numpy()
        shown = self.shown(store.take(places[worst]))
        return learner.weighed(loss, learner.entropy(learner.network(shown.x), shown), len(shown))


def _losses(said: Tensor, y: Tensor) -> Tensor:
    return functional.nll_loss(said, y, reduction="none")
