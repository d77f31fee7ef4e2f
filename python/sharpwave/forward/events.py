"""Networks of integrate-and-fire neurons that have learned, on the engine whose cost follows spikes."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from ..spiking.affine import affine_stages
from ..spiking.conversion import ConvertedNetwork, network_of_stages
from .firing import INITIAL_POTENTIAL
from .spiking import SpikingLayer, SpikingNetwork


def event_driven(network: SpikingNetwork) -> ConvertedNetwork:
    """What a network has learned as one of `sharpwave.spiking`: the same spikes, and the same scores after its steps.

    Normalisation is folded into weights, pooling into the layer that follows. The engine does not train it: losses of
    signal propagation compare examples with all targets, and no rule of its synapses does. Potentials are double
    there; where one is within rounding of the threshold, a spike may differ.

    Args:
        network: the `model` of a learner of `SpikingSignalPropagation`.

    Returns:
        A network that takes examples (examples, 1, side, side); `scores(examples, steps)` are its outputs.

    Example:
        >>> from sharpwave.forward import SpikingSignalPropagation
        >>> model = SpikingSignalPropagation(channels=(2,), dense=8).start(16, 3, 1, seed=0).model
        >>> x = torch.rand(5, 16, generator=torch.Generator().manual_seed(0))
        >>> scores = event_driven(model).scores(x.reshape(5, 1, 4, 4).numpy(), steps=4)
        >>> bool(abs(scores - model.scores(x).numpy()).max() < 1e-5)
        True
    """
    layers: list[nn.Module] = []
    for layer in network.layers:
        layers += [*_folded(layer, network.about.threshold), nn.ReLU()]
        layers += [nn.AvgPool2d(2)] if layer.pool else []
    model = nn.Sequential(*layers, network.readout)
    shape = (1, network.side, network.side)
    return network_of_stages(affine_stages(model, shape), [1.0] * len(network.layers), INITIAL_POTENTIAL, shape)


@torch.no_grad()
def _folded(layer: SpikingLayer, threshold: float) -> list[nn.Module]:
    """What drives the neurons, in thresholds."""
    if isinstance(layer.layer, nn.Conv2d):
        assert isinstance(layer.norm, nn.BatchNorm2d)
        found: nn.Module = fuse_conv_bn_eval(layer.layer.eval(), layer.norm.eval())
    else:
        assert isinstance(layer.norm, nn.BatchNorm1d)
        found = fuse_linear_bn_eval(layer.layer.eval(), layer.norm.eval())
    for parameter in found.parameters():
        parameter.div_(threshold)
    return [found] if isinstance(found, nn.Conv2d) else [nn.Flatten(), found]
