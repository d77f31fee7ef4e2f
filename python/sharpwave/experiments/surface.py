"""An energy surface over two features: three corners of a square as memories, and how the surface moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .experiment import Context, Experiment

if TYPE_CHECKING:
    from ..memory import Recall

CORNERS = ((1.0, 1.0), (1.0, -1.0), (-1.0, 1.0))
CUE = (-0.3, -0.8)
_GRID = np.stack(np.meshgrid(*2 * [np.linspace(-1.5, 1.5, 61)]), axis=-1)  # beyond the memories, at sqrt(1.2)


@dataclass(frozen=True)
class SurfaceConfig:
    """Constants of the run; times in units of tau_f."""

    seed: int = 0
    """Nothing is random here."""
    t_end: float = 60.0
    """Length of the recall."""
    frames: int = 9
    """Frames of the surface."""
    alpha_s: float = 1.2
    """Strength of the static coupling."""
    alpha_c: float = 4.9
    """Strength of the delayed coupling; with 0 the surface stands."""
    tau_d: float = 20.0
    """Time constant of the delay."""
    beta_d: float = 1.0
    """Gain of the delay."""
    gain: float = 100.0
    """Gain of the hidden layer."""
    backend: Literal["auto", "julia", "torch"] = "auto"
    """Who computes: auto is Julia, or torch where there is no Julia."""

    def __post_init__(self) -> None:
        if self.frames < 2:
            raise ValueError(f"frames must be at least 2, got {self.frames}")


def moving(context: Context) -> dict[str, Any]:
    """Recall with the delayed coupling."""
    result = _recall(context, context.config.alpha_c)
    visited = sorted(set(result.sequence()))
    context.metric("memories visited", f"{len(visited)} of {len(CORNERS)}")
    context.metric("transitions", max(len(result.episodes) - 1, 0))
    if len(result.dwell_times) > 1:
        context.metric("mean dwell time", float(result.dwell_times[1:].mean()), unit="tau_f")
    movement, counts = _movement(context, result), _minima(context, result)
    context.metric("movement of the surface", float(movement.max()), note="0 if it stands")
    context.metric("fewest minima", int(counts.min()))
    context.metric("most minima", int(counts.max()))
    context.metric("backend", result.stats.backend)
    _frames(
        context,
        result,
        "surface",
        "The surface moves",
        "The memories' wells rise and sink as the delayed activity feeds the next one; the features, an orange dot, "
        "follow, and their way so far is white.",
    )
    return {"features": result.features, "delayed": result.delayed, "movement": ("frame", movement)}


def standing(context: Context) -> dict[str, Any]:
    """Recall from the same cue without the delayed coupling."""
    result = _recall(context, 0.0)
    movement = _movement(context, result)
    context.metric("movement without delayed coupling", float(movement.max()), note="must be 0")
    context.metric("memories visited without delayed coupling", len(set(result.sequence())))
    context.metric("largest energy step without delayed coupling", float(np.diff(result.energy.values).max()))
    _frames(
        context,
        result,
        "standing",
        "With alpha_c = 0 it stands",
        "The same cue without delayed coupling: all frames are the same, and the features stay in the first well.",
    )
    return {"features": result.features, "movement": ("frame", movement)}


def _recall(context: Context, alpha_c: float) -> Recall:
    from ..memory import DSEM, cycle

    config = context.config
    constants = {name: getattr(config, name) for name in ("alpha_s", "tau_d", "beta_d", "gain")}
    memory = DSEM(np.array(CORNERS), cycle(len(CORNERS)), alpha_c=alpha_c, **constants)
    return memory.recall(CUE, config.t_end, backend=config.backend)


def _frame_times(context: Context) -> Any:
    return np.linspace(0.0, context.config.t_end, context.config.frames)


def _held(context: Context, result: Recall) -> Any:
    """Delayed features at the frames."""
    return result.delayed.sel(time=_frame_times(context), method="nearest").values


def _movement(context: Context, result: Recall) -> Any:
    """How much each frame's surface differs from the first one's in shape, relative to the depth of the first."""
    from ..memory import surface_energy

    surfaces = np.array([surface_energy(result.model, _GRID, held) for held in _held(context, result)])
    change = surfaces - surfaces[0]
    change -= change.mean((1, 2), keepdims=True)  # a surface that sinks as a whole moves nothing
    return np.abs(change).max((1, 2)) / np.ptp(surfaces[0])


def _minima(context: Context, result: Recall) -> Any:
    """Number of minima in each frame."""
    from ..memory import frozen_minima

    starts = _GRID[::10, ::10].reshape(-1, 2)
    points = [frozen_minima(result.model, held, starts) for held in _held(context, result)]
    return np.array([sum(point.kind == "minimum" for point in frame) for frame in points])


def _frames(context: Context, result: Recall, name: str, title: str, caption: str) -> None:
    from ..memory import plot_surface

    times = _frame_times(context)
    for part in range(0, len(times), 3):  # three panels in a row are wide enough for a phone
        context.figure(
            f"{name}_{part // 3 + 1}",
            plot_surface(result, times[part : part + 3], limit=1.5),
            title=title if part == 0 else f"{title}, continued",
            alt="The energy over the two features at three times, with its minima as crosses, the features as a dot "
            "and their way so far as a line.",
            caption=caption if part == 0 else "",
        )


EXPERIMENT = Experiment(
    name="surface",
    title="An energy surface over two features, and how it moves",
    summary="Three corners of a square are stored as a cycle. The delayed features move the energy surface: the well "
    "that holds the features fades while the next one deepens, and the features roll over. Without the delayed "
    "coupling the surface stands. The source clips features to [-1, 1]; that is left out here, because the clipping is "
    "no part of the model's equations and the energy identity does not hold where it acts. The wells therefore lie at "
    "sqrt(alpha_s) times the corners.",
    source="General Sequential Episodic Memory Model, ICML 2023, arXiv 2212.05563, the two-dimensional run",
    config=SurfaceConfig,
    quick={"t_end": 30.0, "frames": 3},
    steps=(moving, standing),
    headline=(
        "memories visited",
        "mean dwell time",
        "movement of the surface",
        "movement without delayed coupling",
        "fewest minima",
        "most minima",
    ),
    expected="the surface moves; with alpha_c = 0 it stands",
)
