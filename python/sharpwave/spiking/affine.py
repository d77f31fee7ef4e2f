"""Layers of PyTorch as affine maps of flat examples, merged between one rectifier and the next."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch
    from scipy.sparse import csr_array

Array = NDArray[np.float64]

_DENSE = 0.25  # share of weights that are not zero from which on a matrix is kept whole
_ALLOWED = "convertible are Linear, Conv2d, AvgPool2d, ReLU, Flatten, Dropout and Identity"
_LEAVE_OUT = "leave it out, it does not change which output is largest"
_INSTEAD = {
    "MaxPool2d": "use AvgPool2d and train again",
    "Sigmoid": "use ReLU and train again",
    "Tanh": "use ReLU and train again",
    "GELU": "use ReLU and train again",
    "BatchNorm1d": "fold it into the layer before it with torch.nn.utils.fuse_linear_bn_eval",
    "BatchNorm2d": "fold it into the layer before it with torch.nn.utils.fuse_conv_bn_eval",
    "Softmax": _LEAVE_OUT,
    "LogSoftmax": _LEAVE_OUT,
}


class ConversionError(ValueError):
    """A model that has no spiking counterpart; the message names the layer and says what to change."""


@dataclass(frozen=True, eq=False)
class Affine:
    """The map `x matrix + bias` of flat examples.

    Attributes:
        matrix: float64 (inputs, outputs); sparse if most of it is zero.
        bias: (outputs,).
    """

    matrix: Array | csr_array
    bias: Array

    def __call__(self, examples: Array) -> Array:
        """The outputs of some examples, (examples, outputs).

        Those of an example do not depend, by a single bit, on what other examples there are. In a product of dense
        matrices they do.
        """
        from scipy.sparse import csr_array, issparse

        product = csr_array(examples) @ self.matrix  # row by row
        outputs: Array = (product.toarray() if issparse(product) else product) + self.bias
        return outputs

    def scaled(self, inputs: float, outputs: float) -> Affine:
        """The same map of inputs divided by a number, to outputs divided by another."""
        return Affine(self.matrix * (inputs / outputs), self.bias / outputs)


def affine_stages(model: torch.nn.Sequential, shape: Sequence[int]) -> list[Affine]:
    """What a model does before its first rectifier, from one to the next, and after the last.

    Args:
        model: a `Sequential`, which may hold others.
        shape: of an example.

    Returns:
        One map more than there are rectifiers.

    Raises:
        ConversionError: a layer of another kind, one that does not fit the examples, parameters that are not finite,
            or nothing after the last rectifier.

    Example:
        >>> import torch
        >>> model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
        >>> [stage.matrix.shape for stage in affine_stages(model, (3,))]
        [(3, 4), (4, 2)]
    """
    import torch

    if not isinstance(model, torch.nn.Sequential):
        raise ConversionError(f"model must be a torch.nn.Sequential, got {type(model).__name__}")
    builder = _Builder(tuple(shape))
    for name, layer in _layers(model):
        builder.add(layer, f"layer {name}, {layer},")
    return builder.finish()


def _layers(model: torch.nn.Sequential, prefix: str = "") -> Iterator[tuple[str, torch.nn.Module]]:
    import torch

    for name, layer in model.named_children():
        if isinstance(layer, torch.nn.Sequential):
            yield from _layers(layer, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", layer


class _Builder:
    """The stages that are done, and the map of the one under way; None as long as it changes nothing."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.done: list[Affine] = []
        self.map: tuple[csr_array, Array] | None = None

    def add(self, layer: torch.nn.Module, what: str) -> None:
        from torch import nn

        for name, parameter in layer.named_parameters():
            if not parameter.isfinite().all():
                raise ConversionError(f"{what} has a {name} that is not finite everywhere: did training diverge?")
        match layer:
            case nn.ReLU():
                self.done.append(self.stage())
                self.map = None
            case nn.Dropout() | nn.Dropout2d() | nn.Identity():
                pass
            case nn.Flatten():
                if layer.start_dim != 1 or layer.end_dim not in (-1, len(self.shape)):
                    raise ConversionError(f"{what} must flatten all axes but the first")
                self.shape = (math.prod(self.shape),)
            case nn.Linear():
                if self.shape != (layer.in_features,):
                    raise ConversionError(
                        f"{what} expects examples of shape ({layer.in_features},), got {self.shape}"
                        + (": put a Flatten before it" if math.prod(self.shape) == layer.in_features else "")
                    )
                self.follow(*_linear(layer), (layer.out_features,))
            case nn.Conv2d() | nn.AvgPool2d():
                self.follow(*_windows(layer, self.shape, what))
            case _:
                hint = _INSTEAD.get(type(layer).__name__, _ALLOWED)
                raise ConversionError(f"{what} cannot be converted: {hint}")

    def follow(self, matrix: csr_array, bias: Array, shape: tuple[int, ...]) -> None:
        if self.map is not None:
            bias = self.map[1] @ matrix + bias
            matrix = self.map[0] @ matrix
        self.map, self.shape = (matrix, bias), shape

    def stage(self) -> Affine:
        from scipy.sparse import csr_array, identity

        units = math.prod(self.shape)
        matrix, bias = self.map or (csr_array(identity(units)), np.zeros(units))
        dense = matrix.nnz > _DENSE * math.prod(matrix.shape)
        return Affine(matrix.toarray() if dense else matrix, bias)

    def finish(self) -> list[Affine]:
        if self.map is None:
            raise ConversionError(
                "the model must end in a layer with weights, as its outputs are read from membrane potentials: "
                "leave out the ReLU at its end"
            )
        return [*self.done, self.stage()]


def _linear(layer: torch.nn.Linear) -> tuple[csr_array, Array]:
    from scipy.sparse import csr_array

    return csr_array(_numbers(layer.weight).T), _bias(layer, layer.out_features)


def _windows(
    layer: torch.nn.Conv2d | torch.nn.AvgPool2d, shape: tuple[int, ...], what: str
) -> tuple[csr_array, Array, tuple[int, int, int]]:
    """A convolution or a mean over windows, written out: every position has its own copy of the weights."""
    import torch
    from scipy.sparse import csr_array
    from torch.nn import functional

    if len(shape) != 3:
        raise ConversionError(f"{what} expects examples of shape (channels, rows, columns), got {shape}")
    channels = shape[0]
    if isinstance(layer, torch.nn.Conv2d):
        if layer.padding_mode != "zeros" or layer.in_channels != channels:
            raise ConversionError(
                f"{what} expects {layer.in_channels} channels and must pad with zeros; examples are of shape {shape}"
            )
        padding: Any = layer.padding
        kernel, stride, dilation, groups = layer.kernel_size, layer.stride, layer.dilation, layer.groups
        weights = _numbers(layer.weight).reshape(layer.out_channels, -1)  # (filters, channels of a group x window)
        bias = _bias(layer, layer.out_channels)
    else:
        if (
            layer.ceil_mode
            or layer.divisor_override
            or (_pair(layer.padding) != (0, 0) and not layer.count_include_pad)
        ):
            raise ConversionError(f"{what} must have whole windows of one weight: no ceil_mode, no divisor_override")
        kernel, stride, dilation, groups = _pair(layer.kernel_size), _pair(layer.stride), (1, 1), channels
        weights = np.full((channels, math.prod(kernel)), 1 / math.prod(kernel))
        padding, bias = layer.padding, np.zeros(channels)
    places = torch.arange(1.0, math.prod(shape) + 1, dtype=torch.float64).reshape(1, *shape)  # 0 is padding
    places = functional.pad(places, _pads(padding, kernel, dilation))
    extent = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    grid = [(size - e) // s + 1 for size, e, s in zip(places.shape[2:], extent, stride, strict=True)]
    if min(grid) < 1:
        raise ConversionError(f"{what} has windows larger than the image: examples are of shape {shape}")
    unfolded = functional.unfold(places, kernel, dilation, 0, stride).numpy().astype(np.int64)
    filters, positions = len(weights), math.prod(grid)
    source = np.repeat(unfolded.reshape(groups, -1, positions), filters // groups, axis=0) - 1
    target = np.broadcast_to(np.arange(filters * positions).reshape(filters, 1, positions), source.shape)
    value = np.broadcast_to(weights[:, :, None], source.shape)
    inside = source >= 0
    matrix = csr_array((value[inside], (source[inside], target[inside])), shape=(math.prod(shape), filters * positions))
    return matrix, np.repeat(bias, positions), (filters, grid[0], grid[1])


def _pads(padding: Any, kernel: tuple[int, ...], dilation: tuple[int, ...]) -> list[int]:
    """Columns left and right, rows above and below, as `torch.nn.functional.pad` takes them."""
    if padding == "valid":
        padding = 0
    if padding == "same":
        totals = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        return [part for total in reversed(totals) for part in (total // 2, total - total // 2)]
    rows, columns = _pair(padding)
    return [columns, columns, rows, rows]


def _pair(size: Any) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _numbers(parameter: torch.Tensor) -> Array:
    numbers: Array = parameter.detach().cpu().double().numpy()
    return numbers


def _bias(layer: torch.nn.Linear | torch.nn.Conv2d, outputs: int) -> Array:
    return np.zeros(outputs) if layer.bias is None else _numbers(layer.bias)
