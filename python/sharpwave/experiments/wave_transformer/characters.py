"""English as characters, and the model of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...waves import RuleBoundary, WaveLattice
from ...waves.transformer import AttentionOnlyTransformer

CHARACTERS = " abcdefghijklmnopqrstuvwxyz.,;:?!'-"
_PLACES = {character: place for place, character in enumerate(CHARACTERS)}


def read(documents: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Characters to learn and to test, by their places in `CHARACTERS`; others are left out."""
    from ...data import load_text

    found = [_encoded(document) for document in load_text("brown").documents[:documents]]
    tested = found[9::10]
    learned = [one for place, one in enumerate(found) if place % 10 != 9]
    return np.concatenate(learned), np.concatenate(tested)


def _encoded(document: str) -> NDArray[np.uint8]:
    whole = " ".join(document.lower().split()) + " "
    return np.array([_PLACES[character] for character in whole if character in _PLACES], dtype=np.uint8)


def decoded(places: Iterable[int]) -> str:
    """Characters by their places."""
    return "".join(CHARACTERS[place] for place in places)


def bits_of_counts(learned: NDArray[np.uint8], tested: NDArray[np.uint8], before: int) -> float:
    """Bits a character by counts of it after so many others; each count begins at a tenth."""
    n = len(CHARACTERS)

    def grams(characters: NDArray[np.uint8]) -> NDArray[np.int64]:
        end, found = len(characters) - before, np.zeros(len(characters) - before, dtype=np.int64)
        for k in range(before + 1):
            found = found * n + characters[k : end + k]
        return found

    counts = np.bincount(grams(learned), minlength=n ** (before + 1)).reshape(-1, n) + 0.1
    return float(-np.log2(counts / counts.sum(axis=1, keepdims=True)).ravel()[grams(tested)].mean())


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
