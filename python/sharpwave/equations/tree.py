"""Expression trees: nodes that are kept once each, and the simplifications made when one is built."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from sharpwave.equations.errors import EquationError
from sharpwave.equations.operations import COMMUTATIVE, IMPLEMENTATIONS, TRUTH

LARGEST_INTEGER_POWER = 64  # beyond it a power is computed by pow: repeated products would lose digits
LARGEST_TREE = 1_000_000  # nodes


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """One operation on other nodes; two nodes of one `Tree` are the same expression if they are the same object.

    Args:
        operation: a key of `OPCODES`, or `"power"` for an integer power.
        arguments: its operands; for `"lag"` the one expression of the time at which the variable is taken.
        value: of a constant its number; of a variable, a parameter or a lag the position of its name; of a
            `"power"` the exponent; 0 otherwise.
    """

    operation: str
    arguments: tuple[Node, ...] = ()
    value: float = 0


class Tree:
    """The expressions of one system, each kept once, simplified as they are built.

    Simplification keeps values: results for finite operands are the same numbers, but for the sign of a zero.
    """

    def __init__(self) -> None:
        self._nodes: dict[tuple[object, ...], Node] = {}
        self.zero = self.constant(0.0)
        self.one = self.constant(1.0)
        self.minus_one = self.constant(-1.0)
        self.time = self._keep("time")

    def _keep(self, operation: str, arguments: tuple[Node, ...] = (), value: float = 0) -> Node:
        operands = frozenset(arguments) if operation in COMMUTATIVE else arguments
        key = (operation, operands, value)
        node = self._nodes.get(key)
        if node is None:
            if len(self._nodes) >= LARGEST_TREE:
                raise EquationError(f"the system and its derivatives have more than {LARGEST_TREE:,} parts")
            # setdefault: one node a key, also when two threads build at once
            node = self._nodes.setdefault(key, Node(operation, arguments, value))
        return node

    def constant(self, value: float) -> Node:
        """The number `value`."""
        return self._keep("constant", value=float(value) + 0.0)

    def parameter(self, position: int) -> Node:
        """The parameter at `position`."""
        return self._keep("parameter", value=position)

    def variable(self, position: int) -> Node:
        """The variable at `position`, at the present time."""
        return self._keep("variable", value=position)

    def lag(self, position: int, argument: Node) -> Node:
        """The variable at `position`, at the time `argument`."""
        return self.variable(position) if argument is self.time else self._keep("lag", (argument,), position)

    def power(self, base: Node, exponent: int) -> Node:
        """`base` to an integer power."""
        if exponent == 0:
            return self.one
        if exponent == 1:
            return base
        if base.operation == "constant":
            return self._folded("pow", (base, self.constant(exponent))) or self._keep("power", (base,), exponent)
        return self._keep("power", (base,), exponent)

    def truth(self, node: Node) -> Node:
        """1 where `node` is not 0, else 0."""
        return node if node.operation in TRUTH else self.apply("not_equal", node, self.zero)

    def apply(self, operation: str, *arguments: Node) -> Node:
        """The result of an operation on nodes, simplified.

        Constants are folded where the result is finite.
        """
        return (
            self._folded(operation, arguments)
            or self._simplified(operation, arguments)
            or self._keep(operation, arguments)
        )

    def _folded(self, operation: str, arguments: tuple[Node, ...]) -> Node | None:
        if any(a.operation != "constant" for a in arguments):
            return None
        with np.errstate(all="ignore"):
            value = float(IMPLEMENTATIONS[operation](np, *(np.float64(a.value) for a in arguments)))
        return self.constant(value) if math.isfinite(value) else None

    def _simplified(self, operation: str, arguments: tuple[Node, ...]) -> Node | None:
        zero, one = self.zero, self.one
        match operation, arguments:
            case ("add", (a, b)) if a is zero or b is zero:
                return b if a is zero else a
            case ("add", (a, Node("negate", (b,)))):
                return self.apply("subtract", a, b)
            case ("subtract", (a, b)) if a is b:
                return zero
            case ("subtract", (a, b)) if b is zero:
                return a
            case ("subtract", (a, b)) if a is zero:
                return self.apply("negate", b)
            case ("subtract", (a, Node("negate", (b,)))):
                return self.apply("add", a, b)
            case ("multiply", (a, b)) if a is zero or b is zero:
                return zero
            case ("multiply", (a, b)) if a is one or b is one:
                return b if a is one else a
            case ("multiply", (a, b)) if a is self.minus_one or b is self.minus_one:
                return self.apply("negate", b if a is self.minus_one else a)
            case ("divide", (a, b)) if b is one:
                return a
            case ("negate", (Node("negate", (a,)),)):
                return a
            case ("pow", (a, Node("constant", (), value))):
                if value == 0.5:
                    return self.apply("sqrt", a)
                if value.is_integer() and abs(value) <= LARGEST_INTEGER_POWER:
                    return self.power(a, int(value))
            case ("select", (Node("constant", (), value), a, b)):
                return a if value != 0 else b
            case ("select", (_, a, b)) if a is b:
                return a
        return None


def ordered(roots: Iterable[Node]) -> list[Node]:
    """The nodes that `roots` need, each once and after its operands, in an order fixed by the roots alone.

    What a lag's time needs is not among them: the lagged value is an input.
    """
    order: dict[Node, None] = {}
    for root in roots:
        stack = [root]
        while stack:
            node = stack[-1]
            waiting = [] if node.operation == "lag" else [a for a in node.arguments if a not in order]
            if waiting:
                stack.extend(reversed(waiting))
            else:
                order.setdefault(stack.pop())
    return list(order)
