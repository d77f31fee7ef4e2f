"""Expression trees evaluated on NumPy or torch arrays: the oracle of the compiled functions, and the torch backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sharpwave.equations.operations import IMPLEMENTATIONS
from sharpwave.equations.tree import Node, ordered


@dataclass(frozen=True, eq=False)
class Inputs:
    """Where to evaluate: float64 arrays whose leading axes fit together.

    Args:
        t: (...) times.
        y: (..., n) variables.
        parameters: (..., P) parameters.
        lags: (..., L) lagged values.
        lag_positions: the position of each lag on the last axis of `lags`.
    """

    t: Any
    y: Any
    parameters: Any
    lags: Any
    lag_positions: Mapping[Node, int]


def evaluate(roots: Sequence[Node], inputs: Inputs, xp: Any) -> list[Any]:
    """The values of some expressions; outside its domain one is NaN or infinite.

    Args:
        roots: the expressions.
        inputs: where to evaluate them.
        xp: `numpy` or `torch`, whose arrays `inputs` has; torch's gradients are kept.

    Returns:
        One array an expression, with as many of the leading axes as it depends on.
    """

    def leaf(node: Node) -> Any:
        match node.operation:
            case "time":
                return inputs.t
            case "variable":
                return inputs.y[..., int(node.value)]
            case "parameter":
                return inputs.parameters[..., int(node.value)]
            case _:
                return inputs.lags[..., inputs.lag_positions[node]]

    return walk(roots, leaf, xp)


def walk(roots: Sequence[Node], leaf: Callable[[Node], Any], xp: Any) -> list[Any]:
    """The values of some expressions, as `evaluate` gives them, whatever their inputs are.

    Args:
        roots: the expressions.
        leaf: the array of a time, variable, parameter or lag.
        xp: `numpy` or `torch`.
    """
    values: dict[Node, Any] = {}
    with np.errstate(all="ignore"):
        for node in ordered(roots):
            match node.operation:
                case "constant":
                    value = xp.asarray(node.value, dtype=xp.float64)
                case "time" | "variable" | "parameter" | "lag":
                    value = leaf(node)
                case "power":
                    base, exponent = values[node.arguments[0]], int(node.value)
                    value = base**exponent if exponent > 0 else 1 / base ** (-exponent)
                case operation:
                    value = IMPLEMENTATIONS[operation](xp, *(values[a] for a in node.arguments))
            values[node] = value
    return [values[root] for root in roots]
