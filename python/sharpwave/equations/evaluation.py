"""Expression trees evaluated on NumPy or torch arrays: the oracle of the compiled functions, and the torch backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sharpwave.equations.operations import IMPLEMENTATIONS
from sharpwave.equations.tree import Node, ordered


def evaluate(
    roots: Sequence[Node], t: Any, y: Any, parameters: Any, lags: Any, lag_positions: Mapping[Node, int], xp: Any
) -> list[Any]:
    """The values of some expressions; outside its domain one is NaN or infinite.

    Args:
        roots: the expressions.
        t: (...) times.
        y: (..., n) variables.
        parameters: (..., P) parameters.
        lags: (..., L) lagged values.
        lag_positions: the position of each lag on the last axis of `lags`.
        xp: `numpy` or `torch`; arrays are its float64 arrays, and keep their gradients under torch.
    """
    values: dict[Node, Any] = {}
    with np.errstate(all="ignore"):
        for node in ordered(roots):
            values[node] = _value(node, values, t, y, parameters, lags, lag_positions, xp)
    return [values[root] for root in roots]


def _value(
    node: Node,
    values: Mapping[Node, Any],
    t: Any,
    y: Any,
    parameters: Any,
    lags: Any,
    lag_positions: Mapping[Node, int],
    xp: Any,
) -> Any:
    match node.operation:
        case "constant":
            return xp.asarray(node.value, dtype=xp.float64)
        case "time":
            return t
        case "variable":
            return y[..., int(node.value)]
        case "parameter":
            return parameters[..., int(node.value)]
        case "lag":
            return lags[..., lag_positions[node]]
        case "power":
            base, exponent = values[node.arguments[0]], int(node.value)
            return base**exponent if exponent > 0 else 1 / base ** (-exponent)
    return IMPLEMENTATIONS[node.operation](xp, *(values[a] for a in node.arguments))
