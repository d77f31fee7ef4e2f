"""Learning without a backward pass: signal propagation, error forward-propagation, equilibrium propagation."""

from __future__ import annotations

from .classifier import ForwardClassifier
from .method import DivergedError, Learner, Method
from .pipeline import learn_in_parallel
from .rate_methods import EquilibriumPropagation, ErrorForwardPropagation, RateLearner
from .rates import Link, Nudging, RateNetwork, Settling, Weights, energy_network, error_forward_network
from .sigprop import SigProp, SigPropRule
from .spiking import SpikingSignalPropagation
from .torch_methods import Comparison, ConvolutionalLayers, DenseLayers, SignalPropagation

__all__ = [
    "Comparison",
    "ConvolutionalLayers",
    "DenseLayers",
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
    "SigProp",
    "SigPropRule",
    "SignalPropagation",
    "SpikingSignalPropagation",
    "Weights",
    "energy_network",
    "error_forward_network",
    "learn_in_parallel",
]
