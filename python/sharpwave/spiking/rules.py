"""Plasticity rules of the field: what they are, and where they are from."""

from __future__ import annotations

from typing import Literal

from .plasticity import Plasticity, Reduction, Trace


def pair_stdp(
    nu_pre: float = 1e-4,
    nu_post: float = 1e-2,
    tau_pre: float = 20.0,
    tau_post: float = 20.0,
    bounds: tuple[float, float] = (0.0, 1.0),
    reduction: Reduction = "sum",
    on_spike: Literal["set", "add"] = "set",
) -> Plasticity:
    """Pair-based spike-timing dependent plasticity: depression at presynaptic, potentiation at postsynaptic spikes.

    Args:
        nu_pre, nu_post: learning rates; defaults of Diehl and Cook (2015).
        tau_pre, tau_post: time constants of the traces, ms.
        bounds, reduction: see `Plasticity`.
        on_spike: whether all pairs count (`"add"`) or the nearest (`"set"`).

    Source:
        Song, Miller and Abbott, Nature Neuroscience 3 (2000) 919; Diehl and Cook (2015).

    Example:
        >>> pair_stdp().on_post
        'w += nu_post*x'
    """
    return Plasticity(
        "w -= nu_pre*y" if nu_pre else None,
        "w += nu_post*x" if nu_post else None,
        {"x": Trace(tau_pre, on_spike)},
        {"y": Trace(tau_post, on_spike)},
        {name: rate for name, rate in (("nu_pre", nu_pre), ("nu_post", nu_post)) if rate},
        bounds,
        reduction,
    )


def weight_dependent_stdp(
    nu_pre: float = 1e-4,
    nu_post: float = 1e-2,
    tau_pre: float = 20.0,
    tau_post: float = 20.0,
    bounds: tuple[float, float] = (0.0, 1.0),
    reduction: Reduction = "sum",
) -> Plasticity:
    """Pair STDP whose changes are proportional to the distance from the bound that they move to (soft bounds).

    Source:
        van Rossum, Bi and Turrigiano, Journal of Neuroscience 20 (2000) 8812.

    Example:
        >>> weight_dependent_stdp().on_post
        'w += nu_post*x*(upper - w)'
    """
    return Plasticity(
        "w -= nu_pre*y*(w - lower)",
        "w += nu_post*x*(upper - w)",
        {"x": Trace(tau_pre)},
        {"y": Trace(tau_post)},
        {"nu_pre": nu_pre, "nu_post": nu_post, "lower": bounds[0], "upper": bounds[1]},
        bounds,
        reduction,
    )


def triplet_stdp(
    nu_pre: float = 1e-4,
    nu_post: float = 1e-2,
    tau_pre: float = 20.0,
    tau_post: float = 20.0,
    tau_slow: float = 40.0,
    bounds: tuple[float, float] = (0.0, 1.0),
    reduction: Reduction = "sum",
) -> Plasticity:
    """Triplet STDP: potentiation needs an earlier postsynaptic spike, whose slow trace is read before this one.

    Source:
        Pfister and Gerstner, Journal of Neuroscience 26 (2006) 9673, in the form of Diehl and Cook (2015).

    Example:
        >>> triplet_stdp().on_post
        'w += nu_post*x*slow_before'
    """
    return Plasticity(
        "w -= nu_pre*y",
        "w += nu_post*x*slow_before",
        {"x": Trace(tau_pre)},
        {"y": Trace(tau_post), "slow": Trace(tau_slow)},
        {"nu_pre": nu_pre, "nu_post": nu_post},
        bounds,
        reduction,
    )


def hebbian(
    nu_pre: float = 1e-2,
    nu_post: float = 1e-2,
    tau: float = 20.0,
    bounds: tuple[float, float] = (0.0, 1.0),
    reduction: Reduction = "sum",
) -> Plasticity:
    """Hebbian learning: spikes of either side strengthen the synapse in proportion to the other side's trace.

    Example:
        >>> hebbian().on_pre
        'w += nu_pre*y'
    """
    return Plasticity(
        "w += nu_pre*y",
        "w += nu_post*x",
        {"x": Trace(tau)},
        {"y": Trace(tau)},
        {"nu_pre": nu_pre, "nu_post": nu_post},
        bounds,
        reduction,
    )


def reward_modulated_stdp(
    nu: float = 1e-2,
    a_plus: float = 1.0,
    a_minus: float = 1.0,
    tau_pre: float = 20.0,
    tau_post: float = 20.0,
    eligibility: float | None = None,
    bounds: tuple[float, float] = (0.0, 1.0),
    reduction: Reduction = "sum",
) -> Plasticity:
    """Pair STDP times a reward, at once (MSTDP) or through an eligibility trace of each synapse (MSTDPET).

    Args:
        nu: learning rate.
        a_plus, a_minus: size of potentiation and depression.
        tau_pre, tau_post: time constants of the traces, ms; every spike adds to them.
        eligibility: time constant of the eligibility trace, ms; None for none.
        bounds, reduction: see `Plasticity`.

    Source:
        Florian, Neural Computation 19 (2007) 1468.

    Example:
        >>> reward_modulated_stdp().rewarded, reward_modulated_stdp(eligibility=25.0).on_post
        (True, 'w += nu*a_plus*x')
    """
    factor = "" if eligibility else "reward*"
    return Plasticity(
        f"w -= {factor}nu*a_minus*y",
        f"w += {factor}nu*a_plus*x",
        {"x": Trace(tau_pre, "add")},
        {"y": Trace(tau_post, "add")},
        {"nu": nu, "a_plus": a_plus, "a_minus": a_minus},
        bounds,
        reduction,
        eligibility,
    )
