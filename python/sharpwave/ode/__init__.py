"""Ordinary and delay differential equations, written as text and solved by the Julia core."""

from .events import Event
from .request import METHODS
from .solution import DenseOutput, Solution, SolutionBatch
from .solve import solve_dde, solve_ivp

__all__ = ["METHODS", "DenseOutput", "Event", "Solution", "SolutionBatch", "solve_dde", "solve_ivp"]
