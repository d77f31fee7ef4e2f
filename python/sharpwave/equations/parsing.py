"""From the text of an expression to its tree, through Python's `ast` and a whitelist; nothing is evaluated."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sharpwave.equations.errors import EquationError, at
from sharpwave.equations.scanning import DEEPEST_NESTING, one_line
from sharpwave.equations.tree import Node, Tree
from sharpwave.suggest import unknown

LARGEST_EXPRESSION = 10_000  # nodes

CONSTANTS = MappingProxyType({"pi": math.pi, "e": math.e})
# fmt: off
_UNARY = (
    "exp", "log", "log1p", "expm1", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh",
    "abs", "floor", "ceil", "sign", "sigmoid",
)
# fmt: on


def _folding(operation: str) -> Callable[..., Node]:
    def fold(tree: Tree, first: Node, *others: Node) -> Node:
        for other in others:
            first = tree.apply(operation, first, other)
        return first

    return fold


def _named(operation: str) -> Callable[..., Node]:
    return lambda tree, *arguments: tree.apply(operation, *arguments)


def _heaviside(tree: Tree, x: Node) -> Node:
    half = tree.constant(0.5)
    return tree.apply("add", half, tree.apply("multiply", half, tree.apply("sign", x)))


# name -> (least and most arguments, builder)
FUNCTIONS: Mapping[str, tuple[int, int, Callable[..., Node]]] = MappingProxyType(
    {
        **{name: (1, 1, _named(name)) for name in _UNARY},
        "atan2": (2, 2, _named("atan2")),
        "hypot": (2, 2, _named("hypot")),
        "where": (3, 3, _named("select")),
        "min": (2, 1000, _folding("min")),
        "max": (2, 1000, _folding("max")),
        "heaviside": (1, 1, _heaviside),
        "relu": (1, 1, lambda tree, x: tree.apply("max", x, tree.zero)),
    }
)
_BINARY = {ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.Pow: "pow"}
_COMPARE: dict[type[ast.cmpop], tuple[str, bool]] = {  # operation, operands swapped
    ast.Lt: ("less", False),
    ast.LtE: ("less_equal", False),
    ast.Gt: ("less", True),
    ast.GtE: ("less_equal", True),
    ast.Eq: ("equal", False),
    ast.NotEq: ("not_equal", False),
}
ALLOWED = (
    "allowed: + - * / **, comparisons, and, or, not, 'a if c else b', delayed values x(t - tau), functions "
    + " ".join(sorted(FUNCTIONS))
)


@dataclass(frozen=True)
class Scope:
    """The names that an expression may use besides `t`, by position, and what to say of others."""

    variables: Mapping[str, int]
    parameters: Mapping[str, int]
    hint: str = "declare it as a variable or a parameter"


def parse(tree: Tree, scope: Scope, name: str, text: object) -> Node:
    """The tree of an expression.

    Args:
        tree: where to build it.
        scope: the names it may use.
        name: what the text defines, for errors, such as `"dx/dt"`.
        text: the expression, or a number.

    Raises:
        EquationError: for a text that is not an expression of this language, with the place.
    """
    line = one_line(name, text)
    try:
        body = ast.parse(line, mode="eval").body
        return _Reader(tree, scope, name, line).read(body, 0)
    except SyntaxError as error:
        place = min(max((error.offset or 1) - 1, 0), len(line) - 1)
        raise at(name, line, place, "not an expression", ALLOWED) from None
    except (MemoryError, RecursionError):
        raise at(name, line, 0, "nested too deeply, or too many terms in one sum: use brackets") from None


class _Reader:
    """Reads one expression; counts its nodes."""

    def __init__(self, tree: Tree, scope: Scope, name: str, line: str) -> None:
        self.tree, self.scope, self.name, self.line = tree, scope, name, line
        self.count = 0

    def error(self, node: ast.AST, problem: str, hint: str = "") -> EquationError:
        return at(self.name, self.line, getattr(node, "col_offset", 0), problem, hint)

    def read(self, node: ast.expr, depth: int) -> Node:
        self.count += 1
        if self.count > LARGEST_EXPRESSION:
            raise self.error(node, f"an expression of more than {LARGEST_EXPRESSION} parts")
        if depth > DEEPEST_NESTING:
            raise self.error(node, f"nested deeper than {DEEPEST_NESTING}")
        match node:
            case ast.BinOp():
                return self.read_chain(node, depth)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() | ast.Not() as sign, operand=operand):
                return self.read_unary(sign, operand, depth + 1)
            case ast.Constant(value=value):
                return self.read_number(node, value)
            case ast.Name(id=name):
                return self.read_name(node, name)
            case ast.Call():
                return self.read_call(node, depth + 1)
            case ast.Compare():
                return self.read_comparison(node, depth + 1)
            case ast.BoolOp(op=op, values=values):
                return self.read_logic(isinstance(op, ast.And), [self.read(v, depth + 1) for v in values])
            case ast.IfExp(test=test, body=body, orelse=orelse):
                parts = [self.read(part, depth + 1) for part in (test, body, orelse)]
                return self.apply(node, "select", *parts)
        raise self.error(node, f"{_kind(node)} is not allowed", ALLOWED)

    def read_chain(self, node: ast.BinOp, depth: int) -> Node:
        """`a + b - c ...`: the left operands in a loop, so that a long sum is not a deep one."""
        chain: list[ast.BinOp] = []
        first: ast.expr = node
        while isinstance(first, ast.BinOp):
            chain.append(first)
            first = first.left
        result = self.read(first, depth + 1)
        for part in reversed(chain):
            operation = _BINARY.get(type(part.op))
            if operation is None:
                raise self.error(part.right, f"{_kind(part.op)} is not allowed", ALLOWED)
            right = self.read(part.right, depth + 1)
            if operation == "pow" and right.operation in ("power", "pow"):
                raise self.error(part.right, "a power in an exponent is not allowed", "write exp(log(a)*b)")
            result = self.apply(part, operation, result, right)
        return result

    def read_unary(self, sign: ast.unaryop, inner: ast.expr, depth: int) -> Node:
        operand = self.read(inner, depth)
        if isinstance(sign, ast.Not):
            return self.tree.apply("equal", operand, self.tree.zero)
        return self.tree.apply("negate", operand) if isinstance(sign, ast.USub) else operand

    def read_number(self, node: ast.Constant, value: object) -> Node:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise self.error(node, f"{value!r} is not a number", "write 1 for true and 0 for false")
        if not math.isfinite(float(value)):
            raise self.error(node, "a number beyond the range of float64", "the largest is about 1.8e308")
        return self.tree.constant(float(value))

    def read_name(self, node: ast.expr, name: str) -> Node:
        if name in self.scope.variables:
            return self.tree.variable(self.scope.variables[name])
        if name in self.scope.parameters:
            return self.tree.parameter(self.scope.parameters[name])
        if name == "t":
            return self.tree.time
        if name in CONSTANTS:
            return self.tree.constant(CONSTANTS[name])
        if name in FUNCTIONS:
            raise self.error(node, f"{name!r} is a function: write {name}(...)")
        known = [*self.scope.variables, *self.scope.parameters, *CONSTANTS, "t"]
        raise self.error(node, unknown("name", name, known), self.scope.hint)

    def read_call(self, node: ast.Call, depth: int) -> Node:
        if not isinstance(node.func, ast.Name):
            raise self.error(node.func, "only a function or a variable can be called", ALLOWED)
        name = node.func.id
        for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
            if isinstance(argument, ast.Starred) or argument not in node.args:
                raise self.error(argument, f"{name} takes plain arguments in order, without names or stars")
        if name in self.scope.variables:
            return self.read_delay(node, name, depth)
        if name not in FUNCTIONS:
            if name in self.scope.parameters or name in CONSTANTS or name == "t":
                raise self.error(node, f"{name!r} cannot be called", f"a product needs *: {name}*(...)")
            names = [*FUNCTIONS, *self.scope.variables]
            raise self.error(
                node, unknown("function", name, names), ALLOWED if self.scope.variables else self.scope.hint
            )
        least, most, build = FUNCTIONS[name]
        if not least <= len(node.args) <= most:
            wanted = f"{least}" if least == most else f"{least} or more"
            raise self.error(node, f"{name} takes {wanted} arguments, got {len(node.args)}")
        arguments = [self.read(argument, depth) for argument in node.args]
        return self.finite(node, build(self.tree, *arguments), arguments)

    def read_delay(self, node: ast.Call, name: str, depth: int) -> Node:
        if len(node.args) != 1:
            raise self.error(node, f"a delayed value has one argument, {name}(t - tau), got {len(node.args)}")
        scope = Scope({}, self.scope.parameters, "a delay may depend on t and on parameters only")
        inner = _Reader(self.tree, scope, self.name, self.line)
        inner.count = self.count
        argument = inner.read(node.args[0], depth)
        self.count = inner.count
        lead = _lead(argument)
        if lead > 0:
            raise self.error(node, f"{name} is asked for {lead:g} after the present", f"write {name}(t - tau)")
        return self.tree.lag(self.scope.variables[name], argument)

    def read_comparison(self, node: ast.Compare, depth: int) -> Node:
        operands = [self.read(operand, depth) for operand in (node.left, *node.comparators)]
        parts = []
        for op, left, right in zip(node.ops, operands, operands[1:], strict=False):
            if type(op) not in _COMPARE:
                raise self.error(node, f"{_kind(op)} is not allowed", ALLOWED)
            operation, swapped = _COMPARE[type(op)]
            parts.append(self.tree.apply(operation, *((right, left) if swapped else (left, right))))
        return self.read_logic(True, parts)

    def read_logic(self, every: bool, parts: list[Node]) -> Node:
        """`and` or `or` of truth values, as numbers 1 and 0."""
        tree = self.tree
        result = tree.truth(parts[-1]) if len(parts) > 1 else parts[-1]
        for part in reversed(parts[:-1]):
            branches = (result, tree.zero) if every else (tree.one, result)
            result = tree.apply("select", part, *branches)
        return result

    def apply(self, node: ast.AST, operation: str, *arguments: Node) -> Node:
        return self.finite(node, self.tree.apply(operation, *arguments), list(arguments))

    def finite(self, node: ast.AST, result: Node, arguments: list[Node]) -> Node:
        """`result`, unless it is a constant expression without a finite value, which `Tree` leaves unfolded."""
        if result.operation != "constant" and all(a.operation == "constant" for a in arguments):
            raise self.error(node, "this constant is not a finite number")
        return result


def _lead(argument: Node) -> float:
    """How far after the present a time is, where it is `t` plus or minus a number."""
    match argument:
        case Node("add", (Node("time"), Node("constant", _, value)) | (Node("constant", _, value), Node("time"))):
            return value
        case Node("subtract", (Node("time"), Node("constant", _, value))):
            return -value
    return 0.0


def _kind(node: ast.AST) -> str:
    names = {"FloorDiv": "//", "NamedExpr": ":=", "GeneratorExp": "a comprehension", "Tuple": "a list of values"}
    return names.get(type(node).__name__, type(node).__name__.lower())
