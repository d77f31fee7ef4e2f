"""Networks that lose some of their synapses or neurons after learning."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .network import Network
from .populations import Population
from .state import State

Array = NDArray[np.float64]
NEVER = 1e9  # rise of a threshold that no membrane reaches, mV


def without_synapses(network: Network, state: State, fraction: float, seed: int) -> State:
    """The state with the weights of some plastic synapses, drawn at random, set to 0.

    Args:
        network: whose state it is.
        state: after learning.
        fraction: of the synapses of each plastic connection, from 0 to 1.
        seed: of the draw.

    Raises:
        ValueError: the fraction is out of range.
    """
    rng, weights = _random(fraction, seed), dict(state.weights)
    for name, connection in network.weighted.items():
        if connection.plasticity is not None:
            left = weights[name].copy()
            left.flat[_some(rng, left.size, fraction)] = 0.0
            weights[name] = left
    return State(weights, state.shared)


def without_neurons(network: Network, layer: str, state: State, fraction: float, seed: int) -> State:
    """The state with the thresholds of some neurons of a layer, drawn at random, out of reach.

    Args:
        network: whose state it is.
        layer: a population whose threshold is a shared variable.
        state: after learning.
        fraction: of its neurons, from 0 to 1.
        seed: of the draw.

    Raises:
        ValueError: the fraction is out of range, or the threshold is not shared.
    """
    population = network.populations[layer]
    if not isinstance(population, Population) or population.model.shared is None:
        raise ValueError(f"the neurons of {layer} have no shared threshold that could be raised")
    shared, rng = dict(state.shared), _random(fraction, seed)
    shared[layer] = shared[layer].copy()
    shared[layer][_some(rng, population.units, fraction)] = NEVER
    return State(state.weights, shared)


def _random(fraction: float, seed: int) -> np.random.Generator:
    if not 0 <= fraction <= 1:
        raise ValueError(f"fraction must be from 0 to 1, got {fraction}")
    return np.random.Generator(np.random.Philox(seed))


def _some(rng: np.random.Generator, number: int, fraction: float) -> NDArray[np.int64]:
    return rng.permutation(number)[: round(fraction * number)]
