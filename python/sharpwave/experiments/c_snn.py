"""Convolutional spiking networks that learn digits by STDP: weights shared and not, links between patches, votes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..suggest import unknown
from .c_snn_cost import SIZES, cost, stride_of
from .experiment import Context, Experiment
from .sweeping import mean_and_sd, points, shown, swept
from .trained_digits import ACTIVITY, ACTIVITY_CAPTION, LEARNED, Lesson, activity_row, learn_and_test

Found = dict[tuple[str, int], list[dict[str, Any]]]

LAYERS: dict[str, dict[str, Any]] = {
    "unshared": {},
    "pairs": {"links": "pairs"},
    "shared": {"shared": True},
    "selective": {"inhibition": 60.0},
}
_VOTES = ("all", "most-spiked", "top", "correlation", "proportion", "linear")
_DECIDES = {"unshared": "all", "pairs": "all", "shared": "top", "selective": "all"}  # votes of the published table
_PUBLISHED = {
    "unshared": {27: 64.36, 20: 75.82, 16: 80.02, 14: 84.18, 12: 83.56, 8: 80.21},
    "pairs": {27: 60.99, 20: 75.13, 16: 79.48, 14: 84.18, 12: 83.31, 8: 80.79},
    "shared": {27: 61.70, 20: 70.22, 16: 67.76, 14: 69.19, 12: 71.27, 8: 67.97},
}  # accuracy on MNIST in %, by kernel size: arXiv 1808.08173, 50 patches, lattice 8
_SHOWN = 16  # patches whose weights are shown


@dataclass(frozen=True)
class CSnnConfig:
    """What learns. The numbers are those of the paper; that each image is learned once is a choice made here."""

    seed: int = 0
    """Of weights and spikes of the first training; others have the seeds that follow."""
    seeds: int = 3
    """Trainings for each layer and kernel size."""
    data_set: str = "mnist"
    """What is learned; see `sharpwave.data`."""
    layers: tuple[str, ...] = tuple(LAYERS)
    """Layers: weights of their own at each position, the same with links between pairs of patches, shared weights, and
    weights of their own with more inhibition than in the paper, 60 in place of 17.4."""
    kernel_sizes: tuple[int, ...] = (16, 14, 12)
    """Sides k of the windows; the stride is 2, or 1 where there would be a single window."""
    examples: int = 60_000
    """Training images, the first ones; each is learned once."""
    labelled: int = 10_000
    """Of these, the last ones are shown once more, without plasticity, and neurons get their labels from them."""
    test_images: int = 10_000
    """Test images, the first ones."""
    patches: int = 50
    """Patches of the layer."""
    lattice: Literal[4, 8] = 8
    """Neighbours that a link leads to."""
    duration: float = 350.0
    """Of an image, ms."""
    rest: float = 150.0
    """After it, ms. An image begins at rest anyway, but thresholds go on falling: without it they end too high."""
    norm: float | None = None
    """Sum of the weights of a neuron; None: .15 of the number of pixels in a window."""
    nu: tuple[float, float] = (1e-4, 1e-2)
    """Learning rates at presynaptic and at postsynaptic spikes."""
    precision: Literal["double", "single"] = "single"
    """Of the simulation."""
    jobs: int = 2
    """Processes, of one thread each."""
    cost_sizes: tuple[int, ...] = SIZES
    """Kernel sizes whose time and memory are measured."""
    cost_images: int = 200
    """Images that this takes, for each."""

    def __post_init__(self) -> None:
        for name in self.layers:
            if name not in LAYERS:
                raise ValueError(unknown("layer", name, LAYERS))
        numbers = (
            self.seeds,
            self.examples,
            self.labelled,
            self.test_images,
            self.patches,
            self.jobs,
            self.cost_images,
        )
        if not (self.layers and self.kernel_sizes) or min(numbers) < 1:
            raise ValueError("expected at least one layer and kernel size, and all numbers at least 1")


def learn(context: Context) -> dict[str, Any]:
    """Learn with every layer, kernel size and seed, and test with all votes."""
    config = context.config
    home = points(context)
    tasks = {
        f"{layer}-{k}-seed-{seed}": partial(_train, config, layer, k, seed, home)
        for seed in range(config.seed, config.seed + config.seeds)
        for k in sorted(config.kernel_sizes)  # the slowest first, for the sake of the last process
        for layer in config.layers
    }
    done = swept(context, tasks, config.jobs)
    found: Found = {}
    for layer in config.layers:
        for k in config.kernel_sizes:
            names = [f"{layer}-{k}-seed-{seed}" for seed in range(config.seed, config.seed + config.seeds)]
            found[layer, k] = [done[name] for name in names]
    for name, one in done.items():
        for what, seconds in one["seconds"].items():
            context.timing(f"{name}, {what} of an image", seconds)
    _report(context, found)
    _figures(context, found)
    axes = ("layer", "kernel_size", "seed", "vote")
    return {
        "accuracy_afterwards": (axes, _accuracies(config, found, "afterwards")),
        "accuracy_beside": (axes, _accuracies(config, found, "beside")),
        "layer": list(config.layers),
        "kernel_size": list(config.kernel_sizes),
        "seed": np.arange(config.seed, config.seed + config.seeds),
        "vote": list(_VOTES),
    }


def _accuracies(config: CSnnConfig, found: Found, when: str) -> NDArray[np.float64]:
    values = [[one["accuracy"][when][vote] for vote in _VOTES] for ones in found.values() for one in ones]
    return np.array(values).reshape(len(config.layers), len(config.kernel_sizes), config.seeds, len(_VOTES))


def _train(config: CSnnConfig, layer: str, kernel_size: int, seed: int, home: Path) -> dict[str, Any]:
    from ..data import load
    from ..spiking import ConvolutionalSTDP

    side = load(config.data_set).train_images.shape[1]
    model = ConvolutionalSTDP(
        patches=config.patches, kernel_size=kernel_size, stride=stride_of(kernel_size, side), lattice=config.lattice,
        duration=config.duration, rest=config.rest, norm=config.norm, nu=config.nu, readout=_DECIDES[layer],
        readouts=_VOTES, seed=seed, precision=config.precision, threads=1, **LAYERS[layer],
    )  # fmt: skip
    return learn_and_test(model, _lesson(config, layer, kernel_size, seed, home))


def _lesson(config: CSnnConfig, layer: str, kernel_size: int, seed: int, home: Path) -> Lesson:
    return Lesson(
        config.data_set, config.examples, config.labelled, config.test_images, home,
        f"{layer}-{kernel_size}-seed-{seed}", _SHOWN if seed == config.seed and layer != "shared" else 0,
    )  # fmt: skip


def _each(found: Found, when: str) -> Iterator[tuple[str, int, dict[str, tuple[float, float]]]]:
    """Layer, kernel size, and for each vote the mean accuracy with its standard deviation."""
    for (layer, k), ones in found.items():
        yield layer, k, {vote: mean_and_sd(one["accuracy"][when][vote] for one in ones) for vote in _VOTES}


def _published(config: CSnnConfig, layer: str, kernel_size: int) -> str:
    known = _PUBLISHED.get(layer, {}).get(kernel_size) if config.data_set == "mnist" else None
    return "" if known is None else f"{known:.2f}"


def _report(context: Context, found: Found) -> None:
    config, rows = context.config, []
    for layer, k, votes in _each(found, "afterwards"):
        mean, sd = votes[_DECIDES[layer]]
        published = _published(config, layer, k)
        best = max(votes, key=lambda vote: votes[vote][0])
        note = f"vote: {_DECIDES[layer]}; " + (
            "one seed" if config.seeds == 1 else f"sd {sd:.2f}, {config.seeds} seeds"
        )
        context.metric(
            f"{layer}, k = {k}: accuracy", mean, unit="%", note=note + f"; published: {published} %" * bool(published)
        )
        context.metric(f"{layer}, k = {k}: best vote", votes[best][0], unit="%", note=f"vote: {best}")
        rows.append(
            [layer, k, _DECIDES[layer], shown(mean, sd), published, f"{shown(*votes[best])} ({best})", config.seeds]
        )
    context.table(
        "Accuracy",
        ["layer", "k", "vote", "accuracy / %", "published / %", "best vote / %", "seeds"],
        rows,
        f"On {config.test_images} test images, mean ± sd over seeds, after one presentation of {config.examples} "
        f"images. Neurons have labels from one more presentation of the last "
        f"{min(config.labelled, config.examples)}, without plasticity. {config.patches} patches, links to "
        f"{config.lattice} neighbours. Published: arXiv 1808.08173. Selective: as unshared, with inhibition of 60 in "
        "place of the paper's 17.4.",
    )
    for when, words in (
        ("afterwards", "with labels from one more presentation, without plasticity"),
        ("beside", "with labels that neurons were given while they learned"),
    ):
        context.table(
            f"Votes, {words}",
            ["layer", "k", *_VOTES],
            [[layer, k, *(shown(*votes[vote]) for vote in _VOTES)] for layer, k, votes in _each(found, when)],
            "Accuracy in %, mean ± sd over seeds. all: every spike for its neuron's class; most-spiked: one neuron of "
            "each patch; top: the tenth of neurons that spike most; correlation: which patch leads at each position; "
            "proportion: every spike for all classes in proportion to what its neuron fired for; linear: a "
            "regression on the counts of all neurons, which is not the paper's.",
        )
    context.table(
        "Activity",
        ["layer", "k", *ACTIVITY],
        [[layer, k, *activity_row(ones)] for (layer, k), ones in found.items()],
        ACTIVITY_CAPTION,
    )


def _figures(context: Context, found: Found) -> None:
    from ..spiking import plot_filters
    from .c_snn_figures import accuracy_while_learning, votes_by_kernel_size

    config = context.config
    context.figure(
        "votes",
        votes_by_kernel_size(
            {(layer, k): votes for layer, k, votes in _each(found, "afterwards")},
            {key: _PUBLISHED[key[0]][key[1]] for key in found if _published(config, *key)},
        ),
        title="Accuracy by kernel size and vote",
        alt="A panel for each layer: accuracy against kernel size, a line for each vote; crosses are published values.",
        caption="Mean and standard deviation over seeds. Crosses are published, of the vote "
        + ", ".join(f"{_DECIDES[layer]} ({layer})" for layer in config.layers)
        + ".",
    )
    context.figure(
        "learning",
        accuracy_while_learning({f"{layer}, k = {k}": ones for (layer, k), ones in found.items()}),
        title="Accuracy while learning",
        alt="Accuracy on the next images against the number of images learned: it rises fast in the first thousands.",
        caption=f"Of the images that come next, before they are learned, by the layer's vote; the mean of {LEARNED} "
        "images and of seeds. Shared weights change faster than the labels that are learned beside them.",
    )
    layer = next((name for name in config.layers if name != "shared"), None)
    if layer is None:
        return
    k = 14 if 14 in config.kernel_sizes else config.kernel_sizes[0]
    with np.load(_lesson(config, layer, k, config.seed, points(context)).weights) as file:
        filters = plot_filters(file["weights"], limit=_SHOWN)
    context.figure(
        "filters",
        filters,
        title=f"Learned weights, {layer}, k = {k}",
        alt="Small windows full of parts of digits, one tile of windows for each patch.",
        caption="A tile for each patch; in it, the window of each position where it is.",
    )


EXPERIMENT = Experiment(
    name="c-snn",
    title="Convolutional spiking networks that learn by STDP",
    summary="Patches of neurons with conductances see windows of digits, compete at each position, and learn by STDP "
    "alone. Weights are of each neuron's own or shared within a patch, patches are linked in pairs or not, and "
    "inhibition is the paper's or stronger. Several votes turn the spikes of labelled neurons into a class. Time and "
    "memory are measured and compared with the cost model: as many weights as neurons times pixels of a window, or as "
    "patches times these if they are shared.",
    source="STDP Learning of Image Patches with Convolutional Spiking Neural Networks, arXiv 1808.08173, table of "
    "accuracies for 50 patches with lattice 8, and cost model",
    config=CSnnConfig,
    quick={
        "seeds": 1, "layers": ("unshared", "shared"), "kernel_sizes": (16,), "patches": 20, "examples": 800,
        "labelled": 400, "test_images": 300, "jobs": 1, "cost_sizes": (16,), "cost_images": 50,
    },
    steps=(learn, cost),
    headline=(
        "unshared, k = 16: accuracy",
        "unshared, k = 14: accuracy",
        "unshared, k = 12: accuracy",
        "pairs, k = 14: accuracy",
        "shared, k = 14: accuracy",
        "selective, k = 14: accuracy",
        "selective, k = 14: best vote",
    ),
    expected="84 % at k = 14 with weights of their own, with and without links; about 15 % less with shared weights",
    tables=("Accuracy", "Votes, with labels from one more presentation, without plasticity", "Cost"),
)  # fmt: skip
