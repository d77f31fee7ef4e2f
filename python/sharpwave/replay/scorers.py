"""Which of the stored examples are shown again: numbers that say how much each is worth it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Shown(NamedTuple):
    """What is known of examples that have just been shown.

    Attributes:
        said: logarithms of the probabilities of outputs, -inf of those that do not compete, (examples, outputs).
        y: outputs that are right, (examples,).
        features: activities of the last hidden layer, (examples, units).
        losses: cross-entropy of each, (examples,).
        best: the least loss that each ever had, (examples,).
    """

    said: Tensor
    y: Tensor
    features: Tensor
    losses: Tensor
    best: Tensor


Scorer = Callable[[Shown], Tensor]


def loss(shown: Shown) -> Tensor:
    """How wrong the network is."""
    return shown.losses


def margin(shown: Shown) -> Tensor:
    """How near the network is to another answer, or beyond: 1 - (p of the right one - largest p of the others)."""
    others = shown.said.scatter(1, shown.y[:, None], -torch.inf).amax(1)
    return 1 - (shown.losses.neg().exp_() - others.exp_())


def entropy(shown: Shown) -> Tensor:
    """How undecided the network is."""
    found: Tensor = torch.special.entr(shown.said.exp()).sum(1)
    return found


def novelty(shown: Shown) -> Tensor:
    """How far activities are from the mean of the others of the same class that were shown with it, in lengths of the
    mean of the class; of an example that is alone of its class, from the mean of all, in lengths of that."""
    of_class = torch.eye(shown.said.shape[1], dtype=shown.features.dtype).index_select(0, shown.y)
    numbers = of_class.sum(0)
    means = (of_class.T @ shown.features) / numbers.clamp(min=1)[:, None]
    of_others = numbers / (numbers - 1).clamp(min=1)  # distances from their mean are larger by that
    away = _lengths(shown.features - means.index_select(0, shown.y))
    away *= (of_others / _lengths(means)).index_select(0, shown.y)
    if 1 in numbers:
        alone, mean = (numbers == 1).index_select(0, shown.y), shown.features.mean(0, keepdim=True)
        away[alone] = _lengths(shown.features[alone] - mean) / _lengths(mean)
    return away


def _lengths(vectors: Tensor) -> Tensor:
    found: Tensor = torch.linalg.vector_norm(vectors, dim=1).clamp(min=1e-6)
    return found


def forgetting(shown: Shown) -> Tensor:
    """How much more wrong the network is than it was at its best."""
    return (shown.losses - shown.best).clamp(min=0)


def reward(shown: Shown) -> Tensor:
    """How far the reward is from what was expected: 1 if the answer is right, 0 if not, less its probability.

    It is the error of temporal differences of an episode of one step, the answer, whose value is its probability.
    """
    expected = shown.said.amax(1)
    right = shown.losses + expected <= 0
    return (right.to(expected.dtype) - expected.exp()).abs_()


def staleness(shown: Shown) -> Tensor:
    """How long ago each was shown: 1 for all that have just been shown, from where it grows; see `GROWING`."""
    return torch.ones(len(shown.y))


SCORERS: dict[str, Scorer] = {
    "loss": loss,
    "margin": margin,
    "entropy": entropy,
    "novelty": novelty,
    "forgetting": forgetting,
    "reward": reward,
    "staleness": staleness,
}
GROWING = frozenset({"staleness"})
"""Scorers whose numbers grow by a factor of e while as many examples are shown as are stored, but of those shown."""
