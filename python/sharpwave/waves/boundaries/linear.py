"""The boundary that is linear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ...counts import count
from ...recurrent.tasks import floating
from .boundary import Array, Encoded, frozen

if TYPE_CHECKING:
    from torch import Tensor


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
        terms = sorted((count("a column", column), value) for column, value in self.terms.items())
        phi = {column: frozen(f"the term of column {column}", value) for column, value in terms}
        for column, value in phi.items():
            if value.ndim > 2:
                raise ValueError(
                    f"the term of column {column} must be a number, (rows,) or (rows, rows), got shape {value.shape}"
                )
        if not phi:
            raise ValueError("expected at least one term; for waves that nothing feeds, give {1: 0.0}")
        object.__setattr__(self, "terms", MappingProxyType(phi))
        object.__setattr__(self, "phi", phi)

    def __call__(self, substrate: Tensor) -> Tensor:
        """See `Boundary`."""
        substrate = floating(substrate)
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

    def encoded(self) -> Encoded:
        """See `Boundary`."""
        integers = [*self.phi, *(value.ndim for value in self.phi.values())]
        return Encoded(0, np.array(integers, dtype=np.int64), np.concatenate([v.ravel() for v in self.phi.values()]))
