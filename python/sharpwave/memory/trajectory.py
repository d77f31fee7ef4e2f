"""What a backend integrated, as features, overlaps and energy, from either form of the state."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .energies import energy, energy_rates, equilibrium, hidden_energy
from .problem import Integration, Problem
from .products import product

Array = NDArray[np.float64]
Times = slice | NDArray[np.intp]

_CHUNK = 2**22  # numbers of one layer that are worked on at a time where a result is much smaller than the features


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A batch of trajectories; arrays are (batch, times, ...)."""

    problem: Problem
    integration: Integration

    def features(self, times: Times = slice(None)) -> Array:
        """V_f at the output times with these indices, (batch, times, N)."""
        states = self.integration.states[:, times]
        if not self.problem.reduced:
            return states[..., : self._width]
        return self._free(self._base_f[times]) + product(states[..., 2 * self._K : 3 * self._K], self._patterns)

    def delayed(self, times: Times = slice(None)) -> Array:
        """V_d at the output times with these indices, (batch, times, N)."""
        states = self.integration.states[:, times]
        if not self.problem.reduced:
            return states[..., self._width : 2 * self._width]
        return self._free(self._base_d[times]) + product(states[..., 3 * self._K : 4 * self._K], self._patterns)

    def hidden(self, times: Times = slice(None)) -> Array:
        """V_h at the output times with these indices, (batch, times, K)."""
        model, states = self.problem.model, self.integration.states[:, times]
        if model.tau_h > 0:
            return states[..., -self._K :]
        if not self.problem.reduced:
            return equilibrium(model, self.features(times), self.delayed(times))
        return self._target(states)

    def overlaps(self, patterns: Array | None = None) -> Array:
        """Cosine of the active features s_f(V_f) with each pattern, (batch, times, patterns); 0 where either is zero.

        Args:
            patterns: (patterns, N); default the model's.
        """
        shown = self._patterns if patterns is None else patterns
        lengths = np.linalg.norm(shown, axis=1)
        if not self.problem.reduced:
            return self._in_chunks(lambda times: self._full_overlaps(times, shown, lengths))
        states, K = self.integration.states, self._K
        if patterns is None:
            products = states[..., :K]
        else:
            of_basis, of_patterns = product(self._basis, patterns.T), product(self._patterns, patterns.T)
            products = self._base_f @ of_basis + product(states[..., 2 * K : 3 * K], of_patterns)
        size = np.sqrt(np.maximum(self._squared_features(), 0.0))
        return _divided(products, size[..., None] * lengths)

    def energies(self) -> Array:
        """E, its descent and its drift, (batch, times, 3)."""
        return self._reduced_energies() if self.problem.reduced else self._in_chunks(self._full_energies)

    @property
    def _K(self) -> int:  # noqa: N802
        return self.problem.model.memories

    @property
    def _width(self) -> int:
        return self.problem.model.features

    @property
    def _patterns(self) -> Array:
        return self.problem.model.patterns

    @cached_property
    def _piece(self) -> NDArray[np.intp]:
        return self.problem.input.piece(self.problem.t_eval)

    def _in_chunks(self, work: Callable[[slice], Array]) -> Array:
        count = len(self.problem.t_eval)
        share = max(1, _CHUNK // (self.problem.batch * self._width))
        return np.concatenate([work(slice(k, min(k + share, count))) for k in range(0, count, share)], axis=1)

    # ---- full form ----

    def _full_overlaps(self, times: slice, patterns: Array, lengths: Array) -> Array:
        active = self.problem.model.feature_activation(self.features(times))
        size = np.linalg.norm(active, axis=-1)
        return _divided(product(active, patterns.T), size[..., None] * lengths)

    def _full_energies(self, times: slice) -> Array:
        model, drive = self.problem.model, self.problem.input.drive[self._piece[times]]
        f, d = self.features(times), self.delayed(times)
        h = self.hidden(times) if model.tau_h > 0 else None
        return np.stack([energy(model, f, d, h, drive), *energy_rates(model, f, d, h, drive)], axis=-1)

    # ---- reduced form: everything from inner products of the patterns and the basis, so that no feature is formed ----

    @cached_property
    def _basis(self) -> Array:
        """What features are made of besides the patterns: initial V_f and V_d, pieces of the input, (batch, B, N)."""
        p = self.problem
        pieces = np.broadcast_to(p.input.drive, (p.batch, *p.input.drive.shape))
        return np.concatenate([p.features[:, None], p.delayed[:, None], pieces], axis=1)

    @cached_property
    def _weights(self) -> tuple[Array, Array]:
        return base_weights(self.problem)

    @property
    def _base_f(self) -> Array:
        return self._weights[0]

    @property
    def _base_d(self) -> Array:
        return self._weights[1]

    def _free(self, weights: Array) -> Array:
        """`weights` of the basis at some times, (batch, times, N), without what is zero."""
        p = self.problem
        free = weights[:, :1] * p.features[:, None]
        if weights[:, 1].any():
            free += weights[:, 1:2] * p.delayed[:, None]
        if p.input.drive.any():
            free += product(weights[:, 2:], p.input.drive)
        return free

    @cached_property
    def _basis_gram(self) -> Array:
        return self._basis @ np.swapaxes(self._basis, 1, 2)

    @cached_property
    def _basis_overlaps(self) -> Array:
        return product(self._basis, self._patterns.T)

    def _target(self, states: Array) -> Array:
        model, K = self.problem.model, self._K
        static = math.sqrt(model.alpha_s) * states[..., :K]
        return np.asarray(static + model.alpha_c * product(states[..., K : 2 * K], model.transitions))

    def _squared(self, weights: Array, coefficients: Array, product: Array) -> Array:
        """|weights . basis + coefficients . patterns|^2, given the Gram matrix times the coefficients."""
        own = ((weights @ self._basis_gram) * weights).sum(-1)
        return np.asarray(own + (coefficients * (product + 2 * (weights @ self._basis_overlaps))).sum(-1))

    def _squared_features(self) -> Array:
        K, base = self._K, self._base_f
        m, c = self.integration.states[..., :K], self.integration.states[..., 2 * K : 3 * K]
        return self._squared(base, c, m - base @ self._basis_overlaps)

    def _reduced_energies(self) -> Array:
        model, states, K = self.problem.model, self.integration.states, self._K
        m_f, m_d, c_f = (states[..., k * K : (k + 1) * K] for k in range(3))
        target = self._target(states)
        now = states[..., -K:] if model.tau_h > 0 else target
        s_h = model.hidden_activation(now)
        acting = np.eye(self._basis.shape[1])[2 + self._piece]
        driven = ((acting @ self._basis_gram) * self._base_f).sum(-1) + (acting @ self._basis_overlaps * c_f).sum(-1)
        total = self._squared_features() / 2 - driven + hidden_energy(model, now, target)
        pull = math.sqrt(model.alpha_s) * s_h - c_f
        squared_rate = self._squared(acting - self._base_f, pull, product(pull, model.gram)) / model.tau_f**2
        descent = -model.tau_f * np.maximum(squared_rate, 0.0)  # rounding can leave a tiny negative square
        if model.tau_h > 0:
            rate = (target - now) / model.tau_h
            descent = descent - model.tau_h * (model.hidden_activation.jacobian_product(now, rate) * rate).sum(-1)
        moved = (model.beta_d * m_f - m_d) / model.tau_d @ model.transitions
        return np.stack([total, descent, -model.alpha_c * (moved * s_h).sum(-1)], axis=-1)


def base_weights(problem: Problem) -> tuple[Array, Array]:
    """How base_f and base_d, what initial state and input alone would do, are made of them at the output times.

    base_f follows T_f x' = u - x, and base_d follows T_d x' = b_d base_f - x, both exactly.

    Args:
        problem: in reduced form.

    Returns:
        Weights of (initial V_f, initial V_d, pieces of the input) in base_f and in base_d, each (times, 2 + pieces).
    """
    starts, t, model = problem.input.starts, problem.t_eval, problem.model
    unit = np.eye(2 + len(starts))
    w_f, w_d = unit[0], unit[1]
    out_f, out_d = np.empty((len(t), len(unit))), np.empty((len(t), len(unit)))
    acting = problem.input.piece(t)
    for p, start in enumerate(starts):
        until = np.concatenate((t[acting == p], starts[p + 1 : p + 2])) - start
        slow, fast = np.exp(-until / model.tau_d)[:, None], np.exp(-until / model.tau_f)[:, None]
        # The delay's response to exp(-t/T_f), (slow - fast) T_f / (T_d - T_f), such that it holds at T_d = T_f too.
        gap = abs(1 / model.tau_f - 1 / model.tau_d)
        lag = until if gap == 0 else -np.expm1(-until * gap) / gap
        response = np.maximum(slow, fast) * lag[:, None] / model.tau_d
        u = unit[2 + p]
        f = u + (w_f - u) * fast
        d = slow * w_d + model.beta_d * (u * (1 - slow) + (w_f - u) * response)
        count = int((acting == p).sum())
        out_f[acting == p], out_d[acting == p] = f[:count], d[:count]
        w_f, w_d = f[-1], d[-1]
    return out_f, out_d


def _divided(a: Array, b: Array) -> Array:
    return np.divide(a, b, out=np.where(np.isnan(a), np.nan, np.zeros_like(a)), where=b > 0)
