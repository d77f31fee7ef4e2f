"""What the start of a wave lattice computes from all that is on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..recurrent.tasks import HistoryTask, Rule

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]


class Boundary(Protocol):
    """f, from the substrate (..., columns, rows), the oldest column first, to the values (..., rows) that start."""

    def __call__(self, substrate: Tensor) -> Tensor:
        """The values, in torch, with gradients."""

    def fits(self, columns: int, rows: int) -> None:
        """Check that a lattice of this size has what is read.

        Raises:
            ValueError: it has not.
        """


@dataclass(frozen=True, eq=False)
class LinearBoundary:
    """f = sum over columns i of phi_i h_i (LBC).

    Args:
        terms: phi by column, counted from 1, the oldest, as in the paper: a number, one number a row (rows,), or a
            matrix (rows, rows).

    Raises:
        ValueError: no terms, a column before the first, or numbers that are not finite.

    Example:
        The generalised Fibonacci system of three columns, f = h_1 + h_2 + h_3:

        >>> boundary = LinearBoundary({1: 1.0, 2: 1.0, 3: 1.0})
        >>> import torch
        >>> boundary(torch.tensor([[0.0], [0.0], [1.0]])).tolist()
        [1.0]
    """

    terms: Mapping[int, ArrayLike]
    phi: dict[int, Array] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        phi = {int(column): np.array(value, dtype=np.float64) for column, value in sorted(self.terms.items())}
        for column, value in phi.items():
            if column < 1 or value.ndim > 2 or not np.isfinite(value).all():
                raise ValueError(
                    f"term of column {column}: columns count from 1, and a term is a number, (rows,) or (rows, rows), "
                    f"finite; got shape {value.shape}"
                )
            value.flags.writeable = False
        if not phi:
            raise ValueError("expected at least one term; for waves that nothing feeds, give {1: 0.0}")
        object.__setattr__(self, "phi", phi)

    def __call__(self, substrate: Tensor) -> Tensor:
        """See `Boundary`."""
        total = substrate.new_zeros(())
        for column, value in self.phi.items():
            h, weights = substrate[..., column - 1, :], substrate.new_tensor(value)
            total = total + (h @ weights.T if weights.dim() == 2 else weights * h)
        return total

    def fits(self, columns: int, rows: int) -> None:
        """See `Boundary`."""
        for column, value in self.phi.items():
            if column > columns:
                raise ValueError(
                    f"the boundary reads column {column}: the lattice has {columns}; give it a longer window"
                )
            if value.shape not in ((), (rows,), (rows, rows)):
                raise ValueError(
                    f"the term of column {column} must be a number, ({rows},) or ({rows}, {rows}) for {rows} rows, got "
                    f"shape {value.shape}"
                )


@dataclass(frozen=True, eq=False)
class AttentionBoundary:
    """f = sum over columns of softmax_i(h_i' K Q h_s) V h_i, the newest column as the query (SBC).

    Args:
        score: K Q (rows, rows).
        value: V (rows, rows).

    Raises:
        ValueError: not square matrices of one size, or not finite.

    Example:
        With no scores all columns count the same:

        >>> import torch
        >>> boundary = AttentionBoundary(np.zeros((1, 1)), np.ones((1, 1)))
        >>> boundary(torch.tensor([[1.0], [2.0], [6.0]])).tolist()
        [3.0]
    """

    score: Array
    value: Array

    def __post_init__(self) -> None:
        for name in ("score", "value"):
            matrix = np.array(getattr(self, name), dtype=np.float64)
            matrix.flags.writeable = False
            object.__setattr__(self, name, matrix)
        n = len(self.value)
        if not self.score.shape == self.value.shape == (n, n):
            raise ValueError(
                f"score and value must be square and of one size, got {self.score.shape} and {self.value.shape}"
            )
        if not (np.isfinite(self.score).all() and np.isfinite(self.value).all()):
            raise ValueError("score and value must be finite")

    def __call__(self, substrate: Tensor) -> Tensor:
        """See `Boundary`."""
        score, value = substrate.new_tensor(self.score), substrate.new_tensor(self.value)
        scores = substrate @ (score @ substrate[..., -1, :, None])
        return ((scores.softmax(dim=-2) * substrate).sum(dim=-2)) @ value.T

    def fits(self, columns: int, rows: int) -> None:
        """See `Boundary`."""
        if len(self.value) != rows:
            raise ValueError(f"the boundary's matrices are for {len(self.value)} rows, the lattice has {rows}")


@dataclass(frozen=True, eq=False)
class RuleBoundary:
    """f is the rule of a task, or any function of torch.

    Args:
        rule: from the substrate (..., columns, rows) to the values (..., rows).
    """

    rule: Rule

    def __call__(self, substrate: Tensor) -> Tensor:
        """See `Boundary`."""
        return self.rule(substrate)

    def fits(self, columns: int, rows: int) -> None:
        """See `Boundary`."""
        HistoryTask("the boundary", columns, rows, self.rule)
