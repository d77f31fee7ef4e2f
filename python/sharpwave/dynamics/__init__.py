"""What is inside a network: spectra, and the basis in which hidden units are the variables of a task."""

from __future__ import annotations

from .privileged import PrivilegedBasis, privileged_basis
from .spectra import SpectralComparison, compare_spectra

__all__ = ["PrivilegedBasis", "SpectralComparison", "compare_spectra", "privileged_basis"]
