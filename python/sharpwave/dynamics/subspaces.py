"""The few dimensions in which a map's slow motion happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..counts import count
from ..recurrent.network import RNN
from .maps import Map, as_map

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Subspace:
    """A plane, or a space of more dimensions, and a projection onto it that need not be orthogonal.

    Attributes:
        origin: a state in it (n,).
        basis: directions (n, k).
        dual: (k, n), applied to h - origin it gives the coordinates.
    """

    origin: Array
    basis: Array
    dual: Array

    def coordinates(self, states: ArrayLike) -> Array:
        """Of states (..., n), (..., k)."""
        return np.asarray((np.asarray(states) - self.origin) @ self.dual.T)

    def project(self, states: ArrayLike) -> Array:
        """States (..., n), moved into the space."""
        return np.asarray(self.origin + self.coordinates(states) @ self.basis.T)

    def orthogonal(self, origin: ArrayLike) -> Subspace:
        """The same directions from another state (n,), projected to at right angles.

        Of all projections it changes states least, so it is the one to read them with.
        """
        directions = np.linalg.qr(self.basis)[0]
        return Subspace(np.array(origin, dtype=np.float64), directions, directions.T)

    def states(self, network: RNN, inputs: ArrayLike, steps: int) -> Array:
        """What a network does whose state is moved into the space after each step, see `RNN.states`.

        To read its outputs in the space without keeping it there, project the states that it has by itself.
        """
        shown = np.asarray(inputs, dtype=np.float64)
        h, found = np.zeros((*shown.shape[:-2], network.hidden)), []
        for t in range(count("steps", steps)):
            h = self.project(network.step(h, shown[..., t, :] if t < shown.shape[-2] else None))
            found.append(h)
        return np.stack(found, axis=-2)


def leading_subspace(
    given: Map | RNN, state: ArrayLike, dimensions: int = 2, also: ArrayLike | None = None
) -> Subspace:
    """The span of the eigenvectors with the largest eigenvalues, projected to along the others.

    Such a projection does not mix what is slow with what decays, which an orthogonal one does where eigenvectors are
    not orthogonal.

    Args:
        given: F, or an RNN without input.
        state: fixed point h (n,) at which the map is linearised; the origin.
        dimensions: how many; a pair of complex eigenvalues counts as two, and is not parted.
        also: a further direction (n,), such as the one in which an input moves the state. What of it is in the span of
            the eigenvectors is taken off; coordinates along it are those of least squares, of what is left of a state.

    Raises:
        ValueError: a state or direction of another size, a direction within the span, a pair that would be parted, or
            more dimensions than there are.

    Example:
        >>> network = RNN([[0.9, 5.0], [0.0, 0.1]], np.eye(2), np.eye(2), "identity")
        >>> slow = leading_subspace(network, [0.0, 0.0], 1)
        >>> slow.project([0.0, 1.0]).round(6).tolist()
        [6.25, 0.0]
    """
    map, h, k = as_map(given), np.array(state, dtype=np.float64), count("dimensions", dimensions)
    if h.shape != (map.size,) or k > map.size:
        raise ValueError(f"expected a state ({map.size},) and at most {map.size} dimensions, got {h.shape} and {k}")
    values, vectors = np.linalg.eig(map.jacobian(h))
    chosen = by_modulus(values)[:k]
    if sum(np.sign(values[chosen].imag)):
        raise ValueError(f"{k} dimensions would part a pair of complex eigenvalues: take {k - 1} or {k + 1}")
    slow = Subspace(h, *span(values, vectors, chosen))
    return slow if also is None else _with(slow, np.array(also, dtype=np.float64))


def by_modulus(values: NDArray[Any]) -> NDArray[np.intp]:
    """Places of eigenvalues, the largest modulus first; pairs stay together."""
    return np.argsort(-np.abs(values).round(12), kind="stable")


def span(
    values: NDArray[Any], vectors: NDArray[Any], chosen: NDArray[np.intp]
) -> tuple[Array, Array]:  # fmt: skip
    """Basis (n, k) and dual (k, n) of what eigenvectors (n, n) at some places span, along the others; pairs whole."""
    inverse, basis, dual = np.linalg.inv(vectors), [], []
    for place in chosen[values[chosen].imag >= 0]:
        right, left = vectors[:, place], inverse[place]
        if values[place].imag == 0:
            basis.append(right.real)
            dual.append(left.real)
        else:
            basis += [right.real, right.imag]
            dual += [2 * left.real, -2 * left.imag]
    return np.stack(basis, axis=1), np.stack(dual)


def _with(slow: Subspace, direction: Array) -> Subspace:
    if direction.shape != slow.origin.shape:
        raise ValueError(f"the direction must be {slow.origin.shape}, got shape {direction.shape}")
    left = direction - slow.basis @ (slow.dual @ direction)
    if np.linalg.norm(left) < 1e-9 * max(1.0, float(np.linalg.norm(direction))):
        raise ValueError("the direction is within the span of the eigenvectors")
    row = left / (left @ left)
    row = row - (row @ slow.basis) @ slow.dual
    return Subspace(slow.origin, np.column_stack([slow.basis, left]), np.vstack([slow.dual, row]))
