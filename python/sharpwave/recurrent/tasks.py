"""Tasks of variable binding: s inputs are shown, then each next output follows from the last s by a rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..counts import count

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]
Rule = Callable[["Tensor"], "Tensor"]


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
