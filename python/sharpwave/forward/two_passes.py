"""Ways of learning in which a second forward pass takes the place of the backward one; for dense layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .taught import Taught

_ALIKE = 1e-4  # smallest length that activities are divided by


class Dense(Taught):
    """Checks that blocks are a linear layer and a nonlinearity each."""

    def _prepare(self) -> None:
        for block in self.blocks:
            if not isinstance(block.first, nn.Linear):
                raise ValueError(f"{type(self).__name__} learns dense layers, got {type(block.first).__name__}")


class Pepita(Dense):
    """The second pass is that of the input plus fixed random weights times the output's error; layers learn from the
    difference of their activities (arXiv 2201.11665)."""

    def _prepare(self) -> None:
        super()._prepare()
        first = self.blocks[0].first
        assert isinstance(first, nn.Linear)
        scale = 0.05 * (6 / first.in_features) ** 0.5  # as there
        self.feedback = scale * (2 * torch.rand(self.classes, first.in_features, generator=self.random[0]) - 1)

    def learn(self, x: Tensor, labels: Tensor) -> float:
        """Learn a batch; see `Taught`."""
        with torch.no_grad():
            outputs = self._forward(x)
        _, error = self._read(outputs[-1], labels)
        h = x.flatten(1) + error @ self.feedback
        for place, (block, before) in enumerate(zip(self.blocks, outputs, strict=True)):
            driven = block.first(block.before(h.detach()))
            h = block.rest(driven)
            self.updates.take(place, driven, (before - h).detach() / len(x))
        said = self.readout(h.detach().flatten(1))
        self.updates.take(len(self.blocks), said, error / len(x))
        return float(functional.cross_entropy(said.detach(), labels))


class ForwardForward(Dense):
    """The second pass is that of a wrong label: layers make their activities large with the right one, and small with
    it (arXiv 2212.13345).

    The label takes the place of the first pixels. A class is as likely as activities of all layers are large with it,
    those of the first too, which is a choice: others say little in the first epochs. The readout is not used.
    """

    threshold = 0.5  # of the mean square of activities, a choice

    def learn(self, x: Tensor, labels: Tensor) -> float:
        """Learn a batch; see `Taught`. Returns the last layer's loss."""
        wrong = (labels + torch.randint(1, self.classes, labels.shape, generator=self.random[0])) % self.classes
        h = torch.cat([self._labelled(x, labels), self._labelled(x, wrong)])
        sign = torch.ones(len(h))
        sign[len(x) :] = -1
        loss = torch.zeros(())
        for place, block in enumerate(self.blocks):
            h = block.train()(_of_length_one(h.detach()) if place else h)
            loss = functional.softplus(-sign * (h.square().mean(1) - self.threshold)).mean()
            self.updates.take(place, loss)
        return float(loss.detach())

    @torch.no_grad()
    def scores(self, x: Tensor) -> Tensor:
        """What speaks for each class, (examples, classes)."""
        found = []
        for label in range(self.classes):
            h, large = self._labelled(x, torch.full((len(x),), label)), torch.zeros(len(x))
            for place, block in enumerate(self.blocks):
                h = block.eval()(_of_length_one(h) if place else h)
                large += h.square().mean(1)
            found.append(large)
        return torch.stack(found, dim=1)

    def _labelled(self, x: Tensor, labels: Tensor) -> Tensor:
        x = x.flatten(1).clone()
        x[:, : self.classes] = functional.one_hot(labels, self.classes).to(x.dtype) * x.amax()
        return x


def _of_length_one(h: Tensor) -> Tensor:
    """With a mean square of 1, so that no layer sees how large the one before was."""
    return h / (h.square().mean(1, keepdim=True).sqrt() + _ALIKE)
