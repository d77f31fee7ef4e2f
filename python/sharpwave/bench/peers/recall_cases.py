"""The recall problem: a DSEM steps through a cycle of random patterns, the hidden layer at equilibrium.

    T_f v' = sqrt(a_s) P' s - v        s = softmax(g (sqrt(a_s) P v + a_c Phi' P d))       P: memories x features
    T_d d' = b_d v - d                 Phi: 1 -> 2 -> ... -> K -> 1

With overlaps m = P v, q = P d and the Gram matrix G = P P' the same solution comes from 2 K instead of 2 N unknowns:

    T_f m' = sqrt(a_s) G s - m,  T_d q' = b_d m - q,  s = softmax(g (sqrt(a_s) m + a_c Phi' q))

Constants are those of the paper's DSEM figure (arXiv 2212.05563); the gain is 100/N, so that the overlaps divided by N
move alike at every N (the figure has N = 100 and gain 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RecallCase:
    """Sizes and constants of one recall. Times are in units of T_f."""

    features: int
    memories: int
    batch: int
    alpha_s: float = 1.0
    alpha_c: float = 4.9
    tau_f: float = 1.0
    tau_d: float = 20.0
    beta_d: float = 7.0
    t_end: float = 30.0

    @property
    def gain(self) -> float:
        """The softmax gain."""
        return 100.0 / self.features

    def patterns(self) -> Array:
        """Random patterns of -1 and 1, shape (memories, features); the same bits in every version of NumPy."""
        count = self.memories * self.features
        words = np.random.Philox(key=2212).random_raw(-(-count // 64))
        bits = np.unpackbits(words.astype("<u8").view(np.uint8))[:count]
        return 2.0 * bits.reshape(self.memories, self.features).astype(np.float64) - 1.0

    def cues(self) -> Array:
        """Initial features, shape (batch, features): memory b, counted round, with its last quarter set to zero."""
        cues = self.patterns()[np.arange(self.batch) % self.memories]
        cues[:, self.features - self.features // 4 :] = 0.0
        return cues

    def before(self) -> NDArray[np.intp]:
        """For each memory the one that leads to it: (Phi' x)[k] = x[before[k]]."""
        return np.roll(np.arange(self.memories), 1)


CASES = {
    f"DSEM N={features} K={memories} batch={batch}": RecallCase(features, memories, batch)
    for features in (100, 1000, 10000)
    for memories in (10, 100, 1000)
    for batch in (1, 64)
}
