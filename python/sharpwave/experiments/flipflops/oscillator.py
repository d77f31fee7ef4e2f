"""The oscillator that is said to explain how a network goes from one period to another."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_STEEP = 0.2  # mu beyond which the loss grows so fast that nobody gets there


class Flow(NamedTuple):
    """Gradient flow of an oscillator that was fitted.

    Attributes:
        rates: of mu and of omega, an iteration.
        mu, omega: at each checkpoint.
        error: root mean square of what is left of both, each in units of its own spread.
    """

    rates: tuple[float, float]
    mu: Array
    omega: Array
    error: float


def oscillation(states: Array) -> tuple[float, float]:
    """mu and omega of the exponential e^((mu + i omega) t) that describes a trajectory (steps, n) best: of the leading
    pair of the linear map that takes its first three principal components, and 1, from each step to the next."""
    middle = states - states.mean(axis=0)
    rows = np.linalg.svd(middle, full_matrices=False)[2][:3]
    x = np.column_stack([middle @ rows.T, np.ones(len(states))])
    map = np.linalg.lstsq(x[:-1], x[1:], rcond=None)[0]
    values = np.linalg.eigvals(map[:3, :3])
    turning = values[values.imag > 0]
    lead = turning[np.argmax(np.abs(turning))] if len(turning) else values[np.argmax(np.abs(values))]
    return float(np.log(np.abs(lead))), float(np.abs(np.angle(lead)))


def flow(start: tuple[float, float], target: float, horizon: int, rates: tuple[float, float], steps: Array) -> Array:
    """mu and omega (checkpoints, 2), down the gradient of sum_t |e^((mu + i omega) t) - e^(i target t)|^2 / T.

    Args:
        start: mu and omega.
        target: frequency, in rad a step.
        horizon: T.
        rates: of mu and of omega, an iteration.
        steps: iterations at which they are wanted, from 0 on.
    """
    from scipy.integrate import solve_ivp

    t, wanted = np.arange(horizon), np.exp(1j * target * np.arange(horizon))

    def slope(_: float, at: Array) -> Array:
        z = np.exp((min(at[0], _STEEP) + 1j * at[1]) * t)
        error = (z - wanted).conj() * z * t
        return -2 / horizon * np.array([rates[0] * error.real.sum(), -rates[1] * error.imag.sum()])

    solution = solve_ivp(slope, (0.0, float(steps[-1])), start, "LSODA", t_eval=steps, rtol=1e-6, atol=1e-8)
    return np.asarray(solution.y.T)


def fitted(mu: Array, omega: Array, target: float, horizon: int, steps: Array) -> Flow:
    """The rates for which the flow from the first mu and omega comes nearest to what was seen."""
    from scipy.optimize import least_squares

    seen = np.stack([mu, omega], axis=1)
    spread = seen.std(axis=0) + 1e-9

    def left(logarithms: Array) -> Array:
        way = flow((mu[0], omega[0]), target, horizon, tuple(10.0**logarithms), steps)
        return np.asarray(((way - seen) / spread).ravel(), dtype=np.float64)

    grid = sorted((float((left(np.array(at)) ** 2).sum()), at) for at in product(np.linspace(-6, 0, 7), repeat=2))
    fits = [least_squares(left, at, diff_step=1e-3) for _, at in grid[:2]]
    best = min(fits, key=lambda fit: fit.cost)
    way = flow((mu[0], omega[0]), target, horizon, tuple(10.0**best.x), steps)
    rates = (float(10 ** best.x[0]), float(10 ** best.x[1]))
    return Flow(rates, way[:, 0], way[:, 1], float(np.sqrt(np.mean(best.fun**2))))
