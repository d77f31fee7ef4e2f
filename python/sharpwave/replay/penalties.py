"""Controls without replay: what weights were is kept, or what they said."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import inf

import torch
from torch import Tensor, nn

from ..counts import count_or_none, positive
from ..torch_state import frozen_copy, module_arrays, restore_module
from .distilling import distillation, kept_of
from .learner import Learner
from .part import Arrays, Batch, Part
from .streams import Examples

_TOGETHER = 1000  # examples whose gradients are found together


class _Anchored(Part):
    """Weights are drawn to what they were, each with its own strength."""

    strength: float

    def start(self, learner: Learner) -> None:
        """See `Part`."""
        super().start(learner)
        self.anchors = [w.detach().clone() for w in learner.network.parameters()]
        self.importance = [torch.zeros_like(w) for w in self.anchors]

    def loss(self, batch: Batch, loss: Tensor) -> Tensor:
        """See `Part`."""
        if self.learner.place == 0:
            return loss
        pairs = zip(self.learner.network.parameters(), self.anchors, self.importance, strict=True)
        return loss + self.strength * sum(((w - a).square() * i).sum() for w, a, i in pairs)

    def arrays(self) -> Arrays:
        """See `Part`."""
        found = {f"anchor {k}": w.numpy().copy() for k, w in enumerate(self.anchors)}
        return found | {f"importance {k}": w.numpy().copy() for k, w in enumerate(self.importance)}

    def restore(self, arrays: Arrays) -> None:
        """See `Part`."""
        for name, ones in (("anchor", self.anchors), ("importance", self.importance)):
            for k, one in enumerate(ones):
                one.copy_(torch.from_numpy(arrays[f"{name} {k}"]))


class ElasticWeightConsolidation(_Anchored):
    """Weights are drawn to what they were after each task, as strongly as the Fisher information's diagonal says.

    The penalties of all tasks are, but for a constant, one about the mean of what weights were, which is what is kept.

    Args:
        strength: lambda; the penalty of a task is lambda / 2 times the squares of the way, by information.
        examples: of a task that the information is the mean over; None: all. It is exact: all outputs that compete
            count by their probabilities.

    Raises:
        ValueError: a strength that is negative or not finite, or no examples.

    Source:
        Kirkpatrick and others, PNAS 114, 2017.
    """

    def __init__(self, strength: float, examples: int | None = None) -> None:
        self.strength, self.examples = _checked(strength) / 2, count_or_none("examples", examples)

    def end(self, place: int, examples: Examples) -> None:
        """See `Part`."""
        draw = torch.randperm(len(examples), generator=self.learner.generator)[: self.examples].numpy()
        found, outputs = [torch.zeros_like(w) for w in self.anchors], self.learner.stream.competing(place)
        for first in range(0, len(draw), _TOGETHER):
            self._inform(found, self.learner.batch(examples, draw[first : first + _TOGETHER], place), outputs)
        rows = zip(self.anchors, self.importance, found, self.learner.network.parameters(), strict=True)
        for anchor, importance, square, w in rows:
            square /= len(draw)
            importance += square
            anchor += (w.detach() - anchor) * (square / importance).nan_to_num_(0.0)

    def _inform(self, found: list[Tensor], batch: Batch, outputs: Sequence[int]) -> None:
        """Add the information of some examples, by weight."""
        learner = self.learner
        inputs, deltas, logits = _taped(learner.network, batch.x.requires_grad_())  # also where layers do not learn
        said = learner.said(logits, batch)
        for output in outputs:
            grads = torch.autograd.grad(said[:, output].sum(), deltas, retain_graph=True)
            p, squares = said[:, output, None].detach().exp(), iter(found)
            for h, g in zip(inputs, grads, strict=True):  # of each example, the gradient of a weight is a product
                weighed = p * g.square()
                next(squares).addmm_(weighed.T, h.square())
                if learner.settings.bias:
                    next(squares).add_(weighed.sum(0))


class SynapticIntelligence(_Anchored):
    """Strengths are how much each weight has lowered the loss on its way, over the square of the way.

    Where it has raised the loss its strength is 0, a choice.

    Args:
        strength: c.
        damping: of the division.

    Raises:
        ValueError: a strength that is negative or not finite, or a damping that is not positive.

    Source:
        Zenke and others, ICML 2017.
    """

    def __init__(self, strength: float, damping: float = 0.1) -> None:
        self.strength, self.damping = _checked(strength), positive("damping", damping)

    def start(self, learner: Learner) -> None:
        """See `Part`."""
        super().start(learner)
        self.lowered = [torch.zeros_like(w) for w in self.anchors]
        self.before = [w.clone() for w in self.anchors]

    def arrays(self) -> Arrays:
        """See `Part`."""
        return super().arrays() | {f"lowered {k}": one.numpy().copy() for k, one in enumerate(self.lowered)}

    def restore(self, arrays: Arrays) -> None:
        """See `Part`."""
        super().restore(arrays)
        for k, one in enumerate(self.lowered):
            one.copy_(torch.from_numpy(arrays[f"lowered {k}"]))

    def project(self, batch: Batch) -> None:
        """See `Part`."""
        for before, w in zip(self.before, self.learner.network.parameters(), strict=True):
            before.copy_(w.detach())

    def after(self, batch: Batch) -> None:
        """See `Part`."""
        for lowered, before, w in zip(self.lowered, self.before, self.learner.network.parameters(), strict=True):
            if w.grad is not None:
                lowered -= w.grad * (w.detach() - before)

    def end(self, place: int, examples: Examples) -> None:
        """See `Part`."""
        rows = zip(self.importance, self.lowered, self.anchors, self.learner.network.parameters(), strict=True)
        for importance, lowered, anchor, w in rows:
            importance += (lowered / ((w.detach() - anchor).square() + self.damping)).clamp_(min=0)
            lowered.zero_()
            anchor.copy_(w.detach())


class LearningWithoutForgetting(Part):
    """What the network said of new examples before the task is kept, as well as it can be.

    Args:
        temperature: of what is said.

    Source:
        Li and Hoiem, 2017; weighed as in van de Ven and others, 2022: 1 / t for what is new in task t, but for tasks
        of new classes, where both count alike, and outputs that did not compete are taken to have been said to be
        wrong.
    """

    def __init__(self, temperature: float = 2.0) -> None:
        self.temperature = positive("temperature", temperature)
        self.old: nn.Module | None = None

    def begin(self, place: int) -> None:
        """See `Part`."""
        self.old = frozen_copy(self.learner.network) if place else None

    def arrays(self) -> Arrays:
        """See `Part`."""
        return module_arrays(self.old) if self.old else {}

    def restore(self, arrays: Arrays) -> None:
        """See `Part`."""
        self.begin(self.learner.place if arrays else 0)
        if self.old:
            restore_module(self.old, arrays)

    def loss(self, batch: Batch, loss: Tensor) -> Tensor:
        """See `Part`."""
        place = self.learner.place
        if self.old is None:
            return loss
        stream = self.learner.stream
        way = partial(distillation, temperature=self.temperature)
        kept = kept_of(stream, place, self.learner.logits(batch), self.old(batch.x), way)
        return loss + kept if stream.scenario == "class" else self.learner.weighed(loss, kept, len(batch))


def _checked(strength: float) -> float:
    if not 0 <= strength < inf:
        raise ValueError(f"strength must be finite and not negative, got {strength}")
    return strength


def _taped(network: nn.Module, x: Tensor) -> tuple[list[Tensor], list[Tensor], Tensor]:
    """What goes into each linear layer, what comes out of it, and what the network says."""
    inputs: list[Tensor] = []
    outputs: list[Tensor] = []

    def keep(_: nn.Module, given: tuple[Tensor, ...], found: Tensor) -> None:
        inputs.append(given[0].detach())
        outputs.append(found)

    hooks = [m.register_forward_hook(keep) for m in network.modules() if isinstance(m, nn.Linear)]
    try:
        logits = network(x)
    finally:
        for hook in hooks:
            hook.remove()
    return inputs, outputs, logits
