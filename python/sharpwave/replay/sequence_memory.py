"""Episodes in a sequence memory: a dense associative memory that goes through them by itself."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..backends import Backend, check_backend
from ..counts import count, positive
from ..memory import DSEM, Recall, recall, transitions
from .episodes import Episode, Integers, Transition, ordered

Floats = NDArray[np.float64]
_STEP = 20.0  # time that is allowed for a state, in units of tau_f; with the constants of the paper it takes 8


class SequenceMemory:
    """Keeps episodes as transitions between patterns of a DSEM, which replays them by its own dynamics from a cue.

    What is replayed is what it recalls: the states whose patterns are visited, in order. Rewards are kept by the
    transition. Episodes may cross where they go on alike, and then are not replayed in reverse; where they part, recall
    mixes the two.

    Args:
        patterns: of states, (states, features), of -1 and 1.
        speed: of replay: delays are so many times shorter than in the paper.
        stride: see `EpisodeStore`.
        backend: see `sharpwave.memory.recall`.

    Attributes:
        edges: transitions, and the reward of each.
        ends: of each episode, by its first state: the last one, and how many there are.

    Example:
        >>> patterns = np.random.default_rng(0).choice([-1.0, 1.0], (4, 100))
        >>> memory = SequenceMemory(patterns, backend="torch")
        >>> memory.keep(Episode(np.array([2, 0, 3, 1]), np.array([0.0, 0.0, 1.0])))
        >>> memory.recalled(2).tolist()
        [2, 0, 3, 1]
    """

    def __init__(self, patterns: Floats, speed: float = 1.0, stride: int = 2, backend: Backend = "auto") -> None:
        if patterns.ndim != 2 or not np.isin(patterns, (-1, 1)).all():
            raise ValueError(f"patterns must be (states, features) of -1 and 1, got shape {patterns.shape}")
        check_backend(backend)
        self.patterns, self.speed, self.stride = patterns, positive("speed", speed), count("stride", stride, 2)
        self.backend = backend
        self.edges: dict[tuple[int, int], float] = {}
        self.ends: dict[int, tuple[int, int]] = {}

    @property
    def bytes(self) -> int:
        """Of the patterns, as bits, of the transitions and of the ends of episodes."""
        return self.patterns.size // 8 + 24 * (len(self.edges) + len(self.ends))

    def keep(self, episode: Episode) -> None:
        """See `EpisodeMemory`.

        Raises:
            ValueError: it begins as another one that is kept does, so that a cue could not tell them apart, it has a
                state without a pattern, or a transition that is kept with another reward.
        """
        states = episode.states.tolist()
        if max(states) >= len(self.patterns):
            raise ValueError(f"state {max(states)} has no pattern: there are {len(self.patterns)}")
        if states[0] in self.ends:
            raise ValueError(f"an episode that begins at state {states[0]} is kept already: recall is cued by it")
        edges = dict(self.edges)
        for (a, b), reward in zip(pairwise(states), episode.rewards.tolist(), strict=True):
            if edges.setdefault((a, b), reward) != reward:
                raise ValueError(f"the transition {a} to {b} is kept with a reward of {edges[a, b]}, got {reward}")
        self.edges = edges
        self.ends[states[0]] = (states[-1], len(states))

    def recalled(self, start: int, reverse: bool = False) -> Integers:
        """States that are visited from a cue on, in order.

        Args:
            start: the first state of an episode.
            reverse: whether to go back from its last state, through the same transitions the other way.

        Raises:
            ValueError: on the way back two episodes part.
        """
        _, states = self.ends[start]
        return np.array(self._recall(start, reverse).sequence()[:states], dtype=np.int64)

    def dwell(self, start: int) -> float:
        """Time at a state on the average, as an episode is recalled, in units of tau_f."""
        _, states = self.ends[start]
        return float(np.mean(self._recall(start, False).dwell_times[: states - 1]))

    def _recall(self, start: int, reverse: bool) -> Recall:
        end, states = self.ends[start]
        edges = [(b, a) if reverse else (a, b) for a, b in self.edges]
        if reverse:
            self._check_one_way_back(end, states)
        scale = 100 / self.patterns.shape[1]
        model = DSEM(self.patterns, transitions(edges, len(self.patterns)), tau_d=20.0 / self.speed, gain=scale)
        cue = self.patterns[end if reverse else start]
        return recall(model, cue, _STEP * states, backend=self.backend)

    def _check_one_way_back(self, state: int, states: int) -> None:
        for _ in range(states - 1):
            before = [a for a, b in self.edges if b == state]
            if len(before) > 1:
                raise ValueError(
                    f"episodes come to state {state} from {' and '.join(map(str, before))}: recall backwards would mix "
                    "them. Use another order, or an EpisodeStore"
                )
            state = before[0]

    def replay(self, order: str, discount: float, random: np.random.Generator) -> list[Transition]:
        """See `EpisodeMemory`. Reverse replay is recalled backwards; other orders are made of forward recall.

        Raises:
            ValueError: there is no such order, or it is `"spliced"`, which needs episodes apart, or no episode is kept,
                recall stays at the cue, or episodes part on the way back.
        """
        if not self.ends:
            raise ValueError("nothing can be replayed: no episode is kept")
        if order == "spliced":
            raise ValueError("a SequenceMemory has no episodes to splice: use an EpisodeStore, or another order")
        start = list(self.ends)[int(random.integers(len(self.ends)))]
        states = self.recalled(start, order == "reverse")
        if len(states) < 2:
            raise ValueError(f"recall stays at state {start}: use patterns of more features, or less speed")
        if order == "reverse":
            states = states[::-1]
        pairs = zip(states[:-1].tolist(), states[1:].tolist(), strict=True)
        rewards = np.array([self.edges.get(edge, 0.0) for edge in pairs])
        return ordered(Episode(states, rewards), order, discount, random, self.stride)
