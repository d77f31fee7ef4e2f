"""The boundary that attends to columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...recurrent.tasks import floating
from .boundary import Array, Encoded, frozen

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class AttentionBoundary:
    """f = sum over heads and columns of softmax_i(h_i' K Q h_s + b_i) V h_i, the newest column as the query (SBC).

    Args:
        score: K Q (rows, rows), or (heads, rows, rows).
        value: V, of the same shape.
        bias: b (columns,), or (heads, columns), the oldest column first: how much a head prefers each column, whatever
            it holds; None: 0, as in the paper, whose form cannot tell columns by their place.

    Raises:
        ValueError: shapes that do not fit, or numbers that are not finite.

    Source:
        arXiv 2402.10163, with one head; several heads, and the bias, are ours.

    Example:
        With no scores all columns count the same:

        >>> import torch
        >>> boundary = AttentionBoundary(np.zeros((1, 1)), np.ones((1, 1)))
        >>> boundary(torch.tensor([[1.0], [2.0], [6.0]])).tolist()
        [3.0]
    """

    score: Array
    value: Array
    bias: Array | None = None

    def __post_init__(self) -> None:
        score, value = _heads("score", self.score, 3), _heads("value", self.value, 3)
        heads, n = value.shape[0], value.shape[-1]
        if not score.shape == value.shape == (heads, n, n) or heads < 1:
            raise ValueError(
                "score and value must be square and of one size, with a head at least, got "
                f"{np.shape(self.score)} and {np.shape(self.value)}"
            )
        bias = None
        if self.bias is not None:
            bias = _heads("bias", self.bias, 2)
            if len(bias) != heads:
                raise ValueError(f"the bias must be (columns,) or ({heads}, columns), got {np.shape(self.bias)}")
        for name, array in (("score", score), ("value", value), ("bias", bias)):
            object.__setattr__(self, name, array)

    def __call__(self, substrate: Tensor) -> Tensor:
        """See `Boundary`."""
        substrate = floating(substrate)
        score, value = substrate.new_tensor(self.score), substrate.new_tensor(self.value)
        columns = substrate[..., None, :, :]
        scores = columns[..., -1:, :] @ score.mT @ columns.mT  # (..., heads, 1, columns)
        if self.bias is not None:
            scores = scores + substrate.new_tensor(self.bias)[:, None, :]
        return (scores.softmax(dim=-1) @ columns @ value.mT).sum(dim=-3)[..., 0, :]

    def fits(self, columns: int, rows: int) -> None:
        """See `Boundary`."""
        if self.value.shape[-1] != rows:
            raise ValueError(f"the boundary's matrices are for {self.value.shape[-1]} rows, the lattice has {rows}")
        if self.bias is not None and self.bias.shape[-1] != columns:
            raise ValueError(f"the boundary's bias is for {self.bias.shape[-1]} columns, the lattice has {columns}")

    def encoded(self) -> Encoded:
        """See `Boundary`."""
        bias = np.zeros(0) if self.bias is None else self.bias
        weights = np.concatenate([self.score.ravel(), self.value.ravel(), bias.ravel()])
        return Encoded(1, np.array([len(self.value), self.bias is not None], dtype=np.int64), weights)


def _heads(name: str, value: ArrayLike, axes: int) -> NDArray[np.float64]:
    """With an axis of heads, and without write access."""
    array = frozen(name, value)
    if array.ndim not in (axes - 1, axes):
        raise ValueError(f"{name} must have {axes - 1} axes, or {axes} with heads, got shape {array.shape}")
    return array if array.ndim == axes else array[None]
