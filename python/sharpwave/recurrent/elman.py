"""Elman networks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..suggest import unknown
from .replicas import uniform

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from .replicas import Parameters

STARTS = ("uniform", "wave")
NONLINEARITIES = ("tanh", "relu", "identity")  # in the order in which kernels number them


@dataclass(frozen=True)
class Elman:
    """h(t) = s(W_hh h(t-1) + W_uh u(t) + b), y(t) = W_hy h(t) + c, from h = 0.

    Args:
        hidden: units.
        nonlinearity: s, `"tanh"`, `"relu"` or `"identity"`.
        start: initial weights. `"uniform"`: all from U(-1/sqrt(hidden), 1/sqrt(hidden)), torch's own default; the
            paper's are not known. `"wave"`: units are columns of a wave lattice, as many rows as inputs; recurrent
            weights shift them, inputs start at the newest column, and the readout is uniform.
        bias: whether there are b and c, from the same distribution; without them, both are 0.

    Raises:
        ValueError: no unit, an unknown name, or, of a wave, fewer units than inputs.
    """

    hidden: int
    nonlinearity: str = "tanh"
    start: str = "uniform"
    bias: bool = False

    def __post_init__(self) -> None:
        if self.hidden < 1:
            raise ValueError(f"hidden must be at least 1, got {self.hidden}")
        if self.nonlinearity not in NONLINEARITIES:
            raise ValueError(unknown("nonlinearity", self.nonlinearity, NONLINEARITIES))
        if self.start not in STARTS:
            raise ValueError(unknown("start", self.start, STARTS))

    @property
    def width(self) -> int:
        """Hidden units."""
        return self.hidden

    def initial(self, inputs: int, outputs: int, generator: Generator) -> dict[str, Tensor]:
        """See `Elman`, on `start`."""
        n, d = self.hidden, inputs
        shapes = {"recurrent": (n, n), "input": (n, inputs), "readout": (outputs, n)}
        found = {name: uniform(shape, 1 / math.sqrt(n), generator) for name, shape in shapes.items()}
        if self.bias:
            found["bias"], found["readout_bias"] = (uniform((k,), 1 / math.sqrt(n), generator) for k in (n, outputs))
        if self.start == "wave":
            last = n // d * d
            if not last:
                raise ValueError(f"a wave needs as many units as inputs at least, got {n} and {d}")
            for name in ("recurrent", "input"):
                found[name].zero_()
            found["recurrent"][: last - d, d:last].fill_diagonal_(1.0)
            found["input"][last - d : last].fill_diagonal_(1.0)
        return found

    def outputs(self, parameters: Parameters, inputs: Tensor, steps: int) -> Tensor:
        """See `Architecture`."""
        found = self.states(parameters, inputs, steps).transpose(1, 2) @ parameters["readout"][:, None].mT
        return found + parameters["readout_bias"][:, None, None] if self.bias else found

    def states(self, parameters: Parameters, inputs: Tensor, steps: int) -> Tensor:
        """The hidden units, (replicas, steps, examples, hidden)."""
        drive = (inputs[:, :, :steps] @ parameters["input"][:, None].mT).transpose(1, 2)
        if self.bias:
            import torch

            nothing = drive.new_zeros(len(drive), steps - drive.shape[1], *drive.shape[2:])
            drive = torch.cat([drive, nothing], dim=1) + parameters["bias"][:, None, None]
        found: Tensor = _unrolled()(parameters["recurrent"], drive, steps, self.nonlinearity)
        return found


def _relu_slope(h: Tensor) -> Tensor:
    return (h > 0).to(h.dtype)


# Slope of each nonlinearity, from its value.
_SLOPES: dict[str, Any] = {
    "tanh": lambda h: 1 - h * h,
    "relu": _relu_slope,
    "identity": lambda h: h.new_ones(()),
}


def _unrolled() -> Any:
    """The states, with a backward pass of its own: the gradient of the weights is one product, not one a step."""
    global _UNROLLED
    if _UNROLLED is None:
        import torch

        class Unrolled(torch.autograd.Function):
            @staticmethod
            def forward(context: Any, recurrent: Tensor, drive: Tensor, steps: int, nonlinearity: str) -> Tensor:
                replicas, shown, examples, hidden = drive.shape
                states, back = drive.new_empty(replicas, steps, examples, hidden), recurrent.mT
                h = drive.new_zeros(replicas, examples, hidden)
                for t in range(steps):
                    h = torch.baddbmm(drive[:, t], h, back) if t < shown else torch.bmm(h, back)
                    if nonlinearity == "tanh":
                        h.tanh_()
                    elif nonlinearity == "relu":
                        h.relu_()
                    states[:, t] = h
                context.save_for_backward(recurrent, states)
                context.shown, context.nonlinearity = shown, nonlinearity
                return states

            @staticmethod
            @torch.autograd.function.once_differentiable
            def backward(context: Any, *gradients: Tensor) -> Any:
                (recurrent, states), (of_states,) = context.saved_tensors, gradients
                slope, steps = _SLOPES[context.nonlinearity], states.shape[1]
                before = torch.empty_like(states)  # of what the nonlinearity is applied to
                carried = None
                for t in range(steps - 1, -1, -1):
                    total = of_states[:, t] if carried is None else of_states[:, t] + carried
                    before[:, t] = total * slope(states[:, t])
                    carried = torch.bmm(before[:, t], recurrent) if t else None
                rows = before[:, 1:].flatten(1, 2)
                weight = torch.bmm(rows.mT, states[:, :-1].flatten(1, 2))
                return weight, before[:, : context.shown], None, None

        _UNROLLED = Unrolled.apply
    return _UNROLLED


_UNROLLED: Any = None
