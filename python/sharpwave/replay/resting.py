"""Replay while nothing new comes: in idle moments, or in cycles of two kinds of sleep."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..counts import count
from .learner import Learner
from .part import Arrays, Batch
from .replaying import Replaying
from .stores import Policy
from .storing import When


class RestingReplay(Replaying):
    """After so many batches of new examples come as many batches of stored ones, and none beside the new ones.

    Other parts do not take part in rests: a penalty is not in their loss.

    Args:
        budget, policy, when, batch, masked: see `ExperienceReplay`.
        every: batches of new examples from one rest to the next.
        rem: share of the batches of a rest, the last ones, that are dreams: activities of the first hidden layer
            of two stored examples, mixed, with a loss that is mixed as they are. The others are of stored examples as
            they are, as in NREM sleep. A scorer says which are mixed, but dreams neither weigh nor score them.
        downscaled: share by which all weights of hidden layers that learn become smaller in a rest, at the end of its
            NREM part.

    Raises:
        ValueError: a share that is none.

    Source:
        arXiv 2104.04132 names what differs between NREM and REM sleep; how it is done here is a choice. Mixing: Zhang
        and others, mixup, ICLR 2018.
    """

    def __init__(
        self, budget: int, policy: Policy | None = None, when: When = "task", batch: int | None = None,
        masked: float = 0.0, every: int = 100, rem: float = 0.0, downscaled: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(budget, policy, when, batch, masked)
        if not (0 <= rem <= 1 and 0 <= downscaled < 1):
            raise ValueError(f"rem must be from 0 to 1, downscaled from 0 to below 1, got {rem} and {downscaled}")
        self.every, self.rem, self.downscaled = count("every", every), rem, downscaled

    def start(self, learner: Learner) -> None:
        """See `Part`."""
        super().start(learner)
        self._awake, self._seen = 0, 0

    def after(self, batch: Batch) -> None:
        """See `Part`."""
        super().after(batch)
        self._awake += 1
        self._seen += len(batch)

    def between(self) -> None:
        """See `Part`."""
        if self._awake >= self.every:
            number = self.batch or max(1, round(self._seen / self._awake))
            self._awake, self._seen = 0, 0
            if self.store.size:
                self.rest(number)

    def rest(self, number: int) -> None:
        """A rest, with batches of so many stored examples."""
        dreams = round(self.rem * self.every)
        for _ in range(self.every - dreams):
            self.learner.follow(self.again(number))
        if self.downscaled and dreams < self.every:
            self._downscale()
        for _ in range(dreams):
            self.learner.follow(self.dream(number))

    @torch.no_grad()
    def _downscale(self) -> None:
        for layer in self.learner.network.hidden:
            if layer.weight.requires_grad:  # else it is kept as it is
                layer.weight.mul_(1 - self.downscaled)

    def dream(self, number: int) -> Tensor:
        """The loss of so many mixtures of two stored examples."""
        network, learner = self.learner.network, self.learner
        chosen = self.scoring is not None
        places = [self.store.sample(number, by_priority=chosen) for _ in range(2)]
        first, second = (self.shown(self.store.take(some)) for some in places)
        share = torch.rand(number, 1, generator=learner.generator)
        mixed = share * network.features(first.x, 0, 1) + (1 - share) * network.features(second.x, 0, 1)
        said = network.head(network.features(mixed, 1))
        return self._weighed(said, first, share) + self._weighed(said, second, 1 - share)

    def _weighed(self, said: Tensor, batch: Batch, share: Tensor) -> Tensor:
        right = self.learner.said(said, batch).gather(1, batch.y[:, None])
        return -(share * right).mean()

    def arrays(self) -> Arrays:
        """See `Part`."""
        return super().arrays() | {"awake": np.array([self._awake, self._seen])}

    def restore(self, arrays: Arrays) -> None:
        """See `Part`."""
        super().restore(arrays)
        self._awake, self._seen = (int(number) for number in arrays["awake"])
