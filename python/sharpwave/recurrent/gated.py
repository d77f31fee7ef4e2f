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
    _parts: ClassVar[int]  # of a state, the first of which is read out

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

    def outputs(self, parameters: Parameters, inputs: Tensor, steps: int) -> Tensor:
        """See `Architecture`."""
        import torch

        back, bias, h = _recurrent(parameters, inputs)
        state, found = (h,) * self._parts, []
        for drive in _drives(parameters, inputs, steps):
            state = self._advance(drive, torch.baddbmm(bias, state[0], back), state)
            found.append(state[0])
        return read_out(found, parameters, inputs)

    @property
    def state_size(self) -> int:
        """Numbers of a state: of an LSTM, h and then c."""
        return self.hidden * self._parts

    def next_state(self, parameters: Parameters, input: Tensor, state: Tensor) -> Tensor:
        """A step of one network.

        Args:
            parameters: by name, without a leading axis.
            input: u (inputs,).
            state: (state_size,).
        """
        import torch

        parts = torch.split(state, self.hidden)
        drive = parameters["input"] @ input + parameters["input_bias"]
        return torch.cat(self._advance(drive, parameters["recurrent"] @ parts[0] + parameters["recurrent_bias"], parts))

    def _advance(self, from_u: Tensor, from_h: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The state after a step, from what inputs and units give to the gates."""
        raise NotImplementedError


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
    _parts = 1

    @property
    def width(self) -> int:
        """Numbers of three gates, about."""
        return 4 * self.hidden

    def _advance(self, from_u: Tensor, from_h: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        import torch

        u, v = from_u.chunk(3, dim=-1), from_h.chunk(3, dim=-1)
        reset, keep = ((one + other).sigmoid() for one, other in zip(u[:2], v[:2], strict=True))
        return (torch.lerp((u[2] + reset * v[2]).tanh(), state[0], keep),)


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
    _parts = 2

    @property
    def width(self) -> int:
        """Numbers of four gates and the cell, about."""
        return 6 * self.hidden

    def _advance(self, from_u: Tensor, from_h: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        enter, keep, new, leave = (from_u + from_h).chunk(4, dim=-1)
        cell = keep.sigmoid() * state[1] + enter.sigmoid() * new.tanh()
        return leave.sigmoid() * cell.tanh(), cell


def _recurrent(parameters: Parameters, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Recurrent weights to multiply with from the right, their bias, and the first state."""
    back = parameters["recurrent"].mT
    return back, parameters["recurrent_bias"][:, None], inputs.new_zeros(*inputs.shape[:2], back.shape[1])


def _drives(parameters: Parameters, inputs: Tensor, steps: int) -> list[Tensor]:
    """What gates get from inputs in each step; from steps in which nothing is shown, the bias."""
    bias = parameters["input_bias"][:, None]
    shown = inputs @ parameters["input"][:, None].mT + bias[:, None]
    return [*shown.unbind(2)[:steps], *[bias] * (steps - inputs.shape[2])]
