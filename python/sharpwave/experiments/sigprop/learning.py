"""Networks that are taught in each way, and what they come to."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..experiment import Context
from ..fitting import first_images, fit_and_test
from ..sweeping import mean_and_sd, points, shown, swept
from .config import Kind, SigPropConfig, kinds


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
        "kind": [kind.name for kind in every],
        "seed": np.array(seeds),
    }


def _epochs(config: SigPropConfig, layers: str) -> int:
    return config.epochs if layers == "dense" else config.convolutional_epochs


def _train(config: SigPropConfig, kind: Kind, seed: int, path: Path) -> dict[str, Any]:
    import torch

    from ...forward.probes import alignment, find_collapse

    model, found = fit_and_test(config, kind.method, _epochs(config, kind.layers), seed, path)
    images, labels = first_images(config, 128)
    x, y = torch.from_numpy(images), torch.tensor(labels)
    taught: Any = model.learner_
    collapse = find_collapse(taught.model, x)
    angles = alignment(taught.model, x, y) if kind.way != "forward-forward" else []
    return {**found, "angles": angles, "collapse": "" if collapse is None else str(collapse)}


def _report(context: Context, every: list[Kind], found: list[list[dict[str, Any]]]) -> None:
    rows: dict[str, list[list[str]]] = {}
    for kind, ones in zip(every, found, strict=True):
        context.metric(f"{kind.name}: test error", float(np.mean([one["error"] for one in ones])), unit="%")
        angles = [f"{np.mean(its):.0f}" for its in zip(*(one["angles"] for one in ones), strict=False)]
        collapsed = sorted({one["collapse"].split(":")[0] for one in ones if one["collapse"]})
        rows.setdefault(kind.layers, []).append([
            kind.way, kind.targets, kind.loss, shown(*mean_and_sd([one["error"] for one in ones]), 2),
            ", ".join(angles), ", ".join(collapsed) or ("diverged" if any(one["diverged"] for one in ones) else ""),
        ])  # fmt: skip
    for name, its in rows.items():
        context.table(
            f"{name.capitalize()} layers",
            ["way", "targets", "loss", "error / %", "angle / degrees", ""],
            its,
            f"Test error, mean ± sd over networks, after {_epochs(context.config, name)} epochs. Angle: of "
            "each layer's step, before Adam, from that of the gradient of the last loss, after training.",
        )
