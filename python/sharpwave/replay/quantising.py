"""Vectors as a few bytes: each part of them by the nearest of 256 that were learned."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..counts import count

Array = NDArray[np.float32]
Codes = NDArray[np.uint8]
_CENTRES = 256


class Quantiser:
    """Product quantisation.

    Args:
        features: of a vector.
        parts: into which it is cut, bytes of a code; they divide `features`.
        seed: of what k-means begins with.

    Attributes:
        centres: of each part, (parts, 256, features / parts); 0 before they are learned.

    Raises:
        ValueError: parts that do not divide the features.

    Source:
        Jegou and others, 2011, as in REMIND (Hayes and others, ECCV 2020).

    Example:
        >>> vectors = np.random.default_rng(0).normal(size=(2000, 8)).astype(np.float32)
        >>> quantiser = Quantiser(8, 4)
        >>> quantiser.fit(vectors)
        >>> codes = quantiser.encode(vectors)
        >>> codes.shape, codes.dtype, float(np.mean((quantiser.decode(codes) - vectors) ** 2)) < 0.05
        ((2000, 4), dtype('uint8'), True)
    """

    def __init__(self, features: int, parts: int, seed: int = 0) -> None:
        if features % count("parts", parts):
            raise ValueError(f"{parts} parts do not divide {features} features")
        self.parts, self.width, self.seed = parts, features // parts, seed
        self.centres = np.zeros((parts, _CENTRES, self.width), dtype=np.float32)

    def fit(self, vectors: Array) -> None:
        """Learn the centres of each part.

        Args:
            vectors: (vectors, features); fewer than 256 are their own centres.

        Raises:
            ValueError: no vectors, or numbers that are not finite.
        """
        from sklearn.cluster import MiniBatchKMeans

        if not len(vectors) or not np.isfinite(vectors).all():
            raise ValueError(
                f"centres are learned from vectors of finite numbers, got {len(vectors)} of which "
                f"{int((~np.isfinite(vectors)).any(axis=1).sum())} are not finite"
            )
        for part, some in enumerate(self._cut(vectors)):
            if len(vectors) <= _CENTRES:
                self.centres[part] = some[np.minimum(np.arange(_CENTRES), len(some) - 1)]
            else:
                means = MiniBatchKMeans(_CENTRES, random_state=self.seed, n_init=1, batch_size=2048).fit(some)
                self.centres[part] = means.cluster_centers_

    def encode(self, vectors: Array) -> Codes:
        """Codes of vectors (vectors, features), (vectors, parts)."""
        found = np.empty((len(vectors), self.parts), dtype=np.uint8)
        for part, (some, centres) in enumerate(zip(self._cut(vectors), self.centres, strict=True)):
            found[:, part] = ((centres**2).sum(axis=1) - 2 * some @ centres.T).argmin(axis=1)
        return found

    def decode(self, codes: Codes) -> Array:
        """Vectors that codes (vectors, parts) stand for, (vectors, features)."""
        found: Array = self.centres[np.arange(self.parts), codes].reshape(len(codes), -1)
        return found

    def _cut(self, vectors: Array) -> NDArray[Any]:
        """(parts, vectors, width)."""
        return np.ascontiguousarray(vectors.reshape(len(vectors), self.parts, self.width).transpose(1, 0, 2))
