"""Learning without a backward pass: signal propagation, error forward-propagation, equilibrium propagation."""

from __future__ import annotations

from .classifier import ForwardClassifier
from .method import DivergedError, Learner, Method
from .rate_methods import EquilibriumPropagation, ErrorForwardPropagation, RateLearner
from .rates import Link, Nudging, RateNetwork, Settling, Weights, energy_network, error_forward_network

__all__ = [
    "DivergedError",
    "EquilibriumPropagation",
    "ErrorForwardPropagation",
    "ForwardClassifier",
    "Learner",
    "Link",
    "Method",
    "Nudging",
    "RateLearner",
    "RateNetwork",
    "Settling",
    "Weights",
    "energy_network",
    "error_forward_network",
]
