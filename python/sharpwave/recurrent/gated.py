"""Networks with gates: GRU and LSTM, as torch has them, and a linear readout."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from .replicas import read_out, uniform

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from .replicas import Parameters


@dataclass(frozen=True)
class _Gated:
    hidden: int
    _gates: ClassVar[int]

    def __post_init__(self) -> None:
        if self.hidden < 1:
            raise ValueError(f"hidden must be at least 1, got {self.hidden}")

    def initial(self, inputs: int, outputs: int, generator: Generator) -> dict[str, Tensor]:
        """See the class."""
        n, gates = self.hidden, self._gates
        shapes: dict[str, tuple[int, ...]] = {
            "recurrent": (gates * n, n),
            "recurrent_bias": (gates * n,),
            "input": (gates * n, inputs),
            "input_bias": (gates * n,),
            "readout": (outputs, n),
        }
        return {name: uniform(shape, 1 / math.sqrt(n), generator) for name, shape in shapes.items()}


@dataclass(frozen=True)
class GRU(_Gated):
    """Gated recurrent units, y(t) = W_hy h(t), from h = 0:

        r = sigma(W_r u + b_r + U_r h + c_r),  z = sigma(W_z u + b_z + U_z h + c_z),
        n = tanh(W_n u + b_n + r (U_n h + c_n)),  h(t) = (1 - z) n + z h(t-1).

    Weights and biases are from U(-1/sqrt(hidden), 1/sqrt(hidden)), and ordered r, z, n, all as in `torch.nn.GRU`.

    Args:
        hidden: units.

    Raises:
        ValueError: no unit.
    """

    _gates = 3

    @property
    def width(self) -> int:
        """Numbers of three gates, about."""
        return 4 * self.hidden

    def outputs(self, parameters: Parameters, inputs: Tensor, steps: int) -> Tensor:
        """See `Architecture`."""
        import torch

        back, bias, h = _recurrent(parameters, inputs)
        found = []
        for drive in _drives(parameters, inputs, steps):
            from_u, from_h = drive.chunk(3, dim=-1), torch.baddbmm(bias, h, back).chunk(3, dim=-1)
            reset, keep = ((u + v).sigmoid() for u, v in zip(from_u[:2], from_h[:2], strict=True))
            h = torch.lerp((from_u[2] + reset * from_h[2]).tanh(), h, keep)
            found.append(h)
        return read_out(found, parameters, inputs)


@dataclass(frozen=True)
class LSTM(_Gated):
    """Long short-term memory, y(t) = W_hy h(t), from h = c = 0:

        i, f, o = sigma(W u + b + U h + b'),  g = tanh(W_g u + b_g + U_g h + b'_g),
        c(t) = f c(t-1) + i g,  h(t) = o tanh(c(t)).

    Weights and biases are from U(-1/sqrt(hidden), 1/sqrt(hidden)), and ordered i, f, g, o, all as in `torch.nn.LSTM`.

    Args:
        hidden: units.

    Raises:
        ValueError: no unit.
    """

    _gates = 4

    @property
    def width(self) -> int:
        """Numbers of four gates and the cell, about."""
        return 6 * self.hidden

    def outputs(self, parameters: Parameters, inputs: Tensor, steps: int) -> Tensor:
        """See `Architecture`."""
        import torch

        back, bias, h = _recurrent(parameters, inputs)
        cell, found = h, []
        for drive in _drives(parameters, inputs, steps):
            enter, keep, new, leave = (drive + torch.baddbmm(bias, h, back)).chunk(4, dim=-1)
            cell = keep.sigmoid() * cell + enter.sigmoid() * new.tanh()
            h = leave.sigmoid() * cell.tanh()
            found.append(h)
        return read_out(found, parameters, inputs)


def _recurrent(parameters: Parameters, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Recurrent weights to multiply with from the right, their bias, and the first state."""
    back = parameters["recurrent"].mT
    return back, parameters["recurrent_bias"][:, None], inputs.new_zeros(*inputs.shape[:2], back.shape[1])


def _drives(parameters: Parameters, inputs: Tensor, steps: int) -> list[Tensor]:
    """What gates get from inputs in each step; from steps in which nothing is shown, the bias."""
    bias = parameters["input_bias"][:, None]
    shown = inputs @ parameters["input"][:, None].mT + bias[:, None]
    return [*shown.unbind(2)[:steps], *[bias] * (steps - inputs.shape[2])]
