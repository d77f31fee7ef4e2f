"""Online learning of patterns Xi and transitions Phi from a sequence that is shown again and again.

    V_h* = sqrt(a_s) Xi' x                                            clamped: the item x is the features' activity
    V_h  = sqrt(a_s) Xi' s_f + a_c Phi' Xi' V_d                       free: x is injected as input besides
    T_Xi  dXi/dt  = sqrt(a_s) [x s_h(V_h*)' - s_f s_h(V_h)'] + a_c V_d [s_h(V_h*) - s_h(V_h)]' Phi'
    T_Phi dPhi/dt = a_c Xi' V_d [s_h(V_h*) - s_h(V_h)]'

That is minus the gradient of E(clamped) - E(free): Hebbian minus anti-Hebbian. Delayed presynaptic meets present
postsynaptic activity in the Phi term.

What the source leaves open, and what is chosen here:

* The free network is that of recall, with input of strength .4 x. Where one hidden unit answers, its pattern settles
  at (1 - .4) x / sqrt(a_s): at full strength the input alone would explain the item, and nothing would be stored.
* Features and delayed features start at zero in every epoch, as they do in free recall. Without that pause delayed
  activity differs between the two at the first items, and fewer sequences are recalled in order.
* The unused hidden units' random patterns are as long as the items. Then a new item is won by an unused unit, not by
  the unit of an item that resembles it a little. With much shorter patterns (the source's normal / N) items end up
  sharing units, in all draws that were tried here.
* Learning of patterns is fast, T_Xi = 10 T_f: an item that shares a unit is soon overwritten, and finds another unit at
  its next turn; once every item has its own, assignments stay. T_Phi = 60 T_f for items of squared norm 50.
* An item is shown for T_d, in 40 epochs. Phi grows until the transition is on the brink when the next item comes. In
  free recall it then happens by itself, after about half of that time.
* Items must not resemble each other: decorrelate images first, see `Decorrelation`. Measured: 10 items and 20 hidden
  units, recalled in exact order in 37 of 40 draws of random patterns of -1 and 1 with N = 50 (whose largest cosine is
  .2 to .5), in 40 of 40 with N = 100, and in 12 of 12 sets of decorrelated MNIST and of Fashion-MNIST images each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..backends import in_julia
from .episodes import Visit, find_visits
from .model import DSEM, GSEMM
from .result import Recall

Array = NDArray[np.float64]

# Gain times squared norm of the items at which a hidden unit takes all: in the source's settings, N = 50 and gain 1.
_SHARPNESS = 50.0


class LearningState(NamedTuple):
    """Everything that changes while a network learns.

    Attributes:
        features: free V_f, (N,).
        delayed: V_d, (N,).
        patterns: Xi', (hidden units, N).
        transitions: Phi, (hidden units, hidden units).
    """

    features: Array
    delayed: Array
    patterns: Array
    transitions: Array


class LearningRates(NamedTuple):
    """Constants of learning, times in the unit of the model's.

    Attributes:
        tau_patterns: T_Xi.
        tau_transitions: T_Phi.
        input_strength: what of an item is injected as input.
        dt: the fixed step.
    """

    tau_patterns: float
    tau_transitions: float
    input_strength: float
    dt: float


@dataclass(frozen=True, eq=False, repr=False)
class LearnedMemory:
    """A network that has learned a sequence.

    Attributes:
        model: with the learned patterns and transitions. Hidden units are renumbered, which changes nothing else:
            unit k is the one that answers item k most, where no two items have the same one.
        sequence: the items, (K, N).
        surprise: (epochs,) how much clamped and free hidden activity differ, on average over an epoch: 0 where they
            agree, 1 where they share no unit. It cannot fall below the time that input takes to arrive, T_f in T_d.
        presentation: how long an item was shown.
    """

    model: GSEMM
    sequence: Array
    surprise: Array
    presentation: float

    def recall(self, *, t_end: float | None = None, backend: str = "auto") -> Recall:
        """Free recall from the first item, by default for as long as the sequence was shown."""
        return self.model.recall(self.sequence[0], t_end or len(self.sequence) * self.presentation, backend=backend)

    def visits(self, recall: Recall) -> tuple[Visit, ...]:
        """The items that a recall visited, in order."""
        return find_visits(recall.t.values, recall.overlaps_with(self.sequence).values)

    def in_order(self, recall: Recall) -> bool:
        """Whether a recall visited all items in exactly their order; what follows the last is not asked for."""
        visited = [visit.memory for visit in self.visits(recall)]
        return visited[: len(self.sequence)] == list(range(len(self.sequence)))

    def __repr__(self) -> str:
        return f"LearnedMemory({len(self.sequence)} items, {len(self.surprise)} epochs, {self.model!r})"


def untrained(
    sequence: ArrayLike,
    hidden: int = 20,
    *,
    seed: int = 0,
    alpha_c: float = 1.0,
    tau_f: float = 1.0,
    tau_d: float | None = None,
) -> GSEMM:
    """A DSEM with random patterns and transitions, scaled to the items that it is to learn.

    Args:
        sequence: the items, (K, N).
        hidden: number of hidden units, more than K: twice as many is enough.
        seed: of the random patterns (normal, as long as the items on average) and transitions (normal / N).
        alpha_c: strength of the delayed coupling.
        tau_f: time constant of the features.
        tau_d: time constant of the delay; default 50 tau_f, the source's ratio.

    Returns:
        A model with `gain` 50 / (mean squared norm of the items).
    """
    items = _items(sequence)
    N = items.shape[1]
    squared = float((items**2).sum(1).mean())
    rng = np.random.default_rng(seed)
    patterns = rng.standard_normal((hidden, N)) * math.sqrt(squared / N)
    phi = rng.standard_normal((hidden, hidden)) / N
    slow = 50 * tau_f if tau_d is None else tau_d
    gain = _SHARPNESS / squared
    return DSEM(patterns, phi, alpha_s=1.0, alpha_c=alpha_c, tau_f=tau_f, tau_d=slow, beta_d=1.0, gain=gain)


def learn(
    model: GSEMM,
    sequence: ArrayLike,
    *,
    epochs: int = 40,
    presentation: float | None = None,
    tau_patterns: float | None = None,
    tau_transitions: float | None = None,
    input_strength: float = 0.4,
    dt: float | None = None,
    backend: str = "auto",
) -> LearnedMemory:
    """Learn a sequence online, from the model's patterns and transitions as they are.

    Args:
        model: the network, with tau_h = 0; `untrained` makes one.
        sequence: items in their order, (K, N).
        epochs: how often the sequence is shown.
        presentation: how long an item is shown each time; default tau_d.
        tau_patterns: T_Xi; default 10 tau_f.
        tau_transitions: T_Phi; default 1.2 tau_f (mean squared norm of the items), with which its own drive grows.
        input_strength: what of an item is injected as input, above 0 and below 1.
        dt: fixed step; default tau_f / 2.
        backend: "julia", "numpy" (the same steps, some 40 times slower), or "auto": Julia, and NumPy where there is
            none, with one warning.

    Returns:
        A `LearnedMemory`.

    Raises:
        ValueError: an argument does not fit or is out of range.
        JuliaUnavailableError: Julia was asked for by name, and there is none.

    Example:
        >>> items = np.random.default_rng(0).choice([-1.0, 1.0], (4, 50))
        >>> memory = learn(untrained(items), items)
        >>> memory.in_order(memory.recall(backend="torch"))
        True
    """
    items = _items(sequence)
    if items.shape[1] != model.features:
        raise ValueError(f"items must have {model.features} features, got {items.shape[1]}")
    if model.tau_h > 0:
        raise ValueError(f"learning takes the hidden layer at its equilibrium: tau_h must be 0, got {model.tau_h}")
    if not 0 < input_strength < 1:
        raise ValueError(f"input_strength must be above 0 and below 1, got {input_strength}")
    squared = float((items**2).sum(1).mean())
    rates = LearningRates(
        _positive("tau_patterns", tau_patterns, 10 * model.tau_f),
        _positive("tau_transitions", tau_transitions, 60 * model.tau_f * squared / _SHARPNESS),
        input_strength,
        _positive("dt", dt, model.tau_f / 2),
    )
    shown = _positive("presentation", presentation, model.tau_d)
    steps = max(1, round(shown / rates.dt))
    if in_julia(backend, other="numpy"):
        from .julia_backend import learn_epochs

        patterns, transitions, surprise = learn_epochs(model, items, rates, steps, epochs)
    else:
        patterns, transitions, surprise = _learn_epochs(model, items, rates, steps, epochs)
    if not (np.isfinite(patterns).all() and np.isfinite(transitions).all()):
        raise ValueError("patterns or transitions grew without bound: choose larger tau_patterns and tau_transitions")
    order = _numbering(patterns, items)
    learned = replace(model, patterns=patterns[order], transitions=transitions[np.ix_(order, order)])
    return LearnedMemory(learned, items, surprise, shown)


def _learn_epochs(
    model: GSEMM, items: Array, rates: LearningRates, steps: int, epochs: int
) -> tuple[Array, Array, Array]:
    """Patterns, transitions and the mean surprise of each epoch; every epoch begins with features at rest."""
    rest, surprise = np.zeros(model.features), np.zeros(epochs)
    patterns, transitions = model.patterns, model.transitions
    for epoch in range(epochs):
        state = LearningState(rest, rest, patterns, transitions)
        for item in items:
            for _ in range(steps):
                state, wrong = learning_step(model, state, item, rates)
                surprise[epoch] += wrong
        patterns, transitions = state.patterns, state.transitions
    return patterns, transitions, surprise / (steps * len(items))


def learning_step(model: GSEMM, state: LearningState, item: Array, rates: LearningRates) -> tuple[LearningState, float]:
    """One explicit Euler step: every derivative is taken at the given state, then everything moves at once.

    Args:
        model: constants and activations; its patterns and transitions are not read.
        state: what changes.
        item: what is shown, (N,).
        rates: the constants of learning.

    Returns:
        The next state, and half the sum of |s_h(V_h*) - s_h(V_h)|.
    """
    f, d, patterns, phi = state
    root, a_c, dt = math.sqrt(model.alpha_s), model.alpha_c, rates.dt
    active = model.feature_activation(f)
    overlap_f, overlap_d, overlap_item = (patterns @ np.stack([active, d, item], axis=1)).T
    free = model.hidden_activation(root * overlap_f + a_c * (overlap_d @ phi))
    clamped = model.hidden_activation(root * overlap_item)
    error = clamped - free
    drive = root * (free @ patterns) + rates.input_strength * item
    # three outer products as one product of (hidden, 3) and (3, N)
    hidden = np.stack([root * clamped, -root * free, a_c * (phi @ error)], axis=1)
    moved = LearningState(
        f + dt / model.tau_f * (drive - f),
        d + dt / model.tau_d * (model.beta_d * active - d),
        patterns + dt / rates.tau_patterns * (hidden @ np.stack([item, active, d])),
        phi + dt / rates.tau_transitions * a_c * np.outer(overlap_d, error),
    )
    return moved, float(np.abs(error).sum() / 2)


def _numbering(patterns: Array, items: Array) -> NDArray[np.intp]:
    """Hidden units in an order that begins with those that answer the items most, if these are all different."""
    count = len(patterns)
    first = (items @ patterns.T).argmax(1)
    if len(set(first.tolist())) < len(first):
        return np.arange(count)
    return np.concatenate([first, np.setdiff1d(np.arange(count), first)])


def _items(sequence: ArrayLike) -> Array:
    items = np.array(sequence, dtype=np.float64)
    if items.ndim != 2 or items.size == 0 or not np.isfinite(items).all() or not items.any():
        raise ValueError(f"a sequence must be finite, not all zero, and (items, features), got shape {items.shape}")
    return items


def _positive(name: str, value: float | None, default: float) -> float:
    number = default if value is None else float(value)
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"{name} must be positive, got {value}")
    return number
