"""Units of the numbers in neuron models: quantities as text, and the dimensions of expressions.

All numbers are kept in one coherent system: ms, mV and pA, and so nS, GOhm, pF and 1/ms.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from sharpwave.equations.errors import EquationError, at
from sharpwave.equations.operations import TRUTH
from sharpwave.equations.scanning import LONGEST_WORD, one_line
from sharpwave.equations.tree import Node, ordered
from sharpwave.suggest import unknown

_LARGEST_EXPONENT = 9  # in a unit's text
_FINEST_EXPONENT = 1000  # denominator of an exponent in an expression, such as 1/3


class Dimension(NamedTuple):
    """Exponents of ms, mV and pA.

    Example:
        >>> str(VOLTAGE.times(TIME, -1)), str(Dimension(time=1, voltage=-1, current=1)), str(DIMENSIONLESS)
        ('mV/ms', 'pF', '1')
    """

    time: Fraction | int = 0
    voltage: Fraction | int = 0
    current: Fraction | int = 0

    def times(self, other: Dimension, exponent: Fraction | int = 1) -> Dimension:
        """The dimension of a product with `other**exponent`."""
        return Dimension(*(a + exponent * b for a, b in zip(self, other, strict=True)))

    def __str__(self) -> str:
        if self in _NAMED:
            return _NAMED[self]
        above: list[str] = []
        below: list[str] = []
        for name, exponent in zip(("mV", "pA", "ms"), (self.voltage, self.current, self.time), strict=True):
            size = abs(Fraction(exponent))
            power = "" if size == 1 else f"**{size}" if size.denominator == 1 else f"**({size})"
            if exponent:
                (above if exponent > 0 else below).append(name + power)
        bottom = f"({'*'.join(below)})" if len(below) > 1 else "".join(below)
        return ("*".join(above) or "1") + (f"/{bottom}" if bottom else "")


DIMENSIONLESS, TIME, VOLTAGE, CURRENT = Dimension(), Dimension(time=1), Dimension(voltage=1), Dimension(current=1)
_CONDUCTANCE = CURRENT.times(VOLTAGE, -1)
_RESISTANCE = VOLTAGE.times(CURRENT, -1)
_CAPACITANCE = _CONDUCTANCE.times(TIME)
_NAMED = {_CONDUCTANCE: "nS", _RESISTANCE: "GOhm", _CAPACITANCE: "pF"}


class Quantity(NamedTuple):
    """A number in the system of ms, mV and pA, and its dimension."""

    value: float
    dimension: Dimension


def _scaled(dimension: Dimension, **scales: float) -> dict[str, Quantity]:
    return {name: Quantity(scale, dimension) for name, scale in scales.items()}


UNITS: Mapping[str, Quantity] = MappingProxyType(
    {
        **_scaled(TIME, us=1e-3, ms=1.0, s=1e3),
        **_scaled(DIMENSIONLESS.times(TIME, -1), Hz=1e-3, kHz=1.0),
        **_scaled(VOLTAGE, uV=1e-3, mV=1.0, V=1e3),
        **_scaled(CURRENT, pA=1.0, nA=1e3, uA=1e6, mA=1e9, A=1e12),
        **_scaled(_CONDUCTANCE, pS=1e-3, nS=1.0, uS=1e3, mS=1e6, S=1e9),
        **_scaled(_RESISTANCE, Ohm=1e-9, kOhm=1e-6, MOhm=1e-3, GOhm=1.0),
        **_scaled(_CAPACITANCE, pF=1.0, nF=1e3, uF=1e6, F=1e12),
    }
)
_NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)( *)", re.ASCII)


def quantity(name: str, text: str | float) -> Quantity:
    """A number with its unit.

    Args:
        name: what it is, for errors, such as `"tau"`.
        text: a number and a product of powers of units, such as `"-65 mV"`, `"0.5 Hz"`, `"1/ms"` or
            `"3 mV/ms**2"`; without a unit, or as a number, it is dimensionless.

    Raises:
        EquationError: for anything else, or a value that is not finite.

    Example:
        >>> quantity("resistance", "10 MOhm")
        Quantity(value=0.01, dimension=Dimension(time=0, voltage=1, current=-1))
        >>> quantity("tau", "20 msec")
        Traceback (most recent call last):
        ...
        sharpwave.equations.errors.EquationError: tau: unknown unit 'msec': did you mean 'ms'?
            20 msec
               ^
    """
    if isinstance(text, str):
        number = _NUMBER.match(text.strip())
        if number is None:
            raise EquationError(f"{name}: expected a number and its unit, such as '-65 mV', got {text!r}"[:200])
        found = _read(name, text, number)
    elif isinstance(text, (int, float, np.number)) and not isinstance(text, bool):
        found = Quantity(float(text), DIMENSIONLESS)
    else:
        raise EquationError(f"{name}: expected a number and its unit, such as '-65 mV', got {text!r}"[:200])
    if not math.isfinite(found.value):
        raise EquationError(f"{name}: expected a finite number, got {text!r}"[:200])
    return found


def unit(name: str, text: str) -> Quantity:
    """A unit alone; arguments and errors are those of `quantity`.

    Returns:
        What one of it is.

    Example:
        >>> unit("v", "V"), unit("rate", "1/s").value
        (Quantity(value=1000.0, dimension=Dimension(time=0, voltage=1, current=0)), 0.001)
    """
    number = _NUMBER.match(text.strip())
    if not text.strip() or (number and not re.match(r"1 *(/|$)", text.strip())):
        raise EquationError(f"{name}: expected a unit such as mV, 1/ms, or 1 for none, got {text!r}"[:200])
    return _read(name, text, number)


def _read(name: str, text: str, number: re.Match[str] | None) -> Quantity:
    line = one_line(name, text)
    if len(line) > LONGEST_WORD:
        raise EquationError(f"{name}: a number with its unit has at most {LONGEST_WORD} characters, got {len(line)}")
    product = line
    if number and number[2] and number.end() < len(line) and line[number.end()] not in "*/":
        # A * in place of the blank after the number: positions in the text stay what they are.
        product = f"{number[1]}*{number[2][1:]}{line[number.end() :]}"
    try:
        return _factor(name, line, ast.parse(product, mode="eval").body)
    except SyntaxError as error:
        raise at(name, line, min(max((error.offset or 1) - 1, 0), len(line) - 1), "not a unit", _ALLOWED) from None


_ALLOWED = f"a unit is a product of powers of {' '.join(UNITS)}, such as mV/ms or 1/(nS*s**2)"


def _factor(name: str, line: str, node: ast.expr) -> Quantity:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return Quantity(float(value), DIMENSIONLESS)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=ast.Constant() as number):
            value, dimension = _factor(name, line, number)
            return Quantity(-value if isinstance(sign, ast.USub) else value, dimension)
        case ast.Name(id=word):
            if word not in UNITS:
                raise at(name, line, node.col_offset, unknown("unit", word, UNITS))
            return UNITS[word]
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int() as exponent)) if (
            exponent <= _LARGEST_EXPONENT
        ):
            value, dimension = _factor(name, line, left)
            return Quantity(value**exponent, DIMENSIONLESS.times(dimension, exponent))
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div() as operator, right=right):
            a, b = _factor(name, line, left), _factor(name, line, right)
            if isinstance(operator, ast.Mult):
                return Quantity(a.value * b.value, a.dimension.times(b.dimension))
            if b.value != 0:
                return Quantity(a.value / b.value, a.dimension.times(b.dimension, -1))
    raise at(name, line, node.col_offset, "not a unit", _ALLOWED)


def dimension_of(node: Node, leaves: Mapping[Node, Dimension], name: str, text: str) -> Dimension | None:
    """The dimension of an expression.

    Args:
        node: the expression.
        leaves: the dimension of each variable, parameter and time in it; numbers are dimensionless.
        name: what the text defines, for errors, such as `"dv/dt"`.
        text: the text from which it was read.

    Returns:
        Its dimension; None for the number 0, which fits every dimension.

    Raises:
        EquationError: two terms differ in their dimensions, or a function needs a dimensionless argument.

    Example:
        >>> from sharpwave.equations.tree import Tree
        >>> tree = Tree()
        >>> v, tau = tree.parameter(0), tree.parameter(1)
        >>> str(dimension_of(tree.apply("divide", v, tau), {v: VOLTAGE, tau: TIME}, "x", "v/tau"))
        'mV/ms'
        >>> dimension_of(tree.apply("add", v, tau), {v: VOLTAGE, tau: TIME}, "x", "v + tau")
        Traceback (most recent call last):
        ...
        sharpwave.equations.errors.EquationError: x: the units of mV + ms do not agree
            v + tau
    """
    found: dict[Node, Dimension | None] = {}
    for part in ordered([node]):
        if part.operation in ("variable", "parameter", "time"):
            found[part] = leaves[part]
            continue
        try:
            found[part] = _dimension(part, [found[a] for a in part.arguments])
        except EquationError as problem:
            raise EquationError(f"{name}: {problem}\n    {text}") from None
    return found[node]


_SIGNS = {"add": "+", "subtract": "-", "less": "<", "less_equal": "<=", "equal": "==", "not_equal": "!="}


def _dimension(node: Node, operands: Sequence[Dimension | None]) -> Dimension | None:
    match node.operation, operands:
        case "constant", _:
            return None if node.value == 0 else DIMENSIONLESS
        case "add" | "subtract" | "min" | "max" | "hypot", (a, b):
            return _common(node.operation, a, b)
        case ("atan2" as operation, (a, b)) | (operation, (a, b)) if operation == "atan2" or operation in TRUTH:
            _common(operation, a, b)
            return DIMENSIONLESS
        case "select", (_, a, b):
            return _common("where", a, b)
        case "negate" | "abs", (a,):
            return a
        case "sign", _:
            return DIMENSIONLESS
        case "multiply" | "divide", (a, b):
            return None if a is None or b is None else a.times(b, 1 if node.operation == "multiply" else -1)
        case "power", (a,):
            return _raised(a, Fraction(int(node.value)))
        case "sqrt", (a,):
            return _raised(a, Fraction(1, 2))
        case "pow", (a, b) if node.arguments[1].operation == "constant":
            return _raised(a, Fraction(node.arguments[1].value).limit_denominator(_FINEST_EXPONENT))
    for operand in operands:
        if operand not in (None, DIMENSIONLESS):
            what = "a power with such an exponent" if node.operation == "pow" else node.operation
            raise EquationError(f"{what} takes numbers without a unit, got {operand}: divide by the unit")
    return DIMENSIONLESS


def _raised(base: Dimension | None, exponent: Fraction) -> Dimension | None:
    return None if base is None else DIMENSIONLESS.times(base, exponent)


def _common(operation: str, a: Dimension | None, b: Dimension | None) -> Dimension | None:
    if a is not None and b is not None and a != b:
        sign = _SIGNS.get(operation)
        shown = f"{a} {sign} {b}" if sign else f"{operation}({a}, {b})"
        hint = "; a number takes its unit as a factor, such as 5*mV" if DIMENSIONLESS in (a, b) else ""
        raise EquationError(f"the units of {shown} do not agree{hint}")
    return b if a is None else a
