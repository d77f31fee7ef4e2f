"""Graphs of transitions between memories, as weight matrices: entry [k, l] is the weight of k leading to l."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def cycle(n: int) -> Array:
    """The cycle 0 -> 1 -> ... -> n-1 -> 0 as a matrix (n, n).

    Example:
        >>> cycle(3)
        array([[0., 1., 0.],
               [0., 0., 1.],
               [1., 0., 0.]])
    """
    return transitions([(k, (k + 1) % n) for k in range(_count(n))], n)


def chain(n: int) -> Array:
    """The open chain 0 -> 1 -> ... -> n-1 as a matrix (n, n).

    Example:
        >>> chain(3)
        array([[0., 1., 0.],
               [0., 0., 1.],
               [0., 0., 0.]])
    """
    return transitions([(k, k + 1) for k in range(_count(n) - 1)], n)


def transitions(edges: Iterable[Sequence[float]], n: int) -> Array:
    """A graph of transitions from its edges.

    Args:
        edges: pairs (from, to) or triples (from, to, weight); memories count from 0, the default weight is
            1. Weights of an edge that is given twice add up.
        n: number of memories.

    Returns:
        The weights, (n, n).

    Raises:
        ValueError: an edge is not a pair or a triple, or names a memory that is not there.

    Example:
        Two episodes, 0-1-0 and 2-3-2:

        >>> transitions([(0, 1), (1, 0), (2, 3), (3, 2, 0.5)], 4)
        array([[0. , 1. , 0. , 0. ],
               [1. , 0. , 0. , 0. ],
               [0. , 0. , 0. , 1. ],
               [0. , 0. , 0.5, 0. ]])
    """
    matrix = np.zeros((_count(n), n))
    for edge in edges:
        parts = tuple(edge)
        if len(parts) not in (2, 3):
            raise ValueError(f"an edge is (from, to) or (from, to, weight), got {parts!r}")
        for end in parts[:2]:
            if int(end) != end or not 0 <= end < n:
                raise ValueError(f"edge {parts!r} names memory {end!r}: expected integers from 0 to {n - 1}")
        matrix[int(parts[0]), int(parts[1])] += parts[2] if len(parts) == 3 else 1.0
    return matrix


def as_matrix(given: Any, n: int) -> Array:
    """The transition matrix (n, n) of what a user gave.

    Args:
        given: a matrix (n, n); a list of edges as for `transitions`; a networkx graph whose nodes are
            0..n-1, with an optional edge attribute "weight"; or None for no transitions.
        n: number of memories.

    Raises:
        ValueError: it does not fit n memories, or is not finite.
    """
    if given is None:
        return np.zeros((n, n))
    if hasattr(given, "edges") and callable(given.edges):
        both_ways = (
            [] if given.is_directed() else [(b, a, w) for a, b, w in given.edges(data="weight", default=1.0) if a != b]
        )
        return transitions([*given.edges(data="weight", default=1.0), *both_ways], n)
    matrix = transitions(given, n) if _is_edge_list(given) else np.array(given, dtype=np.float64)
    if matrix.shape != (n, n):
        raise ValueError(f"transitions must be ({n}, {n}) for {n} memories, got shape {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise ValueError("transitions must be finite, got NaN or infinity")
    return matrix


def _is_edge_list(given: Any) -> bool:
    """A list of tuples is a list of edges; a matrix is an array or a list of lists."""
    return not isinstance(given, np.ndarray) and all(isinstance(edge, tuple) for edge in given)


def _count(n: int) -> int:
    if isinstance(n, bool) or int(n) != n or n < 1:
        raise ValueError(f"the number of memories must be a positive integer, got {n!r}")
    return int(n)
