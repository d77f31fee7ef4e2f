"""What is inside a network: spectra, fixed points and cycles, how they change in training, the variables of a task."""

from __future__ import annotations

from .continuation import Branch, follow
from .crossings import Crossing
from .cycles import Cycles, cycles
from .fixed_points import FixedPoints, fixed_points
from .gradients import gradient_by_distance
from .interventions import Interventions, intervene
from .lyapunov import lyapunov_spectrum
from .maps import FunctionMap, Map, NetworkMap, orbit, trained_map
from .paths import FunctionPath, NetworkPath, Path, PowerPath
from .pictures import plot_branches, plot_eigenvalues, plot_orbit
from .privileged import PrivilegedBasis, privileged_basis
from .rotation import smallest_period, winding_number
from .slow_points import SlowPoints, slow_points
from .spectra import SpectralComparison, compare_spectra
from .subspaces import Subspace, leading_subspace
from .tracking import track

__all__ = [
    "Branch",
    "Crossing",
    "Cycles",
    "FixedPoints",
    "FunctionMap",
    "FunctionPath",
    "Interventions",
    "Map",
    "NetworkMap",
    "NetworkPath",
    "Path",
    "PowerPath",
    "PrivilegedBasis",
    "SlowPoints",
    "SpectralComparison",
    "Subspace",
    "compare_spectra",
    "cycles",
    "fixed_points",
    "follow",
    "gradient_by_distance",
    "intervene",
    "leading_subspace",
    "lyapunov_spectrum",
    "orbit",
    "plot_branches",
    "plot_eigenvalues",
    "plot_orbit",
    "privileged_basis",
    "slow_points",
    "smallest_period",
    "track",
    "trained_map",
    "winding_number",
]
