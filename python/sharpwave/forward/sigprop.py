"""Signal propagation: targets go forward through the network beside the inputs, and each layer learns as they pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal

import torch
from torch import Tensor, nn

from ..suggest import unknown
from .blocks import Block, blocks_of, empty_readout
from .losses import LOSSES, similarities
from .method import DivergedError
from .targets import TargetGenerator, TargetKind
from .updates import Updates

Prediction = Literal["classes", "closest", "readout"]
CLOSEST = 3  # classes that `"closest"` decides between


@dataclass(frozen=True)
class SigPropRule:
    """How layers learn, and how the network decides.

    Attributes:
        targets: where targets come from, see `TargetGenerator`.
        learned_targets: whether their generator learns.
        loss: of each layer: `"classes"`, `"batch"`, `"random"`, `"top"`, `"hebbian"` or `"distance"`; see `losses`.
        prediction: `"classes"`: the class whose target goes best with the last layer's activities; `"closest"`: that
            among those few that go best with the first layer's; `"readout"`: a linear classifier of the last layer's,
            which does not teach the layers.
        scaled: whether losses divide inner products by the square root of the number of units, or channels.
        learning_rate: see `Updates`.

    Source:
        arXiv 2204.01723.
    """

    targets: TargetKind = "class"
    learned_targets: bool = True
    loss: str = "classes"
    prediction: Prediction = "classes"
    scaled: bool = False
    learning_rate: float = 5e-4

    def __post_init__(self) -> None:
        for name, value, known in (
            ("targets", self.targets, ("class", "input", "loop")),
            ("loss", self.loss, tuple(LOSSES)),
            ("prediction", self.prediction, ("classes", "closest", "readout")),
        ):
            if value not in known:
                raise ValueError(unknown(name, value, known))
        if self.loss == "classes" and self.targets != "class":
            raise ValueError(f"the loss 'classes' needs the targets of all classes: use 'batch' with {self.targets!r}")
        if self.targets == "loop" and self.prediction != "readout":
            raise ValueError("targets 'loop' come from what a readout says: use prediction='readout'")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be positive, got {self.learning_rate}")


class SigProp:
    """A network that learns by signal propagation.

    Args:
        network: an `nn.Sequential` of layers of any kind, without a classifier at its end; see `blocks_of`.
        classes: how many.
        example: one input (...), from which shapes are found.
        rule: how it learns; None: `SigPropRule()`.
        steps: batches of the whole training, for the schedule of learning rates.
        seed: of target generator, readout and random choices.

    Attributes:
        blocks: what learns together.
        generator: of targets.
        readout: of the last block.

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
        seed: int = 0,
    ) -> None:  # fmt: skip
        rule = rule or SigPropRule()
        self.blocks, self.rule, self.classes = blocks_of(network, seed), rule, classes
        with torch.no_grad():
            before, last = _shapes(self.blocks, example)
        self.generator = TargetGenerator(
            rule.targets, classes, before, example.numel(), rule.learned_targets, seed
        )  # fmt: skip
        self.readout = empty_readout(last, classes)
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
        said = self._for_targets(x)
        self.train(True)
        h, t = x, None
        for place in range(len(self.blocks)):
            h, t, loss = self.at_block(place, h, t, labels, said)
            yield place, h, t, loss
            h, t = h.detach(), t.detach()
        if self.rule.prediction == "readout":
            assert t is not None
            yield len(self.blocks), h, t, self.read(h, labels)

    def at_block(
        self, place: int, h: Tensor, t: Tensor | None, labels: Tensor, said: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Activities after a block, from those before it (t: None before the first), and its loss."""
        h, t, where = self._pass(self.blocks[place], h, t, labels, said)
        return h, t, self._loss(place, h, t, where, labels)

    def read(self, h: Tensor, labels: Tensor) -> Tensor:
        """The readout's loss, of the last block's activities."""
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
        else:
            x = block.before(torch.cat([h, t]))
            both = block.first(x)
            first, t = both[: len(h)], both[len(h) :]
            where = labels if self.rule.targets == "class" else torch.arange(len(h))
        together = block.rest(torch.cat([first, t]))
        return together[: len(h)], together[len(h) :], where

    @torch.no_grad()
    def scores(self, x: Tensor) -> Tensor:
        """What speaks for each class, (examples, classes)."""
        if self.rule.prediction == "readout":
            return self._said(x)
        self.train(False)
        found = self._similar(x)
        if self.rule.prediction == "closest":
            near = found[0].topk(min(CLOSEST, self.classes), dim=1).indices
            left = torch.full_like(found[-1], -torch.inf)
            return left.scatter(1, near, found[-1].gather(1, near))
        return found[-1]

    @torch.no_grad()
    def scores_by_block(self, x: Tensor) -> list[Tensor]:
        """How well each class's target goes with the activities of each block, (examples, classes) each."""
        self.train(False)
        return self._similar(x)

    def _similar(self, x: Tensor) -> list[Tensor]:
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
    def _said(self, x: Tensor) -> Tensor:
        """What the readout says, (examples, classes)."""
        self.train(False)
        for block in self.blocks:
            x = block(x)
        found: Tensor = self.readout(x.flatten(1))
        return found

    def _for_targets(self, x: Tensor) -> Tensor | None:
        """What targets are made of besides labels and examples."""
        return self._said(x).softmax(1) if self.rule.targets == "loop" else None

    def train(self, learning: bool) -> None:
        """Whether blocks learn, or are tested."""
        for block in self.blocks:
            block.train(learning)

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What learns, by name."""
        found: dict[str, nn.Module] = {f"block {k}": block for k, block in enumerate(self.blocks)}
        return {**found, "targets": self.generator, "readout": self.readout}


def _shapes(blocks: Sequence[Block], example: Tensor) -> tuple[tuple[int, ...], int]:
    """Of one example: what the first block's module gives, and how many numbers the last block does."""
    several = example[None].expand(2, *example.shape)
    for block in blocks:
        block.eval()
    first = blocks[0].first(blocks[0].before(several))
    for block in blocks:
        several = block(several)
    return tuple(first.shape[1:]), several[0].numel()
