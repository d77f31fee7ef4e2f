"""What is inside a network: spectra, the basis in which hidden units are the variables of a task, what they cause."""

from __future__ import annotations

from .gradients import gradient_by_distance
from .interventions import Interventions, flip_variables
from .privileged import PrivilegedBasis, privileged_basis
from .spectra import SpectralComparison, compare_spectra

__all__ = [
    "Interventions",
    "PrivilegedBasis",
    "SpectralComparison",
    "compare_spectra",
    "flip_variables",
    "gradient_by_distance",
    "privileged_basis",
]
