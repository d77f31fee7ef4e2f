"""The boundary that is a perceptron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...recurrent.tasks import floating
from ...suggest import unknown
from .boundary import Array, Encoded, frozen

if TYPE_CHECKING:
    from torch import Tensor

_NONLINEARITIES = ("tanh", "relu")  # in the order in which the kernel numbers them


@dataclass(frozen=True, eq=False)
class MLPBoundary:
    """f = W_2 s(W_1 h + b_1) + b_2, a perceptron with a hidden layer, of all columns as one vector h.

    Args:
        hidden_weight: W_1 (hidden, columns x rows); columns are the oldest first, each with all its rows.
        hidden_bias: b_1 (hidden,).
        weight: W_2 (rows, hidden).
        bias: b_2 (rows,).
        nonlinearity: s, `"tanh"` or `"relu"`.

    Raises:
        ValueError: shapes that do not fit, numbers that are not finite, or an unknown nonlinearity.

    Example:
        The exclusive or of two columns of +-1, x y, from tanh units that saturate:

        >>> import torch
        >>> lines = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0], [-1.0, 1.0]])
        >>> xor = MLPBoundary(20 * lines, -20 * np.ones(4), np.array([[1, -1, 1, -1]]) / 2, np.zeros(1))
        >>> xor(torch.tensor([[1.0], [-1.0]])).round().tolist()
        [-1.0]
    """

    hidden_weight: Array
    hidden_bias: Array
    weight: Array
    bias: Array
    nonlinearity: str = "tanh"

    def __post_init__(self) -> None:
        if self.nonlinearity not in _NONLINEARITIES:
            raise ValueError(unknown("nonlinearity", self.nonlinearity, _NONLINEARITIES))
        for name in ("hidden_weight", "hidden_bias", "weight", "bias"):
            object.__setattr__(self, name, frozen(name, getattr(self, name)))
        hidden, rows = self.hidden_bias.size, self.bias.size
        shapes = [array.shape for array in (self.hidden_weight, self.hidden_bias, self.weight, self.bias)]
        expected = [(hidden, *shapes[0][1:]), (hidden,), (rows, hidden), (rows,)]
        if hidden < 1 or shapes != expected or len(shapes[0]) != 2:
            raise ValueError(
                "expected (hidden, columns x rows), (hidden,), (rows, hidden) and (rows,) with a hidden unit at least, "
                f"got {shapes[0]}, {shapes[1]}, {shapes[2]} and {shapes[3]}"
            )

    def __call__(self, substrate: Tensor) -> Tensor:
        """See `Boundary`."""
        substrate = floating(substrate)
        first, shift, second, last = (
            substrate.new_tensor(array) for array in (self.hidden_weight, self.hidden_bias, self.weight, self.bias)
        )
        hidden = substrate.flatten(-2) @ first.T + shift
        return (hidden.tanh() if self.nonlinearity == "tanh" else hidden.relu()) @ second.T + last

    def fits(self, columns: int, rows: int) -> None:
        """See `Boundary`."""
        read = self.hidden_weight.shape[1]
        if len(self.bias) != rows or read != columns * rows:
            raise ValueError(
                f"the perceptron makes {len(self.bias)} numbers of {read}; a lattice of {columns} columns and {rows} "
                f"rows needs {rows} of {columns * rows}"
            )

    def encoded(self) -> Encoded:
        """See `Boundary`."""
        parts = (self.hidden_weight, self.hidden_bias, self.weight, self.bias)
        integers = np.array([len(self.hidden_bias), _NONLINEARITIES.index(self.nonlinearity)], dtype=np.int64)
        return Encoded(2, integers, np.concatenate([part.ravel() for part in parts]))
