"""What a backend is asked to integrate, and what it gives back.

A backend is a module with one function, `integrate(problem: Problem) -> Integration`. A state is a row of
numbers in one of two forms, which are exact rewritings of each other:

* full:    features V_f (N), delayed features V_d (N), then hidden V_h (K) where tau_h > 0.
* reduced: overlaps m_f = Xi' V_f and m_d = Xi' V_d (K each), coefficients c_f, c_d (K each), then V_h (K)
  where tau_h > 0. Only for the identity as feature activation: then the drive of the features lies in the
  span of the patterns, and V_f(t) = base_f(t) + Xi c_f(t), V_d(t) = base_d(t) + Xi c_d(t), where the bases
  are what the initial state and the input alone would do. All four parts are linear filters of one drive, so
  that the state costs one Gram product an evaluation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .model import GSEMM
from .products import product

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Input:
    """Feature input that is constant by pieces: piece p acts from `starts[p]` on and is `drive[p]`.

    Attributes:
        starts: (pieces,), rising from 0.
        drive: (pieces, features).
    """

    starts: Array
    drive: Array

    def piece(self, t: Array | float) -> NDArray[np.intp]:
        """Index of the piece that acts at t and from then on."""
        return np.asarray(np.searchsorted(self.starts, t, side="right") - 1)


@dataclass(frozen=True, eq=False)
class Problem:
    """One job for a backend: integrate a batch of initial states from time 0 to t_end.

    Attributes:
        model: the network.
        features: initial V_f, (batch, N).
        delayed: initial V_d, (batch, N).
        hidden: initial V_h, (batch, K); (batch, 0) where tau_h is 0.
        input: the feature input, the same for the whole batch.
        t_eval: output times, rising within [0, t_end].
        t_end: the end.
        dt: fixed step of the classical Runge-Kutta method, or 0: adaptive steps. The last step is shortened
            to end at t_end. Outputs between steps come from the cubic Hermite polynomial.
        rtol, atol: tolerances of the adaptive method. In reduced form, atol of the overlaps is multiplied by
            the patterns' largest squared norm.
        max_steps: accepted and rejected steps of one trajectory before it stops short.
        reduced: whether states are in reduced form.
    """

    model: GSEMM
    features: Array
    delayed: Array
    hidden: Array
    input: Input
    t_eval: Array
    t_end: float
    dt: float
    rtol: float
    atol: float
    max_steps: int
    reduced: bool

    @property
    def batch(self) -> int:
        """Number of trajectories."""
        return len(self.features)

    @property
    def rows(self) -> int:
        """Length of a state."""
        visible = 4 * self.model.memories if self.reduced else 2 * self.model.features
        return visible + int(self.hidden.shape[1])

    def matrix(self) -> Array:
        """What couples features and hidden units: the patterns (K, N), or in reduced form their Gram matrix (K, K)."""
        return self.model.gram if self.reduced else self.model.patterns

    def drive(self) -> Array:
        """The input as it enters the first part of a state, (pieces, N), or in reduced form (pieces, K)."""
        return product(self.input.drive, self.model.patterns.T) if self.reduced else self.input.drive

    def initial(self) -> Array:
        """The initial states, (batch, rows)."""
        if not self.reduced:
            return np.concatenate([self.features, self.delayed, self.hidden], axis=1)
        K = self.model.memories
        states = np.zeros((self.batch, self.rows))
        states[:, :K] = product(self.features, self.model.patterns.T)
        if self.delayed.any():
            states[:, K : 2 * K] = product(self.delayed, self.model.patterns.T)
        states[:, 4 * K :] = self.hidden
        return states

    def tolerances(self) -> Array:
        """atol of each row of a state, (rows,)."""
        scale = np.ones(self.rows)
        if self.reduced:
            K = self.model.memories
            largest = max(float((self.model.patterns**2).sum(1).max()), float(np.finfo(float).tiny))
            scale[: 2 * K] = scale[4 * K :] = largest
        return self.atol * scale


@dataclass(frozen=True, eq=False)
class Integration:
    """What a backend gives back.

    Attributes:
        states: (batch, times, rows); NaN at output times that a trajectory did not reach.
        reached: (batch,) the time that each trajectory reached, t_end unless it stopped short.
        accepted, rejected, evaluations: (batch,) steps, and evaluations of the vector field.
        backend: who did it.
    """

    states: Array
    reached: Array
    accepted: NDArray[np.int64]
    rejected: NDArray[np.int64]
    evaluations: NDArray[np.int64]
    backend: str
