"""Split MNIST in one pass, without borders that anybody tells of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..experiment import Context, Experiment
from ..sweeping import mean_and_sd, points, shown, swept
from .config import budget
from .learning import SECONDS, median_seconds, point

if TYPE_CHECKING:
    from ...replay import Strategy

_EVERY = 2000  # batches from one checkpoint to the next
_SHOWN = ("none", "experience replay", "partial replay", "DER++")


@dataclass(frozen=True)
class OnlineConfig:
    """Each image is seen once; all that is not the memory's size is a choice."""

    seed: int = 0
    """Of the first network of each kind; others have the seeds that follow."""
    seeds: int = 5
    """Networks of each kind."""
    memory: int = 1000
    """Images that the store is for; in bytes it is the same for all strategies."""
    batch: int = 10
    """New images at a time."""
    replayed: int = 64
    """Stored images beside them."""
    masked: float = 0.3
    """Share of each stored image that partial replay leaves out."""
    fuzzy: float = 0.1
    """How far images are scattered about the borders of tasks, as a share of a task."""
    hidden: tuple[int, ...] = (400, 400)
    """Units of the hidden layers."""
    learning_rate: float = 1e-3
    """Of Adam."""
    train_images: int = 60_000
    """Training images, the first ones."""
    test_images: int = 10_000
    """Test images, the first ones."""
    jobs: int = 1
    """Processes."""

    def __post_init__(self) -> None:
        numbers = (self.seeds, self.memory, self.batch, self.replayed, self.train_images, self.test_images, self.jobs)
        if min(numbers) < 1 or not self.learning_rate > 0:
            raise ValueError("all numbers must be at least 1, the learning rate positive")

    def strategies(self, size: int) -> dict[str, Strategy]:
        """All that are compared, by name, with a store of so many bytes."""
        from ...replay import (
            AveragedGradients,
            ClassBalanced,
            DarkReplay,
            ExperienceReplay,
            InterferedReplay,
            Reservoir,
        )

        number = self.replayed
        return {
            "none": list,
            "A-GEM": lambda: [AveragedGradients(size, ClassBalanced(), "step", number)],
            "reservoir replay": lambda: [ExperienceReplay(size, Reservoir(), "step", number)],
            "experience replay": lambda: [ExperienceReplay(size, ClassBalanced(), "step", number)],
            "loss-scored replay": lambda: [ExperienceReplay(size, ClassBalanced(), "step", number).scored("loss")],
            "MIR": lambda: [InterferedReplay(size, ClassBalanced(), "step", number)],
            "DER++": lambda: [DarkReplay(size, batch=number)],
            "partial replay": lambda: [ExperienceReplay(size, ClassBalanced(), "step", number, self.masked)],
        }


def learn(context: Context) -> dict[str, Any]:
    """Learn the stream with each strategy."""
    config = context.config
    names, seeds = list(config.strategies(1)), range(config.seed, config.seed + config.seeds)
    labels = {(name, seed): point(name, seed=seed) for seed in seeds for name in names}
    home = points(context)
    tasks = {label: partial(_train, config, *key, home / f"{label}.npz") for key, label in labels.items()}
    done = swept(context, tasks, config.jobs)
    found = np.array([[done[labels[name, seed]]["accuracy"] for seed in seeds] for name in names])
    rows = []
    for name, lines in zip(names, 100 * found.mean(axis=2), strict=True):
        mean, sd = mean_and_sd(lines)
        first = done[labels[name, config.seed]]
        context.metric(f"{name}: accuracy", mean, unit="%")
        seconds = median_seconds([done[labels[name, seed]] for seed in seeds])
        rows.append([
            name, shown(mean, sd, 1), f"{first['bytes'] / 1e6:.2f}", f"{first['replayed']:,}", f"{seconds:.0f}",
        ])  # fmt: skip
    context.table(
        "One pass", ["strategy", "accuracy / %", "MB kept", "images replayed", "s"], rows,
        f"All ten digits after one pass through the training images, two digits after the other, mean ± sd over "
        f"{config.seeds} networks; borders are fuzzy over {config.fuzzy:.0%} of a task. {SECONDS}",
    )  # fmt: skip
    return {"accuracy": (("strategy", "seed", "task"), found), "strategy": names, "seed": np.array(seeds)}


def _train(config: OnlineConfig, name: str, seed: int, path: Path) -> dict[str, Any]:
    from ...data import load
    from ...replay import Learner, Settings, learn_online, split_stream
    from ...torch_threads import torch_threads

    stream = split_stream(load("mnist").first(config.train_images, config.test_images))
    settings = Settings(config.hidden, config.learning_rate, config.batch)
    size = budget(config.memory, stream)
    with torch_threads(1):
        learner = Learner(stream, settings, config.strategies(size)[name](), seed)
        seconds = learn_online(learner, config.batch, config.fuzzy, path, _EVERY, resume=True)
        accuracy = [learner.accuracy(place) for place in range(len(stream.tasks))]
    path.unlink()
    return {"accuracy": accuracy, "bytes": learner.bytes, "replayed": learner.replayed, "seconds": seconds}


EXPERIMENT = Experiment(
    name="online",
    title="Ten digits in one pass",
    summary="Two digits after the other come by, each image once, and the borders are fuzzy. A store for a thousand "
    "images is all that is kept. Partial replay leaves out a share of each stored image, another one each time.",
    source="Replay in Deep Learning, arXiv 2104.04132, which names partial replay as an element that is missing",
    config=OnlineConfig,
    quick={
        "seeds": 1, "memory": 200, "replayed": 20, "hidden": (60, 60), "train_images": 3000, "test_images": 1000,
    },
    steps=(learn,),
    headline=tuple(f"{name}: accuracy" for name in _SHOWN),
    expected="at least 92 %",
    tables=("One pass",),
)  # fmt: skip
