"""Neuron models of the field, as equations: what they are, and where their numbers are from."""

from __future__ import annotations

from .models import NeuronModel


# fmt: off
def mcculloch_pitts(threshold: float = 1.0) -> NeuronModel:
    """McCulloch-Pitts units: they spike in each step in which the weights that arrive reach the threshold.

    Args:
        threshold: without a unit.

    Source:
        McCulloch and Pitts, Bulletin of Mathematical Biophysics 5 (1943) 115.
    """
    return NeuronModel("v = 0 : 1", "v >= threshold", parameters={"threshold": threshold})


def integrate_and_fire(
    threshold: float = -52.0, reset: float = -65.0, refractory: float = 5.0
) -> NeuronModel:
    """Integrate-and-fire without leak. Potentials in mV, times in ms; weights in mV.

    Args:
        threshold, reset: membrane potentials; it begins at reset.
        refractory: after a spike.
    """
    return NeuronModel(
        "dv/dt = 0*mV/ms : mV (unless refractory)", "v >= threshold", "v = reset", refractory,
        {"threshold": _mV(threshold), "reset": _mV(reset)}, {"v": "reset"},
    )


def lif(
    tau: float = 100.0, rest: float = -65.0, reset: float = -65.0, threshold: float = -52.0, refractory: float = 5.0
) -> NeuronModel:
    """Leaky integrate-and-fire; a spike that arrives moves the membrane potential by its weight. Exact decay.

    Args:
        tau: membrane time constant, ms; default of Diehl and Cook (2015), as the others.
        rest, reset, threshold: membrane potentials, mV; it begins at rest.
        refractory: after a spike, ms: the potential decays but takes no input.

    Source:
        Gerstner, Kistler, Naud and Paninski, Neuronal Dynamics (2014), section 1.3.

    Example:
        >>> lif().constants["tau"]
        100.0
    """
    return NeuronModel(
        "dv/dt = (rest - v)/tau : mV (no input while refractory)", "v >= threshold", "v = reset", refractory,
        {"tau": _ms(tau), "rest": _mV(rest), "reset": _mV(reset), "threshold": _mV(threshold)}, {"v": "rest"},
    )


def current_lif(
    tau: float = 20.0, tau_current: float = 5.0, resistance: float = 0.1, rest: float = -65.0, reset: float = -65.0,
    threshold: float = -50.0, refractory: float = 2.0, current: float = 0.0,
) -> NeuronModel:
    """Leaky integrate-and-fire with exponential currents: weights are in pA, onto the target `I`.

    Args:
        tau, tau_current: time constants of membrane and current, ms.
        resistance: GOhm.
        rest, reset, threshold: mV.
        refractory: ms; the membrane stands still.
        current: constant input, pA.

    Source:
        Neuronal Dynamics, sections 1.3 and 5.1. The f-I curve is
        1/(t_ref + tau ln((RI + E_L - V_r)/(RI + E_L - V_th))).
    """
    return NeuronModel(
        "dv/dt = (rest - v + resistance*(I + current))/tau : mV (unless refractory)\ndI/dt = -I/tau_current : pA",
        "v > threshold", "v = reset", refractory,
        {"tau": _ms(tau), "tau_current": _ms(tau_current), "resistance": f"{resistance!r} GOhm", "rest": _mV(rest),
         "reset": _mV(reset), "threshold": _mV(threshold), "current": f"{current!r} pA"},
        {"v": "rest"},
    )


def conductance_lif(
    tau: float = 100.0, rest: float = -65.0, reset: float = -65.0, threshold: float = -52.0, refractory: float = 5.0,
    excitatory_reversal: float = 0.0, inhibitory_reversal: float = -100.0, tau_excitatory: float = 1.0,
    tau_inhibitory: float = 2.0,
) -> NeuronModel:
    """Leaky integrate-and-fire with conductances in units of the leak: weights onto the targets `g_e` and `g_i`.

    Args:
        tau: membrane time constant, ms.
        rest, reset, threshold: mV.
        refractory: ms; the membrane stands still.
        excitatory_reversal, inhibitory_reversal: mV.
        tau_excitatory, tau_inhibitory: of the conductances, ms.

    Source:
        Defaults: excitatory neurons of Diehl and Cook (2015). The membrane is integrated by Euler steps, as there.
    """
    return NeuronModel(
        _CONDUCTANCE, "v > threshold", "v = reset", refractory,
        {"tau": _ms(tau), "rest": _mV(rest), "reset": _mV(reset), "threshold": _mV(threshold),
         "e_e": _mV(excitatory_reversal), "e_i": _mV(inhibitory_reversal), "tau_e": _ms(tau_excitatory),
         "tau_i": _ms(tau_inhibitory)},
        {"v": "rest"},
    )


def adaptive_lif(
    tau: float = 100.0, rest: float = -65.0, reset: float = -65.0, threshold: float = -52.0, refractory: float = 5.0,
    theta_plus: float = 0.05, tau_theta: float = 1e7,
) -> NeuronModel:
    """Leaky integrate-and-fire whose threshold rises by `theta_plus` with each spike and decays; each example its own.

    Args:
        tau, rest, reset, threshold, refractory: as in `lif`.
        theta_plus: mV.
        tau_theta: ms.
    """
    return NeuronModel(
        "dv/dt = (rest - v)/tau : mV (no input while refractory)\ndtheta/dt = -theta/tau_theta : mV",
        "v >= threshold + theta", "v = reset; theta += theta_plus", refractory,
        {"tau": _ms(tau), "rest": _mV(rest), "reset": _mV(reset), "threshold": _mV(threshold),
         "theta_plus": _mV(theta_plus), "tau_theta": _ms(tau_theta)},
        {"v": "rest"},
    )


def diehl_cook(
    tau: float = 100.0, rest: float = -65.0, reset: float = -60.0, threshold: float = -52.0, refractory: float = 5.0,
    theta_plus: float = 0.05, tau_theta: float = 1e7,
) -> NeuronModel:
    """The neuron of one-layer Diehl-Cook networks: LIF with a threshold that examples share and learning moves.

    Args:
        tau: membrane time constant, ms.
        rest, reset, threshold: mV.
        refractory: ms; the potential decays but takes no input.
        theta_plus: rise of the threshold with each spike, mV.
        tau_theta: time constant of its decay, ms.

    Source:
        arXiv 1904.06269, arXiv 1909.02549.
    """
    return NeuronModel(
        "dv/dt = (rest - v)/tau : mV (no input while refractory)\ndtheta/dt = -theta/tau_theta : mV (shared)",
        "v >= threshold + theta", "v = reset; theta += theta_plus", refractory,
        {"tau": _ms(tau), "rest": _mV(rest), "reset": _mV(reset), "threshold": _mV(threshold),
         "theta_plus": _mV(theta_plus), "tau_theta": _ms(tau_theta)},
        {"v": "rest"},
    )


def diehl_cook_2015_excitatory() -> NeuronModel:
    """Excitatory neuron of Diehl and Cook (2015): conductances, and a threshold shared by all examples.

    The threshold is theta - 20 mV - 52 mV; theta begins at 20 mV, rises by .05 mV with each spike and decays with
    1e7 ms. The membrane takes implicit Euler steps, which are those with the divisor tau + dt (1 + g_e + g_i): the
    paper's explicit ones overshoot where g_i is above 2 tau/dt, and a network in which two dozen inhibitory neurons
    spike at once explodes.

    Source:
        Diehl and Cook, Frontiers in Computational Neuroscience 9 (2015) 99; arXiv 1808.08173.
    """
    return NeuronModel(
        _IMPLICIT + "\ndtheta/dt = -theta/tau_theta : mV (shared)",
        "v > theta - offset + threshold", "v = reset; theta += theta_plus", 5.0,
        {"tau": "100 ms", "rest": "-65 mV", "reset": "-65 mV", "threshold": "-52 mV", "offset": "20 mV", "e_e": "0 mV",
         "e_i": "-100 mV", "tau_e": "1 ms", "tau_i": "2 ms", "theta_plus": "0.05 mV", "tau_theta": "1e7 ms"},
        {"v": "rest", "theta": "20 mV"},
    )


def diehl_cook_2015_inhibitory() -> NeuronModel:
    """Inhibitory neuron of Diehl and Cook (2015)."""
    return conductance_lif(10.0, -60.0, -45.0, -40.0, 2.0, 0.0, -85.0)


def izhikevich(a: float = 0.02, b: float = 0.2, c: float = -65.0, d: float = 8.0) -> NeuronModel:
    """Izhikevich's neuron, by Euler steps; weights in mV. Regular spiking by default.

    Args:
        a, b, c, d: as in the paper, for times in ms and potentials in mV.

    Source:
        Izhikevich, IEEE Transactions on Neural Networks 14 (2003) 1569. A step of .5 ms or less is advisable, as there.
    """
    return NeuronModel(
        "dv/dt = (0.04*v**2/mV + 5*v + 140*mV - u + current)/ms : mV\ndu/dt = a*(b*v - u)/ms : mV",
        "v >= 30*mV", "v = c; u += d", 0.0,
        {"a": a, "b": b, "c": _mV(c), "d": _mV(d), "current": "0 mV"}, {"v": _mV(-65.0), "u": _mV(-65.0 * b)},
        "euler",
    )


def srm0(
    tau: float = 10.0, rest: float = -65.0, threshold: float = -50.0, width: float = 2.0, rate: float = 0.1,
    tau_refractory: float = 10.0, reset: float = -15.0,
) -> NeuronModel:
    """Spike response model of zeroth order with escape noise.

    The membrane potential is rest, plus the weights of arrived spikes decaying with `tau`, plus `reset` after its own
    last spike, decaying with `tau_refractory`. It spikes with probability 1 - exp(-rate exp((v - threshold)/width) dt).

    Args:
        tau, tau_refractory: ms.
        rest, threshold, width, reset: mV; `reset` is how far a spike moves the potential.
        rate: at threshold, 1/ms.

    Source:
        Neuronal Dynamics, sections 6.4 and 9.1; exponential kernels are a choice made here.
    """
    return NeuronModel(
        "dv/dt = -v/tau : mV\ndeta/dt = -eta/tau_refractory : mV",
        "uniform < 1 - exp(-rate*exp((rest + v + eta - threshold)/width)*dt)", "eta = reset", 0.0,
        {"tau": _ms(tau), "rest": _mV(rest), "threshold": _mV(threshold), "width": _mV(width),
         "rate": f"{rate!r} 1/ms", "tau_refractory": _ms(tau_refractory), "reset": _mV(reset)},
    )


def exponential_if(
    tau: float = 20.0, rest: float = -65.0, reset: float = -70.0, threshold: float = -50.0, sharpness: float = 2.0,
    peak: float = -30.0, refractory: float = 2.0,
) -> NeuronModel:
    """Exponential integrate-and-fire; weights in mV.

    Args:
        tau: ms.
        rest, reset, threshold: mV; threshold is where the exponential takes over.
        sharpness: of the spike's beginning, mV.
        peak: at which it counts as a spike, mV.
        refractory: ms; the membrane stands still.

    Source:
        Fourcaud-Trocme, Hansel, van Vreeswijk and Brunel, Journal of Neuroscience 23 (2003) 11628.
    """
    return NeuronModel(
        "dv/dt = (rest - v + sharpness*exp((v - threshold)/sharpness))/tau : mV (unless refractory)",
        "v >= peak", "v = reset", refractory,
        {"tau": _ms(tau), "rest": _mV(rest), "reset": _mV(reset), "threshold": _mV(threshold),
         "sharpness": _mV(sharpness), "peak": _mV(peak)},
        {"v": "rest"}, "euler",
    )
# fmt: on


_CONDUCTANCE = """dv/dt = (rest - v + g_e*(e_e - v) + g_i*(e_i - v))/tau : mV (unless refractory)
dg_e/dt = -g_e/tau_e : 1
dg_i/dt = -g_i/tau_i : 1"""
_IMPLICIT = _CONDUCTANCE.replace("/tau :", "/(tau + dt*(1 + g_e + g_i)) :")


def _ms(value: float) -> str:
    return f"{float(value)!r} ms"


def _mV(value: float) -> str:  # noqa: N802  (the unit's name)
    return f"{float(value)!r} mV"
