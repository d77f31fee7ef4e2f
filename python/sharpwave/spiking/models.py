"""Neuron models as equations: what a user writes, checked for names and units."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, NamedTuple

from sharpwave.equations.differentiation import gradients
from sharpwave.equations.errors import EquationError
from sharpwave.equations.parsing import CONSTANTS, FUNCTIONS, Scope, parse
from sharpwave.equations.scanning import check_names
from sharpwave.equations.tree import Node, Tree, ordered
from sharpwave.suggest import unknown

from .units import DIMENSIONLESS, TIME, UNITS, Dimension, Quantity, dimension_of, quantity, unit

Method = Literal["auto", "exact", "euler", "exponential_euler"]
METHODS = ("auto", "exact", "euler", "exponential_euler")
UNIFORM = "uniform"  # in a text: a random number between 0 and 1, drawn anew for each unit and step
STEP = "dt"
_RESERVED = {UNIFORM: "a random number", STEP: "the time step", "t": "time", "refractory": "a flag"}
_FLAGS = ("unless refractory", "no input while refractory", "shared")
_LINE = re.compile(r"(d(?P<rate>\w+)/dt|(?P<name>\w+))\s*=\s*(?P<text>[^:#]+):\s*(?P<unit>[^()#]+|\([^()]*\)[^()#]*)"
                   r"(\((?P<flags>[a-z ,]+)\))?\s*", re.ASCII)  # fmt: skip
_STATEMENT = re.compile(r"(?P<name>\w+)\s*(?P<operator>[-+*/]?=)(?!=)(?P<text>.+)", re.ASCII)


class Variable(NamedTuple):
    """A variable of a model: its equation, its dimension, and what is special about it.

    Attributes:
        name: the variable.
        text: the right-hand side.
        node: the same as an expression of the model's variables and parameters.
        dimension: of the variable.
        differential: whether the text is its rate of change; else it is its value at each step.
        flags: those of the equation's line.
    """

    name: str
    text: str
    node: Node
    dimension: Dimension
    differential: bool
    flags: frozenset[str]


class Statement(NamedTuple):
    """What happens to a variable at a spike: its new value."""

    name: str
    node: Node


@dataclass(frozen=True, eq=False)
class NeuronModel:
    """Point neurons given by equations.

    All numbers are in ms, mV, pA and what follows from them (nS, GOhm, pF); texts with units are converted. An
    expression is made of the variables, the parameters, `t` (ms), `dt` (ms), `uniform` (a random number between 0
    and 1, drawn anew for each unit and step), decimal numbers and the functions of `sharpwave.Equations`.

    A step goes on from the values of the last one: every variable is integrated, then the weights of the spikes that
    arrive are added to the variables that connections name as their targets, then units above threshold spike.

    Args:
        equations: a line for each variable, `dv/dt = (rest - v)/tau : mV`, or `x = expression : 1` for a variable that
            has no memory and takes its value anew in each step. A line may end in flags, in brackets:
            `unless refractory` (stands still and takes no input while the unit is refractory),
            `no input while refractory` (goes on but takes no input), and `shared` (one value a unit for all examples of
            a batch, kept from one example to the next, changed only while learning: it must decay to 0, or not move).
        threshold: when a unit spikes, a comparison such as `v >= threshold`.
        reset: what a spike does, statements such as `v = reset`, separated by `;` or lines. All right-hand sides take
            the values from before the spike. A shared variable can only rise by a constant, for each example's spike.
        refractory: how long a unit cannot spike after a spike, ms.
        parameters: numbers, or texts with a unit such as `"20 ms"`.
        initial: value of each variable at the beginning of an example, as parameters are given, or the name of a
            parameter; 0 if not given. For a shared variable it is the value before learning.
        method: how variables are integrated over a step. `exact` by the matrix exponential, for equations that are
            linear in the variables with constant coefficients; `euler`; `exponential_euler`, exact in the variable
            itself with all else held. `auto` is `exact` where it can be; else each variable whose equation is linear
            in itself alone is exact and the others are `euler`.

    Raises:
        EquationError: a text that is none, an unknown name, units that do not agree, a value that is not finite.

    Example:
        >>> model = NeuronModel(
        ...     "dv/dt = (rest - v)/tau : mV (unless refractory)",
        ...     threshold="v > theta", reset="v = rest", refractory="5 ms",
        ...     parameters={"rest": "-65 mV", "tau": "0.1 s", "theta": "-52 mV"}, initial={"v": "rest"},
        ... )
        >>> model.constants["tau"], [v.name for v in model.states]
        (100.0, ['v'])
        >>> NeuronModel("dv/dt = (rest - v)/tau : mV", threshold="v > 3", parameters={"rest": "0 mV", "tau": "9 ms"})
        Traceback (most recent call last):
        ...
        sharpwave.equations.errors.EquationError: threshold: the units of 1 < mV do not agree; a number takes its unit \
as a factor, such as 5*mV
            v > 3
    """

    equations: str
    threshold: str
    reset: str = ""
    refractory: str | float = 0.0
    parameters: Mapping[str, str | float] = field(default_factory=dict)
    initial: Mapping[str, str | float] = field(default_factory=dict)
    method: Method = "auto"
    tree: Tree = field(init=False, repr=False)
    variables: tuple[Variable, ...] = field(init=False, repr=False)
    crossing: Node = field(init=False, repr=False)
    statements: tuple[Statement, ...] = field(init=False, repr=False)
    constants: Mapping[str, float] = field(init=False, repr=False)
    initial_values: Mapping[str, float] = field(init=False, repr=False)
    refractory_time: float = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise EquationError(unknown("method", self.method, METHODS))
        lines = [line for line in map(str.strip, str(self.equations).splitlines()) if line]
        if not lines:
            raise EquationError("equations: expected lines such as 'dv/dt = (rest - v)/tau : mV'")
        matches = [_matched(line) for line in lines]
        taken = {**dict.fromkeys(FUNCTIONS, "a function"), **dict.fromkeys(CONSTANTS, "a constant"), **_RESERVED}
        taken |= dict.fromkeys(UNITS, "a unit")
        names = [match["rate"] or match["name"] for match in matches]
        check_names("variable", names, taken)
        if len(set(names)) < len(names):
            raise EquationError(f"equations: two lines for one variable among {', '.join(names)}")
        check_names("parameter", list(self.parameters), {**taken, **dict.fromkeys(names, "a variable")})
        found = {name: quantity(name, value) for name, value in self.parameters.items()}
        reading = _Reading(
            names, found, {m["rate"] or m["name"]: unit(m["rate"] or m["name"], m["unit"].strip()) for m in matches}
        )
        variables = tuple(reading.variable(match) for match in matches)
        crossing = reading.expression("threshold", self.threshold)
        reading.check("threshold", self.threshold, crossing, DIMENSIONLESS)
        statements = tuple(reading.statement(text.strip()) for text in re.split(r"[;\n]", self.reset) if text.strip())
        if len({s.name for s in statements}) < len(statements):
            raise EquationError(f"reset: two statements for one variable: {self.reset}")
        refractory = quantity("refractory", self.refractory)
        if refractory.dimension not in (TIME, DIMENSIONLESS) or refractory.value < 0:
            raise EquationError(f"refractory: expected a time such as '5 ms', not negative, got {self.refractory!r}")
        for name in self.initial:
            if name not in names:
                raise EquationError(unknown("variable in initial", name, names))
        for attribute, value in {
            "parameters": MappingProxyType(dict(self.parameters)),
            "initial": MappingProxyType(dict(self.initial)),
            "tree": reading.tree,
            "variables": variables,
            "crossing": crossing,
            "statements": statements,
            "constants": MappingProxyType({name: found[name].value for name in found}),
            "initial_values": MappingProxyType(
                {name: reading.initial(name, self.initial.get(name, 0.0)) for name in names}
            ),
            "refractory_time": refractory.value,
        }.items():
            object.__setattr__(self, attribute, value)
        _check_shared(self)

    @property
    def states(self) -> tuple[Variable, ...]:
        """Variables that every example has for itself."""
        return tuple(v for v in self.variables if "shared" not in v.flags)

    @property
    def shared(self) -> Variable | None:
        """The variable that all examples share, if there is one."""
        return next((v for v in self.variables if "shared" in v.flags), None)

    def __reduce__(self) -> tuple[type[NeuronModel], tuple[object, ...]]:
        texts = self.equations, self.threshold, self.reset, self.refractory
        return NeuronModel, (*texts, dict(self.parameters), dict(self.initial), self.method)


def _matched(line: str) -> re.Match[str]:
    match = _LINE.fullmatch(line)
    if match is None:
        raise EquationError(
            f"equations: expected 'dv/dt = expression : unit' or 'x = expression : unit', with flags in brackets, "
            f"got {line!r}"
        )
    for flag in _flags(match):
        if flag not in _FLAGS:
            raise EquationError(f"equations: {unknown('flag', flag, _FLAGS)}\n    {line}")
    return match


def _flags(match: re.Match[str]) -> frozenset[str]:
    return frozenset(flag.strip() for flag in (match["flags"] or "").split(",") if flag.strip())


class _Reading:
    """The expressions of a model: variables by position, then units, random number and step; parameters by position."""

    def __init__(self, names: list[str], parameters: Mapping[str, Quantity], units: Mapping[str, Quantity]) -> None:
        self.tree = Tree()
        self.names, self.units, self.parameters = names, units, parameters
        constants = [*parameters, STEP, *UNITS]
        self.scope = Scope(
            {name: position for position, name in enumerate([*names, UNIFORM])},
            {name: position for position, name in enumerate(constants)},
            "declare it as a variable in the equations, or as a parameter",
        )
        values = [*(q.dimension for q in parameters.values()), TIME, *(q.dimension for q in UNITS.values())]
        self.leaves = {self.tree.parameter(k): dimension for k, dimension in enumerate(values)}
        self.leaves |= {self.tree.variable(k): units[name].dimension for k, name in enumerate(names)}
        self.leaves |= {self.tree.variable(len(names)): DIMENSIONLESS, self.tree.time: TIME}

    def expression(self, name: str, text: str) -> Node:
        node = parse(self.tree, self.scope, name, text)
        if any(part.operation == "lag" for part in ordered([node])):
            raise EquationError(f"{name}: a neuron's equations have no delays; connections have\n    {text}")
        return node

    def check(self, name: str, text: str, node: Node, wanted: Dimension) -> None:
        found = dimension_of(node, self.leaves, name, text)
        if found is not None and found != wanted:
            raise EquationError(f"{name}: expected {wanted}, but the expression is in {found}\n    {text}")

    def variable(self, match: re.Match[str]) -> Variable:
        name, text = match["rate"] or match["name"], match["text"].strip()
        what = f"d{name}/dt" if match["rate"] else name
        node = self.expression(what, text)
        dimension = self.units[name].dimension
        self.check(what, text, node, dimension.times(TIME, -1) if match["rate"] else dimension)
        return Variable(name, text, node, dimension, bool(match["rate"]), _flags(match))

    def statement(self, text: str) -> Statement:
        match = _STATEMENT.fullmatch(text)
        if match is None:
            raise EquationError(f"reset: expected statements such as 'v = reset', got {text!r}")
        name, operator = match["name"], match["operator"]
        if name not in self.names:
            raise EquationError(f"reset: {unknown('variable', name, self.names)}\n    {text}")
        node = self.expression("reset", match["text"].strip())
        if operator != "=":
            node = self.tree.apply(
                {"+=": "add", "-=": "subtract", "*=": "multiply", "/=": "divide"}[operator],
                self.tree.variable(self.names.index(name)),
                node,
            )
        self.check("reset", text, node, self.units[name].dimension)
        return Statement(name, node)

    def initial(self, name: str, value: str | float) -> float:
        given = self.parameters[value] if isinstance(value, str) and value in self.parameters else quantity(name, value)
        if given.dimension != self.units[name].dimension and given.value != 0:
            raise EquationError(f"initial {name}: expected {self.units[name].dimension}, got {value!r}")
        return given.value


def _check_shared(model: NeuronModel) -> None:
    shared = [v for v in model.variables if "shared" in v.flags]
    if len(shared) > 1:
        raise EquationError(f"equations: one variable may be shared, got {', '.join(v.name for v in shared)}")
    for variable in shared:
        own = model.tree.variable(model.variables.index(variable))
        by = gradients(model.tree, [variable.node])[0]
        linear = set(by) <= {own} and all(d.operation != "variable" for d in ordered(by.values()))
        if not (variable.differential and linear and set(variable.flags) == {"shared"}):
            raise EquationError(
                f"equations: the shared variable {variable.name} must have an equation such as "
                f"-{variable.name}/tau, or 0"
            )
