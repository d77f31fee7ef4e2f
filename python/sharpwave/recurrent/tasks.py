"""What networks learn, and tasks of variable binding: s inputs are shown, then each next output follows by a rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..counts import count

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]
Rule = Callable[["Tensor"], "Tensor"]


class Task(Protocol):
    """Sequences, and what networks are to say to them."""

    @property
    def name(self) -> str:
        """Of the task."""

    @property
    def inputs(self) -> int:
        """Numbers that are shown in a step."""

    @property
    def outputs(self) -> int:
        """Numbers that are to be said in a step."""

    @property
    def skipped(self) -> int:
        """Steps before those that count."""

    @property
    def mark(self) -> str:
        """What tells the task from others, in a checkpoint."""

    def batch(self, seed: int, step: int, examples: int, horizon: int, stream: int = 0) -> tuple[Tensor, Tensor]:
        """Examples, which depend on the whole numbers seed, step and stream alone.

        Returns:
            What is shown, (examples, shown, inputs), and what is to be said in the steps that count, (examples,
            horizon, outputs): numbers whose signs are what counts.
        """

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Of what networks said, (replicas, examples, horizon, outputs), (replicas,)."""


@dataclass(frozen=True, eq=False)
class HistoryTask:
    """A history-dependent system x(t) = f(x(t-s), ..., x(t-1)), shown s inputs and then left to itself.

    Args:
        name: of the task.
        window: s, how many of the last values the rule reads.
        dimensions: d, of a value.
        rule: f, from histories (..., s, d), the oldest value first, to values (..., d), in torch.
        matrix: the same where the rule is linear, F' (d, s d), from the history as one vector; else None.

    Raises:
        ValueError: no window or dimension, or the rule does not give values of d numbers.

    Example:
        Binary Fibonacci, the next value is the product of the last two:

        >>> task = HistoryTask("xor", window=2, dimensions=1, rule=lambda x: x[..., -1, :] * x[..., -2, :])
        >>> task.continued([[[1.0], [-1.0]]], steps=4)[0, :, 0].tolist()
        [-1.0, 1.0, -1.0, -1.0]
    """

    name: str
    window: int
    dimensions: int
    rule: Rule
    matrix: Array | None = None

    def __post_init__(self) -> None:
        import torch

        for name in ("window", "dimensions"):
            object.__setattr__(self, name, count(name, getattr(self, name)))
        try:
            value = self.rule(torch.ones(3, self.window, self.dimensions))
        except IndexError as error:
            raise ValueError(f"{self.name}: the rule reads beyond the window of {self.window}: {error}") from None
        if tuple(value.shape) != (3, self.dimensions):
            raise ValueError(
                f"{self.name}: the rule must turn histories (3, {self.window}, {self.dimensions}) into values "
                f"(3, {self.dimensions}), got {tuple(value.shape)}: it may read no more than the window"
            )

    @property
    def inputs(self) -> int:
        """d."""
        return self.dimensions

    @property
    def outputs(self) -> int:
        """d."""
        return self.dimensions

    @property
    def skipped(self) -> int:
        """s: nothing is asked while inputs are shown."""
        return self.window

    @property
    def mark(self) -> str:
        """Name, sizes, and a digest of the matrix, or of what the rule makes of some windows."""
        known = self.matrix if self.matrix is not None else self.batch(0, 0, 32, 4)[1].numpy()
        digest = sha256(np.ascontiguousarray(known).tobytes()).hexdigest()
        return f"{self.name} {self.window} {self.dimensions} {digest}"

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean squared error."""
        return (outputs - targets).square().mean((1, 2, 3))

    def continued(self, history: ArrayLike | Tensor, steps: int) -> Tensor:
        """The next values after a history.

        Args:
            history: (..., s, d), the oldest value first.
            steps: how many values follow.

        Returns:
            The values, (..., steps, d).

        Raises:
            ValueError: the history is not of s values of d numbers.
        """
        import torch

        last = floating(torch.as_tensor(history))
        if tuple(last.shape[-2:]) != (self.window, self.dimensions):
            raise ValueError(
                f"{self.name}: a history must be (..., {self.window}, {self.dimensions}), got {tuple(last.shape)}"
            )
        return unrolled(self.rule, last, last[..., :0, :], count("steps", steps, 0))

    def batch(self, seed: int, step: int, examples: int, horizon: int, stream: int = 0) -> tuple[Tensor, Tensor]:
        """Inputs, and what is to follow. The inputs depend on the three numbers alone, so that they can be drawn anew.

        Args:
            seed, step, stream: whole numbers, from 0.
            examples: how many.
            horizon: values that follow the inputs.

        Returns:
            Inputs of -1 and 1, (examples, s, d), and targets, (examples, horizon, d).
        """
        import torch

        needed = examples * self.window * self.dimensions
        words = np.random.Philox(key=seed, counter=[0, step, stream, 0]).random_raw(-(-needed // 64))
        bits = np.unpackbits(words.view(np.uint8), count=needed)
        shape = (examples, self.window, self.dimensions)
        inputs = torch.from_numpy(bits.reshape(shape).astype(np.float32)) * 2 - 1
        return inputs, self.continued(inputs, horizon)


def floating(numbers: Tensor) -> Tensor:
    """The same numbers; whole ones in double precision, for what a rule makes of them need not be whole."""
    return numbers if numbers.is_floating_point() else numbers.double()


def unrolled(rule: Rule, window: Tensor, inputs: Tensor, steps: int) -> Tensor:
    """The values (..., steps, d) that follow a window (..., s, d) by a rule; inputs (..., shown, d) are added."""
    import torch

    last, found = window, []
    for t in range(steps):
        value = rule(last)
        found.append(value + inputs[..., t, :] if t < inputs.shape[-2] else value)
        last = torch.cat([last[..., 1:, :], found[-1][..., None, :]], dim=-2)
    return torch.stack(found, dim=-2) if found else window[..., :0, :]
