"""RNNs learn the tasks of variable binding, many seeds of each kind, and their spectra are compared with the tasks'."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from .experiment import Context, Experiment
from .sweeping import points, swept
from .trained_rnns import binding_protocol, networks_file, train_and_keep

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..recurrent import Trained

_TASKS = {"T1": "repeat copy", "T2": "T2", "T3": "compose copy", "T4": "T4"}
_THRESHOLD = 0.9  # of accuracy from which a network is interpreted, and of moduli that count
# Spectral error in rad (None: no comparable spectrum) and test accuracy: arXiv 2310.02430, by task, units and L2.
_PUBLISHED: dict[tuple[str, int, float], tuple[float | None, float]] = {
    ("T1", 64, 0.0): (None, 0.97), ("T1", 64, 0.001): (None, 0.88),
    ("T1", 128, 0.0): (0.0005, 1.0), ("T1", 128, 0.001): (None, 0.93),
    ("T3", 64, 0.0): (0.0075, 1.0), ("T3", 64, 0.001): (None, 0.85),
    ("T3", 128, 0.0): (0.0055, 0.98), ("T3", 128, 0.001): (0.0031, 0.98),
    ("T2", 64, 0.0): (0.0026, 1.0), ("T2", 64, 0.001): (0.001, 0.97),
    ("T2", 128, 0.0): (0.0031, 0.98), ("T2", 128, 0.001): (0.0005, 1.0),
    ("T4", 64, 0.0): (0.0112, 0.94), ("T4", 64, 0.001): (0.0011, 1.0),
    ("T4", 128, 0.0): (0.0022, 1.0), ("T4", 128, 0.001): (0.0006, 1.0),
}  # fmt: skip


class Cell(NamedTuple):
    """Networks that differ in nothing but their seeds."""

    task: str
    hidden: int
    weight_decay: float

    @property
    def label(self) -> str:
        """Such as `T1-128-0.001`."""
        return f"{self.task}-{self.hidden}-{self.weight_decay:g}"


@dataclass(frozen=True)
class VariableBindingConfig:
    """What is trained; all else is the protocol of the paper, see `sharpwave.recurrent.Protocol`."""

    seed: int = 0
    """Of the first network of each kind; others have the seeds that follow."""
    seeds: int = 20
    """Networks of each kind."""
    tasks: tuple[str, ...] = tuple(_TASKS)
    """Tasks, T1 to T4 of the paper."""
    hidden: tuple[int, ...] = (64, 128)
    """Hidden units."""
    weight_decay: tuple[float, ...] = (0.0, 0.001)
    """L2."""
    steps: int = 20_000
    """Steps of training."""
    horizons: tuple[int, ...] = (10, 20, 40, 60, 100)
    """Outputs that count, one stage after the other."""
    test_horizon: int = 200
    """Outputs of a test."""
    backend: Literal["auto", "julia", "torch"] = "auto"
    """Who trains: auto is Julia, or torch where there is no Julia."""
    jobs: int = 1
    """Processes; each trains the networks of a kind on all threads."""

    def __post_init__(self) -> None:
        unknown_tasks = set(self.tasks) - set(_TASKS)
        if unknown_tasks or not (self.tasks and self.hidden and self.weight_decay):
            raise ValueError(f"expected tasks among {', '.join(_TASKS)}, at least one task, number of units and L2")
        if min(self.seeds, self.steps, self.test_horizon, self.jobs, *self.hidden) < 1:
            raise ValueError("all numbers must be at least 1")

    def cells(self) -> list[Cell]:
        """All kinds of networks, in the order of the table."""
        return [Cell(*cell) for cell in product(self.tasks, self.hidden, self.weight_decay)]


def learn(context: Context) -> dict[str, Any]:
    """Train all networks, kind by kind."""
    config, home = context.config, points(context)
    cells = config.cells()
    longest_first = sorted(cells, key=lambda cell: (-cell.hidden, cell.weight_decay))
    done = swept(context, {cell.label: partial(_train, config, cell, home) for cell in longest_first}, config.jobs)
    found = {cell: done[cell.label] for cell in cells}
    for cell, one in found.items():
        context.timing(f"{cell.label}, training", one["seconds"])
    _report(context, found)
    shape = (len(config.tasks), len(config.hidden), len(config.weight_decay), config.seeds)
    axes = ("task", "hidden", "weight_decay", "seed")
    values = {
        name: (axes, np.array([found[cell][name] for cell in cells], dtype=np.float64).reshape(shape))
        for name in ("accuracy", "error", "rank", "steps")
    }
    return {
        **values,
        "task": list(config.tasks),
        "hidden": list(config.hidden),
        "weight_decay": list(config.weight_decay),
        "seed": np.arange(config.seed, config.seed + config.seeds),
    }


def _train(config: VariableBindingConfig, cell: Cell, home: Path) -> dict[str, Any]:
    from ..recurrent import Elman

    began = perf_counter()
    protocol = binding_protocol(config, cell.weight_decay)
    trained = train_and_keep(config, Elman(cell.hidden), cell.task, protocol, home, cell.label)
    return {**_measured(trained, cell.task, config.test_horizon), "seconds": perf_counter() - began}


def _measured(trained: Trained, task: str, horizon: int) -> dict[str, Any]:
    """Of each network: test accuracy, spectral error (None where ranks differ), large eigenvalues, steps."""
    from ..dynamics import compare_spectra
    from ..recurrent import companion, published_tasks

    known = companion(published_tasks()[task])
    spectra = [compare_spectra(trained.network(r).jacobian(), known, _THRESHOLD) for r in range(len(trained.seeds))]
    return {
        "accuracy": trained.test(horizon).tolist(),
        "error": [spectrum.error for spectrum in spectra],
        "rank": [spectrum.ranks[0] for spectrum in spectra],
        "expected": spectra[0].ranks[1],
        "steps": trained.steps.tolist(),
        "diverged": trained.diverged.tolist(),
    }


def _report(context: Context, found: dict[Cell, dict[str, Any]]) -> None:
    config, rows = context.config, []
    for cell, one in found.items():
        accuracy = np.array(one["accuracy"])
        comparable = [e for e, a in zip(one["error"], accuracy, strict=True) if e is not None and a > _THRESHOLD]
        best = float(accuracy.max())
        error = None if not comparable else float(np.median(comparable))
        published = _PUBLISHED.get(cell) if config.steps == VariableBindingConfig.steps else None
        name = f"{cell.task}, {cell.hidden} units, L2 {cell.weight_decay:g}"
        note = "" if published is None else f"published: {_text(published[0])} rad at accuracy {published[1]:.2f}"
        context.metric(f"{name}: accuracy", float(np.mean(accuracy)), note=note)
        if error is not None:
            context.metric(f"{name}: spectral error", error, unit="rad", note=note)
        rows.append([
            cell.task, cell.hidden, f"{cell.weight_decay:g}", f"{accuracy.mean():.3f} ± {accuracy.std():.3f}",
            f"{best:.3f}", f"{(accuracy > _THRESHOLD).sum()}/{len(accuracy)}", _text(error),
            f"{len(comparable)}", _text(min(comparable, default=None)),
            "" if published is None else f"{_text(published[0])} ({published[1]:.2f})", f"{one['seconds'] / 60:.1f}",
        ])  # fmt: skip
    context.table(
        "Accuracy and spectral error",
        ["task", "units", "L2", "accuracy", "best", "above .9", "error / rad", "comparable", "least error / rad",
         "published error (accuracy)", "training / min"],
        rows,
        f"Accuracy: share of right signs among {config.test_horizon} outputs, mean ± sd over {config.seeds} networks. "
        "Error: mean distance of the angles of eigenvalues above .9 in modulus, of the linearisation at 0 from the "
        "task's, by the best assignment; median over networks with an accuracy above .9 and as many such "
        "eigenvalues as the task has, the comparable ones. A dash: none is. Published: arXiv 2310.02430.",
    )  # fmt: skip
    context.figure(
        "spectra",
        _draw(context, found),
        title="Spectra of trained networks on the unit circle",
        alt="For each task, eigenvalues of a network as dots on or near circles that mark the task's own.",
        caption="Of the network with the smallest spectral error, or else the highest accuracy, among those with most "
        "units and no L2. Circles are the task's eigenvalues, dots the network's.",
    )


def _text(error: float | None) -> str:
    return "–" if error is None else f"{error:.4f}"


def _draw(context: Context, found: dict[Cell, dict[str, Any]]) -> Figure:
    from matplotlib.figure import Figure

    from ..plots import COLORS, style
    from ..recurrent import companion, published_tasks

    config, tasks = context.config, published_tasks()
    with style():
        figure = Figure(figsize=(2.6 * len(config.tasks), 2.9), layout="constrained")
        panels = figure.subplots(1, len(config.tasks), squeeze=False)[0]
        for axes, task in zip(panels, config.tasks, strict=True):
            cell = Cell(task, max(config.hidden), min(config.weight_decay))
            one = found[cell]
            errors = [np.inf if e is None else e for e in one["error"]]
            chosen = int(np.argmin(errors) if np.isfinite(errors).any() else np.argmax(one["accuracy"]))
            with np.load(networks_file(points(context), cell.label), allow_pickle=False) as file:
                eigenvalues = np.linalg.eigvals(file["recurrent"][chosen].astype(np.float64))
            known = np.linalg.eigvals(companion(tasks[task]))
            known = known[np.abs(known) > _THRESHOLD]
            turn = np.linspace(0, 2 * np.pi, 200)
            axes.plot(np.cos(turn), np.sin(turn), color="0.8", linewidth=0.8, zorder=0)
            axes.plot(known.real, known.imag, "o", color=COLORS[0], fillstyle="none", markersize=7)
            axes.plot(eigenvalues.real, eigenvalues.imag, ".", color=COLORS[1], markersize=4)
            axes.set(
                title=f"{task}, {_TASKS[task]}" if task != _TASKS[task] else task, aspect="equal", xticks=[], yticks=[]
            )
        return figure


EXPERIMENT = Experiment(
    name="variable-binding-table",
    title="RNNs bind variables: accuracy and spectra",
    summary="Elman networks are shown eight vectors and must go on by a rule that reads the last eight. Those that "
    "learn it have the eigenvalues of the rule's own operator: as many large ones, at the same angles.",
    source="Episodic Memory Theory for the Mechanistic Interpretation of RNNs, arXiv 2310.02430, table of spectral "
    "errors",
    config=VariableBindingConfig,
    quick={"seeds": 2, "tasks": ("T2",), "hidden": (64,), "weight_decay": (0.0,), "steps": 600, "horizons": (10,)},
    steps=(learn,),
    headline=(
        *(f"{task}, 128 units, L2 0: accuracy" for task in _TASKS),
        *(f"{task}, 128 units, L2 0: spectral error" for task in _TASKS),
    ),
    expected="with 128 units and without L2 an accuracy of .98 or more and an error of at most .006 rad on all tasks",
    tables=("Accuracy and spectral error",),
)
