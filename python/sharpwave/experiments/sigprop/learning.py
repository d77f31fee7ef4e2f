"""Networks that are taught in each way, what they come to, and what it costs."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..experiment import Context
from ..fitting import first_images, fit_and_test
from ..sweeping import mean_and_sd, points, shown, swept
from .config import Kind, SigPropConfig, kinds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MEGABYTE = 2.0**20


def learn(context: Context) -> dict[str, Any]:
    """Teach all networks; those that are done stay, and one that was being taught goes on from its last epoch."""
    config, home = context.config, points(context)
    every, seeds = kinds(config), range(config.seed, config.seed + config.seeds)
    tasks = {
        f"kind-{place}-seed-{seed}": partial(_train, config, kind, seed, home / f"kind-{place}-seed-{seed}.npz")
        for seed in seeds
        for place, kind in enumerate(every)
    }
    done = swept(context, tasks, config.jobs)
    found = [[done[f"kind-{place}-seed-{seed}"] for seed in seeds] for place in range(len(every))]
    _report(context, every, found)
    return {
        "error": (("kind", "seed"), np.array([[one["error"] for one in ones] for ones in found])),
        "seconds": (("kind", "seed"), np.array([[one["seconds"] for one in ones] for ones in found])),
        "bytes": ("kind", np.array([ones[0]["bytes"] for ones in found])),
        "kind": [kind.name for kind in every],
        "seed": np.array(seeds),
    }


def _epochs(config: SigPropConfig, layers: str) -> int:
    return config.epochs if layers == "dense" else config.convolutional_epochs


def _train(config: SigPropConfig, kind: Kind, seed: int, path: Path) -> dict[str, Any]:
    import torch

    from ...forward.costs import cost_by_block, cost_of_a_batch
    from ...forward.probes import alignment, find_collapse
    from ...forward.sigprop import SigProp

    model, found = fit_and_test(config, kind.method, _epochs(config, kind.layers), seed, path)
    images, labels = first_images(config, 128)
    x, y = torch.from_numpy(images), torch.tensor(labels)
    taught: Any = model.learner_
    collapse = find_collapse(taught.model, x)
    angles = alignment(taught.model, x, y) if kind.way != "forward-forward" else []
    blocks = cost_by_block(taught.model, x, y) if isinstance(taught.model, SigProp) else []
    return {
        **found,
        "bytes": cost_of_a_batch(taught.model, x, y).bytes,
        "block_seconds": [block.seconds for block in blocks],
        "block_bytes": [block.bytes for block in blocks],
        "angles": angles,
        "collapse": "" if collapse is None else str(collapse),
    }


def depth(context: Context) -> dict[str, Any]:
    """Memory of a batch by depth, of signal propagation and of backpropagation."""
    import torch

    from ...forward import DenseLayers, SigProp, SigPropRule
    from ...forward.costs import cost_of_a_batch
    from ...forward.taught import Backpropagated

    config = context.config
    x, y = torch.rand(128, 784), torch.arange(128) % 10
    found = []
    for count in config.depths:
        layers = DenseLayers((500,) * count, dropout=0.0)
        one = SigProp(layers(784), 10, x[0], SigPropRule(), 1)
        other = Backpropagated(layers(784), 10, x[0], 5e-4, 1)
        found.append([cost_of_a_batch(model, x, y, 1).bytes for model in (one, other)])
    bytes_of = np.array(found)
    grows = bytes_of[-1] / bytes_of[0]
    note = f"{config.depths[-1]} layers by {config.depths[0]}"
    for name, value in zip(("sigprop", "backpropagation"), grows, strict=True):
        context.metric(f"memory of {name}, growth with depth", float(value), note=note)
    context.figure(
        "memory",
        _draw(config.depths, bytes_of),
        title="Memory and depth",
        alt="Memory of backpropagation grows in proportion to depth; that of signal propagation does not grow.",
        caption="Most that is kept for backward passes at any moment of a batch of 128, dense layers of 500 units.",
    )
    return {
        "bytes": (("depth", "way"), bytes_of),
        "depth": np.array(config.depths),
        "way": ["sigprop", "backpropagation"],
    }


def _report(context: Context, every: list[Kind], found: list[list[dict[str, Any]]]) -> None:
    rows: dict[str, list[list[str]]] = {}
    for kind, ones in zip(every, found, strict=True):
        context.metric(f"{kind.name}: test error", float(np.mean([one["error"] for one in ones])), unit="%")
        angles = [f"{np.mean(its):.0f}" for its in zip(*(one["angles"] for one in ones), strict=False)]
        collapsed = sorted({one["collapse"].split(":")[0] for one in ones if one["collapse"]})
        rows.setdefault(kind.layers, []).append([
            kind.way, kind.targets, kind.loss, shown(*mean_and_sd([one["error"] for one in ones]), 2),
            f"{np.median([one['seconds'] for one in ones]):.1f}", f"{ones[0]['bytes'] / _MEGABYTE:.2f}",
            ", ".join(f"{size / _MEGABYTE:.2f}" for size in ones[0]["block_bytes"]), ", ".join(angles),
            ", ".join(collapsed) or ("diverged" if any(one["diverged"] for one in ones) else ""),
        ])  # fmt: skip
    for name, its in rows.items():
        context.table(
            f"{name.capitalize()} layers",
            ["way", "targets", "loss", "error / %", "s an epoch", "memory / MB", "by layer", "angle / degrees", ""],
            its,
            f"Test error, mean ± sd over networks, after {_epochs(context.config, name)} epochs. Memory: most that is "
            "kept for backward passes at any moment of a batch of 128, and while each layer learns. Angle: of each "
            "layer's step, before Adam, from that of the gradient of the last loss, after training.",
        )


def _draw(depths: tuple[int, ...], found: Any) -> Figure:
    from matplotlib.figure import Figure

    from ...plots import COLORS, style

    with style():
        figure = Figure(figsize=(4.8, 3.2), layout="constrained")
        axes = figure.add_subplot()
        for place, name in enumerate(("signal propagation", "backpropagation")):
            axes.plot(depths, found[:, place] / _MEGABYTE, "o-", color=COLORS[place], label=name)
        axes.set(xlabel="layers", ylabel="MB kept for backward passes", ylim=(0, None))
        axes.legend()
        return figure
