"""RNNs that begin as a wave lattice learn sooner than those that begin at random."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .experiment import Context, Experiment
from .sweeping import kept, points

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

_STARTS = ("wave", "uniform")


@dataclass(frozen=True)
class WaveInitConfig:
    """What is trained; all else is the protocol of arXiv 2310.02430. The task and the sizes are choices made here."""

    seed: int = 0
    """Of the first network of each kind; others have the seeds that follow."""
    seeds: int = 10
    """Networks of each kind."""
    windows: tuple[int, ...] = (4, 8, 16, 32, 64)
    """Lengths s of the history: repeat copy."""
    dimensions: int = 2
    """Of a vector. There are twice as many hidden units as numbers in the window."""
    steps: int = 5000
    """Steps of training at most."""
    solved_at: float = 0.98
    """Share of right signs from which a task is solved: from which networks go on in the protocol."""
    backend: Literal["auto", "julia", "torch"] = "auto"
    """Who trains: auto is Julia, or torch where there is no Julia."""

    def __post_init__(self) -> None:
        if not self.windows or min(self.seeds, self.dimensions, self.steps, *self.windows) < 1:
            raise ValueError("expected at least one window, and all numbers at least 1")


def learn(context: Context) -> dict[str, Any]:
    """Count the steps after which a network makes no mistake for two windows."""
    config, home = context.config, points(context)
    found = np.full((len(config.windows), len(_STARTS), config.seeds), np.nan)
    kinds = [(i, j) for i in range(len(config.windows)) for j in range(len(_STARTS))]
    for done, (i, j) in enumerate(kinds):
        window, start = config.windows[i], _STARTS[j]
        path = home / f"{window}-{start}.json"
        point = kept(path, partial(_steps, config, window, start, path.with_suffix(".npz")))
        found[i, j] = [np.nan if steps is None else steps for steps in point["steps"]]
        context.progress(done + 1, len(kinds))
    rows = []
    for i, window in enumerate(config.windows):
        cells = [window, 2 * window * config.dimensions]
        for j, start in enumerate(_STARTS):
            solved = found[i, j][np.isfinite(found[i, j])]
            median = f"{np.median(solved):.0f}" if len(solved) else "-"
            cells += [median, f"{len(solved)}/{config.seeds}"]
            context.metric(f"s = {window}, {start}: networks that solved it", len(solved), note=f"of {config.seeds}")
            if len(solved):
                context.metric(f"s = {window}, {start}: steps to solution, median", float(np.median(solved)))
        rows.append(cells)
    context.table(
        "Steps to solution",
        ["s", "units", "wave: steps", "solved", "random: steps", "solved "],
        rows,
        f"Median over the networks that repeat {config.dimensions}-dimensional vectors for two windows with a share of "
        f"{config.solved_at:g} of all signs right on 64 examples, checked every 50 steps, within {config.steps} steps; "
        f"{config.seeds} networks of each kind.",
    )
    context.figure(
        "steps",
        _draw(config, found),
        title="Steps to solution against the length of the history",
        alt="Networks that begin as waves need few steps at any length; others need more and more, or do not learn.",
        caption="A dot for each network that solved the task; lines join the medians.",
    )
    return {"steps": (("window", "start", "seed"), found), "window": list(config.windows), "start": list(_STARTS)}


def _steps(config: WaveInitConfig, window: int, start: str, checkpoint: Path) -> dict[str, Any]:
    from ..recurrent import Elman, Protocol, repeat_copy, train

    d = config.dimensions
    protocol = Protocol(
        steps=config.steps, horizons=(2 * window,), patience=1, check_every=50, done_at=config.solved_at
    )
    trained = train(
        Elman(2 * window * d, start=start), repeat_copy(window, d), range(config.seed, config.seed + config.seeds),
        protocol, backend=config.backend, checkpoint=checkpoint,
    )  # fmt: skip
    checkpoint.unlink(missing_ok=True)
    solved = np.any(trained.checks["accuracy"] >= config.solved_at, axis=0)
    return {"steps": [int(n) if good else None for n, good in zip(trained.steps, solved, strict=True)]}


def _draw(config: WaveInitConfig, found: NDArray[np.float64]) -> Figure:
    from matplotlib.figure import Figure

    from ..plots import COLORS, style

    with style():
        figure = Figure(figsize=(4.8, 3.4), layout="constrained")
        axes = figure.add_subplot()
        for j, label in enumerate(("wave", "random")):
            place = np.array(config.windows) * (0.97, 1.03)[j]
            axes.plot(np.repeat(place, config.seeds), found[:, j].ravel(), ".", color=COLORS[j], alpha=0.4)
            solved = np.isfinite(found[:, j]).any(axis=1)
            medians = [np.nanmedian(line) for line in found[solved, j]]
            axes.plot(place[solved], medians, "o-", color=COLORS[j], markersize=4, label=label)
        axes.set(xscale="log", yscale="log", xlabel="length s of the history", ylabel="steps to solution")
        axes.set_xticks(config.windows, [str(s) for s in config.windows])
        axes.minorticks_off()
        axes.legend()
        return figure


EXPERIMENT = Experiment(
    name="wave-init",
    title="Waves as initial weights",
    summary="An RNN whose recurrent weights begin as a shift carries its inputs from the first step of training on. "
    "Such networks are compared with those that begin at random: how many steps they take to repeat a sequence, for "
    "histories of several lengths.",
    source="beyond arXiv 2402.10163, whose waves these are",
    config=WaveInitConfig,
    quick={"seeds": 2, "windows": (4,), "steps": 2000},
    steps=(learn,),
    headline=tuple(f"s = {s}, {start}: networks that solved it" for s in (8, 32, 64) for start in _STARTS),
    expected="networks that begin as waves solve all lengths, and sooner",
    tables=("Steps to solution",),
)
