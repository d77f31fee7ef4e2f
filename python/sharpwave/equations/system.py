"""`Equations`: a user's system of differential equations, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sharpwave.equations.differentiation import gradients
from sharpwave.equations.encoding import Delays, Program, encode
from sharpwave.equations.errors import EquationError
from sharpwave.equations.evaluation import Inputs, evaluate
from sharpwave.equations.parsing import CONSTANTS, FUNCTIONS, Scope, parse
from sharpwave.equations.scanning import check_names
from sharpwave.equations.tree import Node, Tree, ordered
from sharpwave.suggest import unknown


@dataclass(frozen=True, eq=False)
class Equations:
    """A system of ordinary or delay differential equations, given as text.

    Args:
        texts: for each variable the text of its time derivative, in the order of the state vector.
        parameters: for each parameter its default value, in the order of the parameter vector.

    A text is made of variables, parameters, `t`, `pi`, `e`, decimal numbers, `+ - * / **`, comparisons (which give
    1 or 0), `and or not`, `a if c else b`, and the functions abs acos asin atan atan2 ceil cos cosh exp expm1 floor
    heaviside hypot log log1p max min relu sigmoid sign sin sinh sqrt tan tanh where. `heaviside(0)` is 1/2.
    A delayed value is written `x(t - tau)`: the variable at another time, an expression of `t` and parameters.
    Text is parsed against this list and never evaluated as Python or Julia source.

    Raises:
        EquationError: for anything else, with the place in the text and what is allowed.

    Example:
        >>> lorenz = Equations(
        ...     {"x": "sigma*(y - x)", "y": "x*(rho - z) - y", "z": "x*y - beta*z"},
        ...     parameters={"sigma": 10.0, "rho": 28.0, "beta": 8 / 3},
        ... )
        >>> lorenz.variables
        ('x', 'y', 'z')
        >>> lorenz.evaluate(0.0, [1.0, 2.0, 3.0])
        array([10., 23., -6.])
    """

    texts: Mapping[str, str | float]
    parameters: Mapping[str, float] = field(default_factory=dict)
    _tree: Tree = field(init=False, repr=False)
    _scope: Scope = field(init=False, repr=False)
    _rhs: tuple[Node, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.texts, Mapping) or not self.texts:
            raise EquationError("equations: expected a dict such as {'x': '-x'}, with at least one variable")
        if not isinstance(self.parameters, Mapping):
            raise EquationError("parameters: expected a dict such as {'tau': 20.0}")
        taken = {**dict.fromkeys(FUNCTIONS, "a function"), **dict.fromkeys(CONSTANTS, "a constant"), "t": "time"}
        check_names("variable", list(self.texts), taken)
        check_names("parameter", list(self.parameters), {**taken, **dict.fromkeys(self.texts, "a variable")})
        parameters = {name: _finite(name, value) for name, value in self.parameters.items()}
        scope = Scope(_positions(self.texts), _positions(parameters))
        tree = Tree()
        rhs = tuple(parse(tree, scope, f"d{name}/dt", text) for name, text in self.texts.items())
        for attribute, value in {
            "texts": MappingProxyType(dict(self.texts)),
            "parameters": MappingProxyType(parameters),
            "_tree": tree,
            "_scope": scope,
            "_rhs": rhs,
        }.items():
            object.__setattr__(self, attribute, value)

    def __reduce__(self) -> tuple[type[Equations], tuple[dict[str, str | float], dict[str, float]]]:
        return Equations, (dict(self.texts), dict(self.parameters))  # another process parses the texts again

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the variables, in the order of the state vector."""
        return tuple(self.texts)

    @cached_property
    def lags(self) -> tuple[str, ...]:
        """The variable of each distinct lagged value, in the order in which `evaluate` takes them."""
        return tuple(self.variables[int(lag.value)] for lag in self._delays.lags)

    @cached_property
    def present(self) -> tuple[str, ...]:
        """What is read as it is now: `t`, and the variables that are read without a delay.

        Example:
            >>> Equations({"x": "y(t - 1)", "y": "x + sin(t)"}).present
            ('x', 't')
        """
        nodes = ordered(self._rhs)
        names = [self.variables[int(node.value)] for node in nodes if node.operation == "variable"]
        return (*names, *("t" for node in nodes if node.operation == "time"))

    @cached_property
    def _delays(self) -> Delays:
        return Delays.of(self._rhs)

    @cached_property
    def _gradients(self) -> list[dict[Node, Node]]:
        return gradients(self._tree, self._rhs)

    def encode(self, events: Sequence[str] = (), history: Mapping[str, str | float] | None = None) -> Program:
        """The system as a program for the Julia kernel `compile_equations`.

        Args:
            events: expressions like those of the equations; an event is where one changes its sign.
            history: for each variable its past, an expression of `t` and parameters.

        Raises:
            EquationError: for a text that is not an expression, a history that leaves a variable out, or an event that
                looks back where there is none.
        """
        if isinstance(events, str):
            raise EquationError(f"events: expected a list of texts, got the text {events!r}: write [{events!r}]")
        found = [parse(self._tree, self._scope, f"event {i}", text) for i, text in enumerate(events)]
        if history is None and Delays.of(found).lags:
            raise EquationError("an event looks back in time: use solve_dde, with a history")
        past = [] if history is None else self._history(history)
        return encode(self._tree, self._rhs, found, past, len(self.parameters))

    def _history(self, history: Mapping[str, str | float]) -> list[Node]:
        if not isinstance(history, Mapping):
            raise EquationError("history: expected a dict such as {'x': '1 + t'}")
        for name in history:
            if name not in self.texts:
                raise EquationError(f"history: {unknown('variable', name, self.texts)}")
        if missing := [name for name in self.texts if name not in history]:
            raise EquationError(f"history: no expression for {', '.join(missing)}; every variable needs one")
        scope = Scope({}, self._scope.parameters, "a history may depend on t and on parameters only")
        return [parse(self._tree, scope, f"history of {name}", history[name]) for name in self.texts]

    def parameter_vector(self, overrides: Mapping[str, ArrayLike] | None = None) -> NDArray[np.float64]:
        """The parameters as an array.

        Args:
            overrides: for some parameters a value, or (batch,) values.

        Returns:
            (P,) or, if an override has several values, (batch, P).

        Raises:
            EquationError: for a name that is no parameter, or a value that is not finite or does not fit.

        Example:
            >>> decay = Equations({"x": "-a*x + b"}, parameters={"a": 1.0, "b": 0.0})
            >>> decay.parameter_vector({"a": [2.0, 3.0]})
            array([[2., 0.],
                   [3., 0.]])
        """
        values: dict[str, Any] = dict(self.parameters)
        for name, value in (overrides or {}).items():
            if name not in values:
                raise EquationError(unknown("parameter", name, values))
            values[name] = _array(name, value)
        if not values:
            return np.empty(0)
        try:
            columns = np.broadcast_arrays(*values.values())
        except ValueError:
            sizes = ", ".join(f"{name}: {np.size(value)}" for name, value in values.items() if np.ndim(value))
            raise EquationError(f"parameters have different numbers of values ({sizes})") from None
        return np.stack(columns, axis=-1)

    def evaluate(self, t: Any, y: Any, parameters: Any = None, lags: Any = None, xp: Any = np) -> Any:
        """The time derivatives of the variables.

        Args:
            t: (...) times.
            y: (..., n) variables.
            parameters: (..., P) parameters; default: their declared values.
            lags: (..., L) lagged values, in the order of the property `lags`.
            xp: `numpy` or `torch`.

        Returns:
            (..., n) float64, NaN or infinite outside an expression's domain.
        """
        return self._values(self._rhs, t, y, parameters, lags, xp)

    def jacobian(self, t: Any, y: Any, parameters: Any = None, lags: Any = None, xp: Any = np) -> Any:
        """The exact Jacobian of `evaluate` by the variables, lagged values held fixed; arguments as there.

        Returns:
            (..., n, n) float64.

        Example:
            >>> Equations({"x": "y", "y": "-x**3"}).jacobian(0.0, [2.0, 0.0])
            array([[  0.,   1.],
                   [-12.,   0.]])
        """
        variables = [self._tree.variable(i) for i in range(len(self.texts))]
        roots = [found.get(by, self._tree.zero) for found in self._gradients for by in variables]
        flat = self._values(roots, t, y, parameters, lags, xp)
        return flat.reshape(*flat.shape[:-1], len(variables), len(variables))

    def time_gradient(self, t: Any, y: Any, parameters: Any = None, lags: Any = None, xp: Any = np) -> Any:
        """The explicit time derivative of `evaluate`, variables and lagged values held fixed; arguments as there.

        Returns:
            (..., n) float64.
        """
        roots = [found.get(self._tree.time, self._tree.zero) for found in self._gradients]
        return self._values(roots, t, y, parameters, lags, xp)

    def lag_times(self, t: Any, parameters: Any = None, xp: Any = np) -> Any:
        """The time at which each lagged value is taken.

        Args:
            t: (...) times.
            parameters: (..., P) parameters; default: their declared values.
            xp: `numpy` or `torch`.

        Returns:
            (..., L) times, in the order of the property `lags`.
        """
        roots = [lag.arguments[0] for lag in self._delays.lags]
        return self._values(roots, t, np.zeros(len(self.texts)), parameters, None, xp)

    def _values(self, roots: Sequence[Node], t: Any, y: Any, parameters: Any, lags: Any, xp: Any) -> Any:
        """(..., roots) values of some expressions."""
        needs_lags = lags is not None or any(node.operation == "lag" for node in ordered(roots))
        inputs = {
            "y": (y, len(self.texts)),
            "parameters": (self.parameter_vector() if parameters is None else parameters, len(self.parameters)),
            "lags": (() if lags is None else lags, len(self.lags) if needs_lags else 0),
        }
        arrays: dict[str, Any] = {"t": _float64(t, xp)}
        for name, (given, count) in inputs.items():
            array = _float64(given, xp)
            if array.ndim == 0 or array.shape[-1] != count:
                raise EquationError(f"{name}: expected {count} values on the last axis, got {tuple(array.shape)}")
            arrays[name] = array
        leading = [tuple(a.shape) if name == "t" else tuple(a.shape[:-1]) for name, a in arrays.items()]
        try:
            shape = np.broadcast_shapes(*leading)
        except ValueError:
            raise EquationError(f"t, y, parameters, lags: the leading axes {leading} do not fit together") from None
        positions = {lag: i for i, lag in enumerate(self._delays.lags)}
        values = evaluate(roots, Inputs(**arrays, lag_positions=positions), xp)
        if not values:
            return xp.empty((*shape, 0), dtype=xp.float64)
        return xp.stack([xp.broadcast_to(value, shape) for value in values], -1)


def _float64(value: Any, xp: Any) -> Any:
    if xp is not np and isinstance(value, xp.Tensor):
        return value.to(xp.float64)  # asarray would drop a tensor's gradient in some versions of torch
    return xp.asarray(value, dtype=xp.float64)


def _positions(names: Mapping[str, object]) -> dict[str, int]:
    return {name: position for position, name in enumerate(names)}


def _array(name: str, value: ArrayLike) -> NDArray[np.float64]:
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise EquationError(f"parameter {name!r}: expected a number, got {value!r}"[:200]) from None
    if array.ndim > 1 or not np.isfinite(array).all():
        raise EquationError(f"parameter {name!r}: expected finite numbers, one or (batch,), got {value!r}"[:200])
    return array


def _finite(name: str, value: float) -> float:
    array = _array(name, value)
    if array.ndim:
        raise EquationError(f"parameter {name!r}: expected one finite number, got {value!r}"[:200])
    return float(array)
