"""The specification of a sequential episodic memory: patterns, transitions, activations, constants."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .activations import Activation, Identity, RectifiedPolynomial, Softmax, Tanh, activation
from .graphs import as_matrix

if TYPE_CHECKING:
    from .result import Recall

Array = NDArray[np.float64]

# In the run that these constants are taken from, .004 couples the delayed features to the features directly.
# In the paper's equations the delayed drive passes the hidden layer and is multiplied by sqrt(alpha_s) on
# its way back: the same drive needs .004/sqrt(.045). Measured here: with alpha_c = .004 in these equations
# no transition happens, with this value the run comes out.
_LISEM_ALPHA_S = 0.045
_LISEM_ALPHA_C = 0.004 / math.sqrt(_LISEM_ALPHA_S)


@dataclass(frozen=True, eq=False, repr=False)
class GSEMM:
    """The general sequential episodic memory model: features V_f, hidden units V_h, delayed features V_d.

        T_f dV_f/dt = sqrt(a_s) Xi s_h(V_h) - V_f + input
        T_h dV_h/dt = sqrt(a_s) Xi' s_f(V_f) + a_c Phi' Xi' V_d - V_h
        T_d dV_d/dt = b_d s_f(V_f) - V_d

    The columns of Xi are the patterns; Phi[k, l] is the weight of the transition from memory k to memory l.

    Args:
        patterns: the memories Xi', (memories K, features N).
        transitions: Phi as a matrix (K, K), a list of edges (from, to) or (from, to, weight), a networkx
            graph whose nodes are 0..K-1, or None for no transitions. See `cycle`, `chain`, `transitions`.
        feature_activation: s_f, an activation or its name.
        hidden_activation: s_h, an activation or its name.
        alpha_s: strength a_s of the static coupling, not negative.
        alpha_c: strength a_c of the delayed coupling, not negative.
        tau_f: time constant T_f of the features, positive; every time has its unit.
        tau_h: time constant T_h of the hidden layer; 0 is the limit in which that layer is always at its
            equilibrium.
        tau_d: time constant T_d of the delay, positive.
        beta_d: gain b_d of the delay; 1 in the paper's theory.

    Raises:
        ValueError: a shape does not fit, a number is not finite, a constant is out of range, a name is not
            known.

    Source:
        "General Sequential Episodic Memory Model", ICML 2023, arXiv 2212.05563.

    Example:
        >>> from sharpwave.memory import chain
        >>> model = GSEMM(np.eye(3), chain(3), feature_activation="tanh", hidden_activation="identity")
        >>> model.memories, model.feature_activation, model.tau_d
        (3, Tanh(gain=1.0), 20.0)
    """

    patterns: Array
    transitions: Array
    feature_activation: Activation
    hidden_activation: Activation
    alpha_s: float = 1.0
    alpha_c: float = 1.0
    tau_f: float = 1.0
    tau_h: float = 0.0
    tau_d: float = 20.0
    beta_d: float = 1.0

    def __post_init__(self) -> None:
        patterns = np.array(self.patterns, dtype=np.float64, order="C")
        if patterns.ndim != 2 or patterns.size == 0:
            raise ValueError(f"patterns must be (memories, features), got shape {patterns.shape}")
        if not np.isfinite(patterns).all():
            raise ValueError("patterns must be finite, got NaN or infinity")
        matrix = as_matrix(self.transitions, len(patterns))
        for array in (patterns, matrix):
            array.flags.writeable = False
        put = object.__setattr__
        put(self, "patterns", patterns)
        put(self, "transitions", matrix)
        put(self, "feature_activation", activation(self.feature_activation))
        put(self, "hidden_activation", activation(self.hidden_activation))
        for name in CONSTANTS:
            put(self, name, _checked_constant(name, getattr(self, name)))

    @cached_property
    def gram(self) -> Array:
        """Inner products of the patterns, (memories, memories); computed once."""
        return self.patterns @ self.patterns.T

    @cached_property
    def edges(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
        """The transitions as (from, to, weight), each (edges,); computed once."""
        start, end = np.nonzero(self.transitions)
        return np.ascontiguousarray(start), np.ascontiguousarray(end), self.transitions[start, end]

    @property
    def memories(self) -> int:
        """Number of memories K, which is also the number of hidden units."""
        return len(self.patterns)

    @property
    def features(self) -> int:
        """Number of features N."""
        return int(self.patterns.shape[1])

    def recall(self, cue: ArrayLike, t_end: float, **options: Any) -> Recall:
        """What follows from a cue: see `sharpwave.memory.recall`, whose options these are."""
        from .recalling import recall

        return recall(self, cue, t_end, **options)

    def __repr__(self) -> str:
        counts = f"{self.memories} memories, {self.features} features, {np.count_nonzero(self.transitions)} transitions"
        constants = ", ".join(f"{name}={getattr(self, name)}" for name in CONSTANTS)
        return f"GSEMM({counts}, {self.feature_activation!r}, {self.hidden_activation!r}, {constants})"


# Their order is that of the kernels' `constants`.
CONSTANTS = ("tau_f", "tau_h", "tau_d", "alpha_s", "alpha_c", "beta_d")


def LISEM(  # noqa: N802  (the model's name)
    patterns: ArrayLike,
    transitions: Any,
    *,
    alpha_s: float = _LISEM_ALPHA_S,
    alpha_c: float = _LISEM_ALPHA_C,
    tau_f: float = 1.0,
    tau_h: float = 0.0,
    tau_d: float = 100.0,
    beta_d: float = 7.0,
    gain: float = 1.0,
) -> GSEMM:
    """The linear-interaction member of the family: s_f = tanh(gain .), s_h = identity.

    The defaults are the constants of a run with N = 100 features and a cycle of K = 5 random patterns of -1
    and 1, which walks the cycle in long, irregular dwells. Divide alpha_s by N/100 and alpha_c by
    sqrt(N/100) for other N.

    Args:
        patterns, transitions, alpha_s, alpha_c, tau_f, tau_h, tau_d, beta_d: see `GSEMM`.
        gain: g of s_f.

    Example:
        >>> from sharpwave.memory import cycle
        >>> LISEM(np.eye(2), cycle(2)).feature_activation
        Tanh(gain=1.0)
    """
    return _member(Tanh(gain), Identity(), patterns, transitions, alpha_s, alpha_c, tau_f, tau_h, tau_d, beta_d)


def DSEM(  # noqa: N802
    patterns: ArrayLike,
    transitions: Any,
    *,
    alpha_s: float = 1.0,
    alpha_c: float = 4.9,
    tau_f: float = 1.0,
    tau_h: float = 0.0,
    tau_d: float = 20.0,
    beta_d: float = 7.0,
    gain: float = 1.0,
    power: int | None = None,
) -> GSEMM:
    """The dense member of the family: s_f = identity, s_h = softmax(gain .), or a rectified polynomial.

    The defaults are the constants of the paper's DSEM figure, with N = 100 features and K = 7 random
    patterns of -1 and 1. The hidden layer's drive grows with the squared norm of the patterns: the gain
    100/|pattern|^2 behaves as there.

    Args:
        patterns, transitions, alpha_s, alpha_c, tau_f, tau_h, tau_d, beta_d: see `GSEMM`.
        gain: g of the softmax.
        power: if given, s_h is the rectified polynomial of this power in place of the softmax. Its drive is
            not bounded, so that features either die out or blow up unless the constants hold them.

    Example:
        >>> from sharpwave.memory import cycle
        >>> DSEM(np.eye(2), cycle(2), gain=100.0).hidden_activation
        Softmax(gain=100.0)
    """
    hidden = Softmax(gain) if power is None else RectifiedPolynomial(power)
    return _member(Identity(), hidden, patterns, transitions, alpha_s, alpha_c, tau_f, tau_h, tau_d, beta_d)


def GAMM(  # noqa: N802
    patterns: ArrayLike,
    *,
    feature_activation: str | Activation = "identity",
    hidden_activation: str | Activation = "softmax",
    alpha_s: float = 1.0,
    tau_f: float = 1.0,
    tau_h: float = 0.0,
) -> GSEMM:
    """The static limit alpha_c = 0: the general associative memory, or modern Hopfield network. It has no transitions.

    Args:
        patterns, feature_activation, hidden_activation, alpha_s, tau_f, tau_h: see `GSEMM`.

    Example:
        >>> GAMM(np.eye(2)).alpha_c
        0.0
    """
    features, hidden = activation(feature_activation), activation(hidden_activation)
    return _member(features, hidden, patterns, None, alpha_s, 0.0, tau_f, tau_h, 1.0, 1.0)


def _member(
    features: Activation, hidden: Activation, patterns: ArrayLike, transitions: Any, alpha_s: float, alpha_c: float,
    tau_f: float, tau_h: float, tau_d: float, beta_d: float,
) -> GSEMM:  # fmt: skip
    matrix = np.asarray(patterns, dtype=np.float64)
    return GSEMM(matrix, transitions, features, hidden, alpha_s, alpha_c, tau_f, tau_h, tau_d, beta_d)


def _checked_constant(name: str, value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {number}")
    if name in ("tau_f", "tau_d") and number <= 0:
        raise ValueError(f"{name} must be positive, got {number}")
    if number < 0 and name != "beta_d":
        raise ValueError(f"{name} must not be negative, got {number}")
    return number
