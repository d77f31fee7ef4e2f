"""The network of Diehl and Cook (2015) learns digits, in several sizes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .experiment import Context, Experiment
from .sweeping import mean_and_sd, points, shown, swept
from .trained_digits import ACTIVITY, ACTIVITY_CAPTION, LEARNED, Lesson, activity_row, learn_and_test, learning_curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Found = dict[tuple[float, int], list[dict[str, Any]]]  # by inhibition and neurons, for each seed

_PUBLISHED = {100: 82.9, 400: 87.0, 1600: 91.9, 6400: 95.0}  # accuracy on MNIST in %, by neurons: the paper
_READOUTS = ("all", "proportion", "ngram")
PAPER = 17.0  # inhibition
_SHOWN = 100  # neurons whose weights are shown


@dataclass(frozen=True)
class DiehlCook2015Config:
    """What learns. The numbers are those of the paper; how often images are presented is a choice made here."""

    seed: int = 0
    """Of weights, delays and spikes of the first training; others have the seeds that follow."""
    seeds: int = 3
    """Trainings for each number of neurons."""
    data_set: str = "mnist"
    """What is learned; see `sharpwave.data`."""
    units: tuple[int, ...] = (100, 400, 1600)
    """Excitatory neurons."""
    inhibitions: tuple[float, ...] = (PAPER, 60.0)
    """Weights onto the other excitatory neurons, in units of the leak: the paper's, and one that is more selective."""
    examples: int = 60_000
    """Training images, the first ones."""
    epochs: int = 1
    """How often they are gone through."""
    labelled: int = 10_000
    """Of these, the last ones are shown once more, without plasticity, and neurons get their labels from them."""
    test_images: int = 10_000
    """Test images, the first ones."""
    delays: Literal["synaptic", "axonal", "none"] = "synaptic"
    """Of the input, up to 10 ms: of each weight as in the paper, of each input, or none."""
    duration: float = 350.0
    """Of an image, ms."""
    rest: float = 150.0
    """After it, ms."""
    norm: float | None = None
    """Sum of the weights of a neuron; None: 78/784 of the number of pixels."""
    nu: tuple[float, float] = (1e-4, 1e-2)
    """Learning rates at presynaptic and at postsynaptic spikes."""
    precision: Literal["double", "single"] = "single"
    """Of the simulation."""
    jobs: int = 2
    """Processes, of one thread each."""

    def __post_init__(self) -> None:
        numbers = (self.seeds, self.examples, self.epochs, self.labelled, self.test_images, self.jobs)
        if not (self.units and self.inhibitions) or min(*numbers, *self.units) < 1:
            raise ValueError("expected at least one number of neurons and one inhibition, and all numbers at least 1")


def learn(context: Context) -> dict[str, Any]:
    """Learn with every number of neurons and seed, and test."""
    config = context.config
    seeds = range(config.seed, config.seed + config.seeds)
    networks = [(inhibition, units) for inhibition in config.inhibitions for units in config.units]
    slowest_first = sorted(networks, key=lambda network: -network[1])  # for the sake of the last process
    tasks = {
        _name(*network, seed): partial(_train, config, *network, seed, points(context))
        for network in slowest_first
        for seed in seeds
    }
    done = swept(context, tasks, config.jobs)
    found: Found = {network: [done[_name(*network, seed)] for seed in seeds] for network in networks}
    for name, one in done.items():
        for what, seconds in one["seconds"].items():
            context.timing(f"{name}, {what} of an image", seconds)
    _report(context, found)
    _figures(context, found)
    axes = ("inhibition", "units", "seed", "readout")
    shape = (len(config.inhibitions), len(config.units), len(seeds), -1)
    trained = [one["accuracy"] for ones in found.values() for one in ones]
    accuracy = {
        when: np.reshape([[one[when][readout] for readout in _READOUTS] for one in trained], shape)
        for when in ("afterwards", "beside")
    }
    return {
        **{f"accuracy_{when}": (axes, values) for when, values in accuracy.items()},
        "inhibition": list(config.inhibitions),
        "units": list(config.units),
        "seed": list(seeds),
        "readout": list(_READOUTS),
    }


def _name(inhibition: float, units: int, seed: int) -> str:
    return f"{units}-inhibition-{inhibition:g}-seed-{seed}"


def _train(config: DiehlCook2015Config, inhibition: float, units: int, seed: int, home: Path) -> dict[str, Any]:
    from ..spiking import DiehlCook2015

    model = DiehlCook2015(
        units=units, delays=None if config.delays == "none" else config.delays, duration=config.duration,
        rest=config.rest, inhibition=inhibition, norm=config.norm, nu=config.nu, epochs=config.epochs, readout="all",
        readouts=_READOUTS, seed=seed, precision=config.precision, threads=1,
    )  # fmt: skip
    return learn_and_test(model, _lesson(config, inhibition, units, seed, home))


def _lesson(config: DiehlCook2015Config, inhibition: float, units: int, seed: int, home: Path) -> Lesson:
    return Lesson(
        config.data_set, config.examples, config.labelled, config.test_images, home, _name(inhibition, units, seed),
        _SHOWN if seed == config.seed else 0,
    )  # fmt: skip


def _published(config: DiehlCook2015Config, units: int) -> str:
    return f"{_PUBLISHED[units]:.1f}" if config.data_set == "mnist" and units in _PUBLISHED else ""


def _report(context: Context, found: Found) -> None:
    config, rows = context.config, []
    for (inhibition, units), ones in found.items():
        afterwards, beside = (
            {name: mean_and_sd(one["accuracy"][when][name] for one in ones) for name in _READOUTS}
            for when in ("afterwards", "beside")
        )
        mean, sd = afterwards["all"]
        published = _published(config, units)
        note = "one seed" if config.seeds == 1 else f"sd {sd:.2f}, {config.seeds} seeds"
        note += f"; published: {published} %" * bool(published)
        context.metric(f"{units} neurons, inhibition {inhibition:g}: accuracy", mean, unit="%", note=note)
        cells = [shown(*values[name]) for values in (afterwards, beside) for name in _READOUTS]
        rows.append([units, f"{inhibition:g}", *cells, config.seeds, published])
    context.table(
        "Accuracy",
        ["neurons", "inhibition", *_READOUTS, *(f"{name}, beside" for name in _READOUTS), "seeds", "published"],
        rows,
        f"In % of {config.test_images} test images, mean ± sd over seeds, after {config.epochs} presentation(s) of "
        f"{config.examples} images. Labels are from one more presentation of the last "
        f"{min(config.labelled, config.examples)}, without plasticity, or given beside learning. The paper's readout "
        "is all: a class scores the mean spikes of its neurons, and its inhibition 17. How often the published "
        "networks were shown the images is not known here; the authors' program, github.com/peter-u-diehl/stdp-mnist, "
        "shows them three times to 400.",
    )
    context.table(
        "Activity",
        ["neurons", "inhibition", *ACTIVITY],
        [[units, f"{inhibition:g}", *activity_row(ones)] for (inhibition, units), ones in found.items()],
        ACTIVITY_CAPTION,
    )


def _figures(context: Context, found: Found) -> None:
    from ..spiking import plot_filters

    config = context.config
    context.figure(
        "accuracy",
        _draw(config, found),
        title="Accuracy by number of neurons, and while learning",
        alt="Left, accuracy rises with the number of neurons, near crosses that are published values. Right, accuracy "
        "rises with the number of images learned, fast at first.",
        caption="Left, on test images, mean and standard deviation over seeds; crosses are published. Right, on the "
        f"images that come next, before they are learned; the mean of {LEARNED} images and of seeds.",
    )
    units = 400 if 400 in config.units else config.units[0]
    with np.load(_lesson(config, config.inhibitions[0], units, config.seed, points(context)).weights) as file:
        filters = plot_filters(file["weights"], limit=_SHOWN)
    context.figure(
        "weights",
        filters,
        title=f"Learned weights of {units} neurons",
        alt="A grid of images, most of them like digits in one hand or another.",
        caption=f"The first {min(_SHOWN, units)} excitatory neurons; inhibition {config.inhibitions[0]:g}.",
    )


def _draw(config: DiehlCook2015Config, found: Found) -> Figure:
    from matplotlib.figure import Figure

    from ..plots import COLORS, line_style, style

    with style():
        figure = Figure(figsize=(7.5, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        sizes = sorted(config.units)
        for place, inhibition in enumerate(config.inhibitions):
            lines = [mean_and_sd(one["accuracy"]["afterwards"]["all"] for one in found[inhibition, n]) for n in sizes]
            mean, sd = np.array(lines).T
            look = {"markersize": 4, "capsize": 2, "color": COLORS[place], "label": f"inhibition {inhibition:g}"}
            left.errorbar(sizes, mean, np.nan_to_num(sd), fmt="o-", **look)
        known = [units for units in sizes if _published(config, units)]
        left.plot(known, [_PUBLISHED[units] for units in known], "x", color="black", markersize=7, label="published")
        left.set(xlabel="neurons", ylabel="accuracy / %", xscale="log", xticks=sizes, xticklabels=sizes)
        left.minorticks_off()
        left.legend(loc="lower right")
        for place, ((inhibition, units), ones) in enumerate(sorted(found.items())):
            seen, accuracy = learning_curve(ones)
            marker = "o" if len(seen) < 3 else None
            right.plot(seen, accuracy, label=f"{units} neurons, {inhibition:g}", marker=marker, **line_style(place))
        right.set(xlabel="images learned", ylabel="accuracy / %", xlim=(0, None))
        right.legend(loc="lower right")
        return figure


EXPERIMENT = Experiment(
    name="diehl-cook-2015",
    title="Digits learned without a teacher, by STDP",
    summary="Excitatory neurons with conductances, each with an inhibitory partner that silences all others, learn "
    "digits by triplet STDP and adaptive thresholds. Afterwards each neuron is labelled with the class that it fires "
    "most for. The more neurons, the more ways of writing a digit there are neurons for.",
    source="Diehl and Cook, Frontiers in Computational Neuroscience 9 (2015) 99, accuracy by number of neurons",
    config=DiehlCook2015Config,
    quick={
        "seeds": 1,
        "units": (100,),
        "inhibitions": (PAPER,),
        "examples": 3000,
        "labelled": 1000,
        "test_images": 1000,
        "jobs": 1,
    },
    steps=(learn,),
    headline=tuple(f"{n} neurons, inhibition {x}: accuracy" for x in (17, 60) for n in (100, 400, 1600)),
    expected="82.9, 87.0 and 91.9 % with 100, 400 and 1600 neurons",
    tables=("Accuracy",),
)
