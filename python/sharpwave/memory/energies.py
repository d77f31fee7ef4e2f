"""The energy of a sequential episodic memory, how it changes along a trajectory, its gradient and its Hessian.

    E = [V_f.s_f - L_f] + [V_h.s_h - L_h] - sqrt(a_s) s_f' Xi s_h - a_c V_d' Xi Phi s_h - u.s_f

    dE/dt = - T_f V_f'^T J_f V_f' - T_h V_h'^T J_h V_h'      descent on the surface: never positive
            - a_c V_d'^T Xi Phi s_h                          drift of the surface: of either sign

u is the feature input, and the identity holds while it is constant. At tau_h = 0 the hidden units are at their
equilibrium, V_h = sqrt(a_s) Xi' s_f + a_c Phi' Xi' V_d; then V_h.s_h cancels both couplings, so that
E = V_f.s_f - L_f - L_h(V_h) - u.s_f, and since dL_h = s_h.dV_h the identity keeps its form without the T_h term.

Arrays have any leading axes and the units of a layer last.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .model import GSEMM

Array = NDArray[np.float64]


class Rates(NamedTuple):
    """Time derivatives of the three layers.

    Attributes:
        features: dV_f/dt, (..., N).
        hidden: dV_h/dt, (..., K), or None where tau_h is 0.
        delayed: dV_d/dt, (..., N).
    """

    features: Array
    hidden: Array | None
    delayed: Array


def equilibrium(model: GSEMM, features: Array, delayed: Array) -> Array:
    """The hidden layer at its equilibrium, V_h = sqrt(a_s) Xi' s_f(V_f) + a_c Phi' Xi' V_d.

    Args:
        model: the network.
        features: V_f, (..., N).
        delayed: V_d, (..., N).

    Returns:
        V_h, (..., K).
    """
    static = math.sqrt(model.alpha_s) * (model.feature_activation(features) @ model.patterns.T)
    return np.asarray(static + model.alpha_c * (delayed @ model.patterns.T @ model.transitions))


def rates(
    model: GSEMM, features: Array, delayed: Array, hidden: Array | None = None, drive: Array | float = 0.0
) -> Rates:
    """The time derivatives of all layers, taken at the same moment.

    Args:
        model: the network.
        features: V_f, (..., N).
        delayed: V_d, (..., N).
        hidden: V_h, (..., K); needed where tau_h > 0.
        drive: the feature input u, (..., N).
    """
    target = equilibrium(model, features, delayed)
    now = _hidden(model, hidden, target)
    pull = math.sqrt(model.alpha_s) * (model.hidden_activation(now) @ model.patterns)
    return Rates(
        (pull - features + drive) / model.tau_f,
        (target - now) / model.tau_h if model.tau_h > 0 else None,
        (model.beta_d * model.feature_activation(features) - delayed) / model.tau_d,
    )


def energy(
    model: GSEMM, features: Array, delayed: Array, hidden: Array | None = None, drive: Array | float = 0.0
) -> Array:
    """The energy E.

    Args:
        model: the network.
        features: V_f, (..., N).
        delayed: V_d, (..., N).
        hidden: V_h, (..., K); needed where tau_h > 0, and not read where it is 0.
        drive: the feature input u, (..., N).

    Returns:
        E, (...).

    Example:
        >>> from sharpwave.memory import GAMM
        >>> model = GAMM(np.eye(2), feature_activation="tanh", hidden_activation="identity", alpha_s=4.0)
        >>> at_rest, recalling = energy(model, np.array([[0.0, 0.0], [4.0, 0.0]]), np.zeros((2, 2)))
        >>> bool(recalling < at_rest)
        True
    """
    active = model.feature_activation(features)
    target = equilibrium(model, features, delayed)
    now = _hidden(model, hidden, target)
    visible = ((features - drive) * active).sum(-1) - model.feature_activation.lagrangian(features)
    return np.asarray(visible + hidden_energy(model, now, target))


def hidden_energy(model: GSEMM, hidden: Array, target: Array) -> Array:
    """The part of the energy that holds the hidden layer, from V_h and its equilibrium, both (..., K)."""
    s = model.hidden_activation
    return np.asarray(((hidden - target) * s(hidden)).sum(-1) - s.lagrangian(hidden))


def energy_rates(
    model: GSEMM, features: Array, delayed: Array, hidden: Array | None = None, drive: Array | float = 0.0
) -> tuple[Array, Array]:
    """The two parts of dE/dt along the trajectory: descent on the surface, and the surface's own drift.

    Args:
        model, features, delayed, hidden, drive: see `energy`.

    Returns:
        descent, never positive, and drift, both (...); their sum is dE/dt.
    """
    rate = rates(model, features, delayed, hidden, drive)
    descent = -model.tau_f * _form(model.feature_activation.jacobian_product(features, rate.features), rate.features)
    now = _hidden(model, hidden, equilibrium(model, features, delayed) if hidden is None else hidden)
    if rate.hidden is not None:
        descent = descent - model.tau_h * _form(model.hidden_activation.jacobian_product(now, rate.hidden), rate.hidden)
    moved = rate.delayed @ model.patterns.T @ model.transitions
    return np.asarray(descent), np.asarray(-model.alpha_c * _form(moved, model.hidden_activation(now)))


def surface_gradient(model: GSEMM, features: Array, delayed: Array, drive: Array | float = 0.0) -> Array:
    """The gradient in V_f of the energy at fixed V_d, with the hidden layer at its equilibrium.

        J_f (V_f - sqrt(a_s) Xi s_h - u)

    Args:
        model: the network; its tau_h plays no part.
        features: V_f, (..., N).
        delayed: V_d, (..., N).
        drive: the feature input u, (..., N).

    Returns:
        (..., N).
    """
    return np.asarray(model.feature_activation.jacobian_product(features, _residual(model, features, delayed, drive)))


def surface_hessian(model: GSEMM, features: Array, delayed: Array, drive: Array | float = 0.0) -> Array:
    """The Hessian in V_f of the energy at fixed V_d, with the hidden layer at its equilibrium.

        J_f - a_s J_f Xi J_h Xi' J_f + (dJ_f/dV_f) (V_f - sqrt(a_s) Xi s_h - u)

    Args:
        model, features, delayed, drive: see `surface_gradient`.

    Returns:
        (..., N, N), symmetric.
    """
    J_f = model.feature_activation.jacobian(features)
    J_h = model.hidden_activation.jacobian(equilibrium(model, features, delayed))
    seen = model.patterns @ J_f
    coupled = model.alpha_s * (np.swapaxes(seen, -1, -2) @ J_h @ seen)
    residual = _residual(model, features, delayed, drive)
    return np.asarray(J_f - coupled + model.feature_activation.jacobian_slope(features, residual))


def _residual(model: GSEMM, features: Array, delayed: Array, drive: Array | float) -> Array:
    s = model.hidden_activation(equilibrium(model, features, delayed))
    return np.asarray(features - math.sqrt(model.alpha_s) * (s @ model.patterns) - drive)


def _hidden(model: GSEMM, hidden: Array | None, target: Array) -> Array:
    if model.tau_h == 0:
        return target
    if hidden is None:
        raise ValueError(f"hidden activity is needed where tau_h > 0, got None with tau_h={model.tau_h}")
    return hidden


def _form(a: Array, b: Array) -> Array:
    return np.asarray((a * b).sum(-1))
