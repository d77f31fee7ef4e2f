"""The operations of an encoded program: their numbers, and what each computes on NumPy or torch arrays."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

# The same numbers stand in julia/SharpwaveKernels/src/expressions.jl; a test holds the two together.
OPCODES = MappingProxyType(
    {
        "constant": 0,
        "parameter": 1,
        "variable": 2,
        "lag": 3,
        "time": 4,
        "add": 10,
        "subtract": 11,
        "multiply": 12,
        "divide": 13,
        "negate": 14,
        "pow": 15,
        "less": 20,
        "less_equal": 21,
        "equal": 22,
        "not_equal": 23,
        "select": 24,
        "min": 30,
        "max": 31,
        "abs": 32,
        "sign": 33,
        "floor": 34,
        "ceil": 35,
        "hypot": 36,
        "sqrt": 40,
        "exp": 41,
        "expm1": 42,
        "log": 43,
        "log1p": 44,
        "sin": 50,
        "cos": 51,
        "tan": 52,
        "asin": 53,
        "acos": 54,
        "atan": 55,
        "atan2": 56,
        "sinh": 57,
        "cosh": 58,
        "tanh": 59,
        "sigmoid": 60,
    }
)

# Comparisons give the numbers 1 and 0; anything but 0 counts as true.
TRUTH = frozenset({"less", "less_equal", "equal", "not_equal"})
COMMUTATIVE = frozenset({"add", "multiply", "equal", "not_equal"})


def _sign(xp: Any, x: Any) -> Any:
    return xp.where(xp.isnan(x), x, xp.sign(x))  # torch.sign(nan) is 0


def _truth(xp: Any, condition: Any) -> Any:
    one = xp.ones_like(condition, dtype=xp.float64)
    return xp.where(condition, one, 0 * one)


def _sigmoid(xp: Any, x: Any) -> Any:
    return 1 / (1 + xp.exp(-x))


# (array module, operands as float64 arrays) -> array. Outside its domain an operation gives NaN or an infinity.
IMPLEMENTATIONS: MappingProxyType[str, Callable[..., Any]] = MappingProxyType(
    {
        "add": lambda xp, a, b: a + b,
        "subtract": lambda xp, a, b: a - b,
        "multiply": lambda xp, a, b: a * b,
        "divide": lambda xp, a, b: a / b,
        "negate": lambda xp, a: -a,
        "pow": lambda xp, a, b: a**b,
        "less": lambda xp, a, b: _truth(xp, a < b),
        "less_equal": lambda xp, a, b: _truth(xp, a <= b),
        "equal": lambda xp, a, b: _truth(xp, a == b),
        "not_equal": lambda xp, a, b: _truth(xp, a != b),
        "select": lambda xp, c, a, b: xp.where(c != 0, a, b),
        "min": lambda xp, a, b: xp.minimum(a, b),
        "max": lambda xp, a, b: xp.maximum(a, b),
        "abs": lambda xp, x: xp.abs(x),
        "sign": _sign,
        "floor": lambda xp, x: xp.floor(x),
        "ceil": lambda xp, x: xp.ceil(x),
        "hypot": lambda xp, a, b: xp.hypot(a, b),
        "sqrt": lambda xp, x: xp.sqrt(x),
        "exp": lambda xp, x: xp.exp(x),
        "expm1": lambda xp, x: xp.expm1(x),
        "log": lambda xp, x: xp.log(x),
        "log1p": lambda xp, x: xp.log1p(x),
        "sin": lambda xp, x: xp.sin(x),
        "cos": lambda xp, x: xp.cos(x),
        "tan": lambda xp, x: xp.tan(x),
        "asin": lambda xp, x: xp.arcsin(x),
        "acos": lambda xp, x: xp.arccos(x),
        "atan": lambda xp, x: xp.arctan(x),
        "atan2": lambda xp, a, b: xp.arctan2(a, b),
        "sinh": lambda xp, x: xp.sinh(x),
        "cosh": lambda xp, x: xp.cosh(x),
        "tanh": lambda xp, x: xp.tanh(x),
        "sigmoid": _sigmoid,
    }
)
