"""What all boundaries have in common, and the one that is any function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...recurrent.tasks import HistoryTask, Rule, floating

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]


class Encoded(NamedTuple):
    """A boundary as the kernel `run_waves` is given it: which kind, and what that kind takes."""

    kind: int
    integers: NDArray[np.int64]
    weights: Array


class Boundary(Protocol):
    """f, from the substrate (..., columns, rows), the oldest column first, to the values (..., rows) that start."""

    def __call__(self, substrate: Tensor) -> Tensor:
        """The values, in torch, with gradients."""

    def fits(self, columns: int, rows: int) -> None:
        """Check that a lattice of this size has what is read.

        Raises:
            ValueError: it has not.
        """

    def encoded(self) -> Encoded | None:
        """For the kernel; None: it does not know such boundaries."""


@dataclass(frozen=True, eq=False)
class RuleBoundary:
    """f is the rule of a task, or any function of torch, such as a module, whose parameters then get gradients.

    A module is given numbers of its parameters' precision.

    Args:
        rule: from the substrate (..., columns, rows) to the values (..., rows).
    """

    rule: Rule

    def __call__(self, substrate: Tensor) -> Tensor:
        """See `Boundary`."""
        own = next(self.rule.parameters(), None) if hasattr(self.rule, "parameters") else None
        if own is None:
            return self.rule(substrate)
        return self.rule(substrate.to(own.dtype)).to(floating(substrate).dtype)

    def fits(self, columns: int, rows: int) -> None:
        """See `Boundary`."""
        HistoryTask("the boundary", columns, rows, self)

    def encoded(self) -> None:
        """See `Boundary`."""


def frozen(name: str, value: ArrayLike) -> Array:
    """A copy that nobody can change.

    Raises:
        ValueError: it is complex, or not finite.
    """
    given: Any = np.asarray(value)
    if np.iscomplexobj(given):
        raise ValueError(f"{name} must be real: waves are real numbers")
    array = np.array(given, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite")
    array.flags.writeable = False
    return array
