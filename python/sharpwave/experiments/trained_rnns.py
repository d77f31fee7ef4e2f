"""RNNs that experiments train on the tasks of variable binding, kept in the run's directory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..files import whole
from .experiment import Context
from .sweeping import points

if TYPE_CHECKING:
    from ..recurrent import RNN, Architecture, Protocol, Trained


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
    backend: Literal["auto", "julia", "torch"] = "auto"
    """Who trains: auto is Julia, or torch where there is no Julia."""

    def __post_init__(self) -> None:
        known = TrainedRnnConfig.tasks
        if not self.tasks or not set(self.tasks) <= set(known):
            raise ValueError(f"tasks must be among {', '.join(known)}, got {', '.join(self.tasks) or 'none'}")
        if min(self.seeds, self.hidden, self.steps) < 1:
            raise ValueError("all numbers must be at least 1")


def trained_rnns(context: Context) -> dict[str, list[RNN]]:
    """The networks, by task; those that a killed run has trained are read again."""
    from ..recurrent import Elman

    config: TrainedRnnConfig = context.config
    home, found = points(context), {}
    for place, task in enumerate(config.tasks):

        def watch(done: int, steps: int, place: int = place) -> None:
            context.progress(place + done / steps, len(config.tasks) + 0.1)

        path = networks_file(home, task)
        if not path.exists():
            train_and_keep(config, Elman(config.hidden), task, binding_protocol(config), home, task, watch)
        with np.load(path, allow_pickle=False) as file:
            found[task] = as_rnns(file)
    return found


def train_and_keep(
    config: Any, architecture: Architecture, task: str, protocol: Protocol, home: Path, label: str,
    watch: Callable[[int, int], None] | None = None,
) -> Trained:  # fmt: skip
    """Train networks from their checkpoint on, if there is one, and keep them in `networks_file`.

    Args:
        config: says `seed` and `seeds`, and may say `backend`.
        architecture: of the networks.
        task: one of `published_tasks`.
        protocol: of the training.
        home: directory of the files.
        label: begins their names.
        watch: called with the steps done and their number.
    """
    from ..recurrent import published_tasks, train

    home.mkdir(parents=True, exist_ok=True)
    checkpoint = home / f"{label}.npz"
    trained = train(
        architecture, published_tasks()[task], range(config.seed, config.seed + config.seeds), protocol,
        checkpoint=checkpoint, watch=watch, backend=getattr(config, "backend", "auto"),
    )  # fmt: skip
    arrays: dict[str, Any] = dict(trained.parameters)
    with whole(networks_file(home, label)) as path, path.open("wb") as file:
        np.savez(file, **arrays)
    checkpoint.unlink(missing_ok=True)
    return trained


def binding_protocol(config: Any, weight_decay: float = 0.0) -> Protocol:
    """That of the paper, with the `steps` and `horizons` of a configuration, and L2."""
    from ..recurrent import Protocol

    return Protocol(steps=config.steps, weight_decay=weight_decay, horizons=config.horizons)


def networks_file(home: Path, label: str) -> Path:
    """Where the networks of this name are kept."""
    return home / f"{label}-networks.npz"


def as_rnns(parameters: Mapping[str, Any]) -> list[RNN]:
    """Networks of tanh units from their parameters, which have a leading axis."""
    from ..recurrent import RNN

    parts = [np.asarray(parameters[name]) for name in ("recurrent", "input", "readout")]
    return [RNN(*weights) for weights in zip(*parts, strict=True)]
