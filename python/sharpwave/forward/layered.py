"""Blocks with a linear classifier behind the last one: what all ways of teaching layers of torch have in common."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .blocks import blocks_of


class Layered:
    """A network of blocks, and a classifier of the last one's activities that says nothing yet.

    Args:
        network: an `nn.Sequential` of layers of any kind, without a classifier at its end; see `blocks_of`.
        classes: how many.
        example: one input (...), from which shapes are found.
        seed: of dropouts.

    Attributes:
        blocks: what learns together.
        readout: the classifier.
        shapes: of what each block gives of an example.
    """

    def __init__(self, network: nn.Sequential, classes: int, example: Tensor, seed: int) -> None:
        self.blocks, self.classes = blocks_of(network, seed), classes
        self.train(False)
        self.shapes: list[torch.Size] = []
        h = example[None].expand(2, *example.shape)
        with torch.no_grad():
            for block in self.blocks:
                h = block(h)
                self.shapes.append(h.shape[1:])
        self.readout = nn.Linear(self.shapes[-1].numel(), classes)
        nn.init.zeros_(self.readout.weight)
        nn.init.zeros_(self.readout.bias)

    def train(self, learning: bool) -> None:
        """Whether blocks learn, or are tested."""
        if learning != self.blocks[0].training:  # going through all modules costs as much as a small layer
            for block in self.blocks:
                block.train(learning)

    @torch.no_grad()
    def said(self, x: Tensor) -> Tensor:
        """What the classifier says of examples (examples, ...), (examples, classes)."""
        self.train(False)
        for block in self.blocks:
            x = block(x)
        found: Tensor = self.readout(x.flatten(1))
        return found

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What learns, by name."""
        found: dict[str, nn.Module] = {f"block {k}": block for k, block in enumerate(self.blocks)}
        return {**found, "readout": self.readout}
