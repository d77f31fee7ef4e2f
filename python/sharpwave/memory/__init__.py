"""Sequential episodic memory: energy-based networks that recall one memory after another.

Source: "General Sequential Episodic Memory Model", ICML 2023, arXiv 2212.05563.
"""

from __future__ import annotations

from .activations import Activation, Identity, RectifiedPolynomial, Relu, Softmax, Tanh, activation
from .capacity import CapacityCurve, CapacityPoint, CapacityStudy, capacity_curve, find_capacity
from .conversion import as_rnn
from .decorrelation import Decorrelation
from .energies import energy, energy_rates, equilibrium, rates, surface_gradient, surface_hessian
from .episodes import Visit, find_visits
from .graphs import chain, cycle, transitions
from .growth import Growth, Law, Threshold, fit_growth, threshold_size, wilson_interval
from .learning import LearnedMemory, learn, learning_step, untrained
from .model import DSEM, GAMM, GSEMM, LISEM
from .recalling import recall
from .result import Recall
from .storage import load_recall
from .surface import StationaryPoint, frozen_minima, plot_surface, surface_energy

__all__ = [
    "DSEM",
    "GAMM",
    "GSEMM",
    "LISEM",
    "Activation",
    "CapacityCurve",
    "CapacityPoint",
    "CapacityStudy",
    "Decorrelation",
    "Growth",
    "Identity",
    "Law",
    "LearnedMemory",
    "Recall",
    "RectifiedPolynomial",
    "Relu",
    "Softmax",
    "StationaryPoint",
    "Tanh",
    "Threshold",
    "Visit",
    "activation",
    "as_rnn",
    "capacity_curve",
    "chain",
    "cycle",
    "energy",
    "energy_rates",
    "equilibrium",
    "find_capacity",
    "find_visits",
    "fit_growth",
    "frozen_minima",
    "learn",
    "learning_step",
    "load_recall",
    "plot_surface",
    "rates",
    "recall",
    "surface_energy",
    "surface_gradient",
    "surface_hessian",
    "threshold_size",
    "transitions",
    "untrained",
    "wilson_interval",
]
