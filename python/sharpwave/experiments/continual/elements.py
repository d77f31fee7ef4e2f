"""What each biological element of replay does, alone, at equal memory and compute."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..experiment import Context, Experiment
from ..sweeping import mean_and_sd, points, shown, swept
from .learning import budget, chosen, point, train
from .split import SplitMnistConfig

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ...replay import Part, Strategy

_OFF = "none of them"
_CONFIDENCE = 0.95
_ELEMENTS = (
    "selected experiences", "partial replay", "several layers at once", "modulated by reward", "while nothing comes",
    "NREM and REM", "synaptic normalisation", "paced by novelty", "the learner evicts", "the store answers",
)  # fmt: skip


@dataclass(frozen=True)
class ElementsConfig(SplitMnistConfig):
    """Class-incremental split MNIST with a small memory, so that there is something to gain; sizes are choices."""

    scenarios: tuple[str, ...] = ("class",)
    """What is known of a task; see `sharpwave.replay.Stream`."""
    strategies: tuple[str, ...] = ()
    """Names of elements; none: all."""
    iterations: int = 1000
    """Batches of each task."""
    memory: int = 20
    """Images that the store is for, of each class; in bytes it is the same for all elements."""
    masked: float = 0.3
    """Share of an image that partial replay leaves out."""

    def elements(self, size: int) -> dict[str, Strategy]:
        """Replay with each element, by name, with a store of so many bytes."""
        from ...replay import (
            ExperienceReplay,
            Homeostasis,
            LatentReplay,
            LeastWorth,
            NearestAnswers,
            NoveltyPaced,
            RestingReplay,
            ScoredReplay,
        )

        def answering() -> list[Part]:
            replay = ExperienceReplay(size)
            return [replay, NearestAnswers(replay)]

        made: tuple[Strategy, ...] = (
            lambda: [ScoredReplay(size, "loss")],
            lambda: [ExperienceReplay(size, masked=self.masked)],
            lambda: [LatentReplay(size, (1, 2))],
            lambda: [ScoredReplay(size, "reward")],
            lambda: [RestingReplay(size)],
            lambda: [RestingReplay(size, rem=0.25, downscaled=0.01)],
            lambda: [ExperienceReplay(size), Homeostasis()],
            lambda: [NoveltyPaced(size)],
            lambda: [ScoredReplay(size, "loss", LeastWorth())],
            answering,
        )
        known = dict(zip(_ELEMENTS, made, strict=True))
        own: dict[str, Strategy] = {_OFF: lambda: [ExperienceReplay(size)]}
        return own | {name: known[name] for name in chosen(self.strategies, _ELEMENTS)}


def learn(context: Context) -> dict[str, Any]:
    """Learn with each element, and with none."""
    from ...replay import metric

    config, home = context.config, points(context)
    names, seeds = list(config.elements(1)), range(config.seed, config.seed + config.seeds)
    labels = {(name, seed): point(name, seed=seed) for seed in seeds for name in names}
    tasks = {label: partial(_train, config, *key, home / f"{label}.npz") for key, label in labels.items()}
    done = swept(context, tasks, config.jobs)
    matrices = [[done[labels[name, seed]]["matrix"] for seed in seeds] for name in names]
    found = np.array([[metric("accuracy", one) for one in ones] for ones in matrices])
    rows = []
    for name, lines in zip(names, found, strict=True):
        its = done[labels[name, config.seed]]
        mean, sd = mean_and_sd(100 * lines)
        context.metric(f"{name}: accuracy", mean, unit="%")
        cells = [name, shown(mean, sd, 1)]
        if name == _OFF:
            cells += ["", "", ""]
        else:
            gain, half, effect = difference(100 * lines, 100 * found[0])
            context.metric(f"{name}: gain", gain, unit="points", note=f"± {half:.2f}, effect size {effect:.2f}")
            said = "more" if gain - half > 0 else "less" if gain + half < 0 else "no effect to be seen"
            cells += [f"{gain:+.1f} ± {half:.1f}", f"{effect:+.1f}", said]
        rows.append([*cells, f"{its['bytes'] / 1e6:.2f}", f"{its['replayed']:,}"])
    context.table(
        "Elements", ["element", "accuracy / %", "gain", "effect size", "", "MB kept", "replayed"], rows,
        f"Mean ± sd over {config.seeds} networks. Gain: mean difference from replay without the element, of networks "
        f"of the same seed, with its {_CONFIDENCE:.0%} interval (Student's t); effect size: that mean over the "
        "standard deviation of the differences.",
    )  # fmt: skip
    context.figure(
        "gains", _draw(names[1:], 100 * (found[1:] - found[0])), title="What each element adds",
        alt="For each element a dot for each network and a bar for the interval of the mean gain, about zero.",
        caption=f"Points of accuracy more than without it; bars: {_CONFIDENCE:.0%} intervals of the mean.",
    )  # fmt: skip
    return {"accuracy": (("element", "seed"), found), "element": names, "seed": np.array(seeds)}


def difference(one: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[float, float, float]:
    """Mean of paired differences, half of its interval, and the mean over the standard deviation of the differences.

    Example:
        >>> gain, half, effect = difference(np.array([3.0, 5.0, 4.0]), np.array([1.0, 2.0, 3.0]))
        >>> round(gain, 2), round(half, 2), round(effect, 2)
        (2.0, 2.48, 2.0)
    """
    from scipy.stats import t

    away = one - other
    if len(away) < 2:
        return float(away.mean()), float("nan"), float("nan")
    sd = float(away.std(ddof=1))
    half = float(t.ppf((1 + _CONFIDENCE) / 2, len(away) - 1)) * sd / len(away) ** 0.5
    return float(away.mean()), half, float(away.mean()) / sd if sd else float("nan")


def _train(config: ElementsConfig, name: str, seed: int, path: Path) -> dict[str, Any]:
    from ...torch_threads import torch_threads

    stream = config.stream("class")
    strategy = config.elements(budget(config.memory * stream.classes, stream))[name]
    with torch_threads(1):
        return train(config, stream, strategy, seed, path)


def _draw(names: list[str], gains: NDArray[np.float64]) -> Figure:
    from matplotlib.figure import Figure

    from ...plots import COLORS, style

    with style():
        figure = Figure(figsize=(6.0, 0.9 + 0.3 * len(names)), layout="constrained")
        axes = figure.add_subplot()
        for place, line in enumerate(gains):
            gain, half, _ = difference(line, np.zeros_like(line))
            axes.plot(line, [place] * len(line), "o", color=COLORS[0], alpha=0.4, markersize=4)
            axes.errorbar(gain, place, xerr=half, fmt="|", color=COLORS[1], capsize=3, markersize=9)
        axes.axvline(0, color="#999999", linewidth=0.8)
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set(xlabel="gain of accuracy / points")
        return figure


EXPERIMENT = Experiment(
    name="biological-elements",
    title="What brains do besides, one thing at a time",
    summary="Experience replay with one biological element switched on, for each element, at equal bytes of stored "
    "examples and equally many batches; temporal order is the matter of episode-replay.",
    source="Replay in Deep Learning: Current Approaches and Missing Biological Elements, arXiv 2104.04132; how each "
    "element is done is a choice",
    config=ElementsConfig,
    quick={
        "seeds": 2, "iterations": 30, "hidden": (60, 60), "train_images": 3000, "test_images": 1000, "memory": 20,
    },
    steps=(learn,),
    headline=tuple(f"{name}: gain" for name in _ELEMENTS),
    expected="effects with their intervals, whatever they are",
    tables=("Elements",),
)  # fmt: skip
