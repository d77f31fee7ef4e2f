"""What signal propagation is compared with: other ways to tell the layers of a network what to do."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from .layered import Layered
from .updates import Updates


class Taught(Layered):
    """A network of blocks and a linear classifier behind the last one, which learns by cross-entropy.

    Args:
        network, classes, example: see `Layered`.
        learning_rate: see `Updates`.
        steps: batches of the whole training.
        seed: of random numbers of its own.

    Attributes:
        updates: steps of each block, and of the readout, the last.
    """

    def __init__(
        self, network: nn.Sequential, classes: int, example: Tensor, learning_rate: float, steps: int, seed: int = 0
    ) -> None:
        super().__init__(network, classes, example, seed)
        self.random = [torch.Generator().manual_seed(seed)]
        self._prepare()
        self.updates = Updates(self._groups(), learning_rate, steps)

    def _prepare(self) -> None:
        """What a way of teaching needs besides."""

    def _groups(self) -> Sequence[list[nn.Parameter]]:
        return [list(module.parameters()) for module in (*self.blocks, self.readout)]

    @abstractmethod
    def learn(self, x: Tensor, labels: Tensor) -> float:
        """Learn a batch x (examples, ...) of classes (examples,). Returns the classifier's loss."""

    def scores(self, x: Tensor) -> Tensor:
        """What speaks for each class, (examples, classes)."""
        return self.said(x)

    def _forward(self, x: Tensor) -> list[Tensor]:
        """What each block gives, with nothing kept from one to the next."""
        found = []
        for block in self.blocks:
            x = block.train()(x.detach())
            found.append(x)
        return found

    def _read(self, h: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The classifier's loss of activities, which are not taught by it, and its gradient by the scores times the
        number of examples."""
        said = self.readout(h.detach().flatten(1))
        wanted = functional.one_hot(labels, self.classes).to(said.dtype)
        return functional.cross_entropy(said, labels), (said.softmax(1) - wanted).detach()


class Backpropagated(Taught):
    """All layers by the gradient of the classifier's loss."""

    def _groups(self) -> Sequence[list[nn.Parameter]]:
        groups = super()._groups()
        return [[one for group in groups for one in group]]

    def learn(self, x: Tensor, labels: Tensor) -> float:
        """Learn a batch; see `Taught`."""
        for block in self.blocks:
            x = block.train()(x)
        loss = functional.cross_entropy(self.readout(x.flatten(1)), labels)
        self.updates.take(0, loss)
        return float(loss.detach())


class DirectlyTaught(Taught):
    """Each block by the output's error, or by the target, through fixed random weights.

    With `what = "error"` direct feedback alignment (arXiv 1609.01596); with `"target"` direct random target projection
    (arXiv 1909.01311), which need not wait for the output.
    """

    what: Literal["error", "target"] = "error"

    def _prepare(self) -> None:
        self.feedback = [
            torch.randn(self.classes, shape.numel(), generator=self.random[0]) / self.classes**0.5
            for shape in self.shapes
        ]  # fmt: skip

    def learn(self, x: Tensor, labels: Tensor) -> float:
        """Learn a batch; see `Taught`."""
        outputs = self._forward(x)
        loss, error = self._read(outputs[-1], labels)
        wanted = functional.one_hot(labels, self.classes).to(x.dtype)
        told = error if self.what == "error" else -wanted
        for place, (h, weights) in enumerate(zip(outputs, self.feedback, strict=True)):
            self.updates.take(place, h, (told @ weights).reshape(h.shape) / len(h))
        self.updates.take(len(outputs), loss)
        return float(loss.detach())


class TargetTaught(DirectlyTaught):
    """Direct random target projection."""

    what = "target"


class LocallyTaught(Taught):
    """Each block by a classifier of its own, and by how alike examples of a class are (arXiv 1901.06656).

    The loss is .99 times the squared distance of the activities' cosines from those of the one-hot targets, and .01
    times the classifier's, as there.
    """

    def _prepare(self) -> None:
        self.classifiers = [nn.Linear(shape.numel(), self.classes) for shape in self.shapes]

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What learns, by name."""
        return super().modules | {f"classifier {k}": one for k, one in enumerate(self.classifiers)}

    def _groups(self) -> Sequence[list[nn.Parameter]]:
        groups = super()._groups()
        for group, classifier in zip(groups, self.classifiers, strict=False):
            group += classifier.parameters()
        return groups

    def learn(self, x: Tensor, labels: Tensor) -> float:
        """Learn a batch; see `Taught`."""
        same = (labels[:, None] == labels[None]).to(x.dtype)
        for place, block in enumerate(self.blocks):
            x = block.train()(x.detach())
            h = functional.normalize(x.flatten(1) - x.flatten(1).mean(1, keepdim=True))
            said = functional.cross_entropy(self.classifiers[place](x.flatten(1)), labels)
            self.updates.take(place, 0.99 * (h @ h.T - same).square().mean() + 0.01 * said)
        loss, _ = self._read(x, labels)
        self.updates.take(len(self.blocks), loss)
        return float(loss.detach())


class AlignedBlocks(Backpropagated):
    """Feedback alignment: as backpropagation, with errors that come back through fixed random weights
    (Lillicrap and others, Nature Communications 7, 2016)."""

    def _prepare(self) -> None:
        modules = [one for block in self.blocks for one in block.modules() if isinstance(one, nn.Linear | nn.Conv2d)]
        self.aligned = {module: _aligned(module, self.random[0]) for module in (*modules, self.readout)}
        for module, forward in self.aligned.items():
            module.forward = forward  # type: ignore[method-assign, assignment]

    @contextmanager
    def plain(self) -> Iterator[None]:
        """A block in which errors come back through the weights that are learned."""
        for module in self.aligned:
            del module.forward
        try:
            yield
        finally:
            for module, forward in self.aligned.items():
                module.forward = forward  # type: ignore[method-assign, assignment]


def _aligned(module: nn.Linear | nn.Conv2d, random: torch.Generator) -> Callable[[Tensor], Tensor]:
    """What a module does, with errors that come back through other weights, of the size of its own."""
    size = float(module.weight.detach().std()) or (3 * module.weight[0].numel()) ** -0.5
    feedback = torch.randn(module.weight.shape, generator=random) * size
    forward = module.forward

    def aligned(x: Tensor) -> Tensor:
        own = forward(x.detach())
        if isinstance(module, nn.Linear):
            through = functional.linear(x, feedback)
        else:
            through = functional.conv2d(
                x, feedback, None, module.stride, module.padding, module.dilation, module.groups
            )
        return own + (through - through.detach())

    return aligned
