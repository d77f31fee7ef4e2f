"""Values are learned from episodes that are replayed: the order matters, and a sequence memory can be the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .experiment import Context, Experiment
from .sweeping import mean_and_sd, shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ..replay import Episode

_ORDERS = ("forward", "reverse", "shuffled", "compressed")
_STORES = ("list", "DSEM")
_LEARNED = 0.1  # of the error at first: then values are taken to have been learned


@dataclass(frozen=True)
class EpisodeReplayConfig:
    """Tracks with a reward at the end of each; all numbers are choices."""

    seed: int = 0
    """Of the first draw of patterns; others have the seeds that follow."""
    seeds: int = 10
    """Draws of patterns and of replays."""
    tracks: int = 3
    """Episodes, each along a track of its own."""
    places: int = 10
    """Of each track."""
    features: int = 200
    """Of a place's pattern, in the sequence memory."""
    transitions: int = 600
    """Replayed in all."""
    rate: float = 0.5
    """Of temporal-difference learning."""
    discount: float = 0.95
    """Of rewards, by the step."""
    stride: int = 2
    """Steps that are made at once where replay is compressed."""
    speeds: tuple[float, ...] = (1.0, 2.0, 4.0)
    """Of the sequence memory; replays are compared at the first."""

    def __post_init__(self) -> None:
        numbers = (self.seeds, self.tracks, self.features, self.transitions, self.places - 1, self.stride - 1)
        if min(numbers) < 1 or not self.speeds:
            raise ValueError("all numbers must be at least 1, places and stride at least 2, and there must be a speed")
        if not (0 < self.rate <= 1 and 0 < self.discount <= 1):
            raise ValueError(f"rate and discount must be above 0 and at most 1, got {self.rate} and {self.discount}")


def learn(context: Context) -> dict[str, Any]:
    """Values' errors against the number of transitions that have been replayed."""
    config = context.config
    errors = np.full((len(_STORES), len(_ORDERS), config.seeds, config.transitions + 1), np.nan)
    for seed in range(config.seeds):
        for i, store in enumerate(_STORES):
            for j, order in enumerate(_ORDERS):
                errors[i, j, seed] = _errors(config, store, order, config.seed + seed)
        context.progress(seed + 1, config.seeds)
    rows = []
    for j, order in enumerate(_ORDERS):
        cells = [order]
        for i, store in enumerate(_STORES):
            needed = [_needed(line) for line in errors[i, j]]
            mean, sd = mean_and_sd(needed)
            context.metric(f"{order}, {store}: transitions until values are learned", mean)
            cells.append(shown(mean, sd, 0))
        rows.append(cells)
    context.table(
        "Transitions until values are learned", ["order", "list of episodes", "sequence memory"], rows,
        f"Until the root mean square error of all values is below {_LEARNED:.0%} of what it was, mean ± sd over "
        f"{config.seeds} draws; {config.transitions} at most.",
    )  # fmt: skip
    context.figure(
        "errors", _draw(errors), title="Errors of values as episodes are replayed",
        alt="Curves of the error against replayed transitions: reverse replay falls at once, forward replay last.",
        caption="Means over draws. Colours: a list of episodes. Thin dashes: a DSEM that replays by itself.",
    )  # fmt: skip
    return {
        "error": (("store", "order", "seed", "transition"), errors),
        "store": list(_STORES),
        "order": list(_ORDERS),
    }


def replay(context: Context) -> dict[str, Any]:
    """How well the sequence memory replays, forward and in reverse, at each speed, and for how long."""
    config = context.config
    right = np.zeros((len(config.speeds), 2, config.seeds))
    dwell = np.zeros((len(config.speeds), config.seeds))
    for k, speed in enumerate(config.speeds):
        for seed in range(config.seeds):
            memory, episodes = _memory(config, config.seed + seed, speed)
            for episode in episodes:
                states, start = episode.states, int(episode.states[0])
                for way, wanted in enumerate((states, states[::-1])):
                    right[k, way, seed] += np.array_equal(memory.recalled(start, bool(way)), wanted) / len(episodes)
                dwell[k, seed] += memory.dwell(start) / len(episodes)
        context.progress(k + 1, len(config.speeds))
    rows = []
    for k, speed in enumerate(config.speeds):
        forward, back, time = (100 * right[k, 0].mean(), 100 * right[k, 1].mean(), dwell[k].mean())
        context.metric(f"speed {speed:g}: episodes replayed right, forward", forward, unit="%")
        context.metric(f"speed {speed:g}: episodes replayed right, in reverse", back, unit="%")
        context.metric(f"speed {speed:g}: time at a place", time, unit="tau_f")
        rows.append([f"{speed:g}", f"{forward:.0f}", f"{back:.0f}", f"{time:.2f}"])
    context.table(
        "Replay by the sequence memory", ["speed", "right, forward / %", "right, reverse / %", "tau_f at a place"],
        rows, "Speed: how many times shorter delays are than in the paper.",
    )  # fmt: skip
    return {"right": (("speed", "way", "seed"), right), "dwell": (("speed", "seed"), dwell)}


def _episodes(config: EpisodeReplayConfig) -> list[Episode]:
    from ..replay import Episode

    rewards = np.zeros((config.tracks, config.places - 1))
    rewards[:, -1] = np.linspace(1.0, 0.5, config.tracks)
    places = np.arange(config.tracks * config.places).reshape(config.tracks, config.places)
    return [Episode(states, reward) for states, reward in zip(places, rewards, strict=True)]


def _memory(config: EpisodeReplayConfig, seed: int, speed: float) -> tuple[Any, list[Episode]]:
    from ..replay import SequenceMemory

    draw = np.random.Generator(np.random.Philox(key=seed))
    memory = SequenceMemory(
        draw.choice([-1.0, 1.0], (config.tracks * config.places, config.features)), speed, config.stride
    )
    episodes = _episodes(config)
    for episode in episodes:
        memory.keep(episode)
    return memory, episodes


def _errors(config: EpisodeReplayConfig, store: str, order: str, seed: int) -> NDArray[np.float64]:
    """After each transition, from before the first on."""
    from ..replay import EpisodeStore, learn_values

    memory, episodes = _memory(config, seed, config.speeds[0])
    if store == "list":
        memory = EpisodeStore(sum(episode.bytes for episode in episodes), config.stride)
        for episode in episodes:
            memory.keep(episode)
    random = np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, 0, 1]))
    values, true = np.zeros(config.tracks * config.places), np.zeros(config.tracks * config.places)
    for episode in episodes:
        steps = len(episode.rewards)
        true[episode.states[:-1]] = episode.rewards[-1] * config.discount ** np.arange(steps - 1, -1, -1)
    found = [float(np.sqrt(np.mean(true**2)))]
    while len(found) <= config.transitions:
        for transition in memory.replay(order, config.discount, random):
            learn_values(values, [transition], config.rate, config.discount)
            found.append(float(np.sqrt(np.mean((values - true) ** 2))))
    return np.array(found[: config.transitions + 1])


def _needed(errors: NDArray[np.float64]) -> float:
    below = np.flatnonzero(errors < _LEARNED * errors[0])
    return float(below[0]) if len(below) else float(len(errors) - 1)


def _draw(errors: NDArray[np.float64]) -> Figure:
    from matplotlib.figure import Figure

    from ..plots import COLORS, style

    with style():
        figure = Figure(figsize=(5.2, 3.4), layout="constrained")
        axes = figure.add_subplot()
        for j, order in enumerate(_ORDERS):
            listed, recalled = (errors[i, j].mean(axis=0) / errors[i, j, :, 0].mean() for i in range(2))
            axes.plot(listed, color=COLORS[j], label=order)
            axes.plot(recalled, color=COLORS[-1], linewidth=0.8, linestyle="dashed")
        axes.axhline(_LEARNED, color="#999999", linewidth=0.8)
        axes.set(xlabel="replayed transitions", ylabel="error of values / that at first", ylim=(0, 1.02))
        axes.legend()
        return figure


EXPERIMENT = Experiment(
    name="episode-replay",
    title="The order of replay",
    summary="Values of places along tracks are learned from replayed episodes. A reward at the end of a track reaches "
    "its beginning in one reverse replay, and step by step in forward ones. The store is a list of episodes, or a "
    "sequence memory: a DSEM that goes through them by itself, backwards where its transitions are turned round, and "
    "faster where its delays are shorter.",
    source="beyond arXiv 2104.04132, which names temporal order as an element that is missing; arXiv 2212.05563 for "
    "the sequence memory",
    config=EpisodeReplayConfig,
    quick={"seeds": 1, "tracks": 2, "places": 6, "features": 100, "transitions": 150, "speeds": (1.0, 2.0)},
    steps=(learn, replay),
    headline=tuple(
        f"{order}, {store}: transitions until values are learned"
        for order in ("forward", "reverse")
        for store in _STORES
    ),
    expected="reverse replay needs the fewest transitions, forward replay the most; the sequence memory as the list",
    tables=("Transitions until values are learned", "Replay by the sequence memory"),
)
