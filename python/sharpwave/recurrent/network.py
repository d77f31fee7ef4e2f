"""One trained or constructed RNN, to be looked into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..suggest import unknown

Array = NDArray[np.float64]
# Each nonlinearity, and its slope at a value of its argument.
_FUNCTIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "tanh": (np.tanh, lambda x: 1 / np.cosh(np.clip(x, -300, 300)) ** 2),
    "relu": (lambda x: np.maximum(x, 0.0), lambda x: (x > 0).astype(np.float64)),
    "identity": (lambda x: x, np.ones_like),
}


@dataclass(frozen=True, eq=False)
class RNN:
    """h(t) = s(W_hh h(t-1) + W_uh u(t) + b), y(t) = W_hy h(t) + c, in double precision.

    Args:
        recurrent: W_hh (n, n).
        input: W_uh (n, inputs).
        readout: W_hy (outputs, n).
        nonlinearity: s, `"tanh"`, `"relu"` or `"identity"`.
        bias, readout_bias: b (n,) and c (outputs,); None: 0.

    Raises:
        ValueError: shapes that do not fit, or a nonlinearity that there is not.

    Example:
        >>> network = RNN([[0.5]], [[1.0]], [[2.0]], "identity")
        >>> network.outputs(network.states([[1.0]], steps=3)).tolist()
        [[2.0], [1.0], [0.5]]
    """

    recurrent: Array
    input: Array
    readout: Array
    nonlinearity: str = "tanh"
    bias: Any = None
    readout_bias: Any = None

    def __post_init__(self) -> None:
        for name in ("recurrent", "input", "readout"):
            if np.iscomplexobj(getattr(self, name)):
                raise ValueError(
                    f"the {name} weights must be real; take real and imaginary parts as units of their own"
                )
            array = np.array(getattr(self, name), dtype=np.float64)
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        n = len(self.recurrent)
        if self.recurrent.shape != (n, n) or self.input.shape[:-1] != (n,) or self.readout.shape[1:] != (n,):
            raise ValueError(
                "expected weights (n, n), (n, inputs) and (outputs, n), got "
                f"{self.recurrent.shape}, {self.input.shape} and {self.readout.shape}"
            )
        for name, size in (("bias", n), ("readout_bias", len(self.readout))):
            given = getattr(self, name)
            shift = np.zeros(size) if given is None else np.array(given, dtype=np.float64)
            if shift.shape != (size,):
                raise ValueError(f"{name} must be ({size},), got shape {shift.shape}")
            shift.flags.writeable = False
            object.__setattr__(self, name, shift)
        if self.nonlinearity not in _FUNCTIONS:
            raise ValueError(unknown("nonlinearity", self.nonlinearity, _FUNCTIONS))

    @property
    def hidden(self) -> int:
        """Number of hidden units."""
        return len(self.recurrent)

    def states(self, inputs: ArrayLike, steps: int, initial: ArrayLike | None = None) -> Array:
        """Hidden units through time.

        Args:
            inputs: (..., shown, inputs); nothing is shown afterwards.
            steps: in all.
            initial: h before the first step, (..., n); None: 0.

        Returns:
            (..., steps, n).
        """
        shown = np.asarray(inputs, dtype=np.float64)
        h = np.zeros((*shown.shape[:-2], self.hidden)) if initial is None else np.asarray(initial, dtype=np.float64)
        found = []
        for t in range(steps):
            h = self.step(h, shown[..., t, :] if t < shown.shape[-2] else None)
            found.append(h)
        return np.stack(found, axis=-2) if found else np.zeros((*h.shape[:-1], 0, self.hidden))

    def step(self, states: ArrayLike, input: ArrayLike | None = None) -> Array:
        """h(t) from h(t-1) (..., n), under inputs (..., inputs); None: 0."""
        return _FUNCTIONS[self.nonlinearity][0](self.drive(states, input))

    def slope(self, drive: Array) -> Array:
        """Derivative of the nonlinearity at what it is applied to."""
        return _FUNCTIONS[self.nonlinearity][1](drive)

    def drive(self, states: ArrayLike, input: ArrayLike | None = None) -> Array:
        """What the nonlinearity is applied to, from h(t-1) (..., n), under inputs (..., inputs); None: 0."""
        drive = np.asarray(states, dtype=np.float64) @ self.recurrent.T + self.bias
        return np.asarray(drive if input is None else drive + np.asarray(input, dtype=np.float64) @ self.input.T)

    def outputs(self, states: ArrayLike) -> Array:
        """y of hidden units (..., n), (..., outputs)."""
        return np.asarray(np.asarray(states) @ self.readout.T + self.readout_bias)

    def jacobian(self, states: ArrayLike | None = None, input: ArrayLike | None = None) -> Array:
        """Derivatives (..., n, n) of h(t) by h(t-1), at states (..., n) and under an input (inputs,); None: 0."""
        h = np.zeros(self.hidden) if states is None else states
        return np.asarray(self.slope(self.drive(h, input))[..., None] * self.recurrent)
