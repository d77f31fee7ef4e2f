"""What is inside a network: spectra, the basis in which hidden units are the variables of a task, what they cause."""

from __future__ import annotations

from .fixed_points import FixedPoints, fixed_points
from .gradients import gradient_by_distance
from .interventions import Interventions, intervene
from .privileged import PrivilegedBasis, privileged_basis
from .spectra import SpectralComparison, compare_spectra

__all__ = [
    "FixedPoints",
    "Interventions",
    "PrivilegedBasis",
    "SpectralComparison",
    "compare_spectra",
    "fixed_points",
    "gradient_by_distance",
    "intervene",
    "privileged_basis",
]
