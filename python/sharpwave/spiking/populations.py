"""Populations of a spiking network: inputs, and neurons of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sharpwave.suggest import unknown

from .models import NeuronModel

Array = NDArray[np.float64]
Source = Literal["poisson", "bernoulli", "events"]
SOURCES = ("poisson", "bernoulli", "events")


@dataclass(frozen=True)
class Input:
    """A population whose spikes come from outside.

    Args:
        units: number of units.
        source: `"poisson"`: a Poisson process for each unit, from rates in Hz; a step may hold more than one spike;
            `"bernoulli"`: at most one spike in a step, from probabilities; `"events"`: `Spikes` as they are given.
    """

    units: int
    source: Source = "poisson"

    def __post_init__(self) -> None:
        _check_units(self.units)
        if self.source not in SOURCES:
            raise ValueError(unknown("source", self.source, SOURCES))


@dataclass(frozen=True, eq=False)
class Population:
    """Neurons of one model.

    Args:
        units: number of neurons.
        model: their equations.
        varied: parameters of the model that differ between neurons, in ms, mV, pA and what follows, (units,) each.
        one_spike: whether of those that cross the threshold in a step only one, drawn at random, spikes (as in layers
            of Diehl and Cook); all of them reset.
    """

    units: int
    model: NeuronModel
    varied: Mapping[str, Array] = field(default_factory=dict)
    one_spike: bool = False

    def __post_init__(self) -> None:
        _check_units(self.units)
        found = {}
        for name, values in self.varied.items():
            if name not in self.model.parameters:
                raise ValueError(unknown("parameter", name, self.model.parameters))
            array = np.array(values, dtype=np.float64)
            if array.shape != (self.units,) or not np.isfinite(array).all():
                raise ValueError(f"{name} must be {self.units} finite numbers, one for each unit, got {array.shape}")
            array.flags.writeable = False
            found[name] = array
        object.__setattr__(self, "varied", MappingProxyType(found))


def _check_units(units: int) -> None:
    if not isinstance(units, (int, np.integer)) or units < 1:
        raise ValueError(f"units must be a whole number, at least 1, got {units!r}")


AnyPopulation = Input | Population
