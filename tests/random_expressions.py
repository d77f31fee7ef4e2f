"""Random expressions as pairs: a text, and the same computation composed from NumPy functions without the parser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from sharpwave.equations import Equations

VARIABLES = ("x", "y", "z1")
PARAMETERS = {"a": 0.75, "b_2": -1.5}
LAGS = ("x(t - 1)", "y(t - a)", "x(t/2)")  # values of the environment under these keys

Environment = dict[str, Any]


class OutsideDomainError(Exception):
    """Some intermediate value is not finite."""


@dataclass(frozen=True)
class Expression:
    text: str
    compute: Callable[[Environment], Any]


def _finite(value: Any) -> Any:
    if not np.isfinite(value):
        raise OutsideDomainError
    return value


def _truth(value: Any) -> Any:
    return np.float64(1 if value else 0)


_BINARY = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "<": lambda a, b: _truth(a < b),
    "<=": lambda a, b: _truth(a <= b),
    ">": lambda a, b: _truth(a > b),
    ">=": lambda a, b: _truth(a >= b),
    "and": lambda a, b: _truth(a != 0 and b != 0),
    "or": lambda a, b: _truth(a != 0 or b != 0),
}
# fmt: off
NUMPY_NAMES = (
    "exp", "log", "log1p", "expm1", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "floor", "ceil",
)
# fmt: on
_UNARY = {
    **{
        name: getattr(np, name)
        for name in [
            "exp",
            "log",
            "log1p",
            "expm1",
            "sqrt",
            "sin",
            "cos",
            "tan",
            "sinh",
            "cosh",
            "tanh",
            "floor",
            "ceil",
        ]
    },
    "abs": np.abs,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sign": np.sign,
    "heaviside": lambda x: np.heaviside(x, 0.5),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: x if x > 0 else x * 0,
    "-": lambda x: -x,
    "not ": lambda x: _truth(x == 0),
}
_FUNCTIONS = {
    "min": lambda a, b: min(a, b),
    "max": lambda a, b: max(a, b),
    "hypot": np.hypot,
    # The branch cut of atan2 tells 0 from -0, which simplification need not.
    "atan2": lambda a, b: np.arctan2(a, abs(b) + 0.5),
}


def _number(value: float) -> Expression:
    return Expression(f"{value:.4g}", lambda e: e["x"] * 0 + float(f"{value:.4g}"))


def _name(name: str) -> Expression:
    return Expression(name, lambda e: e[name])


def _binary(operator: str, a: Expression, b: Expression) -> Expression:
    return Expression(
        f"({a.text} {operator} {b.text})", lambda e: _finite(_BINARY[operator](a.compute(e), b.compute(e)))
    )


def _unary(name: str, a: Expression) -> Expression:
    return Expression(f"({name}({a.text}))", lambda e: _finite(_UNARY[name](a.compute(e))))


def _function(name: str, a: Expression, b: Expression) -> Expression:
    second = f"abs({b.text}) + 0.5" if name == "atan2" else b.text
    return Expression(f"{name}({a.text}, {second})", lambda e: _finite(_FUNCTIONS[name](a.compute(e), b.compute(e))))


def _power(a: Expression, exponent: int) -> Expression:
    return Expression(f"({a.text})**{exponent}", lambda e: _finite(a.compute(e) ** float(exponent)))


def _choice(form: str, c: Expression, a: Expression, b: Expression) -> Expression:
    def compute(e: Environment) -> Any:
        test, left, right = c.compute(e), a.compute(e), b.compute(e)
        return left if test != 0 else right

    return Expression(form.format(c=c.text, a=a.text, b=b.text), compute)


_LEAVES = [_name(name) for name in [*VARIABLES, *PARAMETERS, *LAGS, "t"]]
_FORMS = ["where({c}, {a}, {b})", "({a} if {c} else {b})"]


@st.composite
def expressions(draw: st.DrawFn, depth: int = 4) -> Expression:
    """An expression of at most `depth` levels of operations."""

    def inner() -> Expression:
        return draw(expressions(depth - 1))

    kind = draw(st.integers(0, 7)) if depth else 0
    if kind == 0:
        return draw(st.sampled_from(_LEAVES))
    if kind == 1:
        return _number(draw(st.floats(0, 9)))
    if kind in (2, 3):
        return _binary(draw(st.sampled_from(list(_BINARY))), inner(), inner())
    if kind in (4, 5):
        return _unary(draw(st.sampled_from(list(_UNARY))), inner())
    if kind == 6:
        return _function(draw(st.sampled_from(list(_FUNCTIONS))), inner(), inner())
    if draw(st.booleans()):
        return _power(inner(), draw(st.integers(-4, 12)))
    return _choice(draw(st.sampled_from(_FORMS)), inner(), inner(), inner())


_values = st.floats(-3, 3).map(lambda x: round(x, 3))
environments = st.fixed_dictionaries(dict.fromkeys([*VARIABLES, *LAGS, "t"], _values)).map(
    lambda e: {**e, **PARAMETERS}
)


def value(expression: Expression, environment: Environment, kind: Any = np.float64, shift: float = 0.0) -> Any:
    """The value, computed with numbers of another kind, or with the names' values moved by a relative `shift`."""
    with np.errstate(all="ignore"):
        moved = {name: kind(number) * kind(1 + shift) + kind(shift) for name, number in environment.items()}
        return expression.compute(moved)


def well_conditioned(expression: Expression, environment: Environment) -> bool:
    """Whether rounding cannot change the value by more than about 1e-9 of its size."""
    try:
        plain = value(expression, environment)
        others = [value(expression, environment, np.longdouble)]
        others += [value(expression, environment, shift=shift) for shift in (1e-12, -1e-12)]
    except OutsideDomainError:
        return False
    return abs(plain) < 1e12 and all(abs(other - plain) <= 1e-9 * max(1.0, abs(plain)) for other in others)


def lag_values(system: Equations, environment: Environment) -> list[float]:
    """The environment's lagged values in the system's order, told apart by variable and time."""
    t = environment["t"]
    known = {("x", t - 1): LAGS[0], ("y", t - PARAMETERS["a"]): LAGS[1]}
    times = zip(system.lags, system.lag_times(t), strict=True)
    return [environment[known.get(lag, LAGS[2])] for lag in times]
