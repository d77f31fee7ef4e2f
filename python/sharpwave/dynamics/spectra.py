"""Eigenvalues of two operators, compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SpectralComparison:
    """Large eigenvalues of an operator that was found, beside those of one that is known.

    Attributes:
        found, known: eigenvalues whose modulus is above the threshold, by angle.
        error: mean distance of the angles of pairs, in rad, by the assignment for which it is least; None where there
            are more of one than of the other.
    """

    found: NDArray[np.complex128]
    known: NDArray[np.complex128]
    error: float | None

    @property
    def ranks(self) -> tuple[int, int]:
        """How many large eigenvalues there are, found and known."""
        return len(self.found), len(self.known)

    def __str__(self) -> str:
        if self.error is None:
            return "rank mismatch: {} large eigenvalues, expected {}".format(*self.ranks)
        return f"{self.error:.4g} rad over {len(self.found)} eigenvalues"


def compare_spectra(found: ArrayLike, known: ArrayLike, threshold: float = 0.9) -> SpectralComparison:
    """Compare the angles of large eigenvalues. Moduli are not compared: a nonlinearity bounds what would diverge.

    Args:
        found, known: square matrices, or their eigenvalues as vectors.
        threshold: modulus above which an eigenvalue counts; .9 in arXiv 2310.02430.

    Raises:
        ValueError: neither square matrices nor vectors, or numbers that are not finite.

    Example:
        >>> turn = lambda angle: [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        >>> print(compare_spectra(turn(1.01), turn(1.0)))
        0.01 rad over 2 eigenvalues
        >>> print(compare_spectra(np.zeros((2, 2)), turn(1.0)))
        rank mismatch: 0 large eigenvalues, expected 2
    """
    from scipy.optimize import linear_sum_assignment

    ours, theirs = _large(found, threshold), _large(known, threshold)
    if len(ours) != len(theirs):
        return SpectralComparison(ours, theirs, None)
    if not len(ours):
        return SpectralComparison(ours, theirs, 0.0)
    distances = np.abs(np.angle(ours[:, None] * theirs.conj()))
    pairs = linear_sum_assignment(distances)
    return SpectralComparison(ours, theirs, float(distances[pairs].mean()))


def _large(given: ArrayLike, threshold: float) -> NDArray[np.complex128]:
    values = np.asarray(given)
    if not (values.ndim == 1 or (values.ndim == 2 and len(values) == values.shape[1])):
        raise ValueError(f"expected a square matrix, or a vector of eigenvalues, got shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("expected finite numbers: the network has diverged")
    eigenvalues = np.linalg.eigvals(values) if values.ndim == 2 else values
    large = eigenvalues[np.abs(eigenvalues) > threshold].astype(np.complex128)
    return large[np.argsort(np.angle(large))]
