"""Travelling-wave working memory: lattices that carry the past, and boundaries that compute from it.

Source: "Hidden Traveling Waves bind Working Memory Variables in Recurrent Neural Networks", arXiv 2402.10163.
"""

from __future__ import annotations

from .boundaries import AttentionBoundary, Boundary, LinearBoundary, RuleBoundary
from .lattice import WaveLattice, Waves, compile_history_system

__all__ = [
    "AttentionBoundary",
    "Boundary",
    "LinearBoundary",
    "RuleBoundary",
    "WaveLattice",
    "Waves",
    "compile_history_system",
]
