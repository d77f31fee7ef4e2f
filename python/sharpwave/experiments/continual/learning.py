"""Strategies on the same tasks, what they come to, and what they keep and show again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ..experiment import Context
from ..sweeping import mean_and_sd, points, shown, swept
from .config import ContinualConfig

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...replay import Strategy
    from ...replay.streams import Scenario, Stream

_JOINT = "joint"
SECONDS = "s: seconds of all tasks, median over networks; what ran beside them is in them."

Points = Mapping[tuple[str, str, int], dict[str, Any]]


def learn(context: Context) -> dict[str, Any]:
    """Learn with all strategies; what is done stays, and a network in training goes on from its last checkpoint."""
    config, home = context.config, points(context)
    kinds = [(scenario, name) for scenario in config.scenarios for name in names(config, scenario)]
    seeds = range(config.seed, config.seed + config.seeds)
    labels = {(*kind, seed): point(*kind, seed=seed) for seed in seeds for kind in kinds}
    tasks = {label: partial(_train, config, *key, home / f"{label}.npz") for key, label in labels.items()}
    done = swept(context, tasks, config.jobs)
    found = {key: done[label] for key, label in labels.items()}
    _report(context, kinds, found)
    tasks_of = len(found[(*kinds[0], config.seed)]["matrix"])
    matrices = np.array([[found[(*kind, seed)]["matrix"] for seed in seeds] for kind in kinds])
    return {
        "accuracy": (("kind", "seed", "after", "task"), matrices),
        "kind": [f"{scenario}, {name}" for scenario, name in kinds],
        "seed": np.array(seeds),
        "task": np.arange(tasks_of),
    }


def names(config: ContinualConfig, scenario: Scenario) -> list[str]:
    """Of the strategies for a scenario.

    Raises:
        ValueError: one is asked for that is none of any scenario.
    """
    from ...replay import strategies

    known, every = [*strategies(scenario, 1), _JOINT], [*strategies("class", 1), _JOINT]
    return [name for name in chosen(config.strategies, every) if name in known]


def chosen(asked: Sequence[str], known: Sequence[str]) -> list[str]:
    """Names of strategies that are asked for; all that are known where none is.

    Raises:
        ValueError: one of them is not known.
    """
    from ...suggest import unknown

    for name in asked:
        if name not in known:
            raise ValueError(unknown("strategy", name, known))
    return list(asked or known)


def point(*words: str, seed: int) -> str:
    """Name of the file of a network.

    Example:
        >>> point("class", "latent replay, two layers", seed=3)
        'class-latent-replay-two-layers-seed-3'
    """
    return "-".join([*words, f"seed-{seed}"]).replace(" ", "-").replace(",", "")


def _train(config: ContinualConfig, scenario: Scenario, name: str, seed: int, path: Path) -> dict[str, Any]:
    from ...replay import Learner, learn_offline

    stream = config.stream(scenario, seed)
    if name == _JOINT:
        learner, began = Learner(stream, config.settings, [], seed), perf_counter()
        learn_offline(learner)
        seconds = perf_counter() - began
        row = [learner.accuracy(place) for place in range(len(stream.tasks))]
        return {"matrix": [[*row]] * len(row), "bytes": 0, "replayed": 0, "seconds": seconds}
    return train(config, stream, config.compared(scenario, stream)[name], seed, path)


def train(config: ContinualConfig, stream: Stream, strategy: Strategy, seed: int, path: Path) -> dict[str, Any]:
    """Let a network learn all tasks, from its checkpoint on if there is one: what is kept of it, as JSON has it."""
    from ...replay import ContinualExperiment
    from ...torch_threads import torch_threads

    with torch_threads(1 if config.jobs > 1 else None):
        result = ContinualExperiment(
            stream=stream, strategy=strategy, settings=config.settings, seed=seed, checkpoint=path
        ).run(resume=True)
    path.unlink(missing_ok=True)
    return {
        "matrix": result.accuracy.values.tolist(), "bytes": result.bytes, "replayed": result.replayed,
        "seconds": result.seconds,
    }  # fmt: skip


def _report(context: Context, kinds: list[tuple[str, str]], found: Points) -> None:
    from ...replay import metric

    config, rows = context.config, []
    for scenario, name in kinds:
        its = [found[scenario, name, seed] for seed in range(config.seed, config.seed + config.seeds)]
        accuracies = [100 * metric("accuracy", one["matrix"]) for one in its]
        forgotten = [100 * metric("forgetting", one["matrix"]) for one in its]
        mean, sd = mean_and_sd(accuracies)
        known = config.published(scenario).get(name)
        note = "" if known is None else f"published: {known:g} %"
        context.metric(f"{scenario}, {name}: accuracy", mean, unit="%", note=note)
        replays, seconds = name != _JOINT, median_seconds(its)
        rows.append([
            scenario, name, shown(mean, sd, 1), "" if known is None else f"{known:g}",
            shown(*mean_and_sd(forgotten), 1) if replays else "", f"{its[0]['bytes'] / 1e6:.2f}" if replays else "",
            f"{its[0]['replayed']:,}" if replays else "", f"{seconds:.0f}",
        ])  # fmt: skip
        context.timing(f"{scenario}, {name}", seconds)
    context.table(
        "Strategies",
        ["scenario", "strategy", "accuracy / %", "published", "forgetting / %", "MB kept", "examples replayed", "s"],
        rows,
        f"Mean of all tasks after the last one, mean ± sd over {config.seeds} networks. Forgetting: how much worse "
        "earlier tasks are in the end than at their best. MB kept: all but the network itself, copies of it counted. "
        f"{SECONDS}",
    )
    context.figure(
        "accuracy", _draw(config, kinds, found),
        title="How much is known in the end",
        alt="A dot for each network, by scenario and strategy; short lines are published means.",
        caption="Short lines: published.",
    )  # fmt: skip


def median_seconds(its: Sequence[Mapping[str, Any]]) -> float:
    """Of what was learned with several seeds."""
    return float(np.median([one["seconds"] for one in its]))


def _draw(config: ContinualConfig, kinds: list[tuple[str, str]], found: Points) -> Figure:
    from matplotlib.figure import Figure

    from ...plots import COLORS, style
    from ...replay import metric

    order = list(dict.fromkeys(name for _, name in kinds))
    with style():
        figure = Figure(figsize=(6.4, 0.8 + 0.28 * len(order)), layout="constrained")
        axes = figure.add_subplot()
        for color, scenario in zip(COLORS, config.scenarios, strict=False):
            for place, name in enumerate(order):
                its = [one["matrix"] for key, one in found.items() if key[:2] == (scenario, name)]
                label = scenario if place == 0 else None
                values = [100 * metric("accuracy", one) for one in its]
                axes.plot(values, [place] * len(values), "o", color=color, alpha=0.5, markersize=4, label=label)
                known = config.published(scenario).get(name)
                if known is not None:
                    axes.plot([known, known], [place - 0.35, place + 0.35], color=color)
        axes.set_yticks(range(len(order)), order)
        axes.invert_yaxis()
        axes.set(xlabel="accuracy of all tasks / %", xlim=(0, 101))
        axes.legend(title="incremental", loc="center left", bbox_to_anchor=(1, 0.5))
        return figure
