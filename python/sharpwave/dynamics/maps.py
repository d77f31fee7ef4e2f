"""Maps h(t+1) = F(h(t)) whose dynamics are looked into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..counts import count
from ..recurrent.network import RNN

if TYPE_CHECKING:
    from torch import Tensor

    from ..recurrent import Trained

Array = NDArray[np.float64]


class Map(Protocol):
    """F, in double precision."""

    @property
    def size(self) -> int:
        """n, of a state."""

    def step(self, states: Array) -> Array:
        """F of states (..., n)."""

    def jacobian(self, states: Array) -> Array:
        """Derivatives (..., n, n) of F by states (..., n)."""


@dataclass(frozen=True, eq=False)
class NetworkMap:
    """An RNN under an input that stays the same.

    Args:
        network: whose.
        input: u (inputs,); None: 0.

    Raises:
        ValueError: an input of another size, or not finite.

    Example:
        >>> network = RNN([[0.5]], [[1.0]], [[1.0]], "identity")
        >>> NetworkMap(network, [3.0]).step(np.array([[2.0]]))
        array([[4.]])
    """

    network: RNN
    input: ArrayLike | None = None

    def __post_init__(self) -> None:
        size = self.network.input.shape[1]
        u = np.zeros(size) if self.input is None else np.array(self.input, dtype=np.float64)
        if u.shape != (size,) or not np.isfinite(u).all():
            raise ValueError(f"the input must be finite and ({size},), got shape {u.shape}")
        object.__setattr__(self, "input", u)

    @property
    def size(self) -> int:
        """Hidden units."""
        return self.network.hidden

    def step(self, states: Array) -> Array:
        """See `Map`."""
        return self.network.step(states, self.input)

    def jacobian(self, states: Array) -> Array:
        """See `Map`."""
        return self.network.jacobian(states, self.input)


@dataclass(frozen=True, eq=False)
class FunctionMap:
    """Any function of torch, differentiated by it.

    Args:
        function: from one state (n,) to the next, without side effects, such as a module in double precision.
        size: n.

    Raises:
        ValueError: the function does not turn n numbers into n.

    Example:
        The logistic map:

        >>> logistic = FunctionMap(lambda x: 4 * x * (1 - x), size=1)
        >>> logistic.step(np.array([[0.25]])), logistic.jacobian(np.array([[0.25]]))
        (array([[0.75]]), array([[[2.]]]))
    """

    function: Callable[[Tensor], Tensor]
    size: int

    def __post_init__(self) -> None:
        import torch

        n = count("size", self.size)
        found = self.function(torch.full((n,), 0.25, dtype=torch.float64))
        if tuple(found.shape) != (n,):
            raise ValueError(f"the function must turn ({n},) into ({n},), got {tuple(found.shape)}")

    def step(self, states: Array) -> Array:
        """See `Map`."""
        return self._each(self.function, states, (self.size,))

    def jacobian(self, states: Array) -> Array:
        """See `Map`."""
        import torch

        return self._each(torch.func.jacrev(self.function), states, (self.size, self.size))

    def _each(self, function: Callable[[Tensor], Tensor], states: Array, shape: tuple[int, ...]) -> Array:
        import torch

        rows = torch.from_numpy(np.ascontiguousarray(states, dtype=np.float64)).reshape(-1, self.size)
        with torch.no_grad():
            found = torch.func.vmap(function)(rows).numpy() if len(rows) else np.zeros((0, *shape))
        return np.asarray(found.reshape(*np.shape(states)[:-1], *shape))


@dataclass(frozen=True, eq=False)
class PowerMap:
    """Several steps of a map as one.

    Args:
        map: F.
        steps: k.
    """

    map: Map
    steps: int

    @property
    def size(self) -> int:
        """See `Map`."""
        return self.map.size

    def step(self, states: Array) -> Array:
        """See `Map`."""
        for _ in range(self.steps):
            states = self.map.step(states)
        return states

    def jacobian(self, states: Array) -> Array:
        """See `Map`."""
        found = self.map.jacobian(states)
        for _ in range(self.steps - 1):
            states = self.map.step(states)
            found = self.map.jacobian(states) @ found
        return found


def trained_map(trained: Trained, replica: int, input: ArrayLike | None = None, kept: int | None = None) -> Map:
    """One of the networks that have been trained, under an input that stays the same.

    Args:
        trained: Elman networks, GRUs or LSTMs; the state of an LSTM is h, and then c.
        replica: which.
        input: u (inputs,); None: 0.
        kept: as it was at this one of the steps at which parameters were kept; None: at its best check.

    Raises:
        TypeError: a network whose step is not known here.
        ValueError: an input of another size, or not finite.

    Example:
        >>> from ..recurrent import GRU, Protocol, repeat_copy, train
        >>> trained = train(GRU(4), repeat_copy(2, 1), [0], Protocol(steps=1, horizons=(2,)), backend="torch")
        >>> trained_map(trained, 0).step(np.zeros((3, 4))).shape
        (3, 4)
    """
    from ..recurrent.gated import GRU, LSTM

    kind = trained.architecture
    if not isinstance(kind, GRU | LSTM):
        return NetworkMap(trained.network(replica, kept), input)
    import torch

    weights = trained.weights(replica, kept)
    one = {name: torch.from_numpy(np.array(value)).double() for name, value in weights.items()}
    size = one["input"].shape[1]
    u = torch.zeros(size).double() if input is None else torch.tensor(np.asarray(input), dtype=torch.float64)
    if tuple(u.shape) != (size,) or not bool(u.isfinite().all()):
        raise ValueError(f"the input must be finite and ({size},), got shape {tuple(u.shape)}")
    return FunctionMap(lambda state: kind.next_state(one, u, state), kind.state_size)


def orbit(given: Map | RNN, start: ArrayLike, steps: int, transient: int = 0) -> Array:
    """Where a map leads from some states.

    Args:
        given: F, or an RNN without input.
        start: h (..., n), which is not among what is returned.
        steps: how many states are returned, from 0 on.
        transient: steps before these.

    Returns:
        h after each step, (..., steps, n).

    Raises:
        ValueError: states of another size, or fewer than no steps.

    Example:
        >>> halving = FunctionMap(lambda h: h / 2, 1)
        >>> orbit(halving, [8.0], steps=2, transient=1).ravel().tolist()
        [2.0, 1.0]
    """
    map, h = as_map(given), np.array(start, dtype=np.float64)
    steps, transient = count("steps", steps, 0), count("transient", transient, 0)
    if h.shape[-1:] != (map.size,):
        raise ValueError(f"the start must be (..., {map.size}), got shape {h.shape}")
    found = np.empty((*h.shape[:-1], steps, map.size))
    for t in range(-transient, steps):
        h = map.step(h)
        if t >= 0:
            found[..., t, :] = h
    return found


def as_map(given: Map | RNN) -> Map:
    """A network as the map that it is without input; maps as they are."""
    return NetworkMap(given) if isinstance(given, RNN) else given
