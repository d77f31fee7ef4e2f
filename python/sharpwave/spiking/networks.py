"""Ready-made networks of the literature, as descriptions: populations, connections and their rules."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sharpwave.suggest import unknown

from .connections import AnyConnection, Dense, LateralInhibition, OneToOne, Sparse
from .library import diehl_cook, diehl_cook_2015_excitatory, diehl_cook_2015_inhibitory
from .links import Lattice, Links, linked_units
from .network import Network
from .plasticity import Plasticity, Reduction
from .populations import Input, Population
from .rules import pair_stdp, triplet_stdp
from .windows import Windowed, window_grid

Array = NDArray[np.float64]
Delays = Literal["synaptic", "axonal"]
DELAYS = ("synaptic", "axonal")
SHORTEST = 0.5  # time step of the networks with conductances, ms


def diehl_cook_network(
    units: int,
    *,
    pixels: int = 784,
    inhibition: float = 120.0,
    norm: float | None = None,
    nu: tuple[float, float] = (1e-4, 1e-2),
    theta_plus: float = 0.05,
    tau_theta: float = 1e7,
    reduction: Reduction = "sum",
    seed: int = 0,
) -> Network:
    """One layer of Diehl-Cook neurons that inhibit each other: populations `input` and `layer`, in steps of 1 ms.

    Args:
        units: neurons of the layer.
        pixels: inputs, Poisson.
        inhibition: mV that each spike takes from all other neurons: 120 in arXiv 1909.02549, 500 in the baseline of
            arXiv 1904.06269.
        norm: sum of the weights of a neuron; None: a tenth of the number of inputs, 78.4 for MNIST as there.
        nu: learning rates at presynaptic and at postsynaptic spikes; 0 takes that side of the rule away.
        theta_plus: rise of the threshold with each spike, mV.
        tau_theta: time constant of its decay, ms.
        reduction: of changes over the batch, `"sum"`, `"mean"`, `"max"` or `"min"`.
        seed: of the initial weights, 0.3 U(0, 1) before they are scaled to the norm.

    Raises:
        ValueError: a number is out of range.

    Source:
        arXiv 1909.02549; Hazan et al., Frontiers in Neuroinformatics 12 (2018) 89.

    Example:
        >>> network = diehl_cook_network(100)
        >>> network.synapses, network.connections["input"].norm
        (78400, 78.4)
    """
    _positive("units", units)
    _positive("pixels", pixels)
    weights = 0.3 * _random(seed).random((pixels, units))
    rule = pair_stdp(*nu, reduction=reduction)
    norm = 0.1 * pixels if norm is None else norm
    return Network(
        {
            "input": Input(pixels),
            "layer": Population(units, diehl_cook(theta_plus=theta_plus, tau_theta=tau_theta), one_spike=True),
        },
        {
            "input": Dense("input", "layer", weights, plasticity=rule, norm=norm),
            "inhibition": LateralInhibition("layer", "layer", -inhibition),
        },
    )


def locally_connected_network(
    filters: int,
    kernel_size: int,
    stride: int,
    *,
    image_shape: tuple[int, int] = (20, 20),
    inhibition: float = 250.0,
    norm: float | None = None,
    nu: tuple[float, float] = (0.0, 1e-2),
    theta_plus: float = 0.05,
    tau_theta: float = 1e7,
    reduction: Reduction = "sum",
    seed: int = 0,
) -> Network:
    """Filters that each see a window of the image and learn on their own at each position (LC-SNN).

    Populations are `input` and `layer`, in steps of 1 ms; units of the layer are numbered by position, then filter.
    Different filters inhibit each other at one position only. Of the neurons that cross their thresholds in a step one
    in the whole layer spikes, drawn at random; all of them reset and raise their thresholds.

    Args:
        filters: number of filters.
        kernel_size: rows, and columns, of a window.
        stride: pixels from one window to the next.
        image_shape: rows and columns of the image; MNIST cropped by 4 pixels.
        inhibition: mV.
        norm: sum of the weights of a neuron; None: .2 of the number of pixels in a window.
        nu: learning rates at presynaptic and at postsynaptic spikes; only these learn.
        theta_plus: rise of the threshold with each spike, mV.
        tau_theta: time constant of its decay, ms; the paper's 1e-7 a step.
        reduction: of changes over the batch, `"sum"`, `"mean"`, `"max"` or `"min"`.
        seed: of the initial weights, U(0, 1) before they are scaled to the norm.

    Raises:
        ValueError: a number is out of range, or the window does not fit the image.

    Source:
        arXiv 1904.06269.

    Example:
        >>> network = locally_connected_network(25, kernel_size=12, stride=4)
        >>> network.populations["layer"].units, network.connections["input"].weights.shape
        (225, (9, 144, 25))
    """
    _positive("filters", filters)
    positions = math.prod(window_grid(image_shape, kernel_size, stride))
    weights = _random(seed).random((positions, kernel_size**2, filters))
    rule = pair_stdp(*nu, reduction=reduction)
    norm = 0.2 * kernel_size**2 if norm is None else norm
    neurons = diehl_cook(theta_plus=theta_plus, tau_theta=tau_theta)
    return Network(
        {
            "input": Input(math.prod(image_shape)),
            "layer": Population(positions * filters, neurons, one_spike=True),
        },
        {
            "input": Windowed("input", "layer", weights, image_shape, kernel_size, stride, plasticity=rule, norm=norm),
            "inhibition": LateralInhibition("layer", "layer", -inhibition, group=filters),
        },
    )


def convolutional_network(
    patches: int,
    kernel_size: int,
    stride: int,
    *,
    image_shape: tuple[int, int] = (28, 28),
    links: Links | None = None,
    lattice: Lattice = 8,
    shared: bool = False,
    inhibition: float = 17.4,
    norm: float | None = None,
    nu: tuple[float, float] = (1e-4, 1e-2),
    reduction: Reduction = "sum",
    seed: int = 0,
) -> Network:
    """Convolutional patches of excitatory neurons, each with an inhibitory partner (C-SNN).

    Populations are `input`, `excitatory` and `inhibitory`, in steps of .5 ms; units are numbered by position, then
    patch. An excitatory spike drives its partner alone, whose spike inhibits the other patches at the same position.

    Args:
        patches: number of patches.
        kernel_size: rows, and columns, of a window.
        stride: pixels from one window to the next.
        image_shape: rows and columns of the image.
        links: plastic excitatory connections between patches; None, `"pairs"` (0 with 1, 2 with 3; a last one stays
            without), `"linear"` (each to the next, and the last one back to the one before) or `"all"`.
        lattice: where a link leads from a position: to its 4 or 8 neighbours, or to `"all"` positions (also its own).
        shared: whether all neurons of a patch take the weights of the one that spiked most after each example.
        inhibition: weight from an inhibitory neuron, in units of the leak.
        norm: sum of the weights of a neuron; None: .15 of the number of pixels in a window.
        nu: learning rates at presynaptic and at postsynaptic spikes.
        reduction: of changes over the batch, `"sum"`, `"mean"`, `"max"` or `"min"`.
        seed: of the initial weights, .3 (U(0, 1) + .01), of links too.

    Raises:
        ValueError: a number is out of range, an unknown kind of links, or the window does not fit the image.

    Source:
        arXiv 1808.08173; links as in its first author's program, github.com/djsaunde/lm-snn, where the weights that
        leave a patch are scaled to .15 on average. That those which reach a neuron are, is a choice made here: all
        neurons have the sum of .15 times the mean number of links of a neuron.

    Example:
        >>> network = convolutional_network(10, kernel_size=16, stride=6, links="pairs", lattice=4)
        >>> network.populations["excitatory"].units, network.connections["links"].weights.size
        (90, 240)
    """
    _positive("patches", patches)
    grid = window_grid(image_shape, kernel_size, stride)
    units, rng, rule = math.prod(grid) * patches, _random(seed), pair_stdp(*nu, reduction=reduction)
    weights = 0.3 * (rng.random((math.prod(grid), kernel_size**2, patches)) + 0.01)
    norm = 0.15 * kernel_size**2 if norm is None else norm
    window = (image_shape, kernel_size, stride, shared)
    connections: dict[str, AnyConnection] = {
        "input": Windowed("input", "excitatory", weights, *window, target="g_e", plasticity=rule, norm=norm),
        "partners": OneToOne("excitatory", "inhibitory", np.full(units, 10.4), target="g_e"),
        "inhibition": LateralInhibition("inhibitory", "excitatory", inhibition, group=patches, target="g_i"),
    }
    if links is not None:
        sources, targets = linked_units(patches, grid, links, lattice)
        if len(targets):
            connections["links"] = Sparse(
                "excitatory", "excitatory", 0.3 * (rng.random(len(targets)) + 0.01), sources, targets,
                target="g_e", plasticity=rule, norm=0.15 * len(targets) / units,
            )  # fmt: skip
    return Network(_with_partners(math.prod(image_shape), units), connections, dt=SHORTEST)


def diehl_cook_2015_network(
    units: int,
    *,
    pixels: int = 784,
    delays: Delays | None = "synaptic",
    longest_delay: float = 10.0,
    inhibition: float = 17.0,
    norm: float | None = None,
    nu: tuple[float, float] = (1e-4, 1e-2),
    reduction: Reduction = "sum",
    seed: int = 0,
) -> Network:
    """The network of Diehl and Cook (2015): excitatory neurons, each with an inhibitory partner, and triplet STDP.

    Populations are `input`, `excitatory` and `inhibitory`, in steps of .5 ms. An excitatory spike drives its partner
    alone, whose spike inhibits all other excitatory neurons.

    Args:
        units: excitatory neurons, and inhibitory ones.
        pixels: inputs, Poisson.
        delays: of the input: `"synaptic"`, each weight has its own as in the paper; `"axonal"`, each input has one,
            which takes less time; None: none, one step.
        longest_delay: delays are from U(0, `longest_delay`) ms, in whole steps, and at least one.
        inhibition: weight from an inhibitory neuron, in units of the leak.
        norm: sum of the weights of a neuron; None: a tenth of the number of inputs, less half a percent: 78 for MNIST.
        nu: learning rates at presynaptic and at postsynaptic spikes.
        reduction: of changes over the batch, `"sum"`, `"mean"`, `"max"` or `"min"`.
        seed: of the delays and of the initial weights, .3 (U(0, 1) + .01).

    Raises:
        ValueError: a number is out of range, or an unknown kind of delays.

    Source:
        Diehl and Cook, Frontiers in Computational Neuroscience 9 (2015) 99. There inhibition is 17 and the weight onto
        the partner 10.4, in units of the leak.

    Example:
        >>> network = diehl_cook_2015_network(100, pixels=64)
        >>> network.connections["input"].delay.shape, network.connections["input"].norm
        ((64, 100), 6.36734693877551)
    """
    _positive("units", units)
    _positive("pixels", pixels)
    rng = _random(seed)
    weights = 0.3 * (rng.random((pixels, units)) + 0.01)
    rule: Plasticity = triplet_stdp(*nu, reduction=reduction)
    norm = 78.0 / 784 * pixels if norm is None else norm
    settings: dict[str, Any] = {"target": "g_e", "plasticity": rule, "norm": norm}
    if delays is not None:
        if delays not in DELAYS:
            raise ValueError(unknown("delays", delays, DELAYS))
        if not 0 <= longest_delay < math.inf:
            raise ValueError(f"longest_delay must be a time in ms, not negative, got {longest_delay}")
        shape = (pixels, units) if delays == "synaptic" else (pixels,)
        steps = np.rint(longest_delay * rng.random(shape) / SHORTEST)
        settings["delay"] = np.maximum(steps, 1) * SHORTEST
    return Network(
        _with_partners(pixels, units),
        {
            "input": Dense("input", "excitatory", weights, **settings),
            "partners": OneToOne("excitatory", "inhibitory", np.full(units, 10.4), target="g_e"),
            "inhibition": LateralInhibition("inhibitory", "excitatory", inhibition, target="g_i"),
        },
        dt=SHORTEST,
    )


def _with_partners(pixels: int, units: int) -> dict[str, Input | Population]:
    return {
        "input": Input(pixels),
        "excitatory": Population(units, diehl_cook_2015_excitatory()),
        "inhibitory": Population(units, diehl_cook_2015_inhibitory()),
    }


def _random(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


def _positive(name: str, value: int) -> None:
    if not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{name} must be a whole number, at least 1, got {value!r}")
