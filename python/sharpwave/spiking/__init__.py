"""Spiking networks: neuron models, plasticity, encoders, readouts and ready-made models."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .connections import Connection, Dense, LateralInhibition, OneToOne, Sparse
from .events import Spikes
from .figures import plot_assignments, plot_filters, plot_raster
from .library import (
    adaptive_lif,
    conductance_lif,
    current_lif,
    diehl_cook,
    diehl_cook_2015_excitatory,
    diehl_cook_2015_inhibitory,
    exponential_if,
    integrate_and_fire,
    izhikevich,
    lif,
    mcculloch_pitts,
    srm0,
)
from .linear_readout import LinearReadout
from .models import NeuronModel
from .network import Network
from .networks import (
    convolutional_network,
    diehl_cook_2015_network,
    diehl_cook_network,
    locally_connected_network,
)
from .ngram_readout import NGram
from .patch_readouts import MostSpiked, SpatialCorrelation
from .plasticity import Plasticity, Trace
from .populations import Input, Population
from .readouts import AllActivity, ProportionWeighting, Readout, TopPercent
from .request import Monitor, Repeat
from .result import Result, Stats
from .rules import hebbian, pair_stdp, reward_modulated_stdp, triplet_stdp, weight_dependent_stdp
from .state import State
from .windows import Convolutional, Windowed

if TYPE_CHECKING:
    from .affine import ConversionError
    from .classifier import SpikingClassifier
    from .conversion import ConvertedNetwork, convert
    from .estimators import ConvolutionalSTDP, DiehlCook, DiehlCook2015, LocallyConnected

# These import scikit-learn or torch, which takes longer than all else: when they are asked for.
_WHERE = {
    "ConversionError": "affine",
    "ConvertedNetwork": "conversion",
    "ConvolutionalSTDP": "estimators",
    "DiehlCook": "estimators",
    "DiehlCook2015": "estimators",
    "LocallyConnected": "estimators",
    "SpikingClassifier": "classifier",
    "convert": "conversion",
}

__all__ = [
    "AllActivity",
    "Connection",
    "ConversionError",
    "ConvertedNetwork",
    "Convolutional",
    "ConvolutionalSTDP",
    "Dense",
    "DiehlCook",
    "DiehlCook2015",
    "Input",
    "LateralInhibition",
    "LinearReadout",
    "LocallyConnected",
    "Monitor",
    "MostSpiked",
    "NGram",
    "Network",
    "NeuronModel",
    "OneToOne",
    "Plasticity",
    "Population",
    "ProportionWeighting",
    "Readout",
    "Repeat",
    "Result",
    "Sparse",
    "SpatialCorrelation",
    "Spikes",
    "SpikingClassifier",
    "State",
    "Stats",
    "TopPercent",
    "Trace",
    "Windowed",
    "adaptive_lif",
    "conductance_lif",
    "convert",
    "convolutional_network",
    "current_lif",
    "diehl_cook",
    "diehl_cook_2015_excitatory",
    "diehl_cook_2015_inhibitory",
    "diehl_cook_2015_network",
    "diehl_cook_network",
    "exponential_if",
    "hebbian",
    "integrate_and_fire",
    "izhikevich",
    "lif",
    "locally_connected_network",
    "mcculloch_pitts",
    "pair_stdp",
    "plot_assignments",
    "plot_filters",
    "plot_raster",
    "reward_modulated_stdp",
    "srm0",
    "triplet_stdp",
    "weight_dependent_stdp",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for, when it is asked for."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_WHERE[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
