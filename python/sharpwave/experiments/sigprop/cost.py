"""What a batch costs: time and memory, by layer and by depth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..experiment import Context
from ..fitting import first_images
from .config import Kind, kinds

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

_MEGABYTE = 2.0**20
_BATCH, _REPEATS = 128, 10


def cost(context: Context) -> dict[str, Any]:
    """Time and memory of a batch, of all ways, one after the other and with nothing beside them."""
    import torch

    config = context.config
    every = kinds(config)
    images, labels = first_images(config, _BATCH)
    x, y = torch.from_numpy(images), torch.tensor(labels)
    found = [_of(kind, x, y, config.seed) for kind in every]
    other = every[0].way
    others = {kind.layers: one["seconds"] for kind, one in zip(every, found, strict=True) if kind.way == other}
    rows: dict[str, list[list[str]]] = {}
    for kind, one in zip(every, found, strict=True):
        ratio = one["seconds"] / others[kind.layers]
        rows.setdefault(kind.layers, []).append([
            kind.way, kind.targets, kind.loss, f"{1e3 * one['seconds']:.2f}", f"{ratio:.2f}",
            ", ".join(f"{1e3 * seconds:.2f}" for seconds in one["block_seconds"]), f"{one['bytes'] / _MEGABYTE:.2f}",
            ", ".join(f"{size / _MEGABYTE:.2f}" for size in one["block_bytes"]),
        ])  # fmt: skip
    for name, its in rows.items():
        context.table(
            f"{name.capitalize()} layers: what a batch costs",
            ["way", "targets", "loss", "ms", f"by {other}'s", "by layer / ms", "memory / MB", "by layer / MB"],
            its,
            f"Of {_BATCH} images; times are the least of {_REPEATS}. Memory: most that is kept for backward passes at "
            "any moment, and while each layer learns, where layers learn one after the other.",
        )
    return {
        "seconds": ("kind", np.array([one["seconds"] for one in found])),
        "bytes": ("kind", np.array([one["bytes"] for one in found])),
        "kind": [kind.name for kind in every],
    }


def _of(kind: Kind, x: Tensor, labels: Tensor, seed: int) -> dict[str, Any]:
    from ...forward.costs import cost_by_block, cost_of_a_batch
    from ...forward.sigprop import SigProp

    learner: Any = kind.method.start(x.shape[1], 10, len(x), seed)
    whole = cost_of_a_batch(learner.model, x, labels, _REPEATS)
    passes = []
    if isinstance(learner.model, SigProp):
        passes = [cost_by_block(learner.model, x, labels) for _ in range(_REPEATS)]
    return {
        "seconds": whole.seconds,
        "bytes": whole.bytes,
        "block_seconds": [min(block.seconds for block in its) for its in zip(*passes, strict=True)],
        "block_bytes": [block.bytes for block in passes[0]] if passes else [],
    }


def depth(context: Context) -> dict[str, Any]:
    """Memory of a batch by depth, of signal propagation and of backpropagation."""
    import torch

    from ...forward import DenseLayers, SigProp, SigPropRule
    from ...forward.costs import cost_of_a_batch
    from ...forward.taught import Backpropagated

    config = context.config
    x, y = torch.rand(_BATCH, 784), torch.arange(_BATCH) % 10
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
        caption=f"Most that is kept for backward passes at any moment of a batch of {_BATCH}, dense layers of 500 "
        "units.",
    )
    return {
        "bytes": (("depth", "way"), bytes_of),
        "depth": np.array(config.depths),
        "way": ["sigprop", "backpropagation"],
    }


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
