"""English as characters."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

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
