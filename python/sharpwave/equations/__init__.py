"""A user's systems of differential equations: text, checked, differentiated, and encoded for the Julia kernels."""

from sharpwave.equations.encoding import Program
from sharpwave.equations.errors import EquationError
from sharpwave.equations.operations import OPCODES
from sharpwave.equations.system import Equations

__all__ = ["OPCODES", "EquationError", "Equations", "Program"]
