"""Activations that are gradients of convex Lagrangians, over the last axis of NumPy arrays and torch tensors alike.

A layer's activity is s(x) = dL/dx. L is convex, so the Jacobian J = ds/dx is symmetric and positive
semidefinite: that is what makes the energy of a memory descend.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from ..suggest import unknown

Numbers = Any  # an array of NumPy or a tensor of torch


class Activation(Protocol):
    """A gradient s of a convex Lagrangian L; x has any leading axes and the units of the layer on the last one."""

    @property
    def name(self) -> str:
        """The name that `activation` takes."""

    @property
    def parameter(self) -> float:
        """Gain or power; 1 where there is none."""

    def lagrangian(self, x: Numbers) -> Numbers:
        """L(x), without the last axis of x."""

    def __call__(self, x: Numbers) -> Numbers:
        """s(x), the gradient of L, of the shape of x."""

    def jacobian(self, x: Numbers) -> Numbers:
        """J(x), the Hessian of L: the last axis of x twice."""

    def jacobian_product(self, x: Numbers, v: Numbers) -> Numbers:
        """J(x) v without forming J, of the shape of x."""

    def jacobian_slope(self, x: Numbers, v: Numbers) -> Numbers:
        """d(J(x) v)/dx at a fixed v, third derivatives of L: the last axis of x twice."""


@dataclass(frozen=True)
class Identity:
    """s(x) = x, L = |x|^2 / 2.

    Example:
        >>> Identity()(np.array([1.0, -2.0]))
        array([ 1., -2.])
    """

    name: ClassVar[str] = "identity"
    parameter: ClassVar[float] = 1.0

    def lagrangian(self, x: Numbers) -> Numbers:
        return (x * x).sum(-1) / 2

    def __call__(self, x: Numbers) -> Numbers:
        return x

    def jacobian(self, x: Numbers) -> Numbers:
        return _diagonal(_namespace(x).ones_like(x))

    def jacobian_product(self, x: Numbers, v: Numbers) -> Numbers:
        return v

    def jacobian_slope(self, x: Numbers, v: Numbers) -> Numbers:
        return _diagonal(_namespace(x).zeros_like(x))


@dataclass(frozen=True)
class Tanh:
    """s(x) = tanh(g x), L = sum log cosh(g x) / g.

    Args:
        gain: the slope g at zero, positive.

    Example:
        >>> bool(Tanh(2.0).lagrangian(np.array([1000.0])) == 1000 - np.log(2) / 2)  # no overflow
        True
    """

    gain: float = 1.0
    name: ClassVar[str] = "tanh"

    def __post_init__(self) -> None:
        _check_positive("gain", self.gain)

    @property
    def parameter(self) -> float:
        return self.gain

    def lagrangian(self, x: Numbers) -> Numbers:
        xp = _namespace(x)
        size = xp.abs(self.gain * x)
        # log cosh z = |z| + log(1 + exp(-2|z|)) - log 2, which does not overflow
        return (size + xp.log1p(xp.exp(-2 * size)) - math.log(2)).sum(-1) / self.gain

    def __call__(self, x: Numbers) -> Numbers:
        return _namespace(x).tanh(self.gain * x)

    def jacobian(self, x: Numbers) -> Numbers:
        return _diagonal(self._slope(x))

    def jacobian_product(self, x: Numbers, v: Numbers) -> Numbers:
        return self._slope(x) * v

    def jacobian_slope(self, x: Numbers, v: Numbers) -> Numbers:
        return _diagonal(-2 * self.gain * self(x) * self._slope(x) * v)

    def _slope(self, x: Any) -> Any:
        return self.gain * (1 - self(x) ** 2)


@dataclass(frozen=True)
class Softmax:
    """s(x) = softmax(g x), L = log(sum exp(g x)) / g.

    Args:
        gain: the inverse temperature g, positive; at large gains the largest unit takes all.

    Example:
        >>> Softmax(100.0)(np.array([1.0, 2.0]))
        array([3.72007598e-44, 1.00000000e+00])
    """

    gain: float = 1.0
    name: ClassVar[str] = "softmax"

    def __post_init__(self) -> None:
        _check_positive("gain", self.gain)

    @property
    def parameter(self) -> float:
        return self.gain

    def lagrangian(self, x: Numbers) -> Numbers:
        top, grown = self._grown(x)
        return top[..., 0] + _namespace(x).log(grown.sum(-1)) / self.gain

    def __call__(self, x: Numbers) -> Numbers:
        _, grown = self._grown(x)
        return grown / grown.sum(-1)[..., None]

    def jacobian(self, x: Numbers) -> Numbers:
        s = self(x)
        return self.gain * (_diagonal(s) - s[..., :, None] * s[..., None, :])

    def jacobian_product(self, x: Numbers, v: Numbers) -> Numbers:
        s = self(x)
        return self.gain * s * (v - (s * v).sum(-1)[..., None])

    def jacobian_slope(self, x: Numbers, v: Numbers) -> Numbers:
        s = self(x)
        jacobian = self.jacobian(x)
        product = self.jacobian_product(x, v)
        centred = v - (s * v).sum(-1)[..., None]
        return self.gain * (centred[..., :, None] * jacobian - s[..., :, None] * product[..., None, :])

    def _grown(self, x: Any) -> tuple[Any, Any]:
        xp = _namespace(x)
        top = xp.amax(x, -1)[..., None]  # taken off first, so that the exponential does not overflow
        return top, xp.exp(self.gain * (x - top))


@dataclass(frozen=True)
class RectifiedPolynomial:
    """s(x) = max(x, 0)^n, L = sum max(x, 0)^(n+1) / (n + 1).

    Args:
        power: the integer n, at least 1.

    Example:
        >>> RectifiedPolynomial(2)(np.array([-1.0, 3.0]))
        array([0., 9.])
    """

    power: int = 2
    name: ClassVar[str] = "rectified-polynomial"

    def __post_init__(self) -> None:
        if isinstance(self.power, bool) or int(self.power) != self.power or self.power < 1:
            raise ValueError(f"power must be an integer of at least 1, got {self.power!r}")
        object.__setattr__(self, "power", int(self.power))

    @property
    def parameter(self) -> float:
        return float(self.power)

    def lagrangian(self, x: Numbers) -> Numbers:
        return (_rectified(x) ** (self.power + 1)).sum(-1) / (self.power + 1)

    def __call__(self, x: Numbers) -> Numbers:
        return _rectified(x) ** self.power

    def jacobian(self, x: Numbers) -> Numbers:
        return _diagonal(self._slope(x))

    def jacobian_product(self, x: Numbers, v: Numbers) -> Numbers:
        return self._slope(x) * v

    def jacobian_slope(self, x: Numbers, v: Numbers) -> Numbers:
        if self.power == 1:
            return _diagonal(0 * x * v)
        bend = self.power * (self.power - 1) * _rectified(x) ** (self.power - 2)
        return _diagonal(bend * (x > 0) * v)

    def _slope(self, x: Any) -> Any:
        return self.power * _rectified(x) ** (self.power - 1) * (x > 0)


@dataclass(frozen=True)
class Relu:
    """s(x) = max(x, 0), L = sum max(x, 0)^2 / 2.

    Example:
        >>> Relu()(np.array([-1.0, 3.0]))
        array([0., 3.])
    """

    name: ClassVar[str] = "relu"
    parameter: ClassVar[float] = 1.0

    def lagrangian(self, x: Numbers) -> Numbers:
        return (_rectified(x) ** 2).sum(-1) / 2

    def __call__(self, x: Numbers) -> Numbers:
        return _rectified(x)

    def jacobian(self, x: Numbers) -> Numbers:
        return _diagonal(self._slope(x))

    def jacobian_product(self, x: Numbers, v: Numbers) -> Numbers:
        return self._slope(x) * v

    def jacobian_slope(self, x: Numbers, v: Numbers) -> Numbers:
        return _diagonal(0 * x * v)

    def _slope(self, x: Any) -> Any:
        return _namespace(x).ones_like(x) * (x > 0)


_KINDS: dict[str, Callable[..., Activation]] = {
    "identity": Identity,
    "tanh": Tanh,
    "softmax": Softmax,
    "rectified-polynomial": RectifiedPolynomial,
    "relu": Relu,
}


def activation(given: str | Activation, parameter: float | None = None) -> Activation:
    """The activation with this name, or the one given.

    Args:
        given: "identity", "tanh", "softmax", "rectified-polynomial", "relu", or an activation, which is
            returned.
        parameter: the gain of tanh and softmax (default 1), the power of the rectified polynomial (default
            2).

    Raises:
        ValueError: no activation has this name, or it takes no such parameter.

    Example:
        >>> activation("softmax", 4.0)
        Softmax(gain=4.0)
        >>> activation("tanhh")
        Traceback (most recent call last):
        ...
        ValueError: unknown activation 'tanhh': did you mean 'tanh'?
    """
    if not isinstance(given, str):
        if not callable(given) or not hasattr(given, "lagrangian"):
            raise TypeError(f"expected an activation or its name, got {type(given).__name__}")
        if parameter is not None:
            raise ValueError(f"give the parameter to the activation itself, got {parameter} beside {given!r}")
        return given
    if given not in _KINDS:
        raise ValueError(unknown("activation", given, _KINDS))
    kind = _KINDS[given]
    if parameter is None:
        return kind()
    if kind in (Identity, Relu):
        raise ValueError(f"{given} has no gain or power, got {parameter}")
    return kind(parameter)


def _namespace(x: Any) -> Any:
    # torch is not imported for a NumPy array; where x is a tensor it is there already
    return np if isinstance(x, (np.ndarray, np.generic)) else sys.modules["torch"]


def _rectified(x: Any) -> Any:
    return x.clip(0)


def _diagonal(d: Any) -> Any:
    return d[..., :, None] * _eye(d)


def _eye(x: Any) -> Any:
    n = x.shape[-1]
    if isinstance(x, np.ndarray):
        return np.eye(n)
    return _namespace(x).eye(n, dtype=x.dtype, device=x.device)


def _check_positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be positive, got {value}")
