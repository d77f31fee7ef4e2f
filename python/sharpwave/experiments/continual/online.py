"""Split MNIST in one pass, without borders that anybody tells of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..experiment import Context, Experiment
from ..sweeping import mean_and_sd, points, shown, swept

if TYPE_CHECKING:
    from ...replay import Strategy

_IMAGE = 784 + 2 + 2 + 8  # bytes of a stored image, with label, task and priority
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

    def strategies(self) -> dict[str, Strategy]:
        """All that are compared, by name."""
        from ...replay import (
            AveragedGradients,
            ClassBalanced,
            DarkReplay,
            ExperienceReplay,
            InterferedReplay,
            Reservoir,
            ScoredReplay,
        )

        budget, number = self.memory * _IMAGE, self.replayed
        return {
            "none": list,
            "A-GEM": lambda: [AveragedGradients(budget, ClassBalanced(), "step", number)],
            "reservoir replay": lambda: [ExperienceReplay(budget, Reservoir(), "step", number)],
            "experience replay": lambda: [ExperienceReplay(budget, ClassBalanced(), "step", number)],
            "loss-scored replay": lambda: [ScoredReplay(budget, "loss", ClassBalanced(), "step", number)],
            "MIR": lambda: [InterferedReplay(budget, ClassBalanced(), "step", number)],
            "DER++": lambda: [DarkReplay(budget, batch=number)],
            "partial replay": lambda: [ExperienceReplay(budget, ClassBalanced(), "step", number, self.masked)],
        }


def learn(context: Context) -> dict[str, Any]:
    """Learn the stream with each strategy."""
    config, home = context.config, points(context)
    names, seeds = list(config.strategies()), range(config.seed, config.seed + config.seeds)
    tasks = {
        f"{name.replace(' ', '-')}-seed-{seed}": partial(_train, config, name, seed) for seed in seeds for name in names
    }
    home.mkdir(parents=True, exist_ok=True)
    done = swept(context, tasks, config.jobs)
    found = np.array([[done[f"{name.replace(' ', '-')}-seed-{seed}"]["accuracy"] for seed in seeds] for name in names])
    rows = []
    for name, lines in zip(names, 100 * found.mean(axis=2), strict=True):
        its = [done[f"{name.replace(' ', '-')}-seed-{seed}"] for seed in seeds]
        mean, sd = mean_and_sd(lines)
        context.metric(f"{name}: accuracy", mean, unit="%")
        rows.append([name, shown(mean, sd, 1), f"{its[0]['bytes'] / 1e6:.2f}", f"{its[0]['replayed']:,}"])
    context.table(
        "One pass", ["strategy", "accuracy / %", "MB kept", "images replayed"], rows,
        f"All ten digits after one pass through the training images, two digits after the other, mean ± sd over "
        f"{config.seeds} networks; borders are fuzzy over {config.fuzzy:.0%} of a task.",
    )  # fmt: skip
    return {"accuracy": (("strategy", "seed", "task"), found), "strategy": names, "seed": np.array(seeds)}


def _train(config: OnlineConfig, name: str, seed: int) -> dict[str, Any]:
    import torch

    from ...data import load
    from ...replay import Learner, Settings, learn_online, split_stream

    stream = split_stream(load("mnist").first(config.train_images, config.test_images))
    settings = Settings(config.hidden, config.learning_rate, config.batch)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        learner = Learner(stream, settings, config.strategies()[name](), seed)
        learn_online(learner, config.batch, config.fuzzy)
        accuracy = [learner.accuracy(place) for place in range(len(stream.tasks))]
    finally:
        torch.set_num_threads(threads)
    return {"accuracy": accuracy, "bytes": learner.bytes, "replayed": learner.replayed}


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
