"""Where the targets of signal propagation come from: what the first layer is given beside its input."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

TargetKind = Literal["class", "input", "loop"]


class TargetGenerator(nn.Module):
    """Turns a target into what the first layer's module gives of an example, to which the rest of the layer is applied.

    Args:
        kind: `"class"`: S c + d, of each class once; `"input"`: S [x, c] + d, of each example; `"loop"`: S (c - y) + d,
            with y what the network says of the example.
        classes: how many.
        shape: of what the first layer's module gives of an example.
        features: of an example x; only `"input"` needs them.
        learned: whether S and d are; else they stay as they are at first.
        seed: of S and d, drawn as by `torch.nn.Linear`.

    Source:
        arXiv 2204.01723. Of forward-forward, the target stream is `"input"`.
    """

    def __init__(
        self, kind: TargetKind, classes: int, shape: tuple[int, ...], features: int, learned: bool = True, seed: int = 0
    ) -> None:
        super().__init__()
        self.kind, self.classes, self.shape = kind, classes, shape
        inputs = classes + (features if kind == "input" else 0)
        outputs, bound = int(torch.tensor(shape).prod()), inputs**-0.5
        draw = torch.Generator().manual_seed(seed)
        self.linear = nn.Linear(inputs, outputs)
        with torch.no_grad():
            for parameter in self.linear.parameters():
                parameter.copy_(bound * (2 * torch.rand(parameter.shape, generator=draw) - 1))
        self.linear.requires_grad_(learned)

    def forward(self, labels: Tensor, x: Tensor, said: Tensor | None) -> tuple[Tensor, Tensor]:
        """What targets evoke, (targets, *shape), and which of them is that of each example, (examples,).

        Args:
            labels: of each example, (examples,).
            x: examples, (examples, ...).
            said: what the network says of them, (examples, classes); only `"loop"` needs it.
        """
        if self.kind == "class":
            return self._shaped(torch.eye(self.classes, dtype=x.dtype)), labels
        wanted = nn.functional.one_hot(labels, self.classes).to(x.dtype)
        if self.kind == "input":
            given = torch.cat([x.flatten(1), wanted], dim=1)
        else:
            assert said is not None
            given = wanted - said
        return self._shaped(given), torch.arange(len(x))

    def neutral(self, x: Tensor) -> Tensor:
        """What a target that is all classes alike evokes beside each of examples (examples, ...); for `"input"`."""
        alike = x.new_full((len(x), self.classes), 1 / self.classes)
        return self._shaped(torch.cat([x.flatten(1), alike], dim=1))

    def _shaped(self, given: Tensor) -> Tensor:
        found: Tensor = self.linear(given)
        return found.reshape(len(given), *self.shape)
