"""Networks of one architecture side by side: parameters have a leading axis, and a product serves them all at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ..suggest import unknown

if TYPE_CHECKING:
    from torch import Generator, Tensor

    Parameters = Mapping[str, Tensor]


class Architecture(Protocol):
    """A network whose parameters a caller keeps. Parameters, inputs and outputs have a leading axis, the replicas'."""

    @property
    def width(self) -> int:
        """Numbers that a step of an example keeps for the backward pass, about."""

    def initial(self, inputs: int, outputs: int, generator: Generator) -> dict[str, Tensor]:
        """Parameters of one new network by name, without the leading axis."""

    def outputs(self, parameters: Parameters, inputs: Tensor, steps: int) -> Tensor:
        """Run from the initial state.

        Args:
            parameters: by name, (replicas, ...).
            inputs: (replicas, examples, shown, inputs); nothing is shown afterwards.
            steps: in all.

        Returns:
            (replicas, examples, steps, outputs).
        """


def new_networks(architecture: Architecture, inputs: int, outputs: int, seeds: Sequence[int]) -> dict[str, Tensor]:
    """Parameters of new networks, one for each seed; a network's numbers depend on its seed alone.

    Example:
        >>> {name: tuple(p.shape) for name, p in new_networks(Elman(16), 8, 8, seeds=[0, 1]).items()}
        {'recurrent': (2, 16, 16), 'input': (2, 16, 8), 'readout': (2, 8, 16)}
    """
    import torch

    found = [architecture.initial(inputs, outputs, torch.Generator().manual_seed(seed)) for seed in seeds]
    return {name: torch.stack([one[name] for one in found]) for name in found[0]}


def uniform(shape: tuple[int, ...], bound: float, generator: Generator) -> Tensor:
    """Numbers from U(-bound, bound)."""
    import torch

    return (2 * torch.rand(shape, generator=generator) - 1) * bound


STARTS = ("uniform", "wave")
NONLINEARITIES = ("tanh", "relu", "identity")  # in the order in which kernels number them


@dataclass(frozen=True)
class Elman:
    """h(t) = s(W_hh h(t-1) + W_uh u(t)), y(t) = W_hy h(t), from h = 0, without biases.

    Args:
        hidden: units.
        nonlinearity: s, `"tanh"`, `"relu"` or `"identity"`.
        start: initial weights. `"uniform"`: all from U(-1/sqrt(hidden), 1/sqrt(hidden)), torch's own default; the
            paper's are not known. `"wave"`: units are columns of a wave lattice, as many rows as inputs; recurrent
            weights shift them, inputs start at the newest column, and the readout is uniform.

    Raises:
        ValueError: no unit, an unknown name, or, of a wave, fewer units than inputs.
    """

    hidden: int
    nonlinearity: str = "tanh"
    start: str = "uniform"

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
        return self.states(parameters, inputs, steps).transpose(1, 2) @ parameters["readout"][:, None].mT

    def states(self, parameters: Parameters, inputs: Tensor, steps: int) -> Tensor:
        """The hidden units, (replicas, steps, examples, hidden)."""
        drive = (inputs @ parameters["input"][:, None].mT).transpose(1, 2)
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
