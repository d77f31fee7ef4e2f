"""Recall in plain PyTorch: the oracle of the Julia kernels, and what stands in for them where there is no Julia.

A batch advances as one tensor with one step size for all. Explicit methods only: for tau_h > 0 the adaptive
method takes steps as small as the hidden layer asks for.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from . import tsit5
from .problem import Integration, Problem

Field = Callable[[Tensor, Tensor], Tensor]


def integrate(problem: Problem) -> Integration:
    """Integrate a problem: with classical Runge-Kutta steps where `dt` is set, else with adaptive Tsit5 steps.

    Args:
        problem: see `Problem`.

    Returns:
        The states at the output times.
    """
    with torch.inference_mode():
        advance = _fixed if problem.dt > 0 else _adaptive
        states, reached, accepted, rejected, evaluations = advance(problem)
    whole = np.full(problem.batch, 1, dtype=np.int64)
    return Integration(
        states, reached * np.ones(problem.batch), accepted * whole, rejected * whole, evaluations * whole, "torch"
    )


def vector_field(problem: Problem) -> Field:
    """The time derivative of a batch of states.

    Args:
        problem: decides between the two forms, see `sharpwave.memory.problem`.

    Returns:
        A function of states (batch, rows) and the input that acts (width,), which gives derivatives (batch,
        rows). All layers are taken at the same moment: none sees another's new value.
    """
    model, reduced = problem.model, problem.reduced
    K, width = model.memories, problem.matrix().shape[1]
    matrix, phi = torch.from_numpy(problem.matrix().copy()), torch.from_numpy(model.transitions.copy())
    root, s_f, s_h = math.sqrt(model.alpha_s), model.feature_activation, model.hidden_activation

    def field(y: Tensor, drive: Tensor) -> Tensor:
        first, delayed = y[:, :width], y[:, width : 2 * width]
        active_f = s_f(first)
        overlap_f = first if reduced else active_f @ matrix.T
        overlap_d = delayed if reduced else delayed @ matrix.T
        target = root * overlap_f + model.alpha_c * (overlap_d @ phi)
        hidden = y[:, -K:] if model.tau_h > 0 else target
        active_h = s_h(hidden)
        parts = [
            (root * (active_h @ matrix) - first + drive) / model.tau_f,
            (model.beta_d * active_f - delayed) / model.tau_d,
        ]
        if reduced:
            c_f, c_d = y[:, 2 * K : 3 * K], y[:, 3 * K : 4 * K]
            parts += [(root * active_h - c_f) / model.tau_f, (model.beta_d * c_f - c_d) / model.tau_d]
        if model.tau_h > 0:
            parts.append((target - hidden) / model.tau_h)
        return torch.cat(parts, 1)

    return field


def _fixed(problem: Problem) -> tuple[NDArray[np.float64], float, int, int, int]:
    """The classical fourth-order Runge-Kutta method; outputs between steps by the cubic Hermite polynomial."""
    field, starts = vector_field(problem), problem.input.starts
    drives, y = torch.from_numpy(problem.drive().copy()), torch.from_numpy(problem.initial())
    out = _outputs(problem)
    steps = max(1, math.ceil(problem.t_end / problem.dt - 1e-9))
    t, step, following, piece, evaluations = 0.0, 0, 0, 0, 0
    k1 = field(y, drives[0])
    while step < min(steps, problem.max_steps):
        h = problem.t_end - t if step == steps - 1 else problem.dt
        u = drives[piece]
        k2 = field(y + h / 2 * k1, u)
        k3 = field(y + h / 2 * k2, u)
        k4 = field(y + h * k3, u)
        new = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        step += 1
        t_new = problem.t_end if step == steps else step * problem.dt
        k5 = field(new, u)
        while following < len(problem.t_eval) and problem.t_eval[following] <= t_new:
            x = (problem.t_eval[following] - t) / h
            out[:, following] = new if x >= 1 else _hermite(x, h, y, new, k1, k5)
            following += 1
        evaluations += 4
        y, t, k1 = new, t_new, k5
        acting = int(np.searchsorted(starts, t, side="right")) - 1
        if acting != piece:
            piece, evaluations = acting, evaluations + 1
            k1 = field(y, drives[piece])
    return out.numpy(), t, step, 0, evaluations


def _hermite(x: float, h: float, y0: Tensor, y1: Tensor, k0: Tensor, k1: Tensor) -> Tensor:
    ends = (1 + 2 * x) * (1 - x) ** 2 * y0 + x**2 * (3 - 2 * x) * y1
    return ends + h * x * (1 - x) ** 2 * k0 + h * x**2 * (x - 1) * k1


def _adaptive(problem: Problem) -> tuple[NDArray[np.float64], float, int, int, int]:
    """Tsit5 with proportional-integral control (Gustafsson); the worst trajectory of the batch sets the step of all."""
    field, starts = vector_field(problem), problem.input.starts
    drives, y = torch.from_numpy(problem.drive().copy()), torch.from_numpy(problem.initial())
    atol, rtol, t_end = torch.from_numpy(problem.tolerances()), problem.rtol, problem.t_end
    out = _outputs(problem)
    t, following, accepted, rejected, piece, evaluations, last_error = 0.0, 0, 0, 0, 0, 1, 1.0
    slopes = [field(y, drives[0])]
    while following < len(problem.t_eval) and problem.t_eval[following] <= 0:
        out[:, following] = y
        following += 1
    h, just_rejected = min(_first_step(y, slopes[0], atol, rtol, t_end), t_end), False
    while t < t_end and accepted + rejected < problem.max_steps and t + h > t:
        limit = min(float(starts[piece + 1]) if piece + 1 < len(starts) else math.inf, t_end)
        if h >= 0.999 * (limit - t):
            h = limit - t
        u = drives[piece]
        for row in tsit5.A:
            new = y + h * _weighted(row, slopes)
            slopes.append(field(new, u))
        evaluations += 6
        scale = atol + rtol * torch.maximum(y.abs(), new.abs())
        error = float(((h * _weighted(tsit5.E, slopes) / scale) ** 2).mean(1).sqrt().max())
        if not error <= 1:
            h *= max(0.2, 0.9 * error**-0.2) if math.isfinite(error) else 0.2
            rejected, just_rejected, slopes = rejected + 1, True, slopes[:1]
            continue
        t_new = limit if t + h >= limit - 1e-14 * abs(limit) else t + h
        while following < len(problem.t_eval) and problem.t_eval[following] <= t_new:
            x = min(1.0, (problem.t_eval[following] - t) / h)
            out[:, following] = y + h * _weighted(tsit5.interpolation_weights(x), slopes)
            following += 1
        y, t, accepted, slopes = new, t_new, accepted + 1, slopes[-1:]
        acting = int(np.searchsorted(starts, t, side="right")) - 1
        if acting != piece:
            piece, evaluations = acting, evaluations + 1
            slopes = [field(y, drives[piece])]
        error = max(error, 1e-10)
        factor = 0.9 * error ** (-0.7 / 5) * last_error ** (0.4 / 5)
        h *= min(max(factor, 0.2), 1.0 if just_rejected else 10.0)
        just_rejected, last_error = False, error
    return out.numpy(), t, accepted, rejected, evaluations


def _first_step(y: Tensor, slope: Tensor, atol: Tensor, rtol: float, t_end: float) -> float:
    """A hundredth of the state's size over its slope's (Hairer, Norsett, Wanner, Solving ODEs I, II.4)."""
    scale = atol + rtol * y.abs()
    size, rate = (y / scale).norm(dim=1), (slope / scale).norm(dim=1)
    known = (size > 0) & (rate > 0)
    return float((0.01 * size[known] / rate[known]).min()) if bool(known.any()) else 1e-3 * t_end


def _weighted(weights: tuple[float, ...], slopes: list[Tensor]) -> Tensor:
    total = weights[0] * slopes[0]
    for weight, slope in zip(weights[1:], slopes[1:], strict=True):
        total = total + weight * slope
    return total


def _outputs(problem: Problem) -> Tensor:
    return torch.full((problem.batch, len(problem.t_eval), problem.rows), math.nan, dtype=torch.float64)
