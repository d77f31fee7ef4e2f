"""The energy surface at one moment: where it has its minima, and its picture for two features."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .energies import energy, equilibrium
from .model import GSEMM

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .result import Recall

Array = NDArray[np.float64]

_STEP = 0.2  # of the way to the features that the hidden layer asks for: the energy falls along all of the way


@dataclass(frozen=True, eq=False)
class StationaryPoint:
    """A point where the surface is flat.

    Attributes:
        features: V_f, (N,).
        energy: E.
        kind: "minimum", "saddle", or "degenerate" where the smallest curvature is 0 to rounding.
        curvature: the smallest, relative to that of the features alone: 1 without any coupling, negative on a saddle.
        starts: indices of the starts that came here.
    """

    features: Array
    energy: float
    kind: str
    curvature: float
    starts: tuple[int, ...]


def surface_energy(model: GSEMM, features: Array, delayed: Array) -> Array:
    """The energy at fixed V_d with the hidden layer at its equilibrium, whatever the model's tau_h.

    Args:
        model: the network.
        features: V_f, (..., N).
        delayed: V_d, (..., N) or (N,).

    Returns:
        E, (...).
    """
    return energy(model, features, delayed, equilibrium(model, features, delayed))


def frozen_minima(
    model: GSEMM, delayed: ArrayLike, starts: ArrayLike, *, tolerance: float = 1e-10, max_steps: int = 100_000
) -> tuple[StationaryPoint, ...]:
    """Where features come to rest if the delayed features are held, from given starts.

    From each start, features move towards what the hidden layer asks for, F = sqrt(a_s) Xi s_h, in steps of a fifth of
    the way. On that way the energy never rises: it is convex minus convex in the features' activity, and F minimises
    the bound that its tangent gives. Points closer than 1e-4 of the features' size are one.

    Args:
        model: the network; tau_h plays no part.
        delayed: V_d, (N,).
        starts: initial V_f, (starts, N), such as the model's patterns.
        tolerance: of |F - V_f|, relative to the features' size.
        max_steps: of each start.

    Returns:
        The points in order of rising energy. A start on a ridge can come to rest on a saddle, which is told as such.

    Raises:
        RuntimeError: a start did not come to rest.

    Example:
        Without delayed activity every pattern of a DSEM is a minimum:

        >>> from sharpwave.memory import DSEM, cycle
        >>> patterns = 10 * np.eye(3)
        >>> [point.kind for point in frozen_minima(DSEM(patterns, cycle(3)), np.zeros(3), patterns)]
        ['minimum', 'minimum', 'minimum']
    """
    f = np.array(starts, dtype=np.float64)
    held = np.array(delayed, dtype=np.float64)
    if f.ndim != 2 or f.shape[1] != model.features or held.shape != (model.features,):
        expected = f"starts (starts, {model.features}) and delayed ({model.features},)"
        raise ValueError(f"expected {expected}, got {f.shape} and {held.shape}")
    for _ in range(max_steps):
        asked = math.sqrt(model.alpha_s) * (model.hidden_activation(equilibrium(model, f, held)) @ model.patterns)
        size = max(1e-300, float(np.abs(asked).max()))
        if np.abs(asked - f).max() <= tolerance * size:
            break
        f = f + _STEP * (asked - f)
    else:
        raise RuntimeError(f"features did not come to rest in {max_steps} steps: raise max_steps or tolerance")
    groups: list[list[int]] = []
    for index, point in enumerate(f):
        for group in groups:
            if np.abs(point - f[group[0]]).max() <= 1e-4 * size:
                group.append(index)
                break
        else:
            groups.append([index])
    points = [_classified(model, f[group[0]], held, tuple(group)) for group in groups]
    return tuple(sorted(points, key=lambda point: point.energy))


def _classified(model: GSEMM, features: Array, delayed: Array, starts: tuple[int, ...]) -> StationaryPoint:
    curvature = _relative_curvature(model, features, delayed)
    kind = "degenerate" if abs(curvature) <= 1e-9 else "minimum" if curvature > 0 else "saddle"
    return StationaryPoint(features, float(surface_energy(model, features, delayed)), kind, curvature, starts)


def _relative_curvature(model: GSEMM, features: Array, delayed: Array) -> float:
    """Smallest eigenvalue of 1 - a_s R Xi J_h Xi' R with R R = J_f.

    Where the surface is flat its Hessian is R (1 - a_s R Xi J_h Xi' R) R, so that the signs are the same; but where
    units saturate, R takes the Hessian's own eigenvalues below rounding.
    """
    values, vectors = np.linalg.eigh(model.feature_activation.jacobian(features))
    seen = model.patterns @ (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    coupled = seen.T @ model.hidden_activation.jacobian(equilibrium(model, features, delayed)) @ seen
    return float(1 - model.alpha_s * np.linalg.eigvalsh(coupled)[-1])


def plot_surface(recall: Recall, times: ArrayLike, limit: float | None = None) -> Figure:
    """Draw the energy surface over two features at several times of a recall, with the way so far and the minima.

    Args:
        recall: of a single cue.
        times: one panel each; the nearest output times are taken.
        limit: axes go from -limit to limit; default a fifth beyond the largest feature.

    Raises:
        ValueError: the model has more than two features.
    """
    from matplotlib.figure import Figure

    from ..plots import COLORS, style

    model = recall.model
    if model.features != 2:
        raise ValueError(f"a surface can be drawn over two features, got {model.features}")
    t, way = recall.t.values, recall.features.values
    wanted = [int(np.abs(t - moment).argmin()) for moment in np.atleast_1d(np.asarray(times, dtype=np.float64))]
    size = 1.2 * float(np.abs(way).max()) if limit is None else limit
    axis = np.linspace(-size, size, 121)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1)
    held = recall.delayed.values
    surfaces = [surface_energy(model, grid, held[k]) for k in wanted]
    with style():
        figure = Figure(figsize=(2.3 * len(wanted) + 0.7, 3.0), layout="compressed")
        panels = figure.subplots(1, len(wanted), sharex=True, sharey=True, squeeze=False)[0]
        for panel, k, surface in zip(panels, wanted, surfaces, strict=True):
            # each panel on its own scale: the whole surface sinks and rises much more than it is deep
            panel.contourf(axis, axis, surface - surface.min(), levels=24, cmap="cividis")
            panel.plot(*way[: k + 1].T, color="white", linewidth=1.2)
            for point in frozen_minima(replace(model, tau_h=0.0), held[k], grid[::20, ::20].reshape(-1, 2)):
                if point.kind == "minimum":
                    panel.plot(*point.features, "x", color="white", markersize=6)
            panel.plot(*way[k], "o", color=COLORS[1], markersize=6, markeredgecolor="white")
            panel.set(
                title=f"t = {t[k]:.3g}", xlim=(-size, size), ylim=(-size, size), aspect="equal", xlabel="feature 0"
            )
            panel.grid(visible=False)
        panels[0].set_ylabel("feature 1")
        return figure
