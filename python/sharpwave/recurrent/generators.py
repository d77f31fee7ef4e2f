"""Tasks by what their rules read: linear ones, bindings, parities, and those of the paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .tasks import HistoryTask

if TYPE_CHECKING:
    from torch import Tensor


class Source(NamedTuple):
    """Where an output is read from, as papers count: block 1 is the oldest of the window, and dimensions begin at 1."""

    block: int
    dimension: int
    sign: int = 1


def linear_task(name: str, matrix: ArrayLike, window: int, dimensions: int) -> HistoryTask:
    """A task whose rule is linear.

    Args:
        name: of the task.
        matrix: F' (d, s d), from the history as one vector, the oldest value first.
        window, dimensions: s and d.

    Raises:
        ValueError: the matrix is not (d, s d), or not finite.

    Example:
        >>> linear_task("Fibonacci", [[1.0, 1.0]], window=2, dimensions=1).continued([[1.0], [2.0]], 3).tolist()
        [[3.0], [5.0], [8.0]]
    """
    if np.iscomplexobj(matrix):
        raise ValueError(f"{name}: the matrix must be real; a complex value is two dimensions, and its product 2 x 2")
    weights = np.array(matrix, dtype=np.float64)
    if weights.shape != (dimensions, window * dimensions) or not np.isfinite(weights).all():
        raise ValueError(
            f"{name}: the matrix must be finite and ({dimensions}, {window * dimensions}), from s d = "
            f"{window * dimensions} numbers to d = {dimensions}; got shape {weights.shape}"
        )
    weights.flags.writeable = False

    def rule(history: Tensor) -> Tensor:
        return history.flatten(-2) @ history.new_tensor(weights).T

    return HistoryTask(name, window, dimensions, rule, weights)


def binding_task(name: str, sources: Sequence[tuple[int, int, int]], window: int) -> HistoryTask:
    """A task in which each output repeats, or negates, one number of the history.

    Args:
        name: of the task.
        sources: for each output, block (1 is the oldest), dimension (from 1) and sign (1 or -1).
        window: s.

    Raises:
        ValueError: a source outside the window, or a sign that is none.

    Example:
        >>> task = binding_task("turn", [(1, 2, 1), (1, 1, -1)], window=1)
        >>> task.continued([[1.0, 2.0]], 3).tolist()
        [[2.0, -1.0], [-1.0, -2.0], [-2.0, 1.0]]
    """
    found, dimensions = [Source(*source) for source in sources], len(sources)
    places, signs = [], [float(sign) for *_, sign in found]
    for output, (block, dimension, sign) in enumerate(found, 1):
        if not _inside(block, dimension, window, dimensions) or sign not in (1, -1):
            raise ValueError(
                f"{name}: output {output} <- {(block, dimension, sign)}: expected a block from 1 to {window}, a "
                f"dimension from 1 to {dimensions}, and a sign of 1 or -1"
            )
        places.append(_place(block, dimension, dimensions))
    matrix = np.zeros((dimensions, window * dimensions))
    matrix[range(dimensions), places] = signs
    matrix.flags.writeable = False

    def rule(history: Tensor) -> Tensor:
        return history.flatten(-2)[..., places] * history.new_tensor(signs)

    return HistoryTask(name, window, dimensions, rule, matrix)


def parity_task(name: str, factors: Sequence[Sequence[tuple[int, int]]], window: int) -> HistoryTask:
    """A task in which each output is the product of some numbers of the history: of -1 and 1, their exclusive or.

    The rule is not linear, unless every output has one factor.

    Args:
        name: of the task.
        factors: for each output, block (1 is the oldest) and dimension (from 1) of each factor.
        window: s.

    Raises:
        ValueError: an output without factors, or a factor outside the window.

    Example:
        Binary Fibonacci by exclusive or:

        >>> task = parity_task("xor", [[(1, 1), (2, 1)]], window=2)
        >>> task.continued([[1.0], [-1.0]], 4)[:, 0].tolist()
        [-1.0, 1.0, -1.0, -1.0]
    """
    dimensions = len(factors)
    for output, places in enumerate(factors, 1):
        for block, dimension in places:
            if not _inside(block, dimension, window, dimensions):
                raise ValueError(
                    f"{name}: output {output} reads {(block, dimension)}: expected a block from 1 to {window} and a "
                    f"dimension from 1 to {dimensions}"
                )
        if not places:
            raise ValueError(f"{name}: output {output} has no factors, expected at least one")
    read = [[_place(*source, dimensions) for source in places] for places in factors]

    def rule(history: Tensor) -> Tensor:
        import torch

        return torch.stack([history.flatten(-2)[..., places].prod(dim=-1) for places in read], dim=-1)

    return HistoryTask(name, window, dimensions, rule)


def _inside(block: float, dimension: float, window: int, dimensions: int) -> bool:
    """Whether a history has such a number, and the two are whole."""
    return block in range(1, window + 1) and dimension in range(1, dimensions + 1)


def _place(block: float, dimension: float, dimensions: int) -> int:
    """Where a number is in the history as one vector."""
    return int((block - 1) * dimensions + dimension - 1)


def repeat_copy(window: int = 8, dimensions: int = 8) -> HistoryTask:
    """T1: x(t) = x(t-s), the inputs over and over.

    Example:
        >>> repeat_copy(2, 1).continued([[1.0], [-1.0]], 3).tolist()
        [[1.0], [-1.0], [1.0]]
    """
    return binding_task("repeat-copy", [(1, i, 1) for i in range(1, dimensions + 1)], window)


def compose_copy(window: int = 8) -> HistoryTask:
    """T3: x_i(t) = x_i(t-s-1+i), each dimension with a delay of its own.

    Example:
        >>> compose_copy(2).continued([[1.0, -1.0], [-1.0, 1.0]], 2).tolist()
        [[1.0, 1.0], [-1.0, 1.0]]
    """
    return binding_task("compose-copy", [(i, i, 1) for i in range(1, window + 1)], window)


# Source: arXiv 2310.02430 and its authors' notes: output i <- block, dimension, sign.
_T2 = [(5, 5, -1), (4, 4, 1), (3, 3, -1), (1, 1, -1), (2, 2, -1), (6, 6, -1), (8, 8, 1), (7, 7, -1)]
_T4 = [(6, 6, -1), (7, 7, 1), (1, 1, 1), (2, 2, 1), (3, 3, -1), (4, 4, 1), (5, 5, -1), (8, 8, 1)]


def published_tasks() -> dict[str, HistoryTask]:
    """The four tasks of arXiv 2310.02430, with s = d = 8, as `"T1"` to `"T4"`.

    Example:
        >>> {name: int(np.abs(task.matrix).sum()) for name, task in published_tasks().items()}
        {'T1': 8, 'T2': 8, 'T3': 8, 'T4': 8}
    """
    return {
        "T1": repeat_copy(),
        "T2": binding_task("T2", _T2, 8),
        "T3": compose_copy(),
        "T4": binding_task("T4", _T4, 8),
    }
