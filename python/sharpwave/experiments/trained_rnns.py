"""RNNs that experiments train on the tasks of variable binding, kept in the run's directory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..files import whole
from .experiment import Context
from .sweeping import points

if TYPE_CHECKING:
    from ..recurrent import RNN


@dataclass(frozen=True)
class TrainedRnnConfig:
    """Networks that are trained, by the protocol of arXiv 2310.02430, see `sharpwave.recurrent.Protocol`."""

    seed: int = 0
    """Of the first network of each task; others have the seeds that follow."""
    seeds: int = 5
    """Networks of each task."""
    tasks: tuple[str, ...] = ("T1", "T2", "T3", "T4")
    """Tasks of the paper."""
    hidden: int = 128
    """Hidden units."""
    steps: int = 20_000
    """Steps of training."""
    horizons: tuple[int, ...] = (10, 20, 40, 60, 100)
    """Outputs that count, one stage after the other."""
    trials: int = 500
    """Interventions on each network."""
    backend: Literal["auto", "julia", "torch"] = "auto"
    """Who trains: auto is Julia, or torch where there is no Julia."""

    def __post_init__(self) -> None:
        known = TrainedRnnConfig.tasks
        if not self.tasks or not set(self.tasks) <= set(known):
            raise ValueError(f"tasks must be among {', '.join(known)}, got {', '.join(self.tasks) or 'none'}")
        if min(self.seeds, self.hidden, self.steps, self.trials) < 1:
            raise ValueError("all numbers must be at least 1")


def trained_rnns(context: Context) -> dict[str, list[RNN]]:
    """The networks, by task; those that a killed run has trained are read again."""
    from ..recurrent import RNN, Elman, Protocol, published_tasks, train

    config: TrainedRnnConfig = context.config
    home, found = points(context), {}
    home.mkdir(parents=True, exist_ok=True)
    for place, task in enumerate(config.tasks):
        path, checkpoint = home / f"{task}-networks.npz", home / f"{task}.npz"

        def watch(done: int, steps: int, place: int = place) -> None:
            context.progress(place + done / steps, len(config.tasks) + 0.1)

        if not path.exists():
            trained = train(
                Elman(config.hidden), published_tasks()[task], range(config.seed, config.seed + config.seeds),
                Protocol(steps=config.steps, horizons=config.horizons),
                checkpoint=checkpoint, watch=watch, backend=config.backend,
            )  # fmt: skip
            with whole(path) as beside, beside.open("wb") as file:
                np.savez(file, accuracy=trained.test(), **dict(trained.parameters))  # type: ignore[arg-type]
            checkpoint.unlink(missing_ok=True)
        with np.load(path, allow_pickle=False) as file:
            parts = [file[name] for name in ("recurrent", "input", "readout")]
        found[task] = [RNN(*weights) for weights in zip(*parts, strict=True)]
    return found
