"""Travelling-wave working memory: lattices that carry the past, and boundaries that compute from it.

Source: "Hidden Traveling Waves bind Working Memory Variables in Recurrent Neural Networks", arXiv 2402.10163.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .boundaries import (
    AttentionBoundary,
    Boundary,
    EquationBoundary,
    LinearBoundary,
    MLPBoundary,
    RuleBoundary,
)
from .conversion import as_rnn, as_task, from_rnn
from .lattice import WaveLattice, Waves, compile_history_system
from .trainable import AttentionLattice, WaveRNN
from .transport import Transport

if TYPE_CHECKING:
    from .transformer import AttentionOnlyTransformer

__all__ = [
    "AttentionBoundary",
    "AttentionLattice",
    "AttentionOnlyTransformer",
    "Boundary",
    "EquationBoundary",
    "LinearBoundary",
    "MLPBoundary",
    "RuleBoundary",
    "Transport",
    "WaveLattice",
    "WaveRNN",
    "Waves",
    "as_rnn",
    "as_task",
    "compile_history_system",
    "from_rnn",
]


def __getattr__(name: str) -> Any:
    """The transformer is a module of torch, which is imported when it is asked for."""
    if name != "AttentionOnlyTransformer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .transformer import AttentionOnlyTransformer

    return AttentionOnlyTransformer
