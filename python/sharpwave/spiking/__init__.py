"""Spiking networks: neuron models, plasticity, encoders, readouts and ready-made models."""

from __future__ import annotations

from .connections import Connection, Convolutional, Dense, LateralInhibition, LocallyConnected, OneToOne, Sparse
from .events import Spikes
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
from .network import Input, Network, Population, State
from .ngram_readout import NGram
from .patch_readouts import MostSpiked, SpatialCorrelation
from .plasticity import (
    Plasticity,
    Trace,
    hebbian,
    pair_stdp,
    reward_modulated_stdp,
    triplet_stdp,
    weight_dependent_stdp,
)
from .readouts import AllActivity, ProportionWeighting, Readout, TopPercent
from .result import Result, Stats
from .running import Monitor, Repeat

__all__ = [
    "AllActivity",
    "Connection",
    "Convolutional",
    "Dense",
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
    "State",
    "Stats",
    "TopPercent",
    "Trace",
    "adaptive_lif",
    "conductance_lif",
    "current_lif",
    "diehl_cook",
    "diehl_cook_2015_excitatory",
    "diehl_cook_2015_inhibitory",
    "exponential_if",
    "hebbian",
    "integrate_and_fire",
    "izhikevich",
    "lif",
    "mcculloch_pitts",
    "pair_stdp",
    "reward_modulated_stdp",
    "srm0",
    "triplet_stdp",
    "weight_dependent_stdp",
]
