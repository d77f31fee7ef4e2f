"""Networks that learn tasks without a backward pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..forward import Comparison, SignalPropagation
from ..forward.method import DivergedError
from ..torch_state import under
from .learner import Learner
from .network import Settings
from .part import Arrays, Batch, Part
from .streams import Stream

_FOREVER = 2**40  # steps: learning rates do not fall


class ForwardLearner(Learner):
    """A network of `sharpwave.forward` that learns tasks; stored examples are learned in the same batches as new ones.

    Args:
        stream, parts, seed: see `Learner`. Parts that add losses or look into the network do nothing here, or fail.
        settings: batch and iterations; layers and rates are those of the method.
        method: the way of learning; None: `SignalPropagation()`.

    Example:
        >>> from sharpwave.data import load
        >>> from sharpwave.forward import Comparison, DenseLayers
        >>> from sharpwave.replay import ExperienceReplay, split_stream
        >>> way = Comparison("direct-feedback-alignment", DenseLayers((60,)), learning_rate=3e-3)
        >>> learner = ForwardLearner(
        ...     split_stream(load("digits")), Settings(batch=32, iterations=60), [ExperienceReplay(20_000)], 0, way
        ... )
        >>> for place in range(5):
        ...     learner.learn(place)
        >>> min(learner.accuracy(place) for place in range(5)) > 0.3
        True
    """

    def __init__(
        self, stream: Stream, settings: Settings, parts: Sequence[Part], seed: int,
        method: SignalPropagation | Comparison | None = None,
    ) -> None:  # fmt: skip
        self.method = method or SignalPropagation()
        super().__init__(stream, settings, parts, seed)

    def renew(self) -> None:
        """See `Learner`."""
        self.taught = self.method.start(self.stream.features, self.stream.outputs, 1, self.seed)
        self.taught.model.updates.steps = _FOREVER

    def step(self, batch: Batch) -> None:
        """See `Learner`."""
        beside = [some for some in (part.beside(batch) for part in self.parts) if some is not None]
        both = Batch.joined([batch, *beside])
        loss = self.taught.model.learn(both.x, both.y)
        if not np.isfinite(loss).all():
            name = self.stream.tasks[self.place].name
            raise DivergedError(f"the loss of task {name} is {loss}: lower the learning rate")
        for part in self.parts:
            part.after(batch)

    def scores(self, x: Tensor) -> Tensor:
        """See `Learner`."""
        return torch.from_numpy(self.taught.scores(x.numpy()))

    def _learned(self) -> dict[str, Arrays]:
        return {"taught": self.taught.arrays()}

    def _restore_learned(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.taught.restore(under("taught", arrays))
