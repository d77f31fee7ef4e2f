"""Sleep after each task, which brings back what was forgotten without any example of it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..backends import Backend, check_backend
from ..counts import count
from ..forward.blocks import dropout
from .learner import Learner
from .part import Arrays, Batch, Part
from .sleep import SleepRule, sleep
from .streams import Examples

_CHUNK = 2000


class RectifiedOutputs(Part):
    """Rectified outputs learn to be 1 for what is right and 0 for all else, by plain gradient descent.

    This is how networks learn that are to be converted to integrate-and-fire units. The learning rate is that of the
    settings, of gradient descent; all defaults are choices. What other parts show again is learned by cross-entropy.

    Args:
        initial: weights are drawn evenly from - this to + this.
        dropout: share of hidden units that are left out.
        momentum: of the descent.

    Source:
        Diehl and others, Fast-classifying, high-accuracy spiking deep networks, IJCNN 2015.
    """

    def __init__(self, initial: float = 0.01, dropout: float = 0.25, momentum: float = 0.5) -> None:
        if not (initial > 0 and 0 <= dropout < 1 and 0 <= momentum < 1):
            raise ValueError(
                "initial must be positive, dropout and momentum from 0 to below 1, got "
                f"{initial}, {dropout} and {momentum}"
            )
        self.initial, self.dropout, self.momentum = initial, dropout, momentum

    @torch.no_grad()
    def draw_weights(self, learner: Learner) -> None:
        """See `Part`."""
        for layer in (*learner.network.hidden, learner.network.head):
            layer.weight.uniform_(-self.initial, self.initial, generator=learner.generator)

    def start(self, learner: Learner) -> None:
        """See `Part`."""
        super().start(learner)
        learner.replace_loss(self._loss, self)
        weights, rate = learner.network.parameters(), learner.settings.learning_rate
        learner.optimizer = torch.optim.SGD(weights, lr=rate, momentum=self.momentum)

    def _loss(self, batch: Batch) -> Tensor:
        network, h = self.learner.network, batch.x
        for layer in network.hidden:
            h = dropout(torch.relu(layer(h)), self.dropout, self.learner.generator)
        said = torch.relu(network.head(h))
        wanted = functional.one_hot(batch.y, said.shape[1]).to(said.dtype)
        return (said - wanted).square().sum(1).mean() / 2


class SleepReplay(Part):
    """After each task but the first, the network sleeps as one of integrate-and-fire units, and wakes with its weights.

    Noise comes in at rates in proportion to the mean of all inputs so far.

    Args:
        rule: of sleep; None: the published one, for two hidden layers.
        steps: of the first sleep; each later one has a third of that more.
        backend: see `sleep`.

    Attributes:
        fired: spikes of each layer in the last sleep, or None.

    Raises:
        ValueError: units have biases, there are not as many layers as thresholds, or some are frozen.

    Source:
        See `SleepRule`.
    """

    def __init__(self, rule: SleepRule | None = None, steps: int = 15_000, backend: Backend = "auto") -> None:
        check_backend(backend)
        self.rule, self.steps, self.backend = rule or SleepRule(), count("steps", steps), backend
        self.fired: tuple[int, ...] | None = None

    def start(self, learner: Learner) -> None:
        """See `Part`."""
        super().start(learner)
        self.fired = None
        layers = len(learner.network.hidden) + 1
        frozen = [type(part).__name__ for part in learner.parts if part.freezes]
        if frozen:
            raise ValueError(f"sleep changes all layers, but {frozen[0]} keeps the lower ones: use one of them")
        if learner.settings.bias or layers != len(self.rule.thresholds):
            raise ValueError(
                f"sleep is for networks without biases of {len(self.rule.thresholds)} layers, as many as thresholds: "
                f"got {layers} layers and bias={learner.settings.bias} in the settings"
            )
        self.sum, self.seen = np.zeros(learner.stream.features), 0

    def end(self, place: int, examples: Examples) -> None:
        """See `Part`."""
        for first in range(0, len(examples), _CHUNK):
            self.sum += examples.inputs(slice(first, first + _CHUNK)).sum(axis=0, dtype=np.float64)
        self.seen += len(examples)
        if place:
            self.rest(self.steps + (place - 1) * self.steps // 3)

    @torch.no_grad()
    def rest(self, steps: int) -> None:
        """Sleep for so many steps."""
        learner = self.learner
        modules = [*learner.network.hidden, learner.network.head]
        spikes = self.rule.noise(self.sum / self.seen, steps, learner.seed * 1000 + learner.place)
        slept = sleep([module.weight.numpy() for module in modules], spikes, self.rule, self.backend)
        for module, weights in zip(modules, slept.weights, strict=True):
            module.weight.copy_(torch.from_numpy(weights))
        self.fired = tuple(slept.fired.tolist())

    def arrays(self) -> Arrays:
        """See `Part`."""
        return {
            "sum": self.sum.copy(),
            "seen": np.array(self.seen),
            "fired": np.array(self.fired or (), dtype=np.int64),
        }

    def restore(self, arrays: Arrays) -> None:
        """See `Part`."""
        self.sum, self.seen = arrays["sum"].copy(), int(arrays["seen"])
        self.fired = tuple(arrays["fired"].tolist()) or None
