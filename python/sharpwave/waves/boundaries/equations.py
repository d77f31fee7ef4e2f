"""The boundary that a user writes down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ...equations import EquationError, Equations
from ...recurrent.tasks import floating
from .boundary import Encoded

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class EquationBoundary:
    """f as text: each row by its name, and what it will be from what rows were 1, 2, ... steps before.

    Args:
        texts: for each row of the lattice its next value, made of `x(t - k)`, the row x k steps before that value (k
            from 1, the newest column, to s, the oldest), parameters, and what `sharpwave.equations.Equations` allows.
        parameters: their values.

    Raises:
        EquationError: a text that is not an expression, a delay that is not a whole number of steps from 1 on, a row
            without a delay, or `t` itself.

    Example:
        >>> import torch
        >>> fibonacci = EquationBoundary({"x": "x(t - 1) + x(t - 2)"})
        >>> fibonacci(torch.tensor([[2.0], [3.0]])).tolist()
        [5.0]
        >>> EquationBoundary({"x": "x(t - 1/2)"})
        Traceback (most recent call last):
        sharpwave.equations.errors.EquationError: x(t - 0.5): delays count steps, whole numbers from 1 on
    """

    texts: Mapping[str, str | float]
    parameters: Mapping[str, float] = field(default_factory=dict)
    equations: Equations = field(init=False, repr=False)
    delays: tuple[int, ...] = field(init=False, repr=False)
    rows: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        equations = Equations(self.texts, self.parameters)
        if equations.present:
            raise EquationError(
                f"a boundary reads what rows were before, such as {equations.variables[0]}(t - 1), not "
                f"{', '.join(equations.present)} now"
            )
        steps = -np.asarray(equations.lag_times(0.0))
        moving = np.asarray(equations.lag_times(1.0)) != 1.0 - steps
        for name, delay, moves in zip(equations.lags, steps, moving, strict=True):
            if moves or delay < 1 or delay != round(delay):
                shown = f"{name}(t - {delay:g})" + " at t = 0" * bool(moves)
                raise EquationError(f"{shown}: delays count steps, whole numbers from 1 on")
        object.__setattr__(self, "equations", equations)
        object.__setattr__(self, "delays", tuple(int(delay) for delay in steps))
        object.__setattr__(self, "rows", tuple(equations.variables.index(name) for name in equations.lags))

    def __call__(self, substrate: Tensor) -> Tensor:
        """See `Boundary`."""
        import torch

        substrate = floating(substrate)
        lags = substrate[..., [-delay for delay in self.delays], list(self.rows)]
        nothing = substrate.new_zeros(len(self.equations.variables), dtype=torch.float64)
        found: Tensor = self.equations.evaluate(0.0, nothing, lags=lags, xp=torch)
        return found.expand(*substrate.shape[:-2], -1).to(substrate.dtype)

    def fits(self, columns: int, rows: int) -> None:
        """See `Boundary`."""
        names = self.equations.variables
        if len(names) != rows:
            raise ValueError(f"there are equations for {len(names)} rows ({', '.join(names)}), the lattice has {rows}")
        for name, delay in zip(self.equations.lags, self.delays, strict=True):
            if delay > columns:
                raise ValueError(
                    f"{name}(t - {delay}) reads beyond the window: the lattice has {columns} columns; give it more"
                )

    def encoded(self) -> Encoded:
        """See `Boundary`."""
        from ...equations.compiling import compiled

        integers = [compiled(self.equations), *self.delays, *self.rows]
        return Encoded(3, np.array(integers, dtype=np.int64), self.equations.parameter_vector())
