"""What each biological element of replay does, alone, at equal memory and compute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..experiment import Context, Experiment
from ..sweeping import mean_and_sd, points, shown, swept
from .config import budget
from .learning import SECONDS, chosen, median_seconds, point, train
from .split import SplitMnistConfig

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ...replay import Part, Settings, Strategy, Stream
    from ...replay.streams import Scenario

_CONFIDENCE = 0.95
_REPLAY = "replay"
_ELEMENTS = {  # and what is the same but for the element
    "selected experiences": _REPLAY,
    "partial replay": _REPLAY,
    "several layers at once": "replay of one layer",
    "modulated by reward": _REPLAY,
    "while nothing comes": "replay of each step",
    "NREM alone": "while nothing comes",
    "REM alone": "while nothing comes",
    "NREM and REM": "while nothing comes",
    "synaptic normalisation": _REPLAY,
    "paced by novelty": _REPLAY,
    "the learner evicts": "selected from a reservoir",
    "the store answers": _REPLAY,
    "spontaneous replay": "replay of as many bytes as dreams take",
}


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
    """Images that the store is for, of each class; in bytes it is the same for all elements but spontaneous replay."""
    masked: float = 0.3
    """Share of an image that partial replay leaves out."""

    def stream(self, scenario: Scenario, seed: int) -> Stream:
        """The same for all networks: digits in order."""
        from ...replay import split_stream

        return split_stream(self.data(), scenario)

    def elements(self, size: int, dreams: int) -> dict[str, Strategy]:
        """Replay with each element, and what each is compared with, by name, with a store of so many bytes.

        What dreams is compared with has one of as many bytes as what dreams keeps.
        """
        from ...replay import (
            ExperienceReplay,
            GenerativeReplay,
            Homeostasis,
            LatentReplay,
            LeastWorth,
            NearestAnswers,
            NoveltyPaced,
            Reservoir,
            RestingReplay,
        )

        def answering() -> list[Part]:
            replay = ExperienceReplay(size)
            return [replay, NearestAnswers(replay)]

        known: dict[str, Strategy] = {
            _REPLAY: lambda: [ExperienceReplay(size)],
            "replay of one layer": lambda: [LatentReplay(size, (1,))],
            "replay of each step": lambda: [ExperienceReplay(size, when="step")],
            "selected from a reservoir": lambda: [ExperienceReplay(size, Reservoir()).scored("loss")],
            "selected experiences": lambda: [ExperienceReplay(size).scored("loss")],
            "partial replay": lambda: [ExperienceReplay(size, masked=self.masked)],
            "several layers at once": lambda: [LatentReplay(size, (1, 2))],
            "modulated by reward": lambda: [ExperienceReplay(size).scored("reward")],
            "while nothing comes": lambda: [RestingReplay(size, when="step")],
            "NREM alone": lambda: [RestingReplay(size, when="step", downscaled=0.01)],
            "REM alone": lambda: [RestingReplay(size, when="step", rem=0.25)],
            "NREM and REM": lambda: [RestingReplay(size, when="step", rem=0.25, downscaled=0.01)],
            "synaptic normalisation": lambda: [ExperienceReplay(size), Homeostasis()],
            "paced by novelty": lambda: [NoveltyPaced(size)],
            "the learner evicts": lambda: [ExperienceReplay(size, LeastWorth()).scored("loss")],
            "the store answers": answering,
            "replay of as many bytes as dreams take": lambda: [ExperienceReplay(dreams)],
            "spontaneous replay": lambda: [GenerativeReplay()],
        }
        asked = chosen(self.strategies, list(_ELEMENTS))
        return {name: made for name, made in known.items() if name in {*asked, *(_ELEMENTS[one] for one in asked)}}


def learn(context: Context) -> dict[str, Any]:
    """Learn with each element, and without it."""
    from ...replay import metric

    config, home = context.config, points(context)
    names, seeds = list(config.elements(1, 1)), range(config.seed, config.seed + config.seeds)
    labels = {(name, seed): point(name, seed=seed) for seed in seeds for name in names}
    tasks = {label: partial(_train, config, *key, home / f"{label}.npz") for key, label in labels.items()}
    done = swept(context, tasks, config.jobs)
    matrices = [[done[labels[name, seed]]["matrix"] for seed in seeds] for name in names]
    found = np.array([[metric("accuracy", one) for one in ones] for ones in matrices])
    rows = []
    gains = {}
    for name, lines in zip(names, found, strict=True):
        its = done[labels[name, config.seed]]
        mean, sd = mean_and_sd(100 * lines)
        context.metric(f"{name}: accuracy", mean, unit="%")
        cells, without = [name, shown(mean, sd, 1)], _ELEMENTS.get(name)
        if without is None:
            cells += ["", "", "", ""]
        else:
            gains[name] = 100 * (lines - found[names.index(without)])
            gain, half, effect = difference(gains[name])
            context.metric(f"{name}: gain", gain, unit="points", note=f"± {half:.2f}, effect size {effect:.2f}")
            said = "more" if gain - half > 0 else "less" if gain + half < 0 else "no effect to be seen"
            cells += [without, f"{gain:+.1f} ± {half:.1f}", f"{effect:+.1f}", said]
        seconds = median_seconds([done[labels[name, seed]] for seed in seeds])
        rows.append([*cells, f"{its['bytes'] / 1e6:.2f}", f"{its['replayed']:,}", f"{seconds:.0f}"])
    context.table(
        "Elements", ["element", "accuracy / %", "beside", "gain", "effect size", "", "MB kept", "replayed", "s"], rows,
        f"Mean ± sd over {config.seeds} networks. Gain: mean difference from what is beside it, which is the same but "
        f"for the element, of networks of the same seed, with its {_CONFIDENCE:.0%} interval (Student's t); effect "
        f"size: that mean over the standard deviation of the differences. {SECONDS}",
    )  # fmt: skip
    context.figure(
        "gains", _draw(gains), title="What each element adds",
        alt="For each element a dot for each network and a bar for the interval of the mean gain, about zero.",
        caption=f"Points of accuracy more than without it; bars: {_CONFIDENCE:.0%} intervals of the mean.",
    )  # fmt: skip
    return {"accuracy": (("element", "seed"), found), "element": names, "seed": np.array(seeds)}


def difference(away: NDArray[np.float64]) -> tuple[float, float, float]:
    """Mean of paired differences, half of its interval, and the mean over the standard deviation of the differences.

    Example:
        >>> gain, half, effect = difference(np.array([2.0, 3.0, 1.0]))
        >>> round(gain, 2), round(half, 2), round(effect, 2)
        (2.0, 2.48, 2.0)
    """
    from scipy.stats import t

    if len(away) < 2:
        return float(away.mean()), float("nan"), float("nan")
    sd = float(away.std(ddof=1))
    half = float(t.ppf((1 + _CONFIDENCE) / 2, len(away) - 1)) * sd / len(away) ** 0.5
    return float(away.mean()), half, float(away.mean()) / sd if sd else float("nan")


def bytes_of_dreams(stream: Stream, settings: Settings) -> int:
    """What spontaneous replay keeps from the second task on: what dreams, and that and the network as they were."""
    from ...replay import GenerativeReplay
    from ...replay.learner import Learner

    part = GenerativeReplay()
    Learner(stream, settings, [part], 0)
    part.begin(1)
    return part.bytes


def _train(config: ElementsConfig, name: str, seed: int, path: Path) -> dict[str, Any]:
    from ...torch_threads import torch_threads

    stream = config.stream("class", seed)
    size = budget(config.memory * stream.classes, stream)
    strategy = config.elements(size, bytes_of_dreams(stream, config.settings))[name]
    with torch_threads(1):
        return train(config, stream, strategy, seed, path)


def _draw(gains: Mapping[str, NDArray[np.float64]]) -> Figure:
    from matplotlib.figure import Figure

    from ...plots import COLORS, style

    with style():
        figure = Figure(figsize=(6.0, 0.9 + 0.3 * len(gains)), layout="constrained")
        axes = figure.add_subplot()
        for place, line in enumerate(gains.values()):
            gain, half, _ = difference(line)
            axes.plot(line, [place] * len(line), "o", color=COLORS[0], alpha=0.4, markersize=4)
            axes.errorbar(gain, place, xerr=half, fmt="|", color=COLORS[1], capsize=3, markersize=9)
        axes.axvline(0, color="#999999", linewidth=0.8)
        axes.set_yticks(range(len(gains)), list(gains))
        axes.invert_yaxis()
        axes.set(xlabel="gain of accuracy / points")
        return figure


EXPERIMENT = Experiment(
    name="biological-elements",
    title="What brains do besides, one thing at a time",
    summary="Replay with one biological element switched on beside the same without it, for each element, at equal "
    "bytes and equally many batches; temporal order is the matter of episode-replay.",
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
