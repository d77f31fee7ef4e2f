"""Networks that learn how long ago the last symbol was: a second stable fixed point while nothing is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..experiment import Context, Experiment
from .networks import check_steps, flipflop_protocol, learned, mean_sd, networks, variables
from .relative_figures import draw_counting, draw_points

if TYPE_CHECKING:
    from ...dynamics import Crossing
    from ...recurrent import RNN
    from ...recurrent.automata import AutomatonTask, Phases

Array = NDArray[np.float64]
_LABEL = "relative"
_NULL = (0.0, 0.0, 1.0)
_STARTS = 40
_THRESHOLDS = (0.65, 0.75, 0.85)


@dataclass(frozen=True)
class RelativeConfig:
    """What is trained."""

    seed: int = 0
    """Of the first network; others have the seeds that follow."""
    seeds: int = 20
    """Networks."""
    hidden: int = 32
    """Hidden units."""
    tau: int = 5
    """Steps of null after which a has its other effect."""
    null: float = 0.8
    """Probability of null; a and b have half of the rest each."""
    horizon: int = 60
    """T, steps of a sequence."""
    steps: int = 1500
    """Steps of training, a choice."""
    every: int = 10
    """Steps from one checkpoint to the next, a choice."""
    learning_rate: float = 2e-3
    """Of Adam, a choice."""

    def __post_init__(self) -> None:
        if min(self.seeds, self.hidden, self.tau, self.horizon, self.every) < 1:
            raise ValueError("all numbers must be at least 1")
        check_steps(self.steps, self.every)
        if not (0 < self.null < 1 and self.learning_rate > 0):
            raise ValueError(f"null must be between 0 and 1, learning_rate positive, got {self.null}, "
                             f"{self.learning_rate}")  # fmt: skip


def _task(config: RelativeConfig) -> AutomatonTask:
    from ...recurrent.automata import AutomatonTask, temporal_flipflop

    rest = (1 - config.null) / 2
    return AutomatonTask(temporal_flipflop("relative", tau=config.tau), [rest, rest, config.null], "relative flipflop")


def learn(context: Context) -> dict[str, Any]:
    """Train networks, and keep them at each checkpoint."""
    from ...recurrent import Elman

    config, task = context.config, _task(context.config)
    seeds = range(config.seed, config.seed + config.seeds)
    protocol = flipflop_protocol(config.steps, config.horizon, config.learning_rate)
    ones = learned(context, _LABEL, Elman(config.hidden, bias=True), task, seeds, protocol, config.every)
    return {**variables(_LABEL, ones, config.every), "seed": np.array(seeds)}


class Network(NamedTuple):
    """What is found of one network."""

    phases: list[Phases]  # by threshold
    stable: NDArray[np.int64]  # stable fixed points under null at each checkpoint
    first: Crossing | None  # how the second one appears for the first time
    good: Crossing | None  # and for good
    distances: Array  # of the state from the nearest of them in the end, by steps since the last symbol
    counted: float  # share of states in which the best threshold of that distance says whether tau has passed


def analyse(context: Context) -> dict[str, Any]:
    """Look for fixed points under null at all checkpoints, and follow the second stable one to where it appears."""
    config, found = context.config, context["learn"]
    accuracy = found[f"{_LABEL} accuracy"].values
    ones = []
    for k in range(config.seeds):
        ones.append(_look_into(config, networks(found, _LABEL, k), accuracy[:, k]))
        context.progress(k + 1, config.seeds)
    _report(context, ones)
    steps = found[f"{_LABEL} step"].values
    context.figure(
        "points", draw_points(steps, accuracy, np.array([one.stable for one in ones]), ones),
        title="A second stable point",
        alt="Above, accuracies rise; below, the share of networks with two stable fixed points rises from 0 to 1.",
        caption="Above: accuracy on a, on b and on null; thin lines are networks. Below: share of networks that have "
        "two stable fixed points or more while nothing is seen; ticks: where the second one appears, for good.",
    )  # fmt: skip
    context.figure(
        "counting", draw_counting(np.array([one.distances for one in ones]), config.tau),
        title="Counting by distance",
        alt="The distance falls from step to step, and levels off after tau.",
        caption="Distance of the state from the nearest of the two points, by steps since the last symbol, in units of "
        "that at the first; thin lines are networks. Dotted: tau.",
    )  # fmt: skip
    return {"stable": (("seed", "step"), np.array([one.stable for one in ones]))}


def _look_into(config: RelativeConfig, ones: Sequence[RNN], accuracy: Array) -> Network:
    from ...dynamics import NetworkMap, fixed_points
    from ...recurrent.automata import find_phases

    steps = config.every * np.arange(len(ones))
    points = fixed_points([NetworkMap(one, _NULL) for one in ones], _STARTS)
    stable = np.array([point.stable.sum() for point in points])
    two = np.flatnonzero(stable >= 2)
    less = np.flatnonzero(stable < 2)
    first = good = None
    if len(two):
        first = _appears(ones, steps, points[two[0]].states[points[two[0]].stable], two[0])
    if len(two) and stable[-1] >= 2:
        since = int(less[-1]) + 1 if len(less) else 0
        good = _appears(ones, steps, points[since].states[points[since].stable], since)
    phases = [find_phases(steps, accuracy[:, 1], accuracy[:, 0], risen=risen) for risen in _THRESHOLDS]
    distances, counted = _counting(config, ones[-1], points[-1].states[points[-1].stable])
    return Network(phases, stable, first, good, distances, counted)


def _appears(ones: Sequence[RNN], steps: NDArray[np.int64], stable: Array, place: int) -> Crossing | None:
    """Follow stable points back from a checkpoint: what makes one of them turn back before it comes to the first."""
    from ...dynamics import NetworkPath, follow

    if not place:
        return None
    path = NetworkPath(ones, steps, _NULL)
    for state in stable:
        branch = follow(path, state, float(steps[place]), 0.0, step=float(steps[1] - steps[0]) / 4)
        turns = np.flatnonzero(np.diff(branch.at) > 0)
        if len(turns) and branch.crossings:
            turn = branch.at[turns[0]]
            return min(branch.crossings, key=lambda crossing: abs(crossing.at - turn))
    return None


def _counting(config: RelativeConfig, network: RNN, points: Array) -> tuple[Array, float]:
    """Distances by steps since the last symbol, and how well they tell whether tau has passed."""
    task, longest = _task(config), 3 * config.tau
    inputs, _ = task.batch(0, 2, 256, config.horizon, 1)
    symbols, states = inputs.numpy().argmax(-1), network.states(inputs.numpy(), config.horizon)
    if not len(points):
        return np.full(longest + 1, np.nan), np.nan
    distance = np.linalg.norm(states[:, :, None] - points, axis=3).min(axis=2)
    since = np.full(symbols.shape, -1)
    for t in range(config.horizon):
        before = since[:, t - 1] if t else np.full(len(symbols), -1)
        since[:, t] = np.where(symbols[:, t] < 2, 0, np.where(before >= 0, before + 1, -1))
    mean = np.array([distance[since == k].mean() if (since == k).any() else np.nan for k in range(longest + 1)])
    known = (since >= 1) & (since <= longest)
    late, near = since[known] > config.tau, distance[known]
    order = np.argsort(near)
    right = np.cumsum(np.where(late[order], 1, -1)).max(initial=0) + (~late).sum()
    return mean / mean[1], float(right / len(late))


def _report(context: Context, ones: list[Network]) -> None:
    count, rows = len(ones), []
    rises = [[one.phases[k].rise for one in ones] for k in range(len(_THRESHOLDS))]
    perfect = [one.phases[1].perfection for one in ones]
    for name, crossings in (("for the first time", [one.first for one in ones]), ("for good", [o.good for o in ones])):
        there = [one for one in crossings if one is not None]
        kinds = [one.kind for one in there]
        counts = ", ".join(f"{kind} {kinds.count(kind)}" for kind in sorted(set(kinds))) or "none"
        rows.append([f"second stable point, {name}", mean_sd([one.at for one in there]), f"{len(there)}/{count}",
                     counts, "89 ± 18, at the end of the plateau"])  # fmt: skip
        context.metric(f"networks with a second stable point, {name}", len(there), note=f"of {count}")
        context.metric(f"second stable points that appear by a fold, {name}", kinds.count("fold"), note=f"of {count}")
        if there:
            context.metric(f"iteration of the second stable point, {name}", float(np.mean([one.at for one in there])))
    for risen, values in zip(_THRESHOLDS, rises, strict=True):
        some = [value for value in values if value is not None]
        rows.append([f"accuracy on a above {risen:g}", mean_sd(values), f"{len(some)}/{count}", "", ""])
        if some:
            context.metric(f"iteration from which TD > {risen:g}", float(np.mean(some)))
    some = [value for value in perfect if value is not None]
    rows.append(["accuracy on a above .98", mean_sd(perfect), f"{len(some)}/{count}", "", "452 ± 103, convergence"])
    if some:
        context.metric("iteration from which TD > 0.98", float(np.mean(some)))
    context.metric("states that tell by their distance whether tau has passed",
                   100 * float(np.nanmean([one.counted for one in ones])), unit="%")  # fmt: skip
    context.table(
        "Appearance of the second stable point", ["what", "iteration", "networks", "kinds", "published"], rows,
        "Mean ± sd over networks. Fixed points are those under null; the second stable one is followed back through "
        "training to where it appears. For good: from there on each checkpoint has two. Published: arXiv 2306.07125, "
        "whose learning rate and examples a step are not known.",
    )  # fmt: skip


EXPERIMENT = Experiment(
    name="flipflop-relative",
    title="Networks learn how long ago it was",
    summary="The effect of a symbol depends on how many steps nothing was seen before. A network needs a second stable "
    "state while nothing is seen; it appears in training by a bifurcation, and the distance to it counts the steps.",
    source="On the Dynamics of Learning Time-Aware Behavior with Recurrent Neural Networks, arXiv 2306.07125",
    config=RelativeConfig,
    quick={"seeds": 2, "steps": 600, "every": 20},
    steps=(learn, analyse),
    headline=(
        "networks with a second stable point, for good",
        "second stable points that appear by a fold, for good",
        "iteration of the second stable point, for the first time",
        "iteration from which TD > 0.75",
        "states that tell by their distance whether tau has passed",
    ),
    expected="a second stable fixed point of the null symbol appears at the end of the plateau, and its kind is named",
    tables=("Appearance of the second stable point",),
)
