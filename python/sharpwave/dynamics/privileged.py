"""The basis in which the hidden units of a network are the variables of a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..counts import count
from ..recurrent.circuits import companion, kept_variables
from ..recurrent.network import RNN
from ..recurrent.tasks import HistoryTask
from ..suggest import unknown

Array = NDArray[np.float64]
Method = Literal["powers", "regression"]
METHODS = ("powers", "regression")
Ground = Literal["readout", "input", "mix"]
GROUNDS = ("readout", "input", "mix")


@dataclass(frozen=True, eq=False)
class PrivilegedBasis:
    """Directions of a task's variables in the hidden space of a network.

    Attributes:
        basis: Psi (n, variables).
        dual: Psi's pseudo-inverse (variables, n); applied to hidden units it gives the variables.
        variables: for each column, its block (0 is the oldest) and dimension, (variables, 2).
        operator: Phi_emp = dual W basis (variables, variables), with W the network's linearisation.
        known: Phi, what it should be; None where the task's rule is not linear, and there is no such matrix.
        condition: ratio of the largest to the smallest singular value of the basis, its columns scaled to length 1.
    """

    basis: Array
    dual: Array
    variables: NDArray[np.int64]
    operator: Array
    known: Array | None
    condition: float

    @property
    def error(self) -> float:
        """Norm of the difference of the operator from what it should be, in units of the norm of that.

        Raises:
            ValueError: the task's rule is not linear.
        """
        if self.known is None:
            raise ValueError("a rule that is not linear has no operator to compare with")
        return float(np.linalg.norm(self.operator - self.known) / np.linalg.norm(self.known))

    def read(self, states: ArrayLike) -> Array:
        """Variables of hidden units (..., n), (..., variables)."""
        return np.asarray(states) @ self.dual.T

    def window(self, states: ArrayLike) -> Array:
        """Variables of hidden units (..., n) as the window that they are, (..., s, d): waves, seen through time.

        A variable that no output reads is not in the basis, and NaN here.
        """
        values = self.read(states)
        found = np.full((*values.shape[:-1], *(self.variables.max(axis=0) + 1)), np.nan)
        found[..., self.variables[:, 0], self.variables[:, 1]] = values
        return found

    def residual(self, states: ArrayLike, count: int) -> tuple[Array, Array]:
        """What else is in hidden units (..., n): principal directions of h - Psi Psi* h.

        Returns:
            Directions (n, count), of length 1, the largest variance first, and variances in units of that of the hidden
            units, (count,).

        Raises:
            ValueError: more directions than there are states or units.
        """
        h = np.asarray(states, dtype=np.float64).reshape(-1, len(self.basis))
        left = h - self.read(h) @ self.basis.T
        _, sizes, rows = np.linalg.svd(left - left.mean(axis=0), full_matrices=False)
        if not 1 <= count <= len(sizes):
            raise ValueError(f"count must be from 1 to {len(sizes)}, got {count}")
        return rows[:count].T, sizes[:count] ** 2 / ((h - h.mean(axis=0)) ** 2).sum()

    def column(self, block: int, dimension: int) -> int:
        """Where a variable is.

        Raises:
            ValueError: it is not one of the variables; in a compressed basis those that no output reads are missing.
        """
        places = np.flatnonzero((self.variables == (block, dimension)).all(axis=1))
        if not len(places):
            raise ValueError(f"there is no variable of block {block} and dimension {dimension} in this basis")
        return int(places[0])

    def overwrite(self, states: ArrayLike, column: int, values: ArrayLike) -> Array:
        """Hidden units (..., n) with another value (...) of one variable; all else stays."""
        h = np.asarray(states, dtype=np.float64)
        change = np.asarray(values) - h @ self.dual[column]
        return np.asarray(h + change[..., None] * self.basis[:, column])

    def ablate(self, states: ArrayLike, column: int) -> Array:
        """Hidden units without one variable: it is 0."""
        return self.overwrite(states, column, 0.0)

    def swap(self, states: ArrayLike, first: int, second: int) -> Array:
        """Hidden units in which two variables have each other's value."""
        h = np.asarray(states, dtype=np.float64)
        a, b = h @ self.dual[first], h @ self.dual[second]
        return self.overwrite(self.overwrite(h, first, b), second, a)


def privileged_basis(
    network: RNN,
    task: HistoryTask,
    method: Method = "powers",
    *,
    ground: Ground = "readout",
    state: ArrayLike | None = None,
    examples: int = 256,
    seed: int = 0,
) -> PrivilegedBasis:
    """Find the variables of a task in a network.

    Args:
        network: trained or constructed.
        task: what it does; variables that no output reads are left out. If its rule is not linear, they are all kept,
            and only the regression finds them.
        method: `"powers"`, arXiv 2310.02430: the newest block is the pseudo-inverse of the readout, the block before is
            W applied to it, and so on; errors grow with the powers. `"regression"`: the last outputs are the variables,
            and the basis is that from which hidden units follow best, in the mean of squares; it is well conditioned,
            and does not assume that the network is linear.
        ground: of the powers, whether the newest block is grounded in the `"readout"` (its pseudo-inverse), in the
            `"input"` weights, or in their mean, `"mix"`.
        state: the fixed point (n,) at which the network is linearised; None: 0.
        examples, seed: that the regression is given; the network runs on for four windows after the inputs. With too
            few of them the basis has a condition without bounds.

    Raises:
        ValueError: an unknown method or ground, powers of a rule that is not linear, sizes that do not fit, or a
            network without so many dimensions.
    """
    for kind, name, names in (("method", method, METHODS), ("ground", ground, GROUNDS)):
        if name not in names:
            raise ValueError(unknown(kind, name, names))
    d = task.dimensions
    if network.input.shape[1] != d or len(network.readout) != d:
        raise ValueError(
            f"the network has {network.input.shape[1]} inputs and {len(network.readout)} outputs, the task {d} of each"
        )
    linear = task.matrix is not None
    if method == "powers" and not linear:
        raise ValueError(f"the rule of {task.name} is not linear: use method='regression'")
    kept = kept_variables(task) if linear else np.arange(task.window * d)
    if network.hidden < len(kept):
        raise ValueError(f"{network.hidden} hidden units cannot hold the {len(kept)} variables of {task.name}")
    weights, examples = network.jacobian(state), count("examples", examples)
    if method == "powers":
        basis = _powers(weights, network, task, ground)[:, kept]
    else:
        basis = _regression(network, task, kept, examples, seed)
    length = np.linalg.norm(basis, axis=0)
    if not (np.isfinite(length).all() and (length > 0).all()):
        raise ValueError("some variable has no direction in this network: its powers vanish or diverge")
    dual = np.linalg.pinv(basis / length) / length[:, None]
    condition = float(np.linalg.cond(basis / length))
    variables = np.stack(np.divmod(kept, d), axis=1)
    known = companion(task)[np.ix_(kept, kept)] if linear else None
    return PrivilegedBasis(basis, dual, variables, dual @ weights @ basis, known, condition)


def _powers(weights: Array, network: RNN, task: HistoryTask, ground: Ground) -> Array:
    read, written = np.linalg.pinv(network.readout), network.input
    blocks = [{"readout": read, "input": written, "mix": (read + written) / 2}[ground]]
    for _ in range(task.window - 1):
        blocks.append(weights @ blocks[-1])
    return np.concatenate(blocks[::-1], axis=1)


def _regression(network: RNN, task: HistoryTask, kept: NDArray[np.int64], examples: int, seed: int) -> Array:
    """Least squares from the last outputs to hidden units, at all times at which a whole window of outputs is there."""
    s = task.window
    inputs, _ = task.batch(seed, 0, examples, 1, stream=3)
    states = network.states(inputs.numpy(), 5 * s)[:, s:]
    outputs = network.outputs(states)
    ends = range(s, 4 * s + 1)
    windows = np.stack([outputs[:, t - s : t].reshape(examples, -1)[:, kept] for t in ends], axis=1)
    hidden = np.stack([states[:, t - 1] for t in ends], axis=1)
    solution, *_ = np.linalg.lstsq(windows.reshape(-1, len(kept)), hidden.reshape(-1, network.hidden), rcond=None)
    return np.asarray(solution.T)
