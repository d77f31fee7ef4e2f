"""Timed automata: a language, a check that they know what to do, simulation, and the temporal flipflops.

Source of the flipflops: "On the Dynamics of Learning Time-Aware Behavior with Recurrent Neural Networks",
arXiv 2306.07125.
"""

from __future__ import annotations

from .automaton import TimedAutomaton, Transition
from .drawing import plot_automaton
from .flipflop import temporal_flipflop
from .phases import Phases, accuracy_by_symbol, find_phases
from .task import AutomatonTask

__all__ = [
    "AutomatonTask",
    "Phases",
    "TimedAutomaton",
    "Transition",
    "accuracy_by_symbol",
    "find_phases",
    "plot_automaton",
    "temporal_flipflop",
]
