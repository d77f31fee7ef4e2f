"""The network that learns tasks, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..counts import count, positive


@dataclass(frozen=True)
class Settings:
    """How a network learns each task.

    Attributes:
        hidden: units of its layers.
        learning_rate: of Adam, whose moments are kept from task to task, or of what a part puts in its place.
        batch: new examples at a time.
        iterations: batches of each task.
        bias: whether units have one.

    Source:
        Split MNIST of van de Ven and others, Nature Machine Intelligence 4, 2022.
    """

    hidden: tuple[int, ...] = (400, 400)
    learning_rate: float = 1e-3
    batch: int = 128
    iterations: int = 2000
    bias: bool = True

    def __post_init__(self) -> None:
        for name in ("batch", "iterations"):
            object.__setattr__(self, name, count(name, getattr(self, name)))
        if not isinstance(self.hidden, (tuple, list)):
            raise ValueError(f"hidden must be the units of each layer, such as (400, 400), got {self.hidden!r}")
        object.__setattr__(self, "hidden", tuple(count("units of a layer", units) for units in self.hidden))
        positive("learning_rate", self.learning_rate)


class Perceptron(nn.Module):
    """Layers of rectified units and a linear one behind them."""

    def __init__(self, features: int, hidden: Sequence[int], outputs: int, bias: bool = True) -> None:
        super().__init__()
        sizes = (features, *hidden)
        self.layers = nn.ModuleList(nn.Linear(a, b, bias) for a, b in zip(sizes, hidden, strict=False))
        self.head = nn.Linear(sizes[-1], outputs, bias)

    @property
    def hidden(self) -> list[nn.Linear]:
        """The layers but the last one."""
        return [layer for layer in self.layers if isinstance(layer, nn.Linear)]

    def features(self, x: Tensor, first: int = 0, last: int | None = None) -> Tensor:
        """Activities behind a layer, of those before another one."""
        for layer in list(self.layers)[first:last]:
            x = torch.relu(layer(x))
        return x

    def forward(self, x: Tensor) -> Tensor:
        """What speaks for each output, (examples, outputs)."""
        found: Tensor = self.head(self.features(x))
        return found
