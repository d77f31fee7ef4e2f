"""Tasks of variable binding at random."""

from __future__ import annotations

import numpy as np


def random_sources(window: int, dimensions: int, rng: np.random.Generator) -> list[tuple[int, int, int]]:
    """For each output a block of the window, a dimension and a sign."""
    return [
        (int(rng.integers(1, window + 1)), int(rng.integers(1, dimensions + 1)), int(rng.choice([-1, 1])))
        for _ in range(dimensions)
    ]
