"""Networks that learn tasks without a backward pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..forward import Comparison, SignalPropagation
from ..torch_state import under
from .herding import Herding
from .learner import Learner
from .network import Settings
from .part import Arrays, Batch, Part
from .streams import Stream

_USE = "Use parts that show stored examples beside new ones, such as ExperienceReplay"
_FOREVER = 2**40  # steps: learning rates do not fall


class ForwardLearner(Learner):
    """A network of `sharpwave.forward` that learns tasks; stored examples are learned in the same batches as new ones.

    Args:
        stream, parts, seed: see `Learner`. Parts must show what they store by `beside`, as `ExperienceReplay` does.
        settings: batch and iterations; layers and rates are those of the method.
        method: the way of learning; None: `SignalPropagation()`.

    Raises:
        ValueError: a part that adds to losses, changes gradients, answers or needs a torch network.

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
        for part in parts:
            _check(part)
        self.method = method or SignalPropagation()
        super().__init__(stream, settings, parts, seed)

    @property
    def name(self) -> str:
        """See `Learner`."""
        return f"{type(self).__name__}({self.method!r})"

    def renew(self) -> None:
        """See `Learner`."""
        self.besides = {}
        self.taught = self.method.start(self.stream.features, self.stream.outputs, 1, self.seed)
        self.taught.model.updates.steps = _FOREVER

    @property
    def network(self) -> NoReturn:  # type: ignore[override]
        """There is none; what learns is `taught`."""
        raise ValueError(f"a ForwardLearner has no torch network, which one of its parts asked for. {_USE}")

    def step(self, batch: Batch) -> None:
        """See `Learner`."""
        beside = [some for some in (part.beside(batch) for part in self.parts) if some is not None]
        both = Batch.joined([batch, *beside])
        loss = self.taught.model.learn(both.x, both.y)
        if not np.isfinite(loss).all():
            raise self.diverged(loss)
        for part in self.parts:
            part.after(batch)

    def scores(self, x: Tensor) -> Tensor:
        """See `Learner`."""
        return torch.from_numpy(self.taught.scores(x.numpy()))

    def _learned(self) -> dict[str, Arrays]:
        return {"taught": self.taught.arrays()}

    def _restore_learned(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.taught.restore(under("taught", arrays))


def _check(part: Part) -> None:
    """Refuse a part whose loss or gradient is not what it does by `beside` where there are none."""

    def depth(name: str) -> int:
        """How far up the classes of the part it is defined."""
        return next((k for k, one in enumerate(type(part).__mro__) if name in vars(one)), len(type(part).__mro__))

    scored = getattr(part, "scoring", None) is not None or isinstance(getattr(part, "policy", None), Herding)
    names = ("loss", "loss_beside", "project", "between", "scores")
    if scored or min(depth(name) for name in names) < depth("beside"):
        raise ValueError(
            f"{type(part).__name__} adds to losses, changes gradients or answers, which a ForwardLearner does in its "
            f"own way. {_USE}"
        )
