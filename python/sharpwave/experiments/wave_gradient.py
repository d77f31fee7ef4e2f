"""How far back gradients reach in RNNs, before and after they have learned to carry variables as waves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .experiment import Context, Experiment
from .trained_rnns import TrainedRnnConfig, as_rnns, trained_rnns

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

_WHEN = ("before training", "after training")


def reach(context: Context) -> dict[str, Any]:
    """Measure the gradient of the loss by each input, against how long ago it was shown."""
    from ..dynamics import gradient_by_distance
    from ..recurrent import Elman, new_networks, published_tasks

    config, networks, rows = context.config, trained_rnns(context), []
    seeds = range(config.seed, config.seed + config.seeds)
    first = new_networks(Elman(config.hidden), 8, 8, seeds)
    untrained = as_rnns(first)
    found = np.array([
        [[gradient_by_distance(network, published_tasks()[task]) for network in ones] for ones in (untrained, trained)]
        for task, trained in networks.items()
    ])  # fmt: skip
    for task, (before, after) in zip(networks, found.mean(axis=2), strict=True):
        for when, line in zip(_WHEN, (before, after), strict=True):
            rows.append([task, when, *(f"{value:.2f}" for value in line)])
            context.metric(f"{task}: gradient at distance 7, {when}", float(line[-1]))
    context.table(
        "Gradient by distance",
        ["task", "", *map(str, range(found.shape[-1]))],
        rows,
        f"Norm of the gradient of the loss by the input shown so many steps before the last one, in units of the "
        f"largest; mean over {config.seeds} networks of {config.hidden} units. The loss is that of the next eight "
        "outputs.",
    )
    context.figure(
        "gradients",
        _draw(list(networks), found),
        title="Gradient against distance",
        alt="A panel for each task: before training the gradient falls exponentially with distance, after it less.",
        caption="Mean over networks; bands are standard deviations.",
    )
    axes = ("task", "when", "seed", "distance")
    return {"gradient": (axes, found), "task": list(networks), "when": list(_WHEN), "seed": np.array(seeds)}


def _draw(tasks: list[str], found: NDArray[np.float64]) -> Figure:
    from matplotlib.figure import Figure

    from ..plots import COLORS, style

    with style():
        figure = Figure(figsize=(2.2 * len(tasks) + 1.2, 3.0), layout="constrained")
        panels = figure.subplots(1, len(tasks), sharey=True, squeeze=False)[0]
        distance = np.arange(found.shape[-1])
        for axes, task, both in zip(panels, tasks, found, strict=True):
            for place, (when, ones) in enumerate(zip(_WHEN, both, strict=True)):
                mean, sd = ones.mean(axis=0), ones.std(axis=0)
                axes.fill_between(distance, mean - sd, mean + sd, color=COLORS[place], alpha=0.2, linewidth=0)
                axes.plot(distance, mean, "o-", color=COLORS[place], markersize=3, label=when)
            axes.set(title=task, xlabel="distance / steps", ylim=(0, 1.1))
        panels[0].set_ylabel("gradient / largest")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
        return figure


EXPERIMENT = Experiment(
    name="wave-gradient",
    title="Gradients before and after waves",
    summary="The gradient of a loss by an input shrinks with every step that lies between, unless the input travels "
    "as a wave and is still on its way. Networks are compared before and after they have learned tasks of variable "
    "binding.",
    source="Hidden Traveling Waves bind Working Memory Variables in Recurrent Neural Networks, arXiv 2402.10163, "
    "figure of gradient norms",
    config=TrainedRnnConfig,
    quick={"seeds": 1, "tasks": ("T2",), "hidden": 64, "steps": 6000, "horizons": (20,)},
    steps=(reach,),
    headline=tuple(f"{task}: gradient at distance 7, {when}" for task in TrainedRnnConfig.tasks for when in _WHEN),
    expected="before training an exponential fall from 1 to about .02 at distance 7; after it nearly flat, .6 to 1",
    tables=("Gradient by distance",),
)
