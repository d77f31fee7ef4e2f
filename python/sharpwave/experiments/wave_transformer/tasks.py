"""Attention lattices learn the tasks of variable binding."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..experiment import Context
from ..sweeping import mean_and_sd, points, shown, swept
from ..trained_rnns import networks_file, train_and_keep

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .config import WaveTransformerConfig

_TEST_HORIZON = 200


def tasks(context: Context) -> dict[str, Any]:
    """Train on every task, test, and compare lattice and transformer."""
    config, home = context.config, points(context)
    rows = []
    found = swept(context, {task: partial(_learn, config, task, home) for task in config.tasks}, config.jobs)
    for task, one in found.items():
        mean, sd = mean_and_sd(one["accuracy"])
        note = f"{config.seeds} seeds" + (f", sd {sd:.4f}" if config.seeds > 1 else "")
        context.metric(f"{task}: accuracy", mean, note=note)
        rows.append([task, shown(mean, sd, 4), shown(*mean_and_sd(one["steps"]), 0), f"{_largest(one):.1e}"])
    if rows:
        largest = float(np.max([_largest(one) for one in found.values()]))
        context.metric("largest difference of lattice and transformer, tasks", largest)
        context.table(
            "Tasks",
            ["task", "accuracy", "steps of training", "lattice - transformer"],
            rows,
            f"A lattice of as many columns as the task's window, {config.rows} rows and {config.heads} heads. "
            f"Accuracy: share of right signs among {_TEST_HORIZON} outputs, mean ± sd over {config.seeds} seeds. "
            "Difference: the largest of what starts on the lattice, in Julia, and what the transformer's loop says "
            f"next, in torch, over {_TEST_HORIZON} steps from the same window, in units of the largest value.",
        )
        context.figure(
            "attention",
            _draw(config, home),
            title="Which columns are attended to",
            alt="For each task, how much each head attends to each column, before anything is on the lattice.",
            caption="Of the first seed. On an empty lattice attention is the preference that a head has learned: the "
            "task's rule reads some columns, and heads have found them.",
        )
    shape = (len(config.tasks), config.seeds)
    axes = ("task", "seed")
    values = {
        name: (axes, np.array([one[name] for one in found.values()], dtype=np.float64).reshape(shape))
        for name in ("accuracy", "steps", "difference")
    }
    return {**values, "task": list(config.tasks), "seed": np.arange(config.seed, config.seed + config.seeds)}


def _largest(one: dict[str, Any]) -> float:
    """NaN if some network's numbers were not finite."""
    return float(np.array(one["difference"], dtype=np.float64).max())


def _learn(config: WaveTransformerConfig, task: str, home: Path) -> dict[str, Any]:
    from ...recurrent import Protocol, published_tasks
    from ...waves import AttentionLattice

    architecture = AttentionLattice(published_tasks()[task].window, config.rows, config.heads)
    protocol = Protocol(steps=config.steps, learning_rate=config.learning_rate, horizons=config.horizons, patience=3)
    trained = train_and_keep(config, architecture, task, protocol, home, task)
    return {
        "accuracy": trained.test(_TEST_HORIZON).tolist(),
        "steps": trained.steps.tolist(),
        "difference": [_difference(architecture, trained.parameters, replica) for replica in range(config.seeds)],
    }


def _difference(architecture: Any, parameters: dict[str, NDArray[Any]], replica: int) -> float:
    """Of a lattice in Julia and its transformer's loop in torch, from windows of inputs, by the largest value."""
    import torch

    from ...waves import AttentionOnlyTransformer

    lattice = architecture.lattice(parameters, replica)
    inputs = np.random.default_rng(replica).choice([-1.0, 1.0], (8, lattice.columns, parameters["input"].shape[2]))
    window = lattice.run(inputs @ parameters["input"][replica].astype(np.float64).T).substrate(lattice.columns)
    waves = lattice.run(steps=_TEST_HORIZON, initial=window)
    with torch.no_grad():
        said = AttentionOnlyTransformer.of(lattice).continued(torch.from_numpy(window), _TEST_HORIZON).numpy()
    return float(np.abs(waves.values - said).max() / np.abs(said).max())


def _draw(config: WaveTransformerConfig, home: Path) -> Figure:
    from matplotlib.figure import Figure
    from scipy.special import softmax

    from ...plots import style

    with style():
        figure = Figure(figsize=(2.3 * len(config.tasks) + 0.6, 2.9), layout="constrained")
        panels = figure.subplots(1, len(config.tasks), sharey=True, squeeze=False)[0]
        for axes, task in zip(panels, config.tasks, strict=True):
            with np.load(networks_file(home, task), allow_pickle=False) as file:
                attention = softmax(file["bias"][0], axis=1)
            columns = np.arange(1, attention.shape[1] + 1)
            image = axes.imshow(
                attention, cmap="Blues", vmin=0, vmax=1, extent=(0.5, columns[-1] + 0.5, config.heads + 0.5, 0.5)
            )
            axes.set(title=task, xlabel="column", xticks=columns, yticks=range(1, config.heads + 1))
            axes.grid(False)
        panels[0].set_ylabel("head")
        figure.colorbar(image, ax=list(panels), label="attention", shrink=0.8)
        return figure
