"""The model of English: characters as vectors, attention alone, and a linear readout."""

from __future__ import annotations

from typing import Any

import torch

from ...waves import RuleBoundary, WaveLattice
from ...waves.transformer import AttentionOnlyTransformer
from .characters import CHARACTERS


class CharacterModel(torch.nn.Module):
    """Characters as vectors, attention alone, and a linear readout."""

    def __init__(self, columns: int, rows: int, layers: int, heads: int, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        n = len(CHARACTERS)
        self.embedding = torch.nn.Embedding(n, rows, _weight=torch.randn(n, rows, generator=generator))
        self.transformer = AttentionOnlyTransformer(rows, columns, layers, heads, positions=True, seed=seed)
        self.readout = torch.nn.Parameter(torch.randn(n, rows, generator=generator) / rows**0.5)

    def forward(self, places: torch.Tensor) -> Any:
        """Scores of the next character after each, (examples, time, characters)."""
        return self.transformer(self.embedding(places)) @ self.readout.T

    def characters(self, vectors: torch.Tensor) -> Any:
        """Characters (...) of their vectors (..., rows)."""
        return torch.cdist(vectors, self.embedding.weight).argmin(dim=-1)

    def written(self, given: torch.Tensor, count: int) -> list[int]:
        """The most probable character, again and again, by the transformer's loop."""
        seen, found = given, []
        for _ in range(count):
            found.append(int(self(seen[None, -self.transformer.window :])[0, -1].argmax()))
            seen = torch.cat([seen, torch.tensor(found[-1:])])
        return found

    def lattice(self) -> WaveLattice:
        """The same loop as waves: what starts is the vector of the most probable character."""

        def rule(substrate: torch.Tensor) -> Any:
            newest = self.transformer(substrate.to(self.readout.dtype))[..., -1, :]
            return self.embedding((newest @ self.readout.T).argmax(dim=-1)).to(substrate.dtype)

        return WaveLattice(self.transformer.window, self.transformer.width, RuleBoundary(rule))
