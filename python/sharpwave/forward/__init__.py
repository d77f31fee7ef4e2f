"""Learning without a backward pass: signal propagation, error forward-propagation, equilibrium propagation."""

from __future__ import annotations

from .classifier import ForwardClassifier
from .events import event_driven
from .method import DivergedError, Learner, Method, UnsettledError
from .pipeline import learn_in_parallel
from .rate_methods import (
    ContinuousSignalPropagation,
    EquilibriumPropagation,
    ErrorForwardPropagation,
    RateLearner,
    RateMethod,
)
from .rates import (
    Link,
    Nudging,
    RateNetwork,
    Settling,
    Weights,
    energy_network,
    error_forward_network,
    target_loop_network,
)
from .rule import SigPropRule
from .sigprop import SigProp
from .spiking import SpikingSignalPropagation
from .torch_methods import Comparison, ConvolutionalLayers, DenseLayers, SignalPropagation

__all__ = [
    "Comparison",
    "ContinuousSignalPropagation",
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
    "RateMethod",
    "RateNetwork",
    "Settling",
    "SigProp",
    "SigPropRule",
    "SignalPropagation",
    "SpikingSignalPropagation",
    "UnsettledError",
    "Weights",
    "energy_network",
    "error_forward_network",
    "event_driven",
    "learn_in_parallel",
    "target_loop_network",
]
