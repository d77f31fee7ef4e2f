"""Controls without replay: what weights were is kept, or what they said."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..counts import count, positive
from ..torch_state import frozen_copy, module_arrays, restore_module
from .learner import Learner
from .part import Arrays, Batch, Part
from .streams import Examples, Stream


class _Anchored(Part):
    """Weights are drawn to what they were after the last task, each with its own strength."""

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

    def end(self, place: int, examples: Examples) -> None:
        """See `Part`."""
        for anchor, w in zip(self.anchors, self.learner.network.parameters(), strict=True):
            anchor.copy_(w.detach())

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
    """Strengths are the sums over tasks of the Fisher information's diagonal.

    Args:
        strength: lambda; the penalty is lambda / 2 times the sum.
        examples: of a task that the information is the mean over.

    Raises:
        ValueError: a strength that is negative or not finite, or no examples.

    Source:
        Kirkpatrick and others, PNAS 114, 2017, in the online form in which one anchor is kept.
    """

    def __init__(self, strength: float, examples: int = 1000) -> None:
        self.strength, self.examples = _checked(strength) / 2, count("examples", examples)

    def end(self, place: int, examples: Examples) -> None:
        """See `Part`."""
        super().end(place, examples)
        learner, network = self.learner, self.learner.network
        draw = torch.randperm(len(examples), generator=learner.generator)[: self.examples].numpy()
        batch = learner.batch(examples, draw, place)
        inputs, deltas, logits = _taped(network, batch.x.requires_grad_())  # also where layers do not learn
        said = learner.said(logits, batch)
        chosen = torch.multinomial(said.detach().exp(), 1, generator=learner.generator)[:, 0]
        loss = functional.nll_loss(said, chosen, reduction="sum")
        grads = torch.autograd.grad(loss, deltas)
        squares = []
        for h, g in zip(inputs, grads, strict=True):  # of each example, the gradient of a weight is a product
            squares.append(g.square().T @ h.square() / len(batch))
            if learner.settings.bias:
                squares.append(g.square().mean(0))
        for importance, square in zip(self.importance, squares, strict=True):
            importance += square.detach()


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
        super().end(place, examples)


class LearningWithoutForgetting(Part):
    """What the network said of new examples before the task is kept, as well as it can be.

    Args:
        temperature: of what is said.

    Source:
        Li and Hoiem, 2017; weighed as in van de Ven and others, 2022: 1 / t for what is new in task t, but for tasks
        of new classes, where both count alike, and new classes are taken to have been said to be wrong.
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
        kept = kept_of(stream, place, self.learner.network(batch.x), self.old(batch.x), self.temperature)
        return loss + kept if stream.scenario == "class" else self.learner.weighed(loss, kept, len(batch))


def _checked(strength: float) -> float:
    if not 0 <= strength < inf:
        raise ValueError(f"strength must be finite and not negative, got {strength}")
    return strength


def distillation(now: Tensor, then: Tensor, temperature: float) -> Tensor:
    """Cross-entropy of what is said with what was, (examples, outputs) both, at a temperature."""
    wanted = (then / temperature).softmax(1)
    return -(wanted * (now / temperature).log_softmax(1)).sum(1).mean()


def kept_of(stream: Stream, place: int, now: Tensor, then: Tensor, temperature: float) -> Tensor:
    """How far what is said in a task is from what was said before it, (examples, outputs) both: a distillation.

    Outputs that are new are taken to have been said to be wrong. Where tasks are told, it is the mean over earlier ones
    of the distillation among a task's own outputs.
    """
    groups: list[Sequence[int]] = [task.outputs for task in stream.tasks[:place]]
    if stream.scenario != "task":
        before, groups = list(stream.known(place - 1)), [stream.known(place)]
        then = torch.full_like(then, -torch.inf).index_copy(1, torch.tensor(before), then[:, before])
    columns = [list(outputs) for outputs in groups]
    return torch.stack([distillation(now[:, own], then[:, own], temperature) for own in columns]).mean()


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
