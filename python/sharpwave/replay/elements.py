"""What replay in brains does besides, as parts that go with any store."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..counts import count
from .latent import LatentReplay
from .learner import Learner
from .part import Arrays, Batch, Part
from .replaying import Replaying
from .stores import Integers, Policy, Reservoir, Store
from .storing import Stored, When

_SPENT = 0.05  # of the account of replay, where nothing surprises: there it is what twenty batches bring


class Homeostasis(Part):
    """After each step the weights into each hidden unit go back to the length that they had at first.

    Args:
        share: of the way back; 1: all of it.

    Source:
        arXiv 2104.04132 names synaptic normalisation; the form is a choice.
    """

    def __init__(self, share: float = 0.01) -> None:
        if not 0 < share <= 1:
            raise ValueError(f"share must be above 0 and at most 1, got {share}")
        self.share = share

    def start(self, learner: Learner) -> None:
        """See `Part`."""
        super().start(learner)
        self._lengths = [self._length(layer.weight).detach().clone() for layer in learner.network.hidden]

    @staticmethod
    def _length(weight: Tensor) -> Tensor:
        found: Tensor = torch.linalg.vector_norm(weight, dim=1, keepdim=True)
        return found

    @torch.no_grad()
    def after(self, batch: Batch) -> None:
        """See `Part`."""
        for layer, length in zip(self.learner.network.hidden, self._lengths, strict=True):
            if not layer.weight.requires_grad:  # it is kept as it is
                continue
            ratio = length / self._length(layer.weight).clamp(min=1e-12)
            layer.weight.mul_(1 + self.share * (ratio - 1))


class NoveltyPaced(Replaying):
    """The more new examples surprise, the more stored ones are shown; in the long run as many as there are new ones.

    Surprise is the loss of a batch over its running mean. For each new example a stored one is put on account, and in
    proportion to surprise a share of the account is spent. The loss of stored examples counts by how many there are for
    each new one: with its usual weight where there are as many.

    Args:
        budget, policy, when, masked: see `ExperienceReplay`.
        most: times as many as there are new ones, at most.
        memory: of the running mean: the share of it that is left after a batch.
    """

    def __init__(
        self, budget: int, policy: Policy | None = None, when: When = "task", masked: float = 0.0, most: float = 3.0,
        memory: float = 0.99,
    ) -> None:  # fmt: skip
        super().__init__(budget, policy, when, None, masked)
        if not (1 <= most < np.inf and 0 <= memory < 1):
            raise ValueError(f"most must be at least 1, memory from 0 to below 1, got {most} and {memory}")
        self.most, self.memory = most, memory

    def start(self, learner: Learner) -> None:
        """See `Part`."""
        super().start(learner)
        self._usual, self._owed = 0.0, np.nan

    def loss(self, batch: Batch, loss: Tensor) -> Tensor:
        """See `Part`."""
        now = float(loss.detach())
        self._usual = now if not self._usual else self.memory * self._usual + (1 - self.memory) * now
        if not self.store.size:
            return loss
        if np.isnan(self._owed):
            self._owed = len(batch) / _SPENT
        self._owed += len(batch)
        number = int(min(self.most * len(batch), _SPENT * self._owed * now / max(self._usual, 1e-12), self._owed))
        self._owed -= number
        if not self.learner.borders:  # they count by their number in any case
            return self.learner.weighed(loss, self.again(number), number) if number else loss
        old = self.again(number) * (number / len(batch)) if number else torch.zeros(())
        return self.learner.weighed(loss, old, len(batch))

    def arrays(self) -> Arrays:
        """See `Part`."""
        return super().arrays() | {"pace": np.array([self._usual, self._owed])}

    def restore(self, arrays: Arrays) -> None:
        """See `Part`."""
        super().restore(arrays)
        self._usual, self._owed = (float(number) for number in arrays["pace"])


class LeastWorth:
    """A policy: what has the least priority goes, so that whoever gives priorities decides what is kept.

    What comes is kept as often as by a `Reservoir`: the more has been offered, the less often.

    Attributes:
        needs_priorities: it is for parts that give priorities; see `ExperienceReplay.scored`.
    """

    needs_priorities = True

    def places(self, store: Store, kinds: Integers, random: np.random.Generator) -> Integers:
        """See `Policy`."""
        before = store.seen + np.arange(len(kinds))
        found = Reservoir().places(store, kinds, random)
        late = np.flatnonzero((found >= 0) & (before >= store.capacity))
        late = late[: store.size]  # more than are stored replace each other, as they would there
        if len(late):
            worth = store.priorities.values(slice(store.size))
            found[late] = np.argpartition(worth, len(late) - 1)[: len(late)]
        return found


class NearestAnswers(Part):
    """The store helps to answer: what speaks for an output is said by the network, and by the nearest stored examples.

    Distances are those of activities of the last hidden layer. Each of the nearest has a vote that falls off with its
    distance over the mean one.

    Args:
        stored: the part whose store is asked.
        neighbours: how many.
        share: of the store in the answer.

    Raises:
        ValueError: a share that is none, or a part that stores no inputs, or is none of the strategy's.
    """

    def __init__(self, stored: Stored, neighbours: int = 5, share: float = 0.5) -> None:
        if not 0 < share <= 1:
            raise ValueError(f"share must be above 0 and at most 1, got {share}")
        if isinstance(stored, LatentReplay):
            raise ValueError(
                f"expected a part that stores inputs, not {type(stored).__name__}, which stores activities"
            )
        self.neighbours, self.share = count("neighbours", neighbours), share
        self._stored = stored

    def start(self, learner: Learner) -> None:
        """See `Part`."""
        super().start(learner)
        if self._stored not in learner.parts:
            raise ValueError(f"the {type(self._stored).__name__} whose store is asked must be a part of the strategy")

    @torch.no_grad()
    def scores(self, x: Tensor) -> Tensor | None:
        """See `Part`."""
        store, network, learner = self._stored.store, self.learner.network, self.learner
        if not store.size:
            return None
        held = self._stored.read(store.take(np.arange(store.size)))
        features = network.features(x)
        away = torch.cdist(features, network.features(held.x))
        near = away.topk(min(self.neighbours, store.size), largest=False)
        votes = (-near.values / near.values.mean(1, keepdim=True).clamp(min=1e-12)).softmax(1)
        said = torch.zeros(len(x), learner.stream.outputs).scatter_add(1, held.y[near.indices], votes)
        known = list(learner.stream.known(learner.place))
        own = torch.zeros_like(said)
        own[:, known] = network.head(features)[:, known].softmax(1)
        return (1 - self.share) * own + self.share * said
