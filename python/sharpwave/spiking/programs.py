"""From a neuron model to programs for units: one that takes a step, one that resets after a spike."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sharpwave.equations.differentiation import gradients
from sharpwave.equations.encoding import Writer
from sharpwave.equations.errors import EquationError
from sharpwave.equations.operations import OPCODES
from sharpwave.equations.tree import Node, Tree, ordered

from .models import NeuronModel, Variable
from .units import UNITS

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
REFRACTORY = "refractory"


@dataclass(frozen=True, eq=False)
class UnitProgram:
    """The same for every unit of a population: new values of some arrays from the old values of all.

    Attributes:
        tree: where the expressions are; the variable k of it is an element of array k.
        outputs: position of the array and its new value; the last one tells whether a unit has crossed.
        code: instructions as the kernel `compile_unitwise` takes them, (instructions, 4).
        values: array and instruction of each output, (outputs, 2).
        scalars: the numbers that the code refers to; the last one is the time if `timed`.
        timed: whether it depends on the time.
    """

    tree: Tree
    outputs: tuple[tuple[int, Node], ...]
    code: Integers
    values: Integers
    scalars: Array
    timed: bool


def unit_program(tree: Tree, outputs: Sequence[tuple[int, Node]], timed: bool | None = None) -> UnitProgram:
    """Encode expressions; `timed` makes room for the time even where this program does not need it."""
    nodes = [node for _, node in outputs]
    uses_time = any(node is tree.time for node in ordered(nodes)) if timed is None else timed
    writer = Writer(())
    values = writer.write(nodes)
    code = np.array(list(writer.rows), dtype=np.int64).reshape(-1, 4)
    time = code[:, 0] == OPCODES["time"]
    code[time] = [OPCODES["constant"], len(writer.constants), 0, 0]
    scalars = np.array([*writer.constants, *([0.0] if uses_time else [])])
    arrays = np.array([position for position, _ in outputs], dtype=np.int64)
    return UnitProgram(tree, tuple(outputs), code, np.stack([arrays, values], axis=1), scalars, uses_time)


class Homeostasis(NamedTuple):
    """How the shared variable moves while learning: it rises at each spike, and decays by a factor a step."""

    increment: float
    decay: float


@dataclass(frozen=True, eq=False)
class PopulationProgram:
    """A neuron model made ready for the kernels.

    Arrays are numbered: states, arrivals (one for each target), columns (numbers of each unit that all examples share),
    random numbers if used, and whether a unit has crossed.

    Attributes:
        states: names of the states, the refractory counter last if there is one.
        targets: the states that arrivals are added to.
        columns: the shared variable first, if there is one, then parameters that differ between units.
        uniform: whether random numbers are used.
        step, reset: the programs.
        initial: initial value of each state.
        homeostasis: of the shared variable.
    """

    states: tuple[str, ...]
    targets: tuple[str, ...]
    columns: tuple[str, ...]
    uniform: bool
    step: UnitProgram
    reset: UnitProgram
    initial: tuple[float, ...]
    homeostasis: Homeostasis | None

    @property
    def arrays(self) -> int:
        """Number of arrays; the last one tells whether a unit has crossed."""
        return len(self.states) + len(self.targets) + len(self.columns) + self.uniform + 1


def population_program(
    model: NeuronModel, targets: Sequence[str], varied: Sequence[str], dt: float, name: str = "population"
) -> PopulationProgram:
    """The programs of a model.

    Args:
        model: the neurons.
        targets: states that connections add to.
        varied: parameters that differ between units.
        dt: time step, ms.
        name: of the population, for errors.

    Raises:
        EquationError: the method does not fit the equations, or the refractory time is no multiple of the step.
    """
    return _Compiler(model, tuple(targets), tuple(varied), dt, name).compile()


class _Compiler:
    def __init__(
        self, model: NeuronModel, targets: tuple[str, ...], varied: tuple[str, ...], dt: float, name: str
    ) -> None:
        self.model, self.targets, self.dt, self.name = model, targets, dt, name
        steps = model.refractory_time / dt
        if not math.isclose(steps, round(steps), rel_tol=1e-9, abs_tol=1e-9):
            raise EquationError(
                f"{name}: the refractory time of {model.refractory_time:g} ms is no multiple of dt = {dt:g} ms: "
                "change one of them"
            )
        self.refractory_steps = round(steps)
        counter = [REFRACTORY] if self.refractory_steps else []
        self.states = (*(v.name for v in model.states), *counter)
        shared = [model.shared.name] if model.shared else []
        self.columns = (*shared, *varied)
        self.tree = Tree()
        first = len(self.states) + len(targets)
        column = {n: self.tree.variable(first + k) for k, n in enumerate(self.columns)}
        state = {n: self.tree.variable(k) for k, n in enumerate(self.states)}
        self.arrivals = {n: self.tree.variable(len(self.states) + k) for k, n in enumerate(targets)}
        self.uniform_node = self.tree.variable(first + len(self.columns))
        self.own = {**state, **column}
        self.active = self.tree.apply("equal", state[REFRACTORY], self.tree.zero) if counter else self.tree.one
        old = model.tree
        self.leaves = {old.variable(k): self.own[v.name] for k, v in enumerate(model.variables)}
        self.leaves[old.variable(len(model.variables))] = self.uniform_node
        self.leaves[old.time] = self.tree.time
        values = [*model.constants.items(), ("dt", dt), *((n, q.value) for n, q in UNITS.items())]
        for k, (n, value) in enumerate(values):
            self.leaves[old.parameter(k)] = column.get(n) or self.tree.constant(value)

    def compile(self) -> PopulationProgram:
        model, tree = self.model, self.tree
        integrated = self.integrated()
        new: dict[str, Node] = {}
        for variable in model.states:
            new[variable.name] = self.with_arrivals(variable, integrated[variable.name])
        if self.refractory_steps:
            left = self.own[REFRACTORY]
            new[REFRACTORY] = tree.apply("select", self.active, tree.zero, tree.apply("subtract", left, tree.one))
        after = {self.own[n]: node for n, node in new.items()}
        crossing = tree.truth(rebuild(tree, rebuild(tree, model.crossing, self.leaves), after))
        crossed = tree.apply("multiply", self.active, crossing)
        statements = {s.name: rebuild(tree, s.node, self.leaves) for s in model.statements}
        homeostasis = self.homeostasis(statements)
        resets = [(self.states.index(n), node) for n, node in statements.items() if n in self.states]
        if self.refractory_steps:
            resets.append((len(self.states) - 1, tree.constant(self.refractory_steps)))
        everything = [*new.values(), crossed, *(node for _, node in resets)]
        uses = ordered(everything)
        uniform = self.uniform_node in uses
        timed = tree.time in uses
        flag = len(self.states) + len(self.targets) + len(self.columns) + uniform
        steps = [(self.states.index(n), node) for n, node in new.items()]
        initial = [model.initial_values.get(n, 0.0) for n in self.states]
        return PopulationProgram(
            self.states,
            self.targets,
            self.columns,
            uniform,
            unit_program(tree, [*steps, (flag, crossed)], timed),
            unit_program(tree, [*resets, (flag, tree.zero)], timed),
            tuple(initial),
            homeostasis,
        )

    def with_arrivals(self, variable: Variable, integrated: Node) -> Node:
        tree, arrival = self.tree, self.arrivals.get(variable.name, self.tree.zero)
        if "unless refractory" in variable.flags:
            moved = tree.apply("add", integrated, arrival)
            return tree.apply("select", self.active, moved, self.own[variable.name])
        if "no input while refractory" in variable.flags:
            arrival = tree.apply("select", self.active, arrival, tree.zero)
        return tree.apply("add", integrated, arrival)

    def homeostasis(self, statements: Mapping[str, Node]) -> Homeostasis | None:
        shared = self.model.shared
        if shared is None:
            return None
        rate = gradients(self.tree, [rebuild(self.tree, shared.node, self.leaves)])[0].get(self.own[shared.name])
        increment = 0.0
        if shared.name in statements:
            rise = self.tree.apply("subtract", statements[shared.name], self.own[shared.name])
            change = rebuild(self.tree, rise, {self.own[shared.name]: self.tree.zero})
            if change.operation != "constant":
                raise EquationError(
                    f"{self.name}: at a spike the shared variable {shared.name} can rise by a constant only"
                )
            increment = change.value
        decay = 1.0
        if rate is not None:
            if rate.operation != "constant" or rate.value > 0:
                raise EquationError(
                    f"{self.name}: the shared variable {shared.name} must decay to 0, at one rate for all units"
                )
            decay = math.exp(rate.value * self.dt)
        return Homeostasis(increment, decay)

    def integrated(self) -> dict[str, Node]:
        """The value of each state after a step, without arrivals."""
        tree, model = self.tree, self.model
        rates = {v.name: rebuild(tree, v.node, self.leaves) for v in model.states}
        moving = [v for v in model.states if v.differential]
        found = {v.name: rates[v.name] for v in model.states if not v.differential}
        by = dict(zip((v.name for v in moving), gradients(tree, [rates[v.name] for v in moving]), strict=True))
        if model.method in ("auto", "exact"):
            exact = self.exact(moving, rates, by)
            if exact is not None:
                return found | exact
            if model.method == "exact":
                raise EquationError(
                    f"{self.name}: method 'exact' needs equations that are linear in the variables, with coefficients "
                    "that do not change, and no other variable may depend on one that stands still while refractory: "
                    "choose 'euler' or 'exponential_euler'"
                )
        for v in moving:
            found[v.name] = self.alone(v, rates[v.name], by[v.name])
        return found

    def exact(
        self, moving: Sequence[Variable], rates: Mapping[str, Node], by: Mapping[str, Mapping[Node, Node]]
    ) -> dict[str, Node] | None:
        """x(t + dt) = E x + F b for dx/dt = A x + b, where A and b do not change within the step."""
        n, names = len(moving), [v.name for v in moving]
        matrix = np.zeros((n, n))
        for i, v in enumerate(moving):
            for node, derivative in by[v.name].items():
                source = next((name for name in self.states if self.own[name] is node), None)
                if source is None:
                    continue  # time, random numbers and columns are part of b
                if source not in names or derivative.operation != "constant":
                    return None
                frozen = "unless refractory" in moving[names.index(source)].flags
                if frozen and source != v.name:
                    return None
                matrix[i, names.index(source)] = derivative.value
        propagator = _propagator(matrix, self.dt)
        zeros = {self.own[name]: self.tree.zero for name in names}
        offsets = [rebuild(self.tree, rates[name], zeros) for name in names]
        if any(self.own[name] in ordered(offsets) for name in self.states if name in self.own):
            return None
        found = {}
        for i, name in enumerate(names):
            total = self.tree.zero
            for j, other in enumerate(names):
                total = self.plus(total, propagator[i, j], self.own[other])
                total = self.plus(total, propagator[i, n + j], offsets[j])
            found[name] = total
        return found

    def plus(self, total: Node, factor: float, node: Node) -> Node:
        return self.tree.apply("add", total, self.tree.apply("multiply", self.tree.constant(factor), node))

    def alone(self, variable: Variable, rate: Node, by: Mapping[Node, Node]) -> Node:
        """One variable after a step, with all others held."""
        tree, own = self.tree, self.own[variable.name]
        slope = by.get(own, tree.zero)
        constant = slope.operation == "constant" and set(by) <= {own}
        dt = tree.constant(self.dt)
        if self.model.method == "euler" or slope is tree.zero or (self.model.method == "auto" and not constant):
            return tree.apply("add", own, tree.apply("multiply", dt, rate))
        exponent = tree.apply("multiply", slope, dt)
        small = tree.apply("less", tree.apply("abs", exponent), tree.constant(1e-9))
        ratio = tree.apply("divide", tree.apply("expm1", exponent), slope)
        return tree.apply("add", own, tree.apply("multiply", rate, tree.apply("select", small, dt, ratio)))


def _propagator(matrix: Array, dt: float) -> Array:
    """exp(A dt) and the integral of exp(A s) from 0 to dt, side by side, (n, 2 n)."""
    n = len(matrix)
    if n == 1:
        rate = float(matrix[0, 0])
        return np.array([[math.exp(rate * dt), math.expm1(rate * dt) / rate if rate else dt]])
    from scipy.linalg import expm

    whole = np.zeros((2 * n, 2 * n))
    whole[:n, :n], whole[:n, n:] = matrix * dt, np.eye(n) * dt
    return np.asarray(expm(whole)[:n])


def rebuild(tree: Tree, node: Node, leaves: Mapping[Node, Node]) -> Node:
    """The same expression with other leaves, simplified anew."""
    done: dict[Node, Node] = dict(leaves)
    for part in ordered([node]):
        if part in done:
            continue
        arguments = [done[a] for a in part.arguments]
        match part.operation:
            case "constant":
                done[part] = tree.constant(part.value)
            case "power":
                done[part] = tree.power(arguments[0], int(part.value))
            case "variable" | "time":
                done[part] = part
            case operation:
                done[part] = tree.apply(operation, *arguments)
    return done[node]
