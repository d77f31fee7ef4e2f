"""Parts that show stored examples again, or see to it that they are not forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Any, TypeVar

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ..counts import count, count_or_none
from .part import Batch
from .scorers import Shown
from .scoring import Scoring
from .stores import ClassBalanced, Integers, Policy, Reservoir
from .storing import Stored, Target, When

_LEAST = 1e-30  # of a gradient's square: below, squares of its numbers are 0, and there is nothing to be lost

Replay = TypeVar("Replay", bound="Replaying")


@dataclass(frozen=True)
class Recalled(Batch):
    """Stored examples that are shown again.

    Attributes:
        places: in the store, (examples,).
        items: what is stored of them, by field.
    """

    places: Integers
    items: Mapping[str, NDArray[Any]]


class Replaying(Stored):
    """Draws stored examples, whole or in part, at random or by what a scorer says of them; see `ExperienceReplay`."""

    def __init__(
        self, budget: int, policy: Policy | None = None, when: When = "task", batch: int | None = None,
        masked: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(budget, policy or ClassBalanced(), when)
        if not 0 <= masked < 1:
            raise ValueError(f"masked must be from 0 to below 1, got {masked}")
        self.batch, self.masked = count_or_none("batch", batch), masked

    def shown(self, items: Mapping[str, NDArray[Any]]) -> Batch:
        """See `Stored`."""
        found = super().shown(items)
        if not self.masked:
            return found
        left = torch.rand(found.x.shape, generator=self.learner.generator) >= self.masked
        return replace(found, x=found.x * left)

    def scored(self: Replay, scorer: str, alpha: float = 0.6, beta: float = 0.4) -> Replay:
        """Let examples be shown again the more often, the more a scorer says that they are worth it.

        An example is drawn with a probability P ~ p^alpha, with p what the scorer said when it was shown last; p^alpha
        is the largest that there is, 1 at least, before it is. Losses are weighed by (N P)^-beta, over the mean of
        these in the batch, so that the loss keeps its weight beside that of new examples, a choice.

        Args:
            scorer: one of `SCORERS`.
            alpha: 0: all are as likely.
            beta: 1: examples count alike, however often they are drawn.

        Returns:
            The part itself, before it is started.

        Raises:
            ValueError: there is no such scorer, or an exponent is negative.

        Source:
            Schaul and others, Prioritized Experience Replay, ICLR 2016: .6 and .4.

        Example:
            >>> from sharpwave.replay import LatentReplay
            >>> LatentReplay(100_000, levels=(1, 2)).scored("novelty").scoring
            Scoring(scorer='novelty', alpha=0.6, beta=0.4)
        """
        self.scoring = Scoring(scorer, alpha, beta)
        return self

    def again(self, number: int) -> Tensor:
        """The loss of so many stored examples."""
        return self.cost(self.recall(number))

    def recall(self, number: int) -> Recalled:
        """So many stored examples."""
        places = self.store.sample(number, by_priority=self.scoring is not None)
        items = self.store.take(places)
        shown = self.shown(items)
        return Recalled(shown.x, shown.y, shown.task, places, items)

    def cost(self, recalled: Recalled) -> Tensor:
        """The loss of stored examples; if there is a scorer, it scores them."""
        learner, scoring, ways = self.learner, self.scoring, self.ways(recalled)
        said = [learner.said(learner.network.head(features), recalled) for features in ways]
        reduction = "mean" if scoring is None else "none"
        losses = [functional.nll_loss(one, recalled.y, reduction=reduction) for one in said]
        loss = torch.stack(losses).mean(0)
        if scoring is None:
            return loss
        best = torch.from_numpy(recalled.items["best"])
        known = Shown(said[-1].detach(), recalled.y, ways[-1].detach(), losses[-1].detach(), best)
        return scoring.weighed(self.store, recalled.places, loss, known)

    def ways(self, recalled: Recalled) -> list[Tensor]:
        """Activities of the last hidden layer, for each way in which stored examples go into the network."""
        return [self.learner.features(recalled)]


class ExperienceReplay(Replaying):
    """Stored examples are learned beside new ones, with a weight of 1 - 1 / t in task t.

    Args:
        budget, policy, when: see `Stored`.
        batch: examples that are shown again at a time; None: as many as there are new ones.
        masked: share of each stored input that is left out (set to 0) when it is shown, drawn anew each time.

    Raises:
        ValueError: a share that is none.
    """

    def beside(self, batch: Batch) -> Batch | None:
        """See `Part`."""
        return self.recall(self.batch or len(batch)) if self.store.size else None

    def loss_beside(self, beside: Batch) -> Tensor:
        """See `Part`."""
        return self.cost(beside) if isinstance(beside, Recalled) else super().loss_beside(beside)


class DarkReplay(Stored):
    """Stored examples are learned with what the network made of them, once it had learned them, and with their labels.

    That is DER++, but that what it made of them is kept as it is after the step that they came in, not before.

    Args:
        budget: see `Stored`.
        alpha: weight of the squared distance of what it makes of them from what it made.
        beta: weight of the cross-entropy.
        batch: examples that are shown again at a time, of each kind.
        target: what it made of them: `"logits"` as published, or `"features"`, activities of its last hidden layer.

    Raises:
        ValueError: another target, or a weight that is none.

    Source:
        Buzzega and others, NeurIPS 2020.
    """

    def __init__(
        self, budget: int, alpha: float = 0.5, beta: float = 1.0, batch: int = 128, target: Target = "logits"
    ) -> None:  # fmt: skip
        super().__init__(budget, Reservoir(), "step", target)
        if target == "labels":
            raise ValueError("target must be 'logits' or 'features', got 'labels', which are learned in any case")
        if not (0 <= alpha < inf and 0 <= beta < inf):
            raise ValueError(f"alpha and beta must be finite and not negative, got {alpha} and {beta}")
        self.alpha, self.beta, self.batch = alpha, beta, count("batch", batch)

    def loss(self, batch: Batch, loss: Tensor) -> Tensor:
        """See `Part`."""
        if not self.store.size:
            return loss
        first, second = (self.store.draw(self.batch) for _ in range(2))
        again, also, network = self.shown(first), self.shown(second), self.learner.network
        kept = functional.mse_loss(self.made(again.x), torch.from_numpy(first["made"]))
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
        self.batch = count_or_none("batch", batch)

    def project(self, batch: Batch) -> None:
        """See `Part`."""
        if not self.store.size:
            return
        again = self.shown(self.store.draw(self.batch or len(batch)))
        weights = [w for w in self.learner.network.parameters() if w.requires_grad]
        reference = torch.autograd.grad(self.learner.entropy(self.learner.network(again.x), again), weights)
        own = [w.grad for w in weights]
        along = sum(float((g * r).sum()) for g, r in zip(own, reference, strict=True) if g is not None)
        square = sum(float(r.square().sum()) for r in reference) if along < 0 else 0.0
        if square > _LEAST:
            for g, r in zip(own, reference, strict=True):
                if g is not None:
                    g -= along / square * r
