"""A substrate on which waves carry the past of a system to a boundary that computes what comes next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..backends import Backend, in_julia
from ..counts import count
from ..recurrent.tasks import HistoryTask, floating, unrolled
from .boundaries import Boundary, LinearBoundary, RuleBoundary
from .boundaries.boundary import frozen
from .transport import Ends, Transport

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WaveLattice:
    """s columns of d rows. Waves go from column s to column 1, a column a step, and leave there:

        h_i(t+1) = h_{i+1}(t) for i < s,    h_s(t+1) = f(h_1(t), ..., h_s(t)) + u(t).

    Args:
        columns: s.
        rows: d.
        boundary: f.
        ends, speed: of the waves, if they are others than these, see `Transport`. What comes in again at periodic ends
            is added to what starts.

    Raises:
        ValueError: no column or row, a boundary that does not fit, or waves that there are not.

    Source:
        arXiv 2402.10163; periodic and reflecting ends, and other speeds, are ours.

    Example:
        >>> lattice = WaveLattice(3, 1, LinearBoundary({1: 1.0, 2: 1.0, 3: 1.0}))
        >>> lattice.run(steps=5, initial=[[[0.0], [0.0], [1.0]]]).values[0, :, 0].tolist()
        [1.0, 2.0, 4.0, 7.0, 13.0]
    """

    columns: int
    rows: int
    boundary: Boundary
    ends: Ends = "open"
    speed: float = 1.0
    transport: Transport = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "transport", Transport(self.columns, self.ends, self.speed))
        object.__setattr__(self, "columns", self.transport.columns)
        object.__setattr__(self, "rows", count("rows", self.rows))
        self.boundary.fits(self.columns, self.rows)

    @property
    def memory(self) -> int:
        """How many of the last steps' values are on the lattice: s, if waves have open ends and a speed of 1."""
        return self.transport.memory

    def run(
        self,
        inputs: ArrayLike | None = None,
        steps: int | None = None,
        initial: ArrayLike | None = None,
        *,
        backend: Backend = "auto",
        threads: int | None = None,
    ) -> Waves:
        """Let waves travel, in double precision.

        Args:
            inputs: u (examples, shown, rows), added to what starts; nothing is added afterwards. None: nothing.
            steps: in all; None: as many as inputs are shown.
            initial: what started before the first step, (examples, memory, rows), the oldest first, which with open
                ends and a speed of 1 are the columns; None: 0.
            backend: `"julia"`, for all boundaries but functions of torch, `"torch"` for any, or `"auto"`.
            threads: of Julia's at most; None: all. Results do not depend on it.

        Raises:
            ValueError: sizes that do not fit, numbers that are not finite, or neither inputs nor an initial substrate.
        """
        of_torch = isinstance(self.boundary, RuleBoundary)
        julia = in_julia(backend, "Julia does not know functions of torch as boundaries" if of_torch else "")
        start, drive = self._checked(inputs, initial)
        wanted = drive.shape[1] if steps is None else count("steps", steps, 0)
        threads = None if threads is None else count("threads", threads)
        return Waves(self, start, self._values(start, drive, wanted, julia, threads))

    def _values(self, start: Array, drive: Array, steps: int, julia: bool, threads: int | None) -> Array:
        if julia:
            from . import julia_backend

            return julia_backend.roll(self, start, drive, steps, threads)[0]
        import torch

        with torch.no_grad():
            return np.asarray(self.roll(torch.tensor(start), torch.tensor(drive), steps).numpy())

    def roll(self, initial: Tensor, inputs: Tensor, steps: int) -> Tensor:
        """The same in torch, with gradients: what started in each step, (examples, steps, rows)."""
        return unrolled(self.next, floating(initial), inputs, steps)

    def next(self, memory: Tensor) -> Tensor:
        """What starts next without input, (..., rows), from the memory (..., memory, rows), in torch."""
        value = self.boundary(self.transport.substrate_in_torch(memory))
        if self.ends == "periodic":
            places, weights = self.transport.arriving
            value = value + (memory[..., places, :] * memory.new_tensor(weights)[:, None]).sum(dim=-2)
        return value

    @property
    def feedback(self) -> LinearBoundary:
        """What starts next as a linear function of the memory, place by place; `boundary`, if ends are open and v = 1.

        Raises:
            ValueError: the boundary is not linear.
        """
        if not isinstance(self.boundary, LinearBoundary):
            raise ValueError(f"only a linear boundary is a sum over columns, not {self.boundary!r}")
        if self.transport.plain:
            return self.boundary
        terms: dict[int, Array] = {}

        def add(place: int, term: Array) -> None:
            terms[place + 1] = _sum(terms[place + 1], term) if place + 1 in terms else term

        for column, place, weight in zip(*self.transport.seen, strict=True):
            if column + 1 in self.boundary.phi:
                add(int(place), weight * self.boundary.phi[int(column) + 1])
        if self.ends == "periodic":
            for place, weight in zip(*self.transport.arriving, strict=True):
                add(int(place), np.array(weight))
        return LinearBoundary(terms)

    def _checked(self, inputs: ArrayLike | None, initial: ArrayLike | None) -> tuple[Array, Array]:
        if inputs is None and initial is None:
            raise ValueError("expected inputs, an initial substrate, or both")
        drive = None if inputs is None else frozen("inputs", inputs)
        start = None if initial is None else frozen("the initial substrate", initial)
        if drive is not None and (drive.ndim != 3 or drive.shape[2] != self.rows):
            raise ValueError(f"inputs must be (examples, shown, {self.rows}), got {drive.shape}")
        if start is not None and (start.ndim != 3 or start.shape[1:] != (self.memory, self.rows)):
            raise ValueError(f"the initial substrate must be (examples, {self.memory}, {self.rows}), got {start.shape}")
        if drive is not None and start is not None and len(drive) != len(start):
            raise ValueError(f"{len(drive)} examples of inputs, {len(start)} initial substrates: expected as many")
        examples = len(drive if drive is not None else start)  # type: ignore[arg-type]  # one of them is there
        if drive is None:
            drive = np.zeros((examples, 0, self.rows))
        if start is None:
            start = np.zeros((examples, self.memory, self.rows))
        return start, drive


def _sum(first: Array, second: Array) -> Array:
    """Of two terms, each a number, one number a row, or a matrix."""
    if first.ndim > second.ndim:
        return _sum(second, first)
    if second.ndim == 2 and first.ndim < 2:
        return np.asarray(second + np.diag(np.broadcast_to(first, len(second))))
    return np.asarray(first + second)


@dataclass(frozen=True, eq=False)
class Waves:
    """What travelled on a lattice. Columns hold what started some steps before, so that this is all there is to keep.

    Attributes:
        lattice: on which.
        initial: what started before the first step, (examples, memory, rows).
        values: what started in each step, (examples, steps, rows).
    """

    lattice: WaveLattice
    initial: Array
    values: Array

    def substrate(self, step: int) -> Array:
        """All columns after so many steps, (examples, columns, rows), column 1 first.

        Raises:
            ValueError: the waves did not travel so long.
        """
        if not 0 <= step <= self.values.shape[1]:
            raise ValueError(f"step must be from 0 to {self.values.shape[1]}, got {step}")
        whole = np.concatenate([self.initial, self.values[:, :step]], axis=1)
        return self.lattice.transport.substrate(whole[:, step : step + self.lattice.memory])

    @property
    def left(self) -> Array:
        """What passed the end behind column 1 in each step, (examples, steps, rows): it left, if that end is open."""
        whole, steps = np.concatenate([self.initial, self.values], axis=1), self.values.shape[1]
        places, weights = self.lattice.transport.arriving
        parts = [weight * whole[:, place : place + steps] for place, weight in zip(places, weights, strict=True)]
        return np.asarray(sum(parts))


def compile_history_system(task: HistoryTask) -> WaveLattice:
    """The lattice of a history-dependent system x(t) = f(x(t-s), ..., x(t-1)): its columns are the window.

    Args:
        task: the system; a linear one gets a `LinearBoundary` that reads only the columns that the rule reads.

    Source:
        arXiv 2402.10163, theorem 3.1.

    Example:
        >>> from sharpwave.recurrent import repeat_copy
        >>> lattice = compile_history_system(repeat_copy(2, 1))
        >>> lattice.run(steps=4, initial=[[[1.0], [-1.0]]]).values[0, :, 0].tolist()
        [1.0, -1.0, 1.0, -1.0]
    """
    if task.matrix is None:
        return WaveLattice(task.window, task.dimensions, RuleBoundary(task.rule))
    blocks = task.matrix.reshape(task.dimensions, task.window, task.dimensions)
    read = {i + 1: blocks[:, i] for i in range(task.window) if blocks[:, i].any()}
    return WaveLattice(task.window, task.dimensions, LinearBoundary(read or {1: 0.0}))
