"""A network that learns tasks one after the other, and the parts that keep it from forgetting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ..counts import count
from .streams import Examples, Stream, batches

_CHUNK = 2000  # examples that are scored together
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Settings:
    """How a network learns each task.

    Attributes:
        hidden: units of its layers.
        learning_rate: of Adam, whose moments are kept from task to task.
        batch: new examples at a time.
        iterations: batches of each task.

    Source:
        Split MNIST of van de Ven and others, Nature Machine Intelligence 4, 2022.
    """

    hidden: tuple[int, ...] = (400, 400)
    learning_rate: float = 1e-3
    batch: int = 128
    iterations: int = 2000

    def __post_init__(self) -> None:
        for name in ("batch", "iterations"):
            count(name, getattr(self, name))
        for units in self.hidden:
            count("units of a layer", units)
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be positive, got {self.learning_rate}")


class Perceptron(nn.Module):
    """Layers of rectified units and a linear one behind them."""

    def __init__(self, features: int, hidden: Sequence[int], outputs: int) -> None:
        super().__init__()
        sizes = (features, *hidden)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, hidden, strict=False))
        self.head = nn.Linear(sizes[-1], outputs)

    def features(self, x: Tensor, first: int = 0, last: int | None = None) -> Tensor:
        """Activities behind a layer, of those before another one."""
        for layer in list(self.layers)[first:last]:
            x = torch.relu(layer(x))
        return x

    def forward(self, x: Tensor) -> Tensor:
        """What speaks for each output, (examples, outputs)."""
        found: Tensor = self.head(self.features(x))
        return found


@dataclass(frozen=True)
class Batch:
    """Some examples.

    Attributes:
        x: (examples, features).
        y: outputs that are right, (examples,).
        task: which task each is of, (examples,).
    """

    x: Tensor
    y: Tensor
    task: Tensor

    def __len__(self) -> int:
        return len(self.y)


class Part:
    """What is done besides learning new examples; a strategy is a sequence of parts. All of it may be left out."""

    learner: Learner

    def start(self, learner: Learner) -> None:
        """Before the first task."""
        self.learner = learner

    def begin(self, place: int) -> None:
        """Before each task."""

    def loss(self, batch: Batch, loss: Tensor) -> Tensor:
        """The loss of a batch of new examples, with what this part adds, or how it is weighed."""
        return loss

    def project(self, batch: Batch) -> None:
        """Change gradients before they are followed."""

    def after(self, batch: Batch) -> None:
        """After each step."""

    def end(self, place: int, examples: Examples) -> None:
        """After each task, with its training examples."""

    def scores(self, x: Tensor) -> Tensor | None:
        """What speaks for each output, (examples, outputs), where it is not what the network says."""
        return None

    def arrays(self) -> Arrays:
        """All that it goes on from."""
        return {}

    def restore(self, arrays: Arrays) -> None:
        """Take up what `arrays` gave."""


class Learner:
    """A network, and what is done with it.

    Args:
        stream: of tasks.
        settings: how each is learned.
        parts: in the order in which they act.
        seed: of initial weights and of all that is drawn.

    Attributes:
        network: that learns.
        optimizer: of its weights.
        replayed: examples that parts have shown again.
    """

    def __init__(self, stream: Stream, settings: Settings, parts: Sequence[Part], seed: int) -> None:
        self.stream, self.settings, self.parts, self.seed = stream, settings, tuple(parts), count("seed", seed, 0)
        self.replayed = 0
        self.place = 0
        self.generator = torch.Generator().manual_seed(seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.network = Perceptron(stream.features, settings.hidden, stream.outputs)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=settings.learning_rate, fused=True)
        for part in self.parts:
            part.start(self)

    @property
    def place(self) -> int:
        """Of the task that is learned, or was last."""
        return self._place

    @place.setter
    def place(self, place: int) -> None:
        self._place = place
        self._mask = torch.from_numpy(self.stream.mask(place))

    def learn(self, place: int) -> None:
        """Learn a task, the next one.

        Raises:
            FloatingPointError: the loss is not finite.
        """
        self.place = place
        for part in self.parts:
            part.begin(place)
        examples, settings = self.stream.tasks[place].train, self.settings
        self.network.train()
        for some in batches(len(examples), settings.batch, settings.iterations, self.seed, place):
            self.step(self.batch(examples, some, place))
        for part in self.parts:
            part.end(place, examples)

    def step(self, batch: Batch) -> None:
        """Learn a batch of new examples."""
        loss = self.entropy(self.network(batch.x), batch)
        for part in self.parts:
            loss = part.loss(batch, loss)
        if not bool(loss.isfinite()):
            name, value = self.stream.tasks[self.place].name, float(loss.detach())
            raise FloatingPointError(f"the loss of task {name} is {value}: lower the learning rate")
        self.optimizer.zero_grad()
        torch.autograd.backward([loss])
        for part in self.parts:
            part.project(batch)
        self.optimizer.step()
        for part in self.parts:
            part.after(batch)

    def batch(self, examples: Examples, some: NDArray[np.int64], place: int) -> Batch:
        """Some examples of a task."""
        x, y = torch.from_numpy(examples.inputs(some)), torch.from_numpy(examples.labels[some])
        return Batch(x, y, torch.full((len(y),), place))

    def competing(self, task: Tensor) -> Tensor:
        """Whether an output is among those that examples of these tasks are told apart by, (examples, outputs)."""
        return self._mask[task]

    def said(self, logits: Tensor, batch: Batch) -> Tensor:
        """Logarithms of the probabilities of outputs among those that compete, -inf of others, (examples, outputs)."""
        return logits.masked_fill(~self.competing(batch.task), -torch.inf).log_softmax(1)

    def entropy(self, logits: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy among outputs that compete."""
        return functional.nll_loss(self.said(logits, batch), batch.y)

    def weighed(self, new: Tensor, old: Tensor) -> Tensor:
        """Losses of what is new and of what was before: 1 / t of the first in task t, the rest of the second."""
        share = 1 / (self.place + 1)
        return share * new + (1 - share) * old

    @torch.no_grad()
    def accuracy(self, place: int) -> float:
        """Share of a task's test examples that are told right, among outputs that have been taught."""
        self.network.eval()
        test, right = self.stream.tasks[place].test, 0
        shut = ~self._mask[place]
        for first in range(0, len(test), _CHUNK):
            some = slice(first, first + _CHUNK)
            scores = self.scores(torch.from_numpy(test.inputs(some))).masked_fill(shut, -torch.inf)
            right += int((scores.argmax(1).numpy() == test.labels[some]).sum())
        return right / len(test)

    def scores(self, x: Tensor) -> Tensor:
        """What speaks for each output, (examples, outputs)."""
        for part in self.parts:
            found = part.scores(x)
            if found is not None:
                return found
        said: Tensor = self.network(x)
        return said
