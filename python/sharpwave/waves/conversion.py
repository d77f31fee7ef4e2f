"""Lattices as RNNs and back, and as attention-only transformers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..recurrent.circuits import Circuit, circuit, expect_independent, real_basis
from ..recurrent.generators import linear_task
from ..recurrent.network import RNN
from ..recurrent.tasks import HistoryTask
from .boundaries import LinearBoundary
from .lattice import WaveLattice, compile_history_system

Array = NDArray[np.float64]


def as_task(lattice: WaveLattice, name: str = "lattice") -> HistoryTask:
    """The history-dependent system that a lattice is; the inverse of `compile_history_system`.

    Its window is the lattice's memory, with whatever ends and speed.

    Example:
        >>> from .boundaries import LinearBoundary
        >>> as_task(WaveLattice(3, 1, LinearBoundary({1: 1.0, 3: 2.0}))).matrix.tolist()
        [[1.0, 0.0, 2.0]]
    """
    window, d = lattice.memory, lattice.rows
    if not isinstance(lattice.boundary, LinearBoundary):
        return HistoryTask(name, window, d, lattice.next)
    matrix = np.zeros((d, window, d))
    for place, phi in lattice.feedback.phi.items():
        matrix[:, place - 1] = phi if phi.ndim == 2 else np.diag(np.broadcast_to(phi, d))
    return linear_task(name, matrix.reshape(d, -1), window, d)


def as_rnn(lattice: WaveLattice, basis: ArrayLike | None = None) -> Circuit:
    """A linear lattice as a linear RNN, its columns hidden in any basis.

    Args:
        lattice: its boundary must be linear.
        basis: C (n, s d), a column for each place on the lattice, column by column of it, the oldest first; None: the
            unit vectors.

    Raises:
        ValueError: the boundary is not linear, or the basis is not of s d independent columns.

    Source:
        arXiv 2402.10163: h(t) = C A C^+ h(t-1), with A the shift and, in its last rows, the boundary.

    Example:
        >>> from .boundaries import LinearBoundary
        >>> as_rnn(WaveLattice(2, 1, LinearBoundary({1: 3.0}))).network.recurrent.tolist()
        [[0.0, 1.0], [3.0, 0.0]]
    """
    return circuit(as_task(lattice), basis)


def from_rnn(network: RNN, basis: ArrayLike, columns: int, *, tolerance: float = 1e-8) -> WaveLattice:
    """The linear lattice that a linear RNN is in a basis.

    Args:
        network: its nonlinearity must be the identity.
        basis: C (n, s d), as in `as_rnn`.
        columns: s.
        tolerance: by how much its operator may differ from a shift in all columns but the last.

    Raises:
        ValueError: the network is not linear, the basis is singular or complex or of another size, or what the network
            does in this basis is not a wave.

    Example:
        >>> from .boundaries import LinearBoundary
        >>> rnn = as_rnn(WaveLattice(2, 1, LinearBoundary({1: 3.0})), [[1.0, 1.0], [0.0, 2.0]])
        >>> from_rnn(rnn.network, rnn.basis, columns=2).boundary.phi[1].round(9).tolist()
        [[3.0]]
    """
    if network.nonlinearity != "identity":
        raise ValueError(
            f"only a linear network is a linear lattice, this one has {network.nonlinearity}: linearise it"
        )
    psi = real_basis(basis)
    size = psi.shape[1] if psi.ndim == 2 else 0
    if psi.ndim != 2 or len(psi) != network.hidden or columns < 1 or size % columns or not size:
        raise ValueError(
            f"the basis must be ({network.hidden}, {columns} x rows) for {network.hidden} units, got {psi.shape}"
        )
    expect_independent(psi)
    d = size // columns
    operator = np.linalg.pinv(psi) @ network.recurrent @ psi
    shift = np.eye(size - d, size, d)
    off = max(
        np.abs(operator[: size - d] - shift).max(initial=0.0), np.abs(network.recurrent @ psi - psi @ operator).max()
    )
    if off > tolerance:
        raise ValueError(
            "in this basis the network does not shift its columns, or does not stay in it: it is off by "
            f"{off:.2g}, more than {tolerance:.2g}; "
            "find a basis with `sharpwave.dynamics.privileged_basis`"
        )
    matrix = operator[size - d :]
    matrix[np.abs(matrix) <= tolerance] = 0.0
    return compile_history_system(linear_task("lattice", matrix, columns, d))
