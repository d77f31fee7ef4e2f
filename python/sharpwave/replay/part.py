"""What a strategy is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .streams import Examples

if TYPE_CHECKING:
    from .learner import Learner

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Batch:
    """Some examples.

    Attributes:
        x: (examples, features).
        y: outputs that are right, (examples,).
        task: which task each is of, (examples,).
        features: activities of the last hidden layer, (examples, units), where they are known; see
            `Learner.features`.
    """

    x: Tensor
    y: Tensor
    task: Tensor
    features: Tensor | None = field(default=None, kw_only=True)

    def __len__(self) -> int:
        return len(self.y)

    def some(self, which: slice | NDArray[np.int64]) -> Batch:
        """Some of them."""
        return Batch(self.x[which], self.y[which], self.task[which])

    @staticmethod
    def joined(batches: Sequence[Batch]) -> Batch:
        """All of them, in order."""
        return Batch(*(torch.cat([getattr(one, name) for one in batches]) for name in ("x", "y", "task")))


class Part:
    """What is done besides learning new examples; a strategy is a sequence of parts. All of it may be left out.

    A part is used once. Checkpoints are told from those of other settings by its attributes before it is started, but
    for those whose names begin with _.
    """

    learner: Learner

    def overrides(self, *names: str) -> bool:
        """Whether it does something of its own where `Part` does nothing."""
        return any(getattr(type(self), name) is not getattr(Part, name) for name in names)

    @property
    def freezes(self) -> int:
        """Hidden layers, the lowest ones, that learn in the first task only."""
        return 0

    def draw_weights(self, learner: Learner) -> None:
        """Draw initial weights of the network anew, where they are not the usual ones; before parts start."""

    def start(self, learner: Learner) -> None:
        """Before the first task."""
        self.learner = learner

    def begin(self, place: int) -> None:
        """Before each task."""

    def learns(self, place: int) -> bool:
        """Whether the network learns batches of a task; else it sees them only where parts show them to it."""
        return True

    def beside(self, batch: Batch) -> Batch | None:
        """Examples that are learned beside new ones: they go through the network together."""
        return None

    def loss_beside(self, beside: Batch) -> Tensor:
        """The loss of examples that are learned beside new ones, to be weighed by `Learner.weighed`."""
        return self.learner.plain_loss(beside)

    def loss(self, batch: Batch, loss: Tensor) -> Tensor:
        """The loss of a batch of new examples, and of those beside them, with what this part adds."""
        return loss

    def project(self, batch: Batch) -> None:
        """Change gradients before they are followed."""

    def after(self, batch: Batch) -> None:
        """After each step."""

    def between(self) -> None:
        """After each step, when all parts have done with it: here the network may learn what is no new example."""

    def end(self, place: int, examples: Examples) -> None:
        """After each task, with its training examples."""

    def scores(self, x: Tensor) -> Tensor | None:
        """What speaks for each output, (examples, outputs), where it is not what the network says."""
        return None

    def learned(self) -> Arrays:
        """Of what it goes on from, that which learns, and must stay finite."""
        return {}

    @property
    def bytes(self) -> int:
        """Of all that it goes on from."""
        return bytes_of(self.arrays())

    def arrays(self) -> Arrays:
        """All that it goes on from."""
        return {}

    def restore(self, arrays: Arrays) -> None:
        """Take up what `arrays` gave."""


def bytes_of(arrays: Arrays) -> int:
    """Of all of them."""
    return sum(np.asarray(array).nbytes for array in arrays.values())


def made_by(strategy: Strategy) -> Sequence[Part]:
    """The parts of a strategy.

    Raises:
        ValueError: it is no function, or makes something else.
    """
    if not callable(strategy) or (isinstance(strategy, type) and issubclass(strategy, Part)):
        raise ValueError(f"strategy must be a function that returns parts, lambda: [...], got {strategy!r}")
    parts = strategy()
    if not isinstance(parts, Sequence) or not all(isinstance(part, Part) for part in parts):
        raise ValueError(f"strategy must return a list of parts, got {parts!r}")
    return parts


Strategy = Callable[[], Sequence[Part]]
