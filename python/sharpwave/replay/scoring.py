"""Draws stored examples the more often, the more a scorer says that they are worth it."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf

import numpy as np
import torch
from torch import Tensor

from ..suggest import unknown
from .scorers import GROWING, SCORERS, Shown
from .stores import Integers, Store

_FASTEST = 10.0  # growth of priorities in a step, as an exponent: a few steps of it are beyond all differences
_LEAST = 1e-3  # of what a scorer says, so that no example is lost for ever


@dataclass(frozen=True)
class Scoring:
    """Which stored examples are shown again, and how they count; see `ExperienceReplay.scored`.

    The store has a field `"best"`: the least loss that an example ever had, infinite before it is shown.
    """

    scorer: str
    alpha: float
    beta: float

    def __post_init__(self) -> None:
        if self.scorer not in SCORERS:
            raise ValueError(unknown("scorer", self.scorer, SCORERS))
        if not (0 <= self.alpha < inf and 0 <= self.beta < inf):
            raise ValueError(f"alpha and beta must be finite and not negative, got {self.alpha} and {self.beta}")

    def weighed(self, store: Store, places: Integers, losses: Tensor, shown: Shown) -> Tensor:
        """The loss of examples that were drawn, whose losses (examples,) these are; their priorities change."""
        share = store.priorities.values(places) / store.priorities.total
        weights = (store.size * share) ** -self.beta
        self.score(store, places, shown)
        return losses @ torch.from_numpy(weights / weights.sum()).to(losses.dtype)

    def score(self, store: Store, places: Integers, shown: Shown) -> None:
        """Change priorities of examples that have just been shown."""
        growth = self.alpha if self.scorer in GROWING else 0.0
        if growth:
            store.priorities.grow(exp(min(_FASTEST, growth * len(places) / store.size)))
        score = SCORERS[self.scorer](shown).clamp(min=0).double().numpy()
        store.priorities.set(places, (score + _LEAST) ** self.alpha)
        store.arrays["best"][places] = torch.minimum(shown.best, shown.losses).numpy()

    def stored(self, store: Store, places: Integers) -> None:
        """Give examples that have just come in the largest priority that there is, 1 at least."""
        store.priorities.set(places, np.full(len(places), store.priorities.largest))
