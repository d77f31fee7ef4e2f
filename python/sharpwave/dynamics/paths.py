"""Maps that depend on a number: on a parameter, or on how long a network has been trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..counts import count
from ..recurrent.network import RNN
from .maps import FunctionMap, Map, NetworkMap, PowerMap

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]


class Path(Protocol):
    """F(h, p)."""

    @property
    def size(self) -> int:
        """n, of a state."""

    def at(self, p: float) -> Map:
        """The map at a number."""

    def rate(self, state: Array, p: float) -> Array:
        """Derivative (n,) of F by the number, at a state (n,)."""


@dataclass(frozen=True, eq=False)
class NetworkPath:
    """A network on its way through training, under an input that stays the same: weights between two checkpoints are on
    the line from one to the other, and before the first and after the last one on the line that is there.

    Args:
        networks: at each checkpoint, of one size and nonlinearity.
        steps: of training at which they were so, rising; None: 0, 1, 2, ...
        input: u (inputs,); None: 0.

    Raises:
        ValueError: fewer than two networks, or networks, steps or an input that do not fit.

    Example:
        >>> networks = [RNN([[weight]], [[1.0]], [[1.0]], "identity") for weight in (0.5, 1.5)]
        >>> path = NetworkPath(networks, steps=[0, 100])
        >>> path.at(25.0).jacobian(np.zeros((1, 1))).tolist()
        [[[0.75]]]
    """

    networks: Sequence[RNN]
    steps: ArrayLike | None = None
    input: ArrayLike | None = None

    def __post_init__(self) -> None:
        networks, first = tuple(self.networks), next(iter(self.networks), None)
        steps = np.arange(len(networks)) if self.steps is None else np.array(self.steps)
        if len(networks) < 2 or steps.shape != (len(networks),) or not (np.diff(steps) > 0).all():
            raise ValueError(
                f"expected at least two networks, and a step for each, rising, got {len(networks)} networks and steps "
                f"of shape {steps.shape}"
            )
        assert first is not None
        shapes = {(one.recurrent.shape, one.input.shape, one.readout.shape, one.nonlinearity) for one in networks}
        if len(shapes) > 1:
            raise ValueError("expected networks of one size and nonlinearity")
        object.__setattr__(self, "networks", networks)
        object.__setattr__(self, "steps", steps.astype(np.float64))
        object.__setattr__(self, "input", NetworkMap(first, self.input).input)

    @property
    def size(self) -> int:
        """Hidden units."""
        return self.networks[0].hidden

    def _between(self, p: float) -> tuple[RNN, RNN, float, float]:
        steps = np.asarray(self.steps)
        place = int(np.clip(np.searchsorted(steps, p, side="right"), 1, len(steps) - 1))
        span = float(steps[place] - steps[place - 1])
        return self.networks[place - 1], self.networks[place], (p - float(steps[place - 1])) / span, span

    def at(self, p: float) -> Map:
        """See `Path`."""
        early, late, share, _ = self._between(p)
        names = ("recurrent", "input", "readout", "bias", "readout_bias")
        mixed = {name: (1 - share) * getattr(early, name) + share * getattr(late, name) for name in names}
        return NetworkMap(RNN(**mixed, nonlinearity=early.nonlinearity), self.input)

    def rate(self, state: Array, p: float) -> Array:
        """See `Path`."""
        early, late, share, span = self._between(p)
        drives = [one.drive(state, self.input) for one in (early, late)]
        return np.asarray(early.slope((1 - share) * drives[0] + share * drives[1]) * (drives[1] - drives[0]) / span)


@dataclass(frozen=True, eq=False)
class FunctionPath:
    """Any function of torch with a parameter, differentiated by it.

    Args:
        function: from one state (n,) and the parameter () to the next state, without side effects.
        size: n.

    Example:
        The logistic map, at 4:

        >>> path = FunctionPath(lambda x, r: r * x * (1 - x), size=1)
        >>> path.at(4.0).step(np.array([[0.25]])), path.rate(np.array([0.25]), 4.0)
        (array([[0.75]]), array([0.1875]))
    """

    function: Callable[[Tensor, Tensor], Tensor]
    size: int

    def at(self, p: float) -> Map:
        """See `Path`."""
        import torch

        value = torch.tensor(p, dtype=torch.float64)
        return FunctionMap(lambda h: self.function(h, value), self.size)

    def rate(self, state: Array, p: float) -> Array:
        """See `Path`."""
        import torch

        h, value = torch.from_numpy(np.asarray(state, dtype=np.float64)), torch.tensor(p, dtype=torch.float64)
        return np.asarray(torch.func.jacrev(self.function, argnums=1)(h, value).numpy())


@dataclass(frozen=True, eq=False)
class PowerPath:
    """Several steps of a path as one: its fixed points are cycles.

    Args:
        path: F.
        steps: k.

    Raises:
        ValueError: no step.
    """

    path: Path
    steps: int

    def __post_init__(self) -> None:
        count("steps", self.steps)

    @property
    def size(self) -> int:
        """See `Path`."""
        return self.path.size

    def at(self, p: float) -> Map:
        """See `Path`."""
        return PowerMap(self.path.at(p), self.steps)

    def rate(self, state: Array, p: float) -> Array:
        """See `Path`."""
        map, found = self.path.at(p), np.zeros(self.size)
        for _ in range(self.steps):
            found = map.jacobian(state) @ found + self.path.rate(state, p)
            state = map.step(state)
        return found
