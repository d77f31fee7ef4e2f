"""Statistics of capacity: intervals for shares, the size at which a share falls below a threshold, laws of growth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def wilson_interval(successes: int, draws: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's interval for a share.

    Args:
        successes: from 0 to `draws`.
        draws: at least 1.
        confidence: of the interval.

    Example:
        >>> low, high = wilson_interval(96, 100)
        >>> round(low, 3), round(high, 3)
        (0.902, 0.984)
    """
    from scipy.stats import norm

    if not 0 <= successes <= draws or draws < 1:
        raise ValueError(f"expected 0 <= successes <= draws and draws >= 1, got {successes} of {draws}")
    z = float(norm.ppf(0.5 + confidence / 2))
    share, spread = successes / draws, z * z / draws
    centre = (share + spread / 2) / (1 + spread)
    half = math.sqrt(share * (1 - share) * spread + spread * spread / 4) / (1 + spread)
    return centre - half, centre + half


@dataclass(frozen=True)
class Threshold:
    """The size at which a share of successes falls below what is asked.

    Attributes:
        estimate: the size, not rounded.
        low, high: 95 % interval.
    """

    estimate: float
    low: float
    high: float


def threshold_size(
    sizes: Sequence[int], successes: Sequence[int], draws: int, share: float, seed: int = 0, rises: bool = False
) -> Threshold:
    """Where the share of successes, monotone in the size, crosses a threshold.

    Between tried sizes the share is linear in the logarithm of the size; outside them the crossing is at the end. The
    interval comes from shares drawn from their posteriors given the counts (Jeffreys' prior).

    Args:
        sizes: tried sizes.
        successes: of `draws` at each.
        draws: at each size.
        share: the threshold.
        seed: of the draws from the posteriors.
        rises: whether the share rises with the size instead of falling.
    """
    order = np.argsort(sizes)
    x, hits = np.log(np.asarray(sizes, dtype=np.float64)[order]), np.asarray(successes)[order]
    estimate = _crossing(x, hits / draws, share, rises)
    rng = np.random.default_rng(seed)
    samples = rng.beta(hits + 0.5, draws - hits + 0.5, size=(1000, len(hits)))
    low, high = np.quantile([_crossing(x, sample, share, rises) for sample in samples], [0.025, 0.975])
    return Threshold(
        math.exp(estimate), min(math.exp(low), math.exp(estimate)), max(math.exp(high), math.exp(estimate))
    )


def _crossing(x: Array, shares: Array, threshold: float, rises: bool) -> float:
    from sklearn.isotonic import isotonic_regression

    monotone = np.asarray(isotonic_regression(shares, increasing=rises))
    enough = monotone >= threshold
    if rises:
        x, monotone, enough = x[::-1], monotone[::-1], enough[::-1]
    if not enough[0]:
        return float(x[0])
    last = int(np.flatnonzero(enough)[-1])
    if last == len(x) - 1:
        return float(x[-1])
    part = (monotone[last] - threshold) / (monotone[last] - monotone[last + 1])
    return float(x[last] + part * (x[last + 1] - x[last]))


@dataclass(frozen=True)
class Law:
    """A law of growth fitted to logarithms by least squares.

    Attributes:
        rate: r of K = c exp(r N), or the exponent r of K = c N^r.
        low, high: 95 % interval of the rate.
        prefactor: c.
        aic: Akaike's criterion, smaller is better.
    """

    rate: float
    low: float
    high: float
    prefactor: float
    aic: float


@dataclass(frozen=True)
class Growth:
    """Exponential and polynomial growth compared.

    Attributes:
        exponential: K = c exp(r N).
        polynomial: K = c N^r.
    """

    exponential: Law
    polynomial: Law

    @property
    def evidence(self) -> float:
        """How much better the exponential law is in Akaike's criterion; below 0 it is the worse one."""
        return self.polynomial.aic - self.exponential.aic


def fit_growth(features: ArrayLike, capacities: ArrayLike) -> Growth:
    """Fit log K = a + r N and log K = a + r log N, and compare them.

    Args:
        features: N, at least four values.
        capacities: K, positive.

    Example:
        >>> N = np.arange(12, 41, 4)
        >>> growth = fit_growth(N, 0.1 * np.exp(0.25 * N) * np.array([1.1, 0.9, 1, 1.05, 0.95, 1, 1.1, 0.9]))
        >>> round(growth.exponential.rate, 2), growth.evidence > 10
        (0.25, True)
    """
    n, k = np.asarray(features, dtype=np.float64), np.asarray(capacities, dtype=np.float64)
    if n.shape != k.shape or n.ndim != 1 or len(n) < 4:
        raise ValueError(f"expected at least four sizes and as many capacities, got shapes {n.shape} and {k.shape}")
    if not ((n > 0) & (k > 0)).all():
        raise ValueError("sizes and capacities must be positive")
    return Growth(_law(n, np.log(k)), _law(np.log(n), np.log(k)))


def _law(x: Array, log_k: Array) -> Law:
    from scipy.stats import linregress, t

    fit = linregress(x, log_k)
    residual = float(((log_k - fit.intercept - fit.slope * x) ** 2).mean())
    count = len(x)
    half = float(t.ppf(0.975, count - 2)) * float(fit.stderr)
    # two coefficients and a variance; the floor keeps an exact fit finite
    aic = count * math.log(max(residual, 1e-12)) + 2 * 3
    rate = float(fit.slope)
    return Law(rate, rate - half, rate + half, math.exp(fit.intercept), aic)
