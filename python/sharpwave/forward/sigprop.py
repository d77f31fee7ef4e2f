"""Signal propagation: targets go forward through the network beside the inputs, and each layer learns as they pass."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

import torch
from torch import Tensor, nn

from .blocks import Block, apart, beside
from .layered import Layered
from .losses import LOSSES, similarities
from .method import DivergedError
from .rule import SigPropRule
from .targets import TargetGenerator
from .updates import Updates

CLOSEST = 3  # classes that `"closest"` decides between


class SigProp(Layered):
    """A network that learns by signal propagation.

    Args:
        network, classes, example: see `Layered`.
        rule: how it learns; None: `SigPropRule()`.
        steps: batches of the whole training, for the schedule of learning rates.
        seed: of target generator, readout and random choices.
        generator: of targets, if it is not that of the rule.

    Attributes:
        generator: of targets.

    Example:
        >>> _ = torch.manual_seed(0)
        >>> network = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU())
        >>> x = torch.rand(64, 4)
        >>> y = (x[:, 0] > x[:, 1]).long()
        >>> model = SigProp(network, 2, x[0], SigPropRule(learning_rate=0.01), steps=100)
        >>> for _ in range(100):
        ...     losses = model.learn(x, y)
        >>> len(losses), bool((model.scores(x).argmax(1) == y).float().mean() > 0.9)
        (2, True)
    """

    def __init__(
        self, network: nn.Sequential, classes: int, example: Tensor, rule: SigPropRule | None = None, steps: int = 1000,
        seed: int = 0, generator: TargetGenerator | None = None,
    ) -> None:  # fmt: skip
        rule = rule or SigPropRule()
        super().__init__(network, classes, example, seed)
        self.rule = rule
        first = self.blocks[0]
        with torch.no_grad():
            before = first.first(first.before(example[None].expand(2, *example.shape))).shape[1:]
        self.generator = generator or TargetGenerator(
            rule.targets, classes, before, example.numel(), rule.learned_targets, seed
        )
        self.random = [torch.Generator().manual_seed(1000 * seed + place) for place in range(len(self.blocks))]
        groups: list[list[nn.Parameter]] = [list(block.parameters()) for block in self.blocks]
        groups[0] += [one for one in self.generator.parameters() if one.requires_grad]
        groups.append(list(self.readout.parameters()))
        self.updates = Updates(groups, rule.learning_rate, steps)

    def learn(self, x: Tensor, labels: Tensor) -> list[float]:
        """Learn a batch, layer by layer as it passes; nothing is kept from one layer for another.

        Args:
            x: examples, (examples, ...).
            labels: their classes, (examples,).

        Returns:
            The loss of each block.

        Raises:
            ValueError: labels that are none, or examples of one class with a loss that compares them.
            DivergedError: a loss is not finite; it names the block, and blocks from there on are as before.
        """
        found = []
        for place, _, _, loss in self.passing(x, labels):
            found.append(float(loss.detach()))
            if not isfinite(found[-1]):
                raise DivergedError(f"the loss of block {place} is {found[-1]:g}: lower the learning rate")
            self.updates.take(place, loss)
        return found

    def passing(self, x: Tensor, labels: Tensor) -> Iterator[tuple[int, Tensor, Tensor, Tensor]]:
        """Go through the blocks: number, activities h and t, and the loss, which the caller may use for an update."""
        self.check(labels, len(x))
        said = self._for_targets(x)
        self.train(True)
        h, t = x, None
        for place in range(len(self.blocks)):
            h, t, loss = self.at_block(place, h, t, labels, said)
            yield place, h, t, loss
            h, t = h.detach(), t.detach()
        if self.rule.reads:
            assert t is not None
            evoked = self._neutral(x) if self.rule.prediction == "neutral" else h
            yield len(self.blocks), h, t, self.read(evoked, labels)

    def check(self, labels: Tensor, examples: int) -> None:
        """Refuse labels from which nothing can be learned.

        Raises:
            ValueError: they are no whole numbers below the number of classes, one for each example, or all the same
                while the loss compares examples of a batch.
        """
        given = f"{labels.dtype} of shape {tuple(labels.shape)}" if isinstance(labels, Tensor) else repr(labels)
        if not isinstance(labels, Tensor) or labels.dtype != torch.long or labels.shape != (examples,):
            raise ValueError(f"layers learn from labels: expected one whole number for each of {examples}, got {given}")
        least, most = int(labels.min()), int(labels.max())
        if least < 0 or most >= self.classes:
            raise ValueError(f"labels must be from 0 to {self.classes - 1}, got {least if least < 0 else most}")
        if least == most and examples > 1 and self.rule.compares:
            raise ValueError(
                f"all {examples} examples of the batch are of class {least}, and the loss {self.rule.loss!r} compares "
                "classes: shuffle the examples, or use larger batches"
            )

    def at_block(
        self, place: int, h: Tensor, t: Tensor | None, labels: Tensor, said: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Activities after a block, from those before it (t: None before the first), and its loss."""
        h, t, where = self._pass(self.blocks[place], h, t, labels, said)
        return h, t, self._loss(place, h, t, where, labels)

    def read(self, h: Tensor, labels: Tensor) -> Tensor:
        """The readout's loss, of activities of the last block."""
        return nn.functional.cross_entropy(self.readout(h.flatten(1)), labels)

    def whole_loss(self, x: Tensor, labels: Tensor) -> Tensor:
        """The loss of the last block, with all blocks in its graph: what backpropagation would make small."""
        said = self._for_targets(x)
        self.train(True)
        h, t, where = x, None, labels
        for block in self.blocks:
            h, t, where = self._pass(block, h, t, labels, said)
        assert t is not None
        return self._loss(len(self.blocks) - 1, h, t, where, labels)

    def _loss(self, place: int, h: Tensor, t: Tensor, where: Tensor, labels: Tensor) -> Tensor:
        compared = h / h.shape[1] ** 0.5 if self.rule.scaled else h
        return LOSSES[self.rule.loss](compared, t, where, labels, self.random[place])

    def _pass(
        self, block: Block, h: Tensor, t: Tensor | None, labels: Tensor, said: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Both streams through a block, as one batch; and the place of each example's target."""
        if t is None:
            x = block.before(h)
            first = block.first(x)
            t, where = self.generator(labels, h, said)
            self._check_targets(first, t)
            both = beside(first, t)
        else:
            both = block.first(block.before(beside(h, t)))
            where = labels if self.rule.targets == "class" else torch.arange(len(h))
        return *apart(block.rest(both), len(h)), where

    def _check_targets(self, h: Tensor, t: Tensor) -> None:
        if t.shape[1:] != h.shape[1:]:
            raise ValueError(
                f"the target generator gives targets of shape {tuple(t.shape[1:])}, and the first layer activities of "
                f"{tuple(h.shape[1:])}: they must be of one shape"
            )
        if self.rule.targets == "class" and len(t) != self.classes:
            raise ValueError(f"the target generator gives targets of {len(t)} classes, and there are {self.classes}")

    @torch.no_grad()
    def scores(self, x: Tensor) -> Tensor:
        """What speaks for each class, (examples, classes)."""
        if self.rule.prediction == "readout":
            return self.said(x)
        if self.rule.prediction == "neutral":
            evoked: Tensor = self.readout(self._neutral(x).flatten(1))
            return evoked
        found = self._similar(x)
        if self.rule.prediction == "closest":
            near = found[0].topk(min(CLOSEST, self.classes), dim=1).indices
            left = torch.full_like(found[-1], -torch.inf)
            return left.scatter(1, near, found[-1].gather(1, near))
        return found[-1]

    @torch.no_grad()
    def scores_by_block(self, x: Tensor) -> list[Tensor]:
        """How well each class's target goes with the activities of each block, (examples, classes) each."""
        return self._similar(x)

    def _similar(self, x: Tensor) -> list[Tensor]:
        self.train(False)
        found: list[list[Tensor]] = [[] for _ in self.blocks]
        several = [None] if self.rule.targets == "class" else range(self.classes)
        for each in several:
            h, t = x, None
            labels = torch.zeros(len(x), dtype=torch.long) if each is None else torch.full((len(x),), each)
            for place, block in enumerate(self.blocks):
                h, t, _ = self._pass(block, h, t, labels, None)
                z = similarities(h, t) if each is None else (h * t).flatten(1).sum(1, keepdim=True)
                found[place].append(z)
        return [torch.cat(one, dim=1) for one in found]

    @torch.no_grad()
    def _neutral(self, x: Tensor) -> Tensor:
        """What a target that is all classes alike evokes in the last block, beside examples."""
        self.train(False)
        first = self.blocks[0]
        t: Tensor = first.rest(self.generator.neutral(first.before(x)))
        for block in self.blocks[1:]:
            t = block(t)
        return t

    def _for_targets(self, x: Tensor) -> Tensor | None:
        """What targets are made of besides labels and examples."""
        return self.said(x).softmax(1) if self.rule.targets == "loop" else None

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What learns, by name."""
        return {**super().modules, "targets": self.generator}
