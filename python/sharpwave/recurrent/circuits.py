"""The circuit of a linear task: a linear RNN that carries the window as variables, in any basis of its hidden space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .network import RNN
from .tasks import HistoryTask

Array = NDArray[np.float64]


def companion(task: HistoryTask) -> Array:
    """Phi (s d, s d), which moves the window of a linear task on by a step; variables are block by block, oldest first.

    Raises:
        ValueError: the rule is not linear.

    Example:
        >>> from .generators import repeat_copy
        >>> companion(repeat_copy(2, 1)).tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """
    size, d = task.window * task.dimensions, task.dimensions
    phi = np.zeros((size, size))
    phi[: size - d, d:] = np.eye(size - d)
    phi[size - d :] = _matrix(task)
    return phi


def _matrix(task: HistoryTask) -> Array:
    if task.matrix is None:
        raise ValueError(f"{task.name}: only a linear rule has this matrix; give the task its `matrix`")
    return task.matrix


@dataclass(frozen=True, eq=False)
class Circuit:
    """A linear RNN whose variables are known.

    Attributes:
        network: the RNN; its nonlinearity is the identity.
        basis: Psi (n, variables); a column is the direction of a variable.
        operator: Phi (variables, variables), by which the variables move on.
        variables: for each column, its block and dimension, from 0, (variables, 2).
    """

    network: RNN
    basis: Array
    operator: Array
    variables: NDArray[np.int64]


def circuit(task: HistoryTask, basis: ArrayLike | None = None, *, compressed: bool = False) -> Circuit:
    """The circuit of a linear task.

    Args:
        task: its rule must be linear.
        basis: Psi (n, s d), a column for each variable, block by block, the oldest first; None: a unit vector for each.
        compressed: whether variables are left out that no output ever reads.

    Raises:
        ValueError: the rule is not linear, or the basis is not of s d independent columns.

    Example:
        >>> from .generators import compose_copy
        >>> circuit(compose_copy(8)).network.hidden, circuit(compose_copy(8), compressed=True).network.hidden
        (64, 36)
    """
    phi, size, d = companion(task), task.window * task.dimensions, task.dimensions
    psi = np.eye(size) if basis is None else real_basis(basis)
    if psi.ndim != 2 or psi.shape[1] != size or not np.isfinite(psi).all():
        raise ValueError(f"{task.name}: the basis must be finite and (n, {size}), a column a variable, got {psi.shape}")
    expect_independent(psi)
    kept = kept_variables(task) if compressed else np.arange(size)
    phi, psi = phi[np.ix_(kept, kept)], np.eye(len(kept)) if basis is None else psi[:, kept]
    dual = np.linalg.pinv(psi)
    newest = kept >= size - d
    order = kept[newest] - (size - d)
    into, out = np.zeros((len(psi), d)), np.zeros((d, len(psi)))
    into[:, order], out[order] = psi[:, newest], dual[newest]
    network = RNN(psi @ phi @ dual, into, out, "identity")
    return Circuit(network, psi, phi, np.stack(np.divmod(kept, d), axis=1))


def real_basis(basis: ArrayLike) -> Array:
    """A copy of a basis.

    Raises:
        ValueError: it is complex.
    """
    if np.iscomplexobj(basis):
        raise ValueError("the basis must be real; take real and imaginary parts of each pair of eigenvectors")
    return np.array(basis, dtype=np.float64)


def expect_independent(basis: Array) -> None:
    """Check that the columns of a basis are independent.

    Raises:
        ValueError: they are not.
    """
    rank, size = np.linalg.matrix_rank(basis), basis.shape[1]
    if rank < size:
        raise ValueError(f"the basis must have {size} independent columns, got rank {rank}")


def kept_variables(task: HistoryTask) -> NDArray[np.int64]:
    """Places of the variables that some output reads now or later: in each dimension, from the oldest that is read.

    Args:
        task: its rule must be linear.

    Example:
        >>> from .generators import repeat_copy
        >>> len(kept_variables(repeat_copy()))
        64
    """
    used = (_matrix(task) != 0).any(axis=0).reshape(task.window, task.dimensions)
    needed = np.logical_or.accumulate(used, axis=0)
    needed[-1] = True  # outputs themselves
    return np.flatnonzero(needed.ravel())
