"""What all ways of learning have in common, as `ForwardClassifier` uses them."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Integers = NDArray[np.int64]


class DivergedError(RuntimeError):
    """Numbers of a network ceased to be finite; what it had learned before is kept."""


class UnsettledError(DivergedError):
    """States did not settle as far as they were told to."""


class Learner(Protocol):
    """A network that learns, epoch by epoch."""

    def learn(self, inputs: Array, labels: Integers, epoch: int, epochs: int) -> dict[str, float]:
        """Go once through all examples, in an order drawn from the seed and the epoch.

        Args:
            inputs: (examples, features), float32.
            labels: of each example, whole numbers from 0.
            epoch: which one, from 0.
            epochs: how many there will be.

        Returns:
            Numbers that say how it went, by name; `accuracy` is that of examples before they were learned.

        Raises:
            DivergedError: a number is not finite; the network is as it was before the epoch.
        """

    def scores(self, inputs: Array) -> Array:
        """How much speaks for each class, (examples, classes)."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that learning goes on from."""

    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Take up what `arrays` gave."""


class Method(Protocol):
    """A way of learning, with its settings."""

    def start(self, features: int, classes: int, examples: int, seed: int) -> Learner:
        """A network that has learned nothing.

        Args:
            features: of an example.
            classes: how many there are.
            examples: how many it will learn from.
            seed: of initial numbers, and of all that is drawn.
        """


def shuffled(examples: int, batch: int, seed: int, epoch: int) -> Integers:
    """Places of the examples of each batch, (batches, batch), the last ones -1 where they do not go evenly."""
    order = np.random.Generator(np.random.Philox(key=[seed, epoch], counter=[0, 0, 0, 1])).permutation(examples)
    whole = -(-examples // batch) * batch
    return np.concatenate([order, np.full(whole - examples, -1)]).reshape(-1, batch).astype(np.int64)


def dropped_out(inputs: Array, share: float, seed: int, epoch: int) -> Array:
    """Inputs of which a share, drawn anew in each epoch, is 0, and the others as much larger."""
    random = np.random.Generator(np.random.Philox(key=[seed, epoch], counter=[0, 0, 0, 2]))
    found: Array = inputs * (random.random(inputs.shape, dtype=np.float32) >= share) / inputs.dtype.type(1 - share)
    return found
