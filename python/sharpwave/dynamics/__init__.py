"""What is inside a network: spectra, the basis in which hidden units are the variables of a task, what they cause."""

from __future__ import annotations

from .cycles import Cycles, cycles
from .fixed_points import FixedPoints, fixed_points
from .gradients import gradient_by_distance
from .interventions import Interventions, intervene
from .lyapunov import lyapunov_spectrum
from .maps import FunctionMap, Map, NetworkMap
from .privileged import PrivilegedBasis, privileged_basis
from .spectra import SpectralComparison, compare_spectra

__all__ = [
    "Cycles",
    "FixedPoints",
    "FunctionMap",
    "Interventions",
    "Map",
    "NetworkMap",
    "PrivilegedBasis",
    "SpectralComparison",
    "compare_spectra",
    "cycles",
    "fixed_points",
    "gradient_by_distance",
    "intervene",
    "lyapunov_spectrum",
    "privileged_basis",
]
