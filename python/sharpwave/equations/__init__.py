"""A user's systems of differential equations: text, checked, differentiated, and encoded for the Julia kernels."""

from __future__ import annotations

from sharpwave.equations.encoding import Program
from sharpwave.equations.errors import EquationError
from sharpwave.equations.operations import OPCODES
from sharpwave.equations.problems import PROBLEMS, Problem, problem
from sharpwave.equations.system import Equations

__all__ = ["OPCODES", "PROBLEMS", "EquationError", "Equations", "Problem", "Program", "problem"]
