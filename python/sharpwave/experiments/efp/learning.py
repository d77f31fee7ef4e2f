"""Networks that learn, one after the other, and what is said of them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..experiment import Context
from ..fitting import first_images, fit_and_test
from ..sweeping import Task, mean_and_sd, points, shown, swept
from .config import Kind, RateConfig

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...forward import ForwardClassifier

_PROBED = 200  # training images that probes see
_MAIN = 3  # kinds that others are compared with

Found = dict[str, list[dict[str, Any]]]


def learn(context: Context) -> dict[str, Any]:
    """Train all networks; those that are trained stay, and one in training goes on from its last epoch."""
    config, home = context.config, points(context)
    chosen = config.kinds()
    tasks: dict[str, Task] = {}
    named: dict[str, list[str]] = {}
    for place, (name, kind) in enumerate(chosen.items()):
        named[name] = [f"kind-{place}-seed-{seed}" for seed in range(config.seed, config.seed + kind.seeds)]
        for seed, label in enumerate(named[name], config.seed):
            tasks[label] = partial(_train, config, kind, seed, home / f"{label}.npz")
    done = swept(context, tasks, config.jobs)
    found = {name: [done[label] for label in labels] for name, labels in named.items()}
    for name, ones in found.items():
        context.timing(f"{name}, an epoch", float(np.mean([one["seconds"] for one in ones])))
    _report(context, chosen, found)
    longest = max(kind.epochs for kind in chosen.values())
    curves = np.full((len(found), config.seeds, longest), np.nan)
    for i, ones in enumerate(found.values()):
        for j, one in enumerate(ones):
            curves[i, j, : len(one["train"])] = one["train"]
    return {
        "test": (("kind", "seed"), np.array([_padded(ones, config.seeds) for ones in found.values()])),
        "train": (("kind", "seed", "epoch"), curves),
        "kind": list(found),
        "seed": np.arange(config.seed, config.seed + config.seeds),
        "epoch": np.arange(1, longest + 1),
    }


def _padded(ones: list[dict[str, Any]], seeds: int) -> list[float]:
    return [one["error"] for one in ones] + [np.nan] * (seeds - len(ones))


def _train(config: RateConfig, kind: Kind, seed: int, path: Path) -> dict[str, Any]:
    """Errors in percent: of the test images, and epoch by epoch of the training images before each was learned."""
    model, found = fit_and_test(config, kind.method, kind.epochs, seed, path)
    history = model.history_
    train = [100 * (1 - accuracy) for accuracy in history.get("accuracy", [])]
    return {**found, "train": train, "change": history.get("change", [np.nan])[-1], **_probed(config, model)}


def _probed(config: RateConfig, model: ForwardClassifier) -> dict[str, Any]:
    """When errors arrive at each layer, in steps, and angles from the gradient of links from layer to layer."""
    from ...forward.rate_probes import arrival, rate_alignment

    learner: Any = model.learner_
    network = learner.network
    x, labels = first_images(config, _PROBED)
    d = np.eye(network.sizes[-1], dtype=np.float32)[labels]
    about = network, learner.method.settling, learner.method.nudging, learner.weights, x, d
    angles = rate_alignment(*about)
    return {
        "arrival": arrival(*about)[1].tolist(),
        "angles": [
            float(angle) for link, angle in zip(network.links, angles, strict=True) if link.target == link.source + 1
        ],
    }


def _report(context: Context, chosen: dict[str, Kind], found: Found) -> None:
    config, rows = context.config, []
    whole = config.examples == RateConfig.examples
    for name, ones in found.items():
        errors = [one["error"] for one in ones]
        published, recipe = (chosen[name].published, chosen[name].recipe) if whole else (None, None)
        note = "" if published is None else f"published: {published:g} %"
        context.metric(f"{name}: test error", float(np.mean(errors)), unit="%", note=note)
        rows.append([
            name, f"{len(ones[0]['train'])}", shown(*mean_and_sd(errors), 2), f"{min(errors):.2f}",
            shown(*mean_and_sd([one["train"][-1] if one["train"] else np.nan for one in ones]), 2),
            f"{np.median([one['change'] for one in ones]):.2g}", ", ".join(map(str, ones[0]["arrival"])),
            ", ".join(f"{angle:.0f}" for angle in np.array([one["angles"] for one in ones], dtype=float).mean(axis=0)),
            "" if recipe is None else f"{recipe:g}", "" if published is None else f"{published:g}",
            str(sum(bool(one["diverged"]) for one in ones)),
        ])  # fmt: skip
    context.table(
        "Errors / %",
        [
            "networks", "epochs", "test", "best", "training", "unsettled", "arrival / steps", "angle / degrees",
            "in plain torch", "published", "diverged",
        ],
        rows,
        f"Mean ± sd over networks of {config.hidden} units a layer, after the number of epochs that was set before. "
        "Training: of the last epoch, each image before it was learned. Unsettled: largest change of a state in the "
        "last free step, median over batches of the last epoch. Arrival: the nudged step in which the error comes to "
        "each layer. Angle: of what links from layer to layer learn, from the way down the gradient through all steps, "
        "after training. Kinds after the first three are the first with one thing changed; those with inputs left out "
        "also keep their states, and learn for longer.",
    )  # fmt: skip
    context.figure(
        "curves",
        _draw(found),
        title="Training errors",
        alt="Errors fall from some ten percent to near nothing, on a logarithmic axis, a line for each kind.",
        caption="Of each epoch, each image before it was learned; mean over networks.",
    )


def _draw(found: Found) -> Figure:
    from matplotlib.figure import Figure

    from ...plots import COLORS, style

    with style():
        figure = Figure(figsize=(6.4, 3.6), layout="constrained")
        axes = figure.add_subplot()
        for place, (name, ones) in enumerate(found.items()):
            curves = np.array([one["train"] for one in ones if len(one["train"]) == len(ones[0]["train"])])
            main = place < _MAIN
            color = COLORS[place] if main else "0.7"
            axes.plot(
                np.arange(1, curves.shape[1] + 1), np.maximum(curves.mean(axis=0), 1e-2), color=color,
                label=name if main else None, lw=1.6 if main else 0.8, zorder=2 if main else 1,
            )  # fmt: skip
        axes.set(xlabel="epoch", ylabel="training error / %", yscale="log")
        axes.legend()
        return figure
