"""The basis in which hidden units are the variables of a task: of exact RNNs, and of trained ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .experiment import Context, Experiment
from .privileged_figures import draw_operators, moving_waves
from .trained_rnns import TrainedRnnConfig, trained_rnns

if TYPE_CHECKING:
    from ..dynamics import PrivilegedBasis

_WAYS = {
    "powers from the readout": {"method": "powers", "ground": "readout"},
    "powers from the input": {"method": "powers", "ground": "input"},
    "regression": {"method": "regression"},
}
_SIZE = 96  # hidden units of the exact networks


def exact(context: Context) -> dict[str, Any]:
    """Hide each circuit in random bases, and find it again."""
    from ..dynamics import privileged_basis
    from ..recurrent import circuit, published_tasks

    config, rng, rows = context.config, context.rng(), []
    errors = np.zeros((len(config.tasks), len(_WAYS), config.seeds))
    for i, name in enumerate(config.tasks):
        task = published_tasks()[name]
        for seed in range(config.seeds):
            hidden = circuit(task, rng.normal(size=(_SIZE, task.window * task.dimensions)), compressed=True)
            for j, way in enumerate(_WAYS.values()):
                errors[i, j, seed] = privileged_basis(hidden.network, task, **way).error  # type: ignore[arg-type]
        rows.append([name, *(f"{errors[i, j].max():.1e}" for j in range(len(_WAYS)))])
        context.progress(i + 1, len(config.tasks))
    for j, label in enumerate(_WAYS):
        context.metric(f"largest error in exact networks, {label}", float(errors[:, j].max()))
    context.table(
        "Exact networks in random bases",
        ["task", *_WAYS],
        rows,
        f"Largest error over {config.seeds} bases of {_SIZE} dimensions: norm of the difference between the operator "
        "in the basis that was found and the task's, in units of the norm of that. The readout's pseudo-inverse is the "
        "basis of the newest block only where the hidden basis is orthogonal.",
    )
    return {"error": (("task", "way", "base"), errors), "task": list(config.tasks), "way": list(_WAYS)}


def trained(context: Context) -> dict[str, Any]:
    """Find the variables in trained networks."""
    from ..dynamics import compare_spectra, privileged_basis
    from ..recurrent import companion, published_tasks

    config, networks, rows = context.config, trained_rnns(context), []
    shape = (len(config.tasks), len(_WAYS), config.seeds)
    errors, conditions = np.zeros(shape), np.zeros(shape)
    shown: dict[str, PrivilegedBasis] = {}
    for i, (name, ones) in enumerate(networks.items()):
        task = published_tasks()[name]
        for seed, network in enumerate(ones):
            for j, (label, way) in enumerate(_WAYS.items()):
                found = privileged_basis(network, task, **way)  # type: ignore[arg-type]
                errors[i, j, seed], conditions[i, j, seed] = found.error, found.condition
                if label == "regression" and seed == 0:
                    shown[name] = found
        spectra = [compare_spectra(one.jacobian(), companion(task)) for one in ones]
        comparable = [s.error for s in spectra if s.error is not None]
        cells = [f"{np.median(errors[i, j]):.2f} ({np.median(conditions[i, j]):.1f})" for j in range(len(_WAYS))]
        spectral = f"{np.median(comparable):.4f}" if comparable else "–"
        rows.append([name, *cells, spectral, f"{len(comparable)}/{len(ones)}"])
        for j, label in enumerate(_WAYS):
            context.metric(f"{name}: error of the operator, {label}", float(np.median(errors[i, j])))
    context.table(
        "Trained networks",
        ["task", *_WAYS, "spectral error / rad", "comparable"],
        rows,
        f"Median over {config.seeds} networks of {config.hidden} units of the error of the operator, and in brackets "
        "of the condition of the basis, its columns of length 1. The spectral error is that of the linearisation at 0, "
        "over networks with as many large eigenvalues as the task.",
    )
    context.figure(
        "operators",
        draw_operators(shown),
        title="What was found beside what it should be",
        alt="For each task two matrices, much alike: entries of 1 and -1 along a diagonal and in the last rows; and "
        "the basis, a matrix without any order to the eye.",
        caption="Above, the operator of a network in the basis found by regression; then the task's. Below, the "
        "basis: a column for each variable, the oldest first, a row for each hidden unit.",
    )
    name, ones = next(iter(networks.items()))
    figure, draw, frames = moving_waves(ones[0], published_tasks()[name], shown[name])
    context.animation(
        "waves",
        figure,
        draw,
        frames,
        title="A picture on its way",
        alt="A picture of eight by eight pixels enters at the right, column by column, and goes on as the rule says, "
        "in the network as in the task.",
        caption=f"Left, the variables of a trained network on {name}, read in the basis found by regression; right, "
        "what they are to be: the last eight vectors, the newest at the right. Crossed: variables that no output "
        "reads.",
    )
    axes = ("task", "way", "seed")
    return {
        "error": (axes, errors), "condition": (axes, conditions), "task": list(config.tasks), "way": list(_WAYS),
        "seed": np.arange(config.seed, config.seed + config.seeds),
    }  # fmt: skip


EXPERIMENT = Experiment(
    name="privileged-basis",
    title="The variables of a task in the hidden units of a network",
    summary="An RNN that does a task of variable binding carries the last eight vectors somewhere in its hidden space. "
    "They are looked for by powers of the recurrent weights, as in the paper, and by regression; in networks whose "
    "circuit is known, and in trained ones.",
    source="Episodic Memory Theory for the Mechanistic Interpretation of RNNs, arXiv 2310.02430",
    config=TrainedRnnConfig,
    quick={"seeds": 1, "tasks": ("T2",), "hidden": 64, "steps": 6000, "horizons": (20,)},
    steps=(exact, trained),
    headline=(
        "largest error in exact networks, regression",
        *(f"{task}: error of the operator, regression" for task in TrainedRnnConfig.tasks),
    ),
    expected="exact circuits to 1e-8; in trained networks the error of the operator is reported",
    tables=("Exact networks in random bases", "Trained networks"),
)
