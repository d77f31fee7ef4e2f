"""Symbolic derivatives of expression trees."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from sharpwave.equations.tree import Node, Tree, ordered

_TINY = sys.float_info.min


def gradients(tree: Tree, outputs: Sequence[Node]) -> list[dict[Node, Node]]:
    """The derivatives of each output by the variables and by time, leaving out those that are zero everywhere.

    Forward accumulation: each intermediate value carries its derivatives, so a branch of `where` that is not taken
    never enters the result, not even as 0 times infinity. Lagged values count as constants. At a kink (`abs`, `min`,
    `max`, `where`) it is the derivative of one side, for `abs` 0; steps (`sign`, `floor`, comparisons) have
    derivative 0.

    Args:
        tree: where the outputs were built; derivatives are built there too.
        outputs: expressions.

    Returns:
        For each output a map from a variable's or time's node to the derivative.
    """
    order = ordered(outputs)
    uses = Counter(argument for node in order for argument in node.arguments)
    uses.update(outputs)
    derivatives: dict[Node, dict[Node, Node]] = {}
    for node in order:
        derivatives[node] = _derivatives(tree, node, derivatives)
        for argument in node.arguments if node.operation != "lag" else ():
            uses[argument] -= 1
            if not uses[argument]:
                del derivatives[argument]  # a sum of n terms would keep n*n/2 entries
    return [derivatives[output] for output in outputs]


def _derivatives(tree: Tree, node: Node, known: Mapping[Node, dict[Node, Node]]) -> dict[Node, Node]:
    if node.operation in ("variable", "time"):
        return {node: tree.one}
    if node.operation in ("lag", "constant", "parameter"):
        return {}
    operands = [known[a] for a in node.arguments]
    if node.operation in ("add", "subtract"):
        # A term of a sum changes few derivatives; the others are copied as they are.
        found, (_, changed) = dict(operands[0]), operands
    else:
        found = {}
        changed = dict.fromkeys((key for operand in operands for key in operand), tree.zero)
    rule = _rule(tree, node) if changed else None
    if rule is None:
        return found
    for key in changed:
        derivative = rule([operand.get(key, tree.zero) for operand in operands])
        if derivative is tree.zero:
            found.pop(key, None)
        else:
            found[key] = derivative
    return found


Rule = Callable[[Sequence[Node]], Node]


def _rule(tree: Tree, node: Node) -> Rule | None:
    """How a node's derivative follows from those of its operands; None where it is zero."""
    do = tree.apply
    match node.operation, node.arguments:
        case ("add" | "subtract" | "negate" as operation, _):
            return lambda d: do(operation, *d)
        case ("multiply", (a, b)):
            return lambda d: do("add", do("multiply", d[0], b), do("multiply", a, d[1]))
        case ("divide", (_, b)):
            return lambda d: do("divide", do("subtract", d[0], do("multiply", node, d[1])), b)
        case ("select", (condition, _, _)):
            return lambda d: do("select", condition, d[1], d[2])
        case ("min", (a, b)):
            return lambda d: do("select", do("less", a, b), d[0], d[1])
        case ("max", (a, b)):
            return lambda d: do("select", do("less", b, a), d[0], d[1])
    partials = _partials(tree, node)
    if not partials:
        return None

    def chain_rule(d: Sequence[Node]) -> Node:
        total = tree.zero
        for partial, inner in zip(partials, d, strict=True):
            if inner is not tree.zero:
                total = do("add", total, _product(tree, partial(), inner))
        return total

    return chain_rule


def _product(tree: Tree, factor: Node, derivative: Node) -> Node:
    """Their product, 0 wherever a `where` makes the derivative 0: as in sqrt(max(x, 0)), whose factor is infinite."""
    zero = tree.zero
    choices = []
    while derivative.operation == "select" and zero in derivative.arguments[1:]:
        choices.append(derivative)
        _, a, b = derivative.arguments
        derivative = b if a is zero else a
    product = tree.apply("multiply", factor, derivative)
    for choice in reversed(choices):
        condition, a, _ = choice.arguments
        product = tree.apply("select", condition, *((zero, product) if a is zero else (product, zero)))
    return product


def _partials(tree: Tree, node: Node) -> tuple[Callable[[], Node], ...]:
    """The partial derivatives of a function by its operands; none for a step function."""
    do, one = tree.apply, tree.one
    a = node.arguments[0]

    def square(x: Node) -> Node:
        return tree.power(x, 2)

    match node.operation:
        case "power":
            n = int(node.value)
            return (lambda: do("multiply", tree.constant(n), tree.power(a, n - 1)),)
        case "pow":
            b = node.arguments[1]
            by_exponent = do("select", do("equal", a, tree.zero), tree.zero, do("multiply", node, do("log", a)))
            return (
                lambda: do("multiply", b, do("pow", a, do("subtract", b, one))),
                lambda: by_exponent,
            )
        case "abs":
            return (lambda: do("sign", a),)
        case "hypot":
            b, nonzero = node.arguments[1], do("max", node, tree.constant(_TINY))
            return (lambda: do("divide", a, nonzero), lambda: do("divide", b, nonzero))
        case "sqrt":
            return (lambda: do("divide", tree.constant(0.5), node),)
        case "exp":
            return (lambda: node,)
        case "expm1":
            return (lambda: do("exp", a),)
        case "log":
            return (lambda: do("divide", one, a),)
        case "log1p":
            return (lambda: do("divide", one, do("add", one, a)),)
        case "sin":
            return (lambda: do("cos", a),)
        case "cos":
            return (lambda: do("negate", do("sin", a)),)
        case "tan":
            return (lambda: do("add", one, square(node)),)
        case "asin":
            return (lambda: do("divide", one, do("sqrt", do("subtract", one, square(a)))),)
        case "acos":
            return (lambda: do("divide", tree.constant(-1), do("sqrt", do("subtract", one, square(a)))),)
        case "atan":
            return (lambda: do("divide", one, do("add", one, square(a))),)
        case "atan2":
            b = node.arguments[1]
            norm = do("add", square(a), square(b))
            return (lambda: do("divide", b, norm), lambda: do("negate", do("divide", a, norm)))
        case "sinh":
            return (lambda: do("cosh", a),)
        case "cosh":
            return (lambda: do("sinh", a),)
        case "tanh":
            return (lambda: do("subtract", one, square(node)),)
        case "sigmoid":
            return (lambda: do("multiply", node, do("sigmoid", do("negate", a))),)
    return ()
