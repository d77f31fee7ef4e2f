"""Sleep brings back what was forgotten: a network before and after a phase of spiking noise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from .experiment import Context, Experiment
from .sweeping import kept, mean_and_sd, points, shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ..replay import Learner


@dataclass(frozen=True)
class SleepReplayConfig:
    """Tasks of two digits, and a sleep after each but the first."""

    seed: int = 0
    """Of the first network; others have the seeds that follow."""
    seeds: int = 5
    """Networks."""
    tasks: int = 5
    """Of two digits each, the first ones."""
    hidden: tuple[int, ...] = (1200, 1200)
    """Units of the hidden layers, without biases."""
    iterations: int = 240
    """Batches of each task: twice through it, a choice."""
    batch: int = 100
    """Images at a time."""
    learning_rate: float = 1e-4
    """Of Adam, a choice."""
    steps: int = 15_000
    """Of the first sleep; each later one has a third of that more."""
    train_images: int = 60_000
    """Training images, the first ones."""
    test_images: int = 10_000
    """Test images, the first ones."""

    def __post_init__(self) -> None:
        if min(self.seeds, self.iterations, self.batch, self.steps, self.train_images, self.test_images) < 1:
            raise ValueError("all numbers must be at least 1")
        if not 2 <= self.tasks <= 5 or len(self.hidden) != 2:
            raise ValueError(f"expected 2 to 5 tasks and two hidden layers, got {self.tasks} and {self.hidden}")


def learn(context: Context) -> dict[str, Any]:
    """Learn and sleep, task after task."""
    config, home = context.config, points(context)
    found = []
    for seed in range(config.seed, config.seed + config.seeds):
        found.append(kept(home / f"seed-{seed}.json", partial(_train, config, seed)))
        context.progress(len(found), config.seeds)
    before, after = (100 * np.array([one[name] for one in found]) for name in ("before", "after"))
    context.timing("a sleep of the first length", float(np.median([one["seconds"] for one in found])))
    rows = []
    for sleep in range(config.tasks - 1):
        task = sleep + 1
        cells: list[Any] = [f"{task + 1}"]
        for what in (before, after):
            old = what[:, sleep, :task].mean(axis=1)
            cells += [shown(*mean_and_sd(old), 1), shown(*mean_and_sd(what[:, sleep, task]), 1)]
            cells.append(shown(*mean_and_sd(what[:, sleep, : task + 1].mean(axis=1)), 1))
        rows.append(cells)
        for name, what in (("before", before), ("after", after)):
            mean = float(what[:, sleep, : task + 1].mean())
            context.metric(f"{task + 1} tasks, {name} sleep: accuracy of all so far", mean, unit="%")
            context.metric(
                f"{task + 1} tasks, {name} sleep: accuracy of earlier ones",
                float(what[:, sleep, :task].mean()),
                unit="%",
            )
    context.table(
        "Before and after sleep",
        ["tasks", "before: earlier", "newest", "all", "after: earlier", "newest ", "all "], rows,
        f"Accuracy in percent among all ten digits, mean ± sd over {config.seeds} networks.",
    )  # fmt: skip
    context.figure(
        "sleep", _draw(before, after), title="What sleep brings back",
        alt="Accuracy of each task before and after each sleep.",
        caption="Each panel: a sleep, with a pair of dots for each task; lines join the means.",
    )  # fmt: skip
    axes = ("seed", "sleep", "task")
    return {"before": (axes, before / 100), "after": (axes, after / 100)}


def _train(config: SleepReplayConfig, seed: int) -> dict[str, Any]:
    from time import perf_counter

    from ..data import load
    from ..replay import Learner, RectifiedOutputs, Settings, SleepReplay, split_stream

    stream = split_stream(load("mnist").first(config.train_images, config.test_images))
    settings = Settings(config.hidden, config.learning_rate, config.batch, config.iterations, bias=False)
    before, after, seconds = [], [], []

    class Watched(SleepReplay):
        def rest(self, steps: int) -> None:
            before.append(_accuracies(self.learner, config.tasks))
            began = perf_counter()
            super().rest(steps)
            seconds.append(perf_counter() - began)
            after.append(_accuracies(self.learner, config.tasks))

    learner = Learner(stream, settings, [RectifiedOutputs(), Watched(steps=config.steps)], seed)
    for place in range(config.tasks):
        learner.learn(place)
    return {"before": before, "after": after, "seconds": seconds[0]}


def _accuracies(learner: Learner, tasks: int) -> list[float]:
    return [learner.accuracy(place) for place in range(tasks)]


def _draw(before: NDArray[np.float64], after: NDArray[np.float64]) -> Figure:
    from matplotlib.figure import Figure

    from ..plots import COLORS, style

    sleeps = before.shape[1]
    with style():
        figure = Figure(figsize=(1.2 + 1.5 * sleeps, 3.0), layout="constrained")
        panels = figure.subplots(1, sleeps, sharey=True, squeeze=False)[0]
        for sleep, axes in enumerate(panels):
            for task in range(sleep + 2):
                pair = np.stack([before[:, sleep, task], after[:, sleep, task]])
                color = COLORS[task % len(COLORS)]
                label = f"{2 * task}, {2 * task + 1}" if sleep == sleeps - 1 else None
                axes.plot([0, 1], pair, ".", color=color, alpha=0.4)
                axes.plot([0, 1], pair.mean(axis=1), color=color, label=label)
            axes.set_xticks([0, 1], ["before", "after"])
            axes.set(title=f"after {sleep + 2} tasks", xlim=(-0.4, 1.4), ylim=(-3, 103))
        panels[0].set_ylabel("accuracy / %")
        panels[-1].legend(title="digits", loc="center left", bbox_to_anchor=(1, 0.5))
        return figure


EXPERIMENT = Experiment(
    name="sleep-replay",
    title="Sleep brings back what was forgotten",
    summary="A network learns two digits after the other and forgets the first ones. Then it sleeps: as a network of "
    "integrate-and-fire units that is driven by noise, and whose weights change with each spike. No image is shown "
    "again; what is known of earlier digits is compared before and after.",
    source="Tadros and others, Sleep-like unsupervised replay reduces catastrophic forgetting, Nature Communications "
    "13, 2022; Replay in Deep Learning, arXiv 2104.04132",
    config=SleepReplayConfig,
    quick={
        "seeds": 1, "tasks": 2, "iterations": 120, "steps": 8000, "train_images": 30_000, "test_images": 2000,
    },
    steps=(learn,),
    headline=tuple(f"2 tasks, {when} sleep: accuracy of all so far" for when in ("before", "after")),
    expected="earlier tasks are known again after sleep",
    tables=("Before and after sleep",),
)  # fmt: skip
