"""Newton's method with line search, from many starts in many maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..backends import in_julia
from ..counts import count
from ..recurrent.network import RNN
from .maps import Map, NetworkMap, PowerMap, as_map

Array = NDArray[np.float64]
_SHORTEST = 2.0**-12  # share of a Newton step that is still tried
_PATIENCE = 8  # steps in which a residual that leads anywhere becomes half as large
SAME = 1e-6  # distance of points that are one


def as_maps(given: Map | RNN | Sequence[Map | RNN]) -> list[Map]:
    """One map, or several of one size.

    Raises:
        ValueError: none, or maps of several sizes.
    """
    maps = [as_map(one) for one in given] if isinstance(given, Sequence) else [as_map(given)]
    sizes = sorted({map.size for map in maps})
    if len(sizes) != 1:
        raise ValueError(f"expected maps of one size, at least one, got {len(maps)} of sizes {sizes}")
    return maps


def kernel_arrays(maps: Sequence[Map]) -> tuple[Array, Array] | None:
    """Recurrent weights (maps, n, n) and bias with the input (maps, n), if all are networks of tanh units."""
    networks = [map for map in maps if isinstance(map, NetworkMap) and map.network.nonlinearity == "tanh"]
    if len(networks) < len(maps):
        return None
    drives = [map.network.bias + map.network.input @ np.asarray(map.input) for map in networks]
    return np.stack([map.network.recurrent for map in networks]), np.stack(drives)


NOT_TANH = "Julia looks into networks of tanh units"


def first_states(starts: ArrayLike | int, maps: int, n: int, seed: int) -> Array:
    """States to begin from, (maps, starts, n), as `fixed_points` has them.

    Raises:
        ValueError: another shape, numbers that are not finite, or fewer than none.
    """
    if np.ndim(starts) == 0:
        drawn = np.random.default_rng(seed).uniform(-1, 1, (count("starts", starts, 0), n))
        h = np.concatenate([np.zeros((1, n)), drawn])
    else:
        h = np.array(starts, dtype=np.float64)
    fits = h.shape[-1:] == (n,) and (h.ndim == 2 or (h.ndim == 3 and len(h) == maps))
    if not fits or not np.isfinite(h).all():
        several = f", or ({maps}, starts, {n})" if maps > 1 else ""
        raise ValueError(f"starts must be finite and (starts, {n}){several}, or a number, got shape {h.shape}")
    return np.broadcast_to(h, (maps, *h.shape[-2:])).copy()


def search(
    maps: Sequence[Map], period: int, starts: Array, tolerance: float, steps: int, backend: str
) -> tuple[Array, Array]:
    """Where starts (maps, starts, n) come to that are to come back after a period.

    Returns:
        Points, and the largest component of what is missing there, (maps, starts).
    """
    arrays = kernel_arrays(maps)
    if in_julia(backend, "" if arrays else NOT_TANH, other="numpy"):
        from sharpwave_bridge import call

        assert arrays is not None
        points, missing = np.array(starts), np.empty(starts.shape[:2])
        call("find_points", np.array([period, steps, 0]), float(tolerance), *arrays, points, missing)
        return points, missing
    rounds = [PowerMap(map, period) for map in maps]
    points = np.stack([_newton(one, h, tolerance, steps) for one, h in zip(rounds, starts, strict=True)])
    with np.errstate(all="ignore"):
        back = [np.abs(one.step(h) - h).max(axis=1, initial=0.0) for one, h in zip(rounds, points, strict=True)]
    return points, np.stack(back)


def different(points: Array, order: Array | None = None, distance: float = SAME) -> Array:
    """Points (points, n), each once: of those within a distance the first in order, which is that of a key (points,);
    None: the one nearest to 0 first."""
    key = np.linalg.norm(points, axis=1).round(6) if order is None else order
    left, found = points[np.argsort(key, kind="stable")], []
    while len(left):
        found.append(left[0])
        left = left[np.abs(left - left[0]).max(axis=1, initial=0.0) > distance]
    return np.array(found).reshape(-1, points.shape[1])


def sorted_eigenvalues(matrices: Array) -> NDArray[np.complex128]:
    """Of (..., n, n), (..., n), the largest modulus first."""
    found = np.linalg.eigvals(matrices).astype(np.complex128)
    return np.take_along_axis(found, np.argsort(-np.abs(found), axis=-1, kind="stable"), axis=-1)


def _newton(map: Map, starts: Array, tolerance: float, steps: int) -> Array:
    """Newton's method from all starts; a step that makes the residual larger is halved, and a start that no share of a
    step brings nearer, or many steps not much, is left where it is."""
    h, going, before = starts.copy(), np.arange(len(starts)), np.full(len(starts), np.inf)
    with np.errstate(all="ignore"):
        for step in range(steps):
            residual = map.step(h[going]) - h[going]
            wrong = np.abs(residual).max(axis=1, initial=0.0)
            size, some = np.linalg.norm(residual, axis=1), wrong > tolerance
            if step % _PATIENCE == 0:
                some &= ~(size > before[going] / 2)
                before[going] = size
            going, residual, size = going[some], residual[some], size[some]
            if not len(going):
                break
            move = _solved(np.eye(map.size) - map.jacobian(h[going]), residual)
            share = np.ones(len(going))
            waiting = np.arange(len(going))
            while len(waiting) and share[waiting[0]] >= _SHORTEST:
                there = h[going[waiting]] + share[waiting, None] * move[waiting]
                nearer = np.linalg.norm(map.step(there) - there, axis=1) < size[waiting]
                h[going[waiting[nearer]]] = there[nearer]
                waiting = waiting[~nearer]
                share[waiting] /= 2
            going = np.delete(going, waiting)
    return h


def _solved(matrices: Array, values: Array) -> Array:
    """Solutions of linear systems; of singular ones those of least squares."""
    try:
        return np.asarray(np.linalg.solve(matrices, values[..., None])[..., 0], dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.stack([_least_squares(matrix, value) for matrix, value in zip(matrices, values, strict=True)])


def _least_squares(matrix: Array, value: Array) -> Array:
    if not (np.isfinite(matrix).all() and np.isfinite(value).all()):
        return np.full(len(value), np.nan)
    return np.asarray(np.linalg.lstsq(matrix, value, rcond=None)[0], dtype=np.float64)
