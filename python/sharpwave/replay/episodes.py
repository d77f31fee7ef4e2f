"""Experiences in the order in which they were made, replayed forward, in reverse, faster, or put together anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..counts import count, whole_numbers
from ..suggest import unknown

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
ORDERS = ("forward", "reverse", "shuffled", "compressed", "spliced")


@dataclass(frozen=True, eq=False)
class Episode:
    """A way through states.

    Attributes:
        states: numbers of states, from the first to the last, (steps + 1,).
        rewards: of each step, (steps,).

    Raises:
        ValueError: there is no step, there are not as many rewards as steps, states are no whole numbers from 0, or
            rewards not finite.
    """

    states: Integers
    rewards: Floats

    def __post_init__(self) -> None:
        states, rewards = whole_numbers("states", self.states, "(steps + 1,)"), np.asarray(self.rewards)
        if rewards.ndim != 1 or rewards.dtype.kind not in "iuf" or not np.isfinite(rewards).all():
            raise ValueError(f"rewards must be finite numbers, (steps,), got {self.rewards}")
        object.__setattr__(self, "states", states.copy())  # copies: whoever made them may go on with theirs
        object.__setattr__(self, "rewards", rewards.astype(np.float64))
        if len(self.states) < 2 or len(self.rewards) != len(self.states) - 1:
            raise ValueError(
                f"an episode of n states has n - 1 rewards, one at least, got {len(self.states)} states and "
                f"{len(self.rewards)} rewards"
            )

    @property
    def bytes(self) -> int:
        """That it takes."""
        return self.states.nbytes + self.rewards.nbytes


class Transition(NamedTuple):
    """What is learned from.

    Attributes:
        state: from which.
        after: to which.
        reward: on the way, later ones discounted.
        steps: that were made.
    """

    state: int
    after: int
    reward: float
    steps: int


class EpisodeMemory(Protocol):
    """What keeps episodes and replays them."""

    def keep(self, episode: Episode) -> None:
        """Keep an episode."""

    def replay(self, order: str, discount: float, random: np.random.Generator) -> list[Transition]:
        """An episode again, drawn from those that are kept.

        Args:
            order: one of `ORDERS`.
            discount: of rewards, by the step.
            random: of what is drawn.

        Raises:
            ValueError: there is no such order, or no episode.
        """


class EpisodeStore:
    """Keeps the newest episodes as they were.

    Args:
        budget: bytes.
        stride: steps that are made at once where replay is compressed.

    Raises:
        ValueError: an episode that is larger than the budget.

    Example:
        >>> store = EpisodeStore(1000)
        >>> store.keep(Episode(np.array([0, 1, 2]), np.array([0.0, 1.0])))
        >>> [t[:3] for t in store.replay("reverse", 0.9, np.random.default_rng(0))]
        [(1, 2, 1.0), (0, 1, 0.0)]
    """

    def __init__(self, budget: int, stride: int = 2) -> None:
        self.budget, self.stride = count("budget", budget), count("stride", stride, 2)
        self.episodes: list[Episode] = []

    @property
    def bytes(self) -> int:
        """Of the episodes that are there."""
        return sum(episode.bytes for episode in self.episodes)

    def keep(self, episode: Episode) -> None:
        """See `EpisodeMemory`; the oldest ones go."""
        if episode.bytes > self.budget:
            raise ValueError(f"a budget of {self.budget} bytes is smaller than an episode of {episode.bytes} bytes")
        self.episodes.append(episode)
        while self.bytes > self.budget:
            self.episodes.pop(0)

    def replay(self, order: str, discount: float, random: np.random.Generator) -> list[Transition]:
        """See `EpisodeMemory`."""
        if not self.episodes:
            raise ValueError("nothing can be replayed: no episode is kept")
        chosen = self.episodes[int(random.integers(len(self.episodes)))]
        if order == "spliced":
            chosen = _spliced(chosen, self.episodes, random)
        return ordered(chosen, order, discount, random, self.stride)


def ordered(
    episode: Episode, order: str, discount: float, random: np.random.Generator, stride: int = 2
) -> list[Transition]:
    """Transitions of an episode: as they were, the last one first, at random, or several steps at once.

    Args:
        episode: the episode.
        order: one of `ORDERS`; a spliced episode goes forward.
        discount: of rewards, by the step.
        random: of a random order.
        stride: steps that are made at once where it is compressed, but for the first ones, whose number is drawn.

    Raises:
        ValueError: there is no such order, or a stride below 2.
    """
    stride = count("stride", stride, 2)
    if order not in ORDERS:
        raise ValueError(unknown("order", order, ORDERS))
    states, rewards = episode.states.tolist(), episode.rewards
    steps, cuts = len(rewards), np.arange(len(states))
    if order == "compressed":
        cuts = np.unique([0, *range(int(random.integers(1, stride + 1)), steps, stride), steps])
    found = []
    for first, last in pairwise(cuts.tolist()):
        reward = float(rewards[first:last] @ discount ** np.arange(last - first))
        found.append(Transition(states[first], states[last], reward, last - first))
    if order == "reverse":
        found.reverse()
    elif order == "shuffled":
        found = [found[k] for k in random.permutation(len(found))]
    return found


def _spliced(episode: Episode, others: Sequence[Episode], random: np.random.Generator) -> Episode:
    """An episode that goes on as another one did, from a state that both were in; itself where there is no such."""
    crossings = [
        (place, other, int(where))
        for other in others
        if other is not episode
        for place in range(1, len(episode.states))
        for where in np.flatnonzero(other.states[:-1] == episode.states[place])
    ]
    if not crossings:
        return episode
    place, other, where = crossings[int(random.integers(len(crossings)))]
    return Episode(
        np.concatenate([episode.states[:place], other.states[where:]]),
        np.concatenate([episode.rewards[:place], other.rewards[where:]]),
    )


def learn_values(values: Floats, transitions: Sequence[Transition], rate: float, discount: float) -> None:
    """Temporal-difference learning, in the order given, in place.

    Args:
        values: of states, (states,).
        transitions: what is learned from.
        rate: of learning.
        discount: of rewards, by the step.

    Raises:
        ValueError: values that are no floats, a rate that is none, or a state without a value.

    Source:
        Sutton, Learning to predict by the methods of temporal differences, 1988: TD(0), and n-step returns.

    Example:
        >>> values = np.zeros(3)
        >>> learn_values(values, [Transition(1, 2, 1.0, 1), Transition(0, 1, 0.0, 1)], 0.5, 0.9)
        >>> values.tolist()
        [0.225, 0.5, 0.0]
    """
    if values.dtype.kind != "f":
        raise ValueError(f"values must be floats, as they change by fractions, got {values.dtype}")
    if not 0 < rate <= 1:
        raise ValueError(f"rate must be above 0 and at most 1, got {rate}")
    most = max((max(one.state, one.after) for one in transitions), default=0)
    if transitions and most >= len(values):
        raise ValueError(f"state {most} has no value: there are {len(values)}")
    for state, after, reward, steps in transitions:
        values[state] += rate * (reward + discount**steps * values[after] - values[state])
