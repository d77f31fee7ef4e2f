"""A system's expressions as a straight-line program of arrays, for the Julia side to compile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from sharpwave.equations.differentiation import gradients
from sharpwave.equations.operations import OPCODES
from sharpwave.equations.tree import Node, Tree, ordered

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Program:
    """A system as numbered values, each computed from earlier ones; all positions count from 0.

    Args:
        code: (instructions, 4) rows (operation, a, b, c): value i is `OPCODES` operation of values a, b, c; of a
            constant, parameter, variable or lag, a is its position among those.
        constants: (constants,) float64 numbers.
        rhs: (n,) values of the time derivatives.
        jac_rows: (nonzeros,) row of each structural nonzero of the Jacobian d rhs/d variables.
        jac_cols: (nonzeros,) its column.
        jac_values: (nonzeros,) its value.
        tgrad: (n,) values of the explicit time derivative of rhs, lagged values held fixed.
        lag_variables: (lags,) the variable of each lagged value.
        lag_delays: (lags,) its position in `delay_arguments`.
        delay_arguments: (delays,) values of the times at which lagged values are taken, such as t - tau.
        delay_constant: (delays,) 1 where t minus that time does not depend on t.
        events: (events,) values of the event functions.
        history: (n,) values of the history, or empty.
        parameters: (1,) the number of parameters.
    """

    code: Indices
    constants: NDArray[np.float64]
    rhs: Indices
    jac_rows: Indices
    jac_cols: Indices
    jac_values: Indices
    tgrad: Indices
    lag_variables: Indices
    lag_delays: Indices
    delay_arguments: Indices
    delay_constant: Indices
    events: Indices
    history: Indices
    parameters: Indices

    def arrays(self) -> tuple[Indices | NDArray[np.float64], ...]:
        """The arrays in the order of the kernel `compile_equations`."""
        return tuple(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True)
class Delays:
    """The distinct lagged values and the distinct times at which they are taken."""

    lags: tuple[Node, ...]
    arguments: tuple[Node, ...]

    @classmethod
    def of(cls, roots: Sequence[Node]) -> Delays:
        """Those that some expressions need, in the order of `ordered`."""
        lags = tuple(node for node in ordered(roots) if node.operation == "lag")
        return cls(lags, tuple(dict.fromkeys(lag.arguments[0] for lag in lags)))


class Writer:
    """Writes the instructions of expressions, each distinct row once."""

    def __init__(self, lags: Sequence[Node]) -> None:
        self.lags = {lag: position for position, lag in enumerate(lags)}
        self.rows: dict[tuple[int, int, int, int], int] = {}
        self.constants: dict[float, int] = {}
        self.values: dict[Node, int] = {}

    def row(self, operation: str, a: int = 0, b: int = 0, c: int = 0) -> int:
        return self.rows.setdefault((OPCODES[operation], a, b, c), len(self.rows))

    def constant(self, value: float) -> int:
        return self.row("constant", self.constants.setdefault(value, len(self.constants)))

    def power(self, base: int, exponent: int) -> int:
        """Repeated squaring: the products of x**2, x**4, ... are shared by all powers of x."""
        result, square, left = None, base, abs(exponent)
        while left:
            if left & 1:
                result = square if result is None else self.row("multiply", result, square)
            left >>= 1
            if left:
                square = self.row("multiply", square, square)
        assert result is not None
        return result if exponent > 0 else self.row("divide", self.constant(1.0), result)

    def write(self, roots: Sequence[Node]) -> Indices:
        for node in ordered(roots):
            if node not in self.values:
                self.values[node] = self.instruction(node)
        return np.array([self.values[root] for root in roots], dtype=np.int64)

    def instruction(self, node: Node) -> int:
        match node.operation:
            case "constant":
                return self.constant(node.value)
            case "variable" | "parameter":
                return self.row(node.operation, int(node.value))
            case "lag":
                return self.row("lag", self.lags[node])
            case "power":
                return self.power(self.values[node.arguments[0]], int(node.value))
        return self.row(node.operation, *(self.values[a] for a in node.arguments))


def encode(
    tree: Tree, outputs: Sequence[Node], events: Sequence[Node], history: Sequence[Node], parameter_count: int
) -> Program:
    """The program of a system.

    Args:
        tree: where the expressions were built; derivatives are built there too.
        outputs: the right-hand side of each variable.
        events: event functions.
        history: the history of each variable, or nothing.
        parameter_count: the number of parameters.
    """
    delays = Delays.of([*outputs, *events])
    derivatives = gradients(tree, outputs)
    entries = [
        (row, column, found[variable])
        for row, found in enumerate(derivatives)
        for variable, column in sorted(
            ((by, int(by.value)) for by in found if by.operation == "variable"), key=lambda pair: pair[1]
        )
    ]
    writer = Writer(delays.lags)
    position = {argument: i for i, argument in enumerate(delays.arguments)}
    program = Program(
        rhs=writer.write(outputs),
        jac_rows=_indices(row for row, _, _ in entries),
        jac_cols=_indices(column for _, column, _ in entries),
        jac_values=writer.write([derivative for _, _, derivative in entries]),
        tgrad=writer.write([found.get(tree.time, tree.zero) for found in derivatives]),
        lag_variables=_indices(int(lag.value) for lag in delays.lags),
        lag_delays=_indices(position[lag.arguments[0]] for lag in delays.lags),
        delay_arguments=writer.write(delays.arguments),
        delay_constant=_indices(found.get(tree.time) is tree.one for found in gradients(tree, delays.arguments)),
        events=writer.write(events),
        history=writer.write(history),
        parameters=_indices([parameter_count]),
        code=np.array(list(writer.rows), dtype=np.int64).reshape(-1, 4),
        constants=np.array(list(writer.constants), dtype=np.float64),
    )
    for array in program.arrays():
        array.flags.writeable = False
    return program


def _indices(values: Iterable[int]) -> Indices:
    return np.array([int(value) for value in values], dtype=np.int64)
