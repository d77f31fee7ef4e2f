"""Networks for tests: small, of every kind, with weights that leave no ties at thresholds."""

from __future__ import annotations

import numpy as np

from sharpwave.spiking import (
    Connection,
    Convolutional,
    Dense,
    NeuronModel,
    OneToOne,
    Plasticity,
    Sparse,
    Spikes,
    Trace,
    Windowed,
    adaptive_lif,
    conductance_lif,
    current_lif,
    diehl_cook,
    diehl_cook_2015_excitatory,
    diehl_cook_2015_inhibitory,
    exponential_if,
    hebbian,
    integrate_and_fire,
    izhikevich,
    lif,
    mcculloch_pitts,
    pair_stdp,
    reward_modulated_stdp,
    srm0,
    triplet_stdp,
    weight_dependent_stdp,
)

# By name: the model, the largest weight of each target, and the time step.
MODELS = {
    "mcculloch_pitts": (mcculloch_pitts(), {"v": 0.8}, 1.0),
    "integrate_and_fire": (integrate_and_fire(), {"v": 6.0}, 1.0),
    "lif": (lif(), {"v": 6.0}, 1.0),
    "current_lif": (current_lif(), {"I": 500.0}, 1.0),
    "conductance_lif": (conductance_lif(), {"g_e": 1.5, "g_i": 0.5}, 0.5),
    "adaptive_lif": (adaptive_lif(theta_plus=1.0, tau_theta=50.0), {"v": 6.0}, 1.0),
    "diehl_cook": (diehl_cook(), {"v": 6.0}, 1.0),
    "diehl_cook_2015_excitatory": (diehl_cook_2015_excitatory(), {"g_e": 1.5, "g_i": 0.5}, 0.5),
    "diehl_cook_2015_inhibitory": (diehl_cook_2015_inhibitory(), {"g_e": 1.5, "g_i": 0.5}, 0.5),
    "izhikevich": (izhikevich(), {"v": 15.0}, 0.5),
    "srm0": (srm0(), {"v": 6.0}, 1.0),
    "exponential_if": (exponential_if(), {"v": 6.0}, 0.5),
}
# Flags, noise, time, a shared variable and a variable without memory at once.
EVERYTHING = NeuronModel(
    "dv/dt = (rest - v + gain*g + 2*mV*sin(t/(7*ms)))/tau : mV (unless refractory)\n"
    "dg/dt = -g/(3*ms) : 1 (no input while refractory)\nx = v + noise*(uniform - 0.5) : mV\n"
    "dtheta/dt = -theta/(50*ms) : mV (shared)",
    "x > rest + 5*mV + theta",
    "v = rest + 2*mV*uniform; g *= 0.5; theta += 0.5*mV",
    "2 ms",
    {"rest": "-60 mV", "gain": "60 mV", "tau": "10 ms", "noise": "3 mV"},
    {"v": "rest", "theta": "0.1 mV"},
)
RULES = {
    "pair_stdp": lambda reduction: pair_stdp(0.02, 0.05, reduction=reduction),
    "postsynaptic_stdp": lambda reduction: pair_stdp(0.0, 0.05, reduction=reduction),
    "all_pairs_stdp": lambda reduction: pair_stdp(0.02, 0.05, on_spike="add", reduction=reduction),
    "weight_dependent_stdp": lambda reduction: weight_dependent_stdp(0.05, 0.1, reduction=reduction),
    "triplet_stdp": lambda reduction: triplet_stdp(0.02, 0.1, reduction=reduction),
    "hebbian": lambda reduction: hebbian(0.02, 0.03, reduction=reduction),
    "reward_modulated_stdp": lambda reduction: reward_modulated_stdp(0.1, reduction=reduction),
    "with_eligibility": lambda reduction: reward_modulated_stdp(0.02, eligibility=15.0, reduction=reduction),
    # changes by spikes alone, by the weight, by every kind of trace, and of either sign
    "everything": lambda reduction: Plasticity(
        "w -= 0.01*(y - 0.4) + 0.02*w*x_before",
        "w += 0.03*(x - w) + 0.02*slow_before*slow - 0.001",
        {"x": Trace(15.0, "add")},
        {"y": Trace(20.0), "slow": Trace(40.0, "add")},
        bounds=(0.0, 1.0),
        reduction=reduction,
    ),
}
REWARDED = ("reward_modulated_stdp", "with_eligibility")
KINDS = ("dense", "one_to_one", "sparse", "locally_connected", "copying_winner", "convolutional")
IMAGE = (5, 5)  # of the connections that need one: 3 x 3 windows in steps of 2, four positions, three filters


def sizes(kind: str) -> tuple[int, int]:
    """Presynaptic and postsynaptic units of a kind of connection."""
    return {"dense": (14, 9), "one_to_one": (12, 12), "sparse": (16, 11)}.get(kind, (25, 12))


def connection(kind: str, rng: np.random.Generator, largest: float = 1.0, **settings: object) -> Connection:
    """From `input` to `layer`, with weights from 0 to the largest."""
    ends, (pre, post) = ("input", "layer"), sizes(kind)

    def weights(*shape: int) -> np.ndarray:
        return largest * rng.random(shape)

    match kind:
        case "dense":
            return Dense(*ends, weights(pre, post), **settings)
        case "one_to_one":
            return OneToOne(*ends, weights(pre), **settings)
        case "sparse":
            matrix = weights(pre, post) * (rng.random((pre, post)) < 0.4)
            return Sparse.from_matrix(*ends, matrix, **settings)
        case "convolutional":
            return Convolutional(*ends, weights(9, 3), image_shape=IMAGE, kernel_size=3, stride=2, **settings)
        case _:
            shape = weights(4, 9, 3)
            copies = kind == "copying_winner"
            return Windowed(*ends, shape, image_shape=IMAGE, kernel_size=3, stride=2, copies_winner=copies, **settings)


def events(rng: np.random.Generator, examples: int, steps: int, units: int, dt: float, rate: float = 0.1) -> Spikes:
    """Spikes at random, now and then several of a unit in one step."""
    return Spikes.from_dense(rng.poisson(rate, (examples, steps, units)), dt)
