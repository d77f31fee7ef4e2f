"""Dwell times of orthogonal patterns against the winner-take-all limit in overlaps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .experiment import Context, Experiment

Array = NDArray[np.float64]

_MEMORIES = 4


@dataclass(frozen=True)
class DwellOracleConfig:
    """Constants of the paper's DSEM figure; times in units of tau_f."""

    seed: int = 0
    """Nothing is random here."""
    alpha_s: float = 1.0
    """Strength of the static coupling."""
    alpha_c: float = 4.9
    """Strength of the delayed coupling."""
    tau_d: float = 20.0
    """Time constant of the delay."""
    beta_d: float = 7.0
    """Gain of the delay."""
    gain: float = 100.0
    """Gain of the hidden layer, high enough for a single winner."""
    repeats: int = 25
    """How often each of the four signs stands in a pattern, so that there are four times as many features."""
    others: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0, 10.0)
    """Other strengths of the delayed coupling at which the two are compared."""
    settled: int = 10
    """Visits that are left out, while the delayed features build up."""
    visits: int = 30
    """Visits of which the dwell time is taken."""
    backend: Literal["auto", "julia", "torch"] = "auto"
    """Who computes: auto is Julia, or torch where there is no Julia."""

    def __post_init__(self) -> None:
        if min(self.alpha_s, self.alpha_c, self.tau_d, self.beta_d, *self.others) <= 0 or self.tau_d == 1:
            raise ValueError("couplings and time constants must be positive, and tau_d must not be 1")
        if min(self.settled, self.visits, self.repeats) < 1:
            raise ValueError("settled, visits and repeats must be at least 1")


def winner_take_all_dwell(alpha_s: float, alpha_c: float, tau_d: float, beta_d: float, memories: int) -> float:
    """Dwell time of the periodic solution of the winner-take-all limit, in units of tau_f.

    With orthogonal patterns and a hidden layer of infinite gain, overlaps with memory k obey

        m_f' = sqrt(a_s) e_k - m_f,    tau_d m_d' = b_d m_f - m_d,    k = argmax(sqrt(a_s) m_f + a_c shift(m_d)).

    If each of n memories wins for a time T in turn, m_f and m_d are the responses of linear filters to a pulse of
    length T that comes back after nT, which are known in closed form. T is the least at which the next memory draws
    level when its predecessor has won for T.

    Args:
        alpha_s: a_s.
        alpha_c: a_c.
        tau_d: time constant of the delay in units of tau_f, other than 1.
        beta_d: b_d.
        memories: n, the length of the cycle.

    Raises:
        ValueError: the next memory never draws level.

    Example:
        >>> round(winner_take_all_dwell(1.0, 4.9, 20.0, 7.0, 4), 3)
        4.967
    """
    from scipy.optimize import brentq

    def lead(dwell: float) -> float:
        """By how much the winner leads the next memory after winning for `dwell`."""
        period = memories * dwell

        def low_pass(tau: float, t: float) -> float:
            """Response to the pulse at time t after its start, for t from T to nT."""
            return float(np.exp(-(t - dwell) / tau) * np.expm1(-dwell / tau) / np.expm1(-period / tau))

        def delayed(t: float) -> float:
            return (tau_d * low_pass(tau_d, t) - low_pass(1.0, t)) / (tau_d - 1.0)

        static = alpha_s * (low_pass(1.0, dwell) - low_pass(1.0, period))
        return static + alpha_c * beta_d * math.sqrt(alpha_s) * (delayed(2 * dwell) - delayed(dwell))

    grid = np.geomspace(1e-3, 1e2 * max(tau_d, 1.0), 4000)
    behind = np.flatnonzero(np.array([lead(dwell) for dwell in grid]) < 0)
    if not behind.size or behind[0] == 0:
        raise ValueError(f"alpha_c={alpha_c} is too small: the next memory never draws level; raise alpha_c or beta_d")
    return float(brentq(lead, grid[behind[0] - 1], grid[behind[0]], xtol=1e-12))


def compare(context: Context) -> dict[str, Any]:
    """Measure dwell times in the network, and compare them with the limit."""
    config = context.config
    couplings = sorted({config.alpha_c, *config.others})
    limits, means, spreads = np.zeros((3, len(couplings)))
    for place, alpha_c in enumerate(couplings):
        limits[place] = winner_take_all_dwell(config.alpha_s, alpha_c, config.tau_d, config.beta_d, _MEMORIES)
        dwell = _network_dwell(config, alpha_c, limits[place])
        means[place], spreads[place] = dwell.mean(), np.ptp(dwell)
        context.progress(place + 1, len(couplings))
    deviations = means / limits - 1
    here = couplings.index(config.alpha_c)
    context.metric("dwell time in the limit", float(limits[here]), unit="tau_f", note="known: 4.965")
    context.metric("dwell time in the network", float(means[here]), unit="tau_f")
    context.metric("deviation", float(100 * deviations[here]), unit="%", note="must be within 1 %")
    context.metric("largest deviation at any coupling", float(100 * np.abs(deviations).max()), unit="%")
    context.metric("spread of dwell times in the network", float(spreads[here]), unit="tau_f")
    context.table(
        "Dwell times",
        ["alpha_c", "limit", "network", "deviation"],
        [
            [f"{a:g}", f"{limit:.4f}", f"{mean:.4f}", f"{100 * deviation:+.3f} %"]
            for a, limit, mean, deviation in zip(couplings, limits, means, deviations, strict=True)
        ],
        "Times are in units of tau_f.",
    )
    context.figure(
        "dwell_times",
        _figure(config, np.array(couplings), means),
        title="Dwell time against the strength of the delayed coupling",
        alt="A falling curve, the limit, with the network's dwell times as dots on it.",
        caption="The line is the winner-take-all limit, the dots are the network. The filled dot has the constants of "
        "the paper's figure.",
    )
    return {"alpha_c": np.array(couplings), "limit": ("alpha_c", limits), "network": ("alpha_c", means)}


def _network_dwell(config: DwellOracleConfig, alpha_c: float, expected: float) -> Array:
    """Dwell times in the network once they have settled."""
    from ..memory import DSEM, cycle

    signs = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]], dtype=np.float64)
    patterns = np.kron(signs, np.ones(config.repeats))
    constants = {name: getattr(config, name) for name in ("alpha_s", "tau_d", "beta_d")}
    gain = config.gain / config.repeats * 25  # the drive of the hidden layer grows with the number of features
    memory = DSEM(patterns, cycle(_MEMORIES), alpha_c=alpha_c, gain=gain, **constants)
    t_end = expected * (config.settled + config.visits + 4) + 5 * config.tau_d
    result = memory.recall(patterns[0], t_end, n_times=5001, backend=config.backend)
    dwell = result.dwell_times[config.settled :][: config.visits]
    if len(dwell) < config.visits:
        raise ValueError(
            f"alpha_c={alpha_c}: {config.settled + config.visits} complete visits were expected, "
            f"got {len(result.dwell_times)}"
        )
    return dwell


def _figure(config: DwellOracleConfig, couplings: Array, means: Array) -> Any:
    from matplotlib.figure import Figure

    from ..plots import COLORS, style

    fine = np.geomspace(couplings[0], couplings[-1], 100)
    constants = (config.tau_d, config.beta_d, _MEMORIES)
    limit = [winner_take_all_dwell(config.alpha_s, alpha_c, *constants) for alpha_c in fine]
    with style():
        figure = Figure(figsize=(4.8, 3.4), layout="constrained")
        axes = figure.add_subplot()
        axes.semilogx(fine, limit, color=COLORS[0], label="winner-take-all limit")
        axes.semilogx(couplings, means, "o", color=COLORS[1], fillstyle="none", label="network")
        here = couplings == config.alpha_c
        axes.semilogx(couplings[here], means[here], "o", color=COLORS[1])
        axes.set(xlabel="alpha_c", ylabel="dwell time / tau_f", ylim=(0, None))
        axes.legend()
        return figure


EXPERIMENT = Experiment(
    name="dwell-oracle",
    title="Dwell times of orthogonal patterns against their exact limit",
    summary="With orthogonal patterns and a hidden layer of high gain, the DSEM reduces to a winner-take-all system in "
    "the overlaps, whose periodic solution has a dwell time that one scalar equation gives. The network, integrated as "
    "it is, must come out with the same.",
    source="General Sequential Episodic Memory Model, ICML 2023, arXiv 2212.05563, constants of the DSEM figure",
    config=DwellOracleConfig,
    quick={"others": (1.0,), "visits": 8},
    steps=(compare,),
    headline=("dwell time in the limit", "dwell time in the network", "deviation", "largest deviation at any coupling"),
    expected="dwell time of 4.965 tau_f, within 1 %",
)
