"""Networks whose hidden units are waves, to be trained by `sharpwave.recurrent.train`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from ..recurrent.replicas import read_out, uniform
from ..suggest import unknown
from .boundaries import AttentionBoundary
from .lattice import WaveLattice

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from ..recurrent.replicas import Parameters

_NONLINEARITIES = ("relu", "tanh", "identity")


@dataclass(frozen=True)
class WaveRNN:
    """The wave RNN, h(t) = s(w * h(t-1) + V u(t) + b), y(t) = W_hy h(t), * a circular convolution over a ring of units.

    It begins as waves: w shifts each channel by a unit a step, V writes inputs to one unit of each channel with weights
    from N(0, 1), b is 0; the readout is from U(-1/sqrt(units), 1/sqrt(units)). All are trained.

    Args:
        units: n, on the ring of a channel.
        channels: c.
        kernel: width of w, odd; each channel reads all.
        nonlinearity: s, `"relu"`, `"tanh"` or `"identity"`.

    Raises:
        ValueError: a number below 1, a kernel that is even or longer than the ring, or an unknown nonlinearity.

    Source:
        T. A. Keller, L. Muller, T. Sejnowski and M. Welling, Traveling waves encode the recent past and enhance
        sequence learning, arXiv 2309.08045; the first weights of input and readout are a choice.
    """

    units: int
    channels: int = 16
    kernel: int = 3
    nonlinearity: str = "relu"

    def __post_init__(self) -> None:
        if min(self.units, self.channels) < 1 or not (self.kernel % 2 == 1 and 3 <= self.kernel <= self.units):
            raise ValueError(
                "expected at least one unit and channel, and an odd kernel from 3 to the number of units, got "
                f"{self.units}, {self.channels} and {self.kernel}"
            )
        if self.nonlinearity not in _NONLINEARITIES:
            raise ValueError(unknown("nonlinearity", self.nonlinearity, _NONLINEARITIES))

    @property
    def width(self) -> int:
        """Hidden units, and what they read."""
        return (self.kernel + 1) * self.channels * self.units

    def initial(self, inputs: int, outputs: int, generator: Generator) -> dict[str, Tensor]:
        """See `WaveRNN`."""
        import torch

        c, n = self.channels, self.units
        recurrent = torch.zeros(c, c, self.kernel)  # to, from, offset
        recurrent[:, :, self.kernel // 2 + 1].fill_diagonal_(1.0)
        written = torch.zeros(c, n, inputs)
        written[:, -1] = torch.randn(c, inputs, generator=generator)
        readout = uniform((outputs, c * n), 1 / math.sqrt(c * n), generator)
        return {"recurrent": recurrent, "input": written, "bias": torch.zeros(c, n), "readout": readout}

    def outputs(self, parameters: Parameters, inputs: Tensor, steps: int) -> Tensor:
        """See `Architecture`."""
        import torch

        replicas, examples, shown, _ = inputs.shape
        c, n = self.channels, self.units
        weights = parameters["recurrent"].transpose(2, 3).flatten(2)[:, None]  # (replicas, 1, to, offset x from)
        bias = parameters["bias"][:, None]
        drive = (inputs @ parameters["input"].flatten(1, 2)[:, None].mT).view(replicas, examples, shown, c, n)
        h, found = inputs.new_zeros(replicas, examples, c, n), []
        offsets = range(self.kernel // 2, -(self.kernel // 2) - 1, -1)
        for t in range(steps):
            read = torch.cat([h.roll(offset, -1) for offset in offsets], dim=-2)
            h = weights @ read + bias
            if t < shown:
                h = h + drive[:, :, t]
            if self.nonlinearity != "identity":
                h = h.relu() if self.nonlinearity == "relu" else h.tanh()
            found.append(h.flatten(2))
        return read_out(found, parameters, inputs)


@dataclass(frozen=True)
class AttentionLattice:
    """A wave lattice with a self-attention boundary, h_s(t+1) = f(h_1, ..., h_s) + W_uh u(t), y(t) = W_hy h_s(t).

    It is the autoregressive loop of a transformer with one layer of attention and nothing else, whose context window
    are the columns; all columns are 0 at first.

    Args:
        columns: s.
        rows: d, of the substrate.
        heads: of the attention.
        biased: whether a head learns how much it prefers each column; the paper's form, without, cannot tell columns by
            their place.

    All weights begin from U(-1/sqrt(rows), 1/sqrt(rows)), V over the number of heads, and the bias from U(-1, 1): a
    choice.

    Raises:
        ValueError: a number below 1.
    """

    columns: int
    rows: int
    heads: int = 1
    biased: bool = True

    def __post_init__(self) -> None:
        if min(self.columns, self.rows, self.heads) < 1:
            raise ValueError(
                f"columns, rows and heads must be at least 1, got {self.columns}, {self.rows} and {self.heads}"
            )

    @property
    def width(self) -> int:
        """Numbers of the substrate, and of what heads make of it, about."""
        return (self.columns + 2 * self.heads) * self.rows

    def initial(self, inputs: int, outputs: int, generator: Generator) -> dict[str, Tensor]:
        """See `AttentionLattice`."""
        d, bound = self.rows, 1 / math.sqrt(self.rows)
        shapes = {
            "score": (self.heads, d, d),
            "value": (self.heads, d, d),
            "input": (d, inputs),
            "readout": (outputs, d),
        }
        found = {name: uniform(shape, bound, generator) for name, shape in shapes.items()}
        found["value"] /= self.heads
        if self.biased:
            found["bias"] = uniform((self.heads, self.columns), 1.0, generator)
        return found

    def outputs(self, parameters: Parameters, inputs: Tensor, steps: int) -> Tensor:
        """See `Architecture`."""
        import torch

        replicas, examples, shown, _ = inputs.shape
        d = self.rows
        score = parameters["score"].mT.transpose(1, 2).flatten(2)  # (replicas, from, heads x to)
        value = parameters["value"].mT.flatten(1, 2)  # (replicas, heads x from, to)
        bias = parameters["bias"][:, None] if self.biased else None
        drive = inputs @ parameters["input"][:, None].mT
        columns, found = inputs.new_zeros(replicas, examples, self.columns, d), []
        for t in range(steps):
            query = torch.bmm(columns[:, :, -1], score).view(replicas, examples, self.heads, d)
            scores = query @ columns.mT  # (replicas, examples, heads, columns)
            if bias is not None:
                scores = scores + bias
            newest = torch.bmm((scores.softmax(dim=-1) @ columns).flatten(2), value)
            if t < shown:
                newest = newest + drive[:, :, t]
            found.append(newest)
            columns = torch.cat([columns[:, :, 1:], newest[:, :, None]], dim=2)
        return read_out(found, parameters, inputs)

    def lattice(self, parameters: Mapping[str, NDArray[Any]], replica: int) -> WaveLattice:
        """One trained network as a lattice, whose inputs are W_uh u, and whose values are read out by W_hy."""
        score, value = (parameters[name][replica] for name in ("score", "value"))
        boundary = AttentionBoundary(score, value, parameters["bias"][replica] if self.biased else None)
        return WaveLattice(self.columns, self.rows, boundary)
