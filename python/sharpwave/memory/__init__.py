"""Sequential episodic memory: energy-based networks that recall one memory after another.

Source: "General Sequential Episodic Memory Model", ICML 2023, arXiv 2212.05563.
"""

from __future__ import annotations

from .activations import Activation, Identity, RectifiedPolynomial, Relu, Softmax, Tanh, activation
from .decorrelation import Decorrelation
from .energies import energy, energy_rates, equilibrium, rates, surface_gradient, surface_hessian
from .episodes import Visit, find_visits
from .graphs import chain, cycle, transitions
from .learning import LearnedMemory, learn, learning_step, untrained
from .model import DSEM, GAMM, GSEMM, LISEM
from .recalling import recall
from .result import Recall
from .storage import load_recall

__all__ = [
    "DSEM",
    "GAMM",
    "GSEMM",
    "LISEM",
    "Activation",
    "Decorrelation",
    "Identity",
    "LearnedMemory",
    "Recall",
    "RectifiedPolynomial",
    "Relu",
    "Softmax",
    "Tanh",
    "Visit",
    "activation",
    "chain",
    "cycle",
    "energy",
    "energy_rates",
    "equilibrium",
    "find_visits",
    "learn",
    "learning_step",
    "load_recall",
    "rates",
    "recall",
    "surface_gradient",
    "surface_hessian",
    "transitions",
    "untrained",
]
