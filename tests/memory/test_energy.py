"""The energy, its identity along trajectories, its gradient and its Hessian."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from sharpwave.memory import (
    DSEM,
    GSEMM,
    LISEM,
    cycle,
    energy,
    energy_rates,
    equilibrium,
    rates,
    surface_gradient,
    surface_hessian,
)

K, N = 4, 7


def models(tau_h: float) -> dict[str, GSEMM]:
    rng = np.random.default_rng(3)
    patterns, phi = rng.normal(size=(K, N)), rng.normal(size=(K, K))
    constants = {"alpha_s": 0.7, "alpha_c": 1.3, "tau_f": 0.8, "tau_h": tau_h, "tau_d": 5.0, "beta_d": 1.7}
    return {
        "LISEM": LISEM(patterns / 2, phi, gain=1.4, **constants),
        "DSEM": DSEM(patterns, phi, gain=2.5, **constants),
        "polynomial": GSEMM(patterns / 2, phi, "tanh", "rectified-polynomial", **constants),
        "softmax features": GSEMM(patterns, phi, "softmax", "tanh", **constants),
    }


CASES = [pytest.param(m, id=f"{name}, tau_h={tau_h}") for tau_h in (0.0, 0.3) for name, m in models(tau_h).items()]


def states(model: GSEMM, count: int = 20):
    rng = np.random.default_rng(8)
    hidden = rng.normal(size=(count, K)) if model.tau_h > 0 else None
    return rng.normal(size=(count, N)), rng.normal(size=(count, N)), hidden


def numerical_gradient(function, x, step=1e-5):
    """Fourth-order central differences in the last axis."""
    out = []
    for e in np.eye(x.shape[-1]) * step:
        far = function(x - 2 * e) - function(x + 2 * e)
        out.append((far + 8 * (function(x + e) - function(x - e))) / (12 * step))
    return np.stack(out, axis=-1)


@pytest.mark.parametrize("model", CASES)
def test_energy_identity_by_the_chain_rule(model):
    """dE/dt is the gradient of E in all layers, here by automatic differentiation, times their velocities."""
    import torch

    f, d, h = states(model)
    drive = np.random.default_rng(1).normal(size=N)
    rate = rates(model, f, d, h, drive)
    layers = [torch.from_numpy(x).requires_grad_() for x in (f, d, *([h] if h is not None else []))]
    total = torch_energy(model, *layers, drive=torch.from_numpy(drive))
    np.testing.assert_allclose(total.detach().numpy(), energy(model, f, d, h, drive), rtol=1e-12)
    gradients = torch.autograd.grad(total.sum(), layers)
    velocities = [rate.features, rate.delayed, *([rate.hidden] if h is not None else [])]
    by_chain_rule = sum((g.numpy() * v).sum(-1) for g, v in zip(gradients, velocities, strict=True))
    descent, drift = energy_rates(model, f, d, h, drive)
    assert (descent <= 0).all()
    np.testing.assert_allclose(descent + drift, by_chain_rule, rtol=1e-8, atol=1e-11)


def torch_energy(model, f, d, h=None, drive=0.0):
    """E written out term by term, as in the paper."""
    import torch

    xi, phi = torch.from_numpy(model.patterns.T.copy()), torch.from_numpy(model.transitions.copy())
    s_f = model.feature_activation(f)
    root = model.alpha_s**0.5
    if h is None:
        h = root * s_f @ xi + model.alpha_c * d @ xi @ phi
    s_h = model.hidden_activation(h)
    return (
        (f * s_f).sum(-1)
        - model.feature_activation.lagrangian(f)
        + (h * s_h).sum(-1)
        - model.hidden_activation.lagrangian(h)
        - root * ((s_f @ xi) * s_h).sum(-1)
        - model.alpha_c * ((d @ xi @ phi) * s_h).sum(-1)
        - (drive * s_f).sum(-1)
    )


@pytest.mark.parametrize("model", CASES)
def test_energy_identity_by_differences_along_a_trajectory(model):
    """Descent + drift against fourth-order differences of E in time, along trajectories of SciPy's DOP853."""
    split = [N, 2 * N] if model.tau_h > 0 else [N]

    def unpack(y):
        f, d, *h = np.split(np.moveaxis(y, 0, -1), split, axis=-1)
        return f, d, (h[0] if h else None)

    def velocity(t, y):
        rate = rates(model, *unpack(y))
        return np.concatenate([rate.features, rate.delayed, *([rate.hidden] if rate.hidden is not None else [])])

    f, d, h = states(model, 1)
    start = np.concatenate([f[0], d[0], *([h[0]] if h is not None else [])])
    tight = {"method": "DOP853", "rtol": 3e-14, "atol": 1e-14}
    along = solve_ivp(velocity, (0, 4), start, t_eval=np.linspace(0.2, 4.0, 8), **tight).y.T
    step = 5e-4
    differences = np.array(
        [
            # ends of solves, not their dense output, which is less accurate than the steps
            sum(
                weight * energy(model, *unpack(solve_ivp(velocity, (0, ahead * step), y, **tight).y[:, -1]))
                for ahead, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1))
            )
            / (12 * step)
            for y in along
        ]
    )
    descent, drift = energy_rates(model, *unpack(along.T))
    scale = np.abs(differences).max()
    np.testing.assert_allclose(descent + drift, differences, rtol=0, atol=1e-8 * scale)


@pytest.mark.parametrize("model", CASES)
def test_gradient_and_hessian_of_the_surface(model):
    f, d, _ = states(model, 3)
    drive = np.random.default_rng(1).normal(size=N)

    def surface(x):
        at_equilibrium = equilibrium(model, x, d)
        return energy(model, x, d, at_equilibrium, drive)

    gradient = surface_gradient(model, f, d, drive)
    np.testing.assert_allclose(gradient, numerical_gradient(surface, f), rtol=1e-8, atol=1e-8)
    hessian = surface_hessian(model, f, d, drive)
    np.testing.assert_allclose(hessian, np.swapaxes(hessian, -1, -2), rtol=1e-10, atol=1e-10)
    numerical = numerical_gradient(lambda x: surface_gradient(model, x, d, drive), f, step=1e-4)
    smooth = model.hidden_activation.name != "rectified-polynomial"  # which has a kink in its second derivative
    np.testing.assert_allclose(hessian, numerical, rtol=1e-7 if smooth else 1e-3, atol=1e-7 if smooth else 1e-3)


def test_no_drift_without_delayed_coupling():
    model = LISEM(np.random.default_rng(0).normal(size=(K, N)), cycle(K), alpha_c=0.0)
    f, d, _ = states(model)
    descent, drift = energy_rates(model, f, d)
    assert (descent < 0).all()
    assert not drift.any()


def test_hidden_activity_is_asked_for():
    model = models(0.3)["DSEM"]
    with pytest.raises(ValueError, match="hidden activity is needed where tau_h > 0"):
        energy(model, np.zeros(N), np.zeros(N))
