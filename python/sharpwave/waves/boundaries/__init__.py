"""What the start of a wave lattice computes from all that is on it."""

from __future__ import annotations

from .attention import AttentionBoundary
from .boundary import Boundary, Encoded, RuleBoundary
from .equations import EquationBoundary
from .linear import LinearBoundary
from .perceptron import MLPBoundary

__all__ = [
    "AttentionBoundary",
    "Boundary",
    "Encoded",
    "EquationBoundary",
    "LinearBoundary",
    "MLPBoundary",
    "RuleBoundary",
]
