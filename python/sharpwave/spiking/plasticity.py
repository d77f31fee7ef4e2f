"""Plasticity rules as text: what a spike on either side of a synapse does to its weight."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, NamedTuple

from sharpwave.equations.errors import EquationError
from sharpwave.equations.parsing import CONSTANTS, FUNCTIONS, Scope, parse
from sharpwave.equations.scanning import check_names
from sharpwave.equations.tree import Node, Tree, ordered
from sharpwave.suggest import unknown

from .programs import rebuild
from .units import DIMENSIONLESS, TIME, quantity

Reduction = Literal["sum", "mean", "max", "min"]
REDUCTIONS = ("sum", "mean", "max", "min")
REWARD = "reward"
_STATEMENT = re.compile(r"w\s*(?P<operator>[-+])=(?P<text>.+)", re.ASCII | re.DOTALL)


@dataclass(frozen=True)
class Trace:
    """A trace of a unit's spikes: it decays, and at a spike is set to 1 or rises by 1.

    Args:
        tau: time constant of its decay, ms.
        on_spike: `"set"` or `"add"`.
    """

    tau: float
    on_spike: Literal["set", "add"] = "set"

    def __post_init__(self) -> None:
        if not (self.tau > 0 and math.isfinite(self.tau)):
            raise ValueError(f"tau of a trace must be a positive time in ms, got {self.tau}")
        if self.on_spike not in ("set", "add"):
            raise ValueError(unknown("on_spike", self.on_spike, ("set", "add")))


class Change(NamedTuple):
    """What one side's spikes change: `sign` times an expression, reduced over the batch.

    Attributes:
        node: the expression; variables are those of `names`, in order: w, traces of the other side, traces of the side
            that spikes, the same before the spike, reward.
        sign: 1 or -1.
        own, other: names of the traces of the side that spikes and of the other side.
        sparse: whether the change is 0 where all traces of the other side are.
        simple: whether it depends on these traces and the reward alone.
    """

    tree: Tree
    node: Node
    sign: float
    own: tuple[str, ...]
    other: tuple[str, ...]
    sparse: bool
    simple: bool

    @property
    def names(self) -> tuple[str, ...]:
        return ("w", *self.other, *self.own, *(f"{name}_before" for name in self.own), REWARD)


@dataclass(frozen=True, eq=False)
class Plasticity:
    """A rule by which spikes change weights.

    The statements are `w += expression` or `w -= expression`, of the weight `w`, the parameters, the traces (as they
    are after the spikes of this step), for the side that spikes also their values before its spike (`x_before`), and
    `reward`, a number of the example given to `run`. The change is computed for each example of a batch, reduced over
    the batch (examples without a spike there count as 0), added or subtracted, and the weight is then held within its
    bounds. Presynaptic spikes are dealt with first.

    Args:
        on_pre: what a presynaptic spike does; None for nothing.
        on_post: what a postsynaptic spike does; None for nothing.
        pre_traces: traces of the presynaptic units by name.
        post_traces: traces of the postsynaptic units by name.
        parameters: numbers by name.
        bounds: least and largest weight; bounds of one sign keep to Dale's law.
        reduction: `"sum"`, `"mean"`, `"max"` or `"min"` over the batch.
        eligibility: with it (ms) changes go into an eligibility trace of each synapse and example that decays with
            this time constant; in each step the weight moves by reward times the trace. None: weights change at once.

    Raises:
        EquationError: a statement that is none, or an unknown name.
        ValueError: bounds, reduction or eligibility out of range.

    Example:
        >>> Plasticity("w -= 1e-4*y", "w += 1e-2*x", {"x": Trace(20.0)}, {"y": Trace(20.0)}).post_change.sparse
        True
        >>> Plasticity(on_post="w += x*z", pre_traces={"x": Trace(20.0)})
        Traceback (most recent call last):
        ...
        sharpwave.equations.errors.EquationError: on_post: unknown name 'z': expected one of 'e', 'pi', 'reward', 't', \
'w', 'x'
            x*z
              ^
            declare it as a trace or a parameter
    """

    on_pre: str | None = None
    on_post: str | None = None
    pre_traces: Mapping[str, Trace] = field(default_factory=dict)
    post_traces: Mapping[str, Trace] = field(default_factory=dict)
    parameters: Mapping[str, float] = field(default_factory=dict)
    bounds: tuple[float, float] = (0.0, 1.0)
    reduction: Reduction = "sum"
    eligibility: float | None = None
    pre_change: Change = field(init=False, repr=False)
    post_change: Change = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.reduction not in REDUCTIONS:
            raise ValueError(unknown("reduction", self.reduction, REDUCTIONS))
        lower, upper = self.bounds
        if not lower < upper:
            raise ValueError(f"bounds must be a smaller and a larger number, got {self.bounds}")
        if self.eligibility is not None and not (self.eligibility > 0 and math.isfinite(self.eligibility)):
            raise ValueError(f"eligibility must be a positive time constant in ms, got {self.eligibility}")
        taken = {**dict.fromkeys(FUNCTIONS, "a function"), **dict.fromkeys(CONSTANTS, "a constant")}
        taken |= {"w": "the weight", REWARD: "the reward", "t": "time"}
        traces = [*self.pre_traces, *self.post_traces]
        check_names("trace", traces, taken)
        if len(set(traces)) < len(traces):
            raise EquationError(f"traces of the two sides must have different names, got {', '.join(traces)}")
        check_names("parameter", list(self.parameters), {**taken, **dict.fromkeys(traces, "a trace")})
        for name in ("pre_traces", "post_traces", "parameters"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        pre, post = tuple(self.pre_traces), tuple(self.post_traces)
        object.__setattr__(self, "pre_change", self._change("on_pre", self.on_pre, pre, post))
        object.__setattr__(self, "post_change", self._change("on_post", self.on_post, post, pre))

    @property
    def rewarded(self) -> bool:
        """Whether the rule needs the reward."""
        changes = (self.pre_change, self.post_change)
        return self.eligibility is not None or any(
            c.tree.variable(len(c.names) - 1) in ordered([c.node]) for c in changes
        )

    def __reduce__(self) -> tuple[type[Plasticity], tuple[object, ...]]:
        traces = dict(self.pre_traces), dict(self.post_traces)
        settings = dict(self.parameters), self.bounds, self.reduction, self.eligibility
        return Plasticity, (self.on_pre, self.on_post, *traces, *settings)

    def _change(self, what: str, text: str | None, own: tuple[str, ...], other: tuple[str, ...]) -> Change:
        tree = Tree()
        if text is None:
            return Change(tree, tree.zero, 1.0, own, other, sparse=True, simple=True)
        match = _STATEMENT.fullmatch(text.strip())
        if match is None:
            raise EquationError(f"{what}: expected 'w += expression' or 'w -= expression', got {text!r}")
        names = ("w", *other, *own, *(f"{name}_before" for name in own), REWARD)
        scope = Scope(
            {name: k for k, name in enumerate(names)},
            {name: k for k, name in enumerate(self.parameters)},
            "declare it as a trace or a parameter",
        )
        read = parse(tree, scope, what, match["text"].strip())
        parts = ordered([read])
        if any(part.operation in ("lag", "time") for part in parts):
            raise EquationError(f"{what}: a rule knows neither delays nor the time\n    {text}")
        values = {
            tree.parameter(k): tree.constant(_number(name, value))
            for k, (name, value) in enumerate(self.parameters.items())
        }
        node = rebuild(tree, read, values)
        silent = {tree.variable(1 + k): tree.zero for k in range(len(other))}
        variables = [tree.variable(k) for k in range(len(names))]
        allowed = {*variables[1 : 1 + len(other)], variables[-1]}
        return Change(
            tree,
            node,
            1.0 if match["operator"] == "+" else -1.0,
            own,
            other,
            sparse=rebuild(tree, node, silent) is tree.zero,
            simple=all(part in allowed for part in ordered([node]) if part.operation == "variable"),
        )


def _number(name: str, value: float | str) -> float:
    found = quantity(name, value)
    if found.dimension not in (DIMENSIONLESS, TIME):
        raise EquationError(f"{name}: a rule's parameters have no unit, got {value!r}")
    return found.value
