"""Accuracy of a network that learns by STDP in batches, for ways to reduce weight changes over the batch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..suggest import unknown
from .experiment import Context, Experiment
from .sweeping import mean_and_sd, shown, swept

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Found = dict[tuple[str, int], list[dict[str, Any]]]

_REDUCTIONS = ("sum", "mean", "max")
_READOUTS = ("proportion", "all", "ngram")
_PUBLISHED = {("max", 256): 81.0, ("sum", 256): 47.0, ("mean", 256): 47.0}  # %: arXiv 1909.02549, of MNIST
_PUBLISHED_SMALL, _SMALL = (85.0, 88.0), 32  # %, and the largest B that this range is given for, there


@dataclass(frozen=True)
class MinibatchStdpConfig:
    """What learns, and in which batches. The numbers are those of the paper."""

    seed: int = 0
    """Of weights and spikes of the first training; others have the seeds that follow."""
    seeds: int = 3
    """Trainings for each batch and reduction."""
    data_set: str = "mnist"
    """What is learned; see `sharpwave.data`."""
    batches: tuple[int, ...] = (1, 4, 16, 32, 64, 128, 256)
    """Numbers B of images that are learned together."""
    reductions: tuple[str, ...] = _REDUCTIONS
    """Of weight changes over a batch; thresholds rise with all its spikes."""
    examples: int = 60_000
    """Training images, the first ones; each is learned once."""
    test_images: int = 10_000
    """Test images, the first ones."""
    tests: int = 6
    """How often the network is tested, the last time after all training images; the best counts."""
    readout: Literal["proportion", "all", "ngram"] = "proportion"
    """Whose accuracy counts."""
    units: int = 225
    """Neurons."""
    duration: float = 100.0
    """Of an image, ms."""
    intensity: float = 128.0
    """Rate of a white pixel, Hz."""
    inhibition: float = 120.0
    """What each spike takes from the other neurons, mV."""
    norm: float | None = None
    """Sum of the weights of a neuron; None: a tenth of the number of pixels, 78.4 of MNIST."""
    theta_plus: float = 0.05
    """Rise of the threshold with each spike, mV."""
    nu: tuple[float, float] = (1e-4, 1e-2)
    """Learning rates at presynaptic and at postsynaptic spikes."""
    precision: Literal["double", "single"] = "double"
    """Of the simulation."""
    jobs: int = 2
    """Processes, of one thread each."""

    def __post_init__(self) -> None:
        for name in self.reductions:
            if name not in _REDUCTIONS:
                raise ValueError(unknown("reduction", name, _REDUCTIONS))
        numbers = (self.seeds, *self.batches, self.examples, self.test_images, self.tests, self.units, self.jobs)
        if not (self.batches and self.reductions) or min(numbers) < 1:
            raise ValueError("expected at least one batch and reduction, and all numbers at least 1")


def learn(context: Context) -> dict[str, Any]:
    """Learn with every batch, reduction and seed, and test on the way."""
    config = context.config
    tasks = {
        f"{reduction}-{batch}-seed-{seed}": partial(_train, config, reduction, batch, seed)
        for seed in _seeds(config)
        for batch in sorted(config.batches, reverse=True)  # the slowest first, for the sake of the last process
        for reduction in _reductions(config, batch)
    }
    done = swept(context, tasks, config.jobs)
    for name, one in done.items():
        context.timing(name, one["seconds"])
    found: Found = {}
    for reduction in config.reductions:
        for batch in config.batches:
            shared = _reductions(config, batch)[0] if batch == 1 else reduction  # of one image all are the same
            found[reduction, batch] = [done[f"{shared}-{batch}-seed-{seed}"] for seed in _seeds(config)]
    _report(context, found)
    axes = ("reduction", "B", "seed", "test")
    keys = [[found[reduction, batch] for batch in config.batches] for reduction in config.reductions]
    curves = [[[one["accuracy"][config.readout] for one in ones] for ones in line] for line in keys]
    return {
        "accuracy": (axes, np.array(curves)),
        "best": (axes[:-1], np.array(curves).max(axis=-1)),
        "examples": ("test", np.array(keys[0][0][0]["examples"])),
        "reduction": list(config.reductions),
        "B": np.array(config.batches),
        "seed": np.array(_seeds(config)),
    }


def _seeds(config: MinibatchStdpConfig) -> range:
    return range(config.seed, config.seed + config.seeds)


def _reductions(config: MinibatchStdpConfig, batch: int) -> tuple[str, ...]:
    return config.reductions[:1] if batch == 1 else config.reductions


def _train(config: MinibatchStdpConfig, reduction: Any, batch: int, seed: int) -> dict[str, Any]:
    """Accuracies in % by readout, test after test."""
    from ..data import load
    from ..spiking import DiehlCook

    source = load(config.data_set)
    images, labels = source.train_images[: config.examples], source.train_labels[: config.examples]
    model = DiehlCook(
        units=config.units, duration=config.duration, intensity=config.intensity, inhibition=config.inhibition,
        norm=config.norm, nu=config.nu, theta_plus=config.theta_plus, batch=batch, reduction=reduction, seed=seed,
        readout=config.readout, readouts=_READOUTS, precision=config.precision, threads=1, pixel_max=source.pixel_max,
    )  # fmt: skip
    accuracy: dict[str, list[float]] = {name: [] for name in _READOUTS}
    learned: list[int] = []
    seconds, start, classes = 0.0, 0, np.unique(source.train_labels)
    for stop in np.linspace(0, len(images), config.tests + 1)[1:].astype(int).tolist():
        # A part but the last one is a multiple of the batch, so that the parts come to the same as all at once.
        until = stop if stop == len(images) else max(batch * (stop // batch), start)
        if until > start:
            began = perf_counter()
            model.partial_fit(images[start:until], labels[start:until], classes)
            seconds, start = seconds + perf_counter() - began, until
        scores = _test(model, source, config) if start else dict.fromkeys(_READOUTS, 100 / len(classes))
        for name, value in scores.items():
            accuracy[name].append(value)
        learned.append(start)
    return {
        "accuracy": accuracy,
        "examples": learned,
        "seconds": seconds,
        "spikes": model.history_["spikes"][-1],
        "theta": float(model.state_.shared["layer"].mean()),
        "weights": np.quantile(model.state_.weights["input"], (0.5, 0.99)).tolist(),
    }


def _test(model: Any, source: Any, config: MinibatchStdpConfig) -> dict[str, float]:
    images, labels = source.test_images[: config.test_images], source.test_labels[: config.test_images]
    return {name: 100 * value for name, value in model.score_each(images, labels).items()}


def _published(config: MinibatchStdpConfig, reduction: str, batch: int) -> str:
    if config.data_set != "mnist":
        return ""
    if (reduction, batch) in _PUBLISHED:
        return f"{_PUBLISHED[reduction, batch]:.0f}"
    return "{:.0f} to {:.0f}".format(*_PUBLISHED_SMALL) if batch <= _SMALL else ""


def _report(context: Context, found: Found) -> None:
    config, rows = context.config, []
    readout = config.readout
    for (reduction, batch), ones in found.items():
        best = mean_and_sd(max(one["accuracy"][readout]) for one in ones)
        last = {name: mean_and_sd(one["accuracy"][name][-1] for one in ones) for name in _READOUTS}
        published = _published(config, reduction, batch)
        note = f"sd {best[1]:.2f} over {len(ones)} seeds" if len(ones) > 1 else "one seed"
        note += f"; published: {published} %" if published else ""
        context.metric(f"{reduction}, B = {batch}: best accuracy", best[0], unit="%", note=note)
        numbers = [float(np.mean([one[name] for one in ones])) for name in ("spikes", "theta")]
        below = float(np.mean([one["weights"][1] for one in ones]))
        cells = [shown(*best), *(shown(*last[name]) for name in _READOUTS), published, len(ones)]
        rows.append([reduction, batch, *cells, f"{numbers[0]:.1f}", f"{numbers[1]:.0f}", f"{below:.2f}"])
    context.table(
        "Accuracy by batch and reduction",
        ["reduction", "B", f"best ({readout})", *(f"last ({name})" for name in _READOUTS), "published", "seeds",
         "spikes of an image", "theta / mV", "99 % of weights below"],
        rows,
        f"Accuracy in % of {config.test_images} test images, mean ± sd over seeds. Best: of {config.tests} tests "
        f"during the one presentation of {config.examples} images, by the readout {readout}; last: after it. Published "
        "values are the best accuracies of arXiv 1909.02549, which gives one for sum and mean together. With B = 1 all "
        "reductions are the same. Spikes and mean threshold are those at the end of learning.",
    )  # fmt: skip
    context.figure(
        "accuracy",
        _figure(config, found),
        title="Accuracy against the size of the batch",
        alt="Accuracy against B on a logarithmic axis, a line for each reduction: the maximum stays "
        "high, the mean falls.",
        caption="Best accuracy, mean and standard deviation over seeds. Crosses and the grey band are published.",
    )


def _figure(config: MinibatchStdpConfig, found: Found) -> Figure:
    from matplotlib.figure import Figure

    from ..plots import COLORS, style

    with style():
        figure = Figure(figsize=(4.8, 3.6), layout="constrained")
        axes = figure.add_subplot()
        if config.data_set == "mnist":
            small = [batch for batch in config.batches if batch <= _SMALL]
            axes.fill_between([min(small, default=1), _SMALL], *_PUBLISHED_SMALL, color="#dddddd", linewidth=0)
            known = [key for key in found if key in _PUBLISHED]
            axes.plot([key[1] for key in known], [_PUBLISHED[key] for key in known], "x", color=COLORS[-1])
        for k, reduction in enumerate(config.reductions):
            lines = [
                mean_and_sd(max(one["accuracy"][config.readout]) for one in found[reduction, batch])
                for batch in config.batches
            ]
            mean, sd = np.array(lines).T
            axes.errorbar(config.batches, mean, np.nan_to_num(sd), fmt="o-", markersize=4, capsize=2, color=COLORS[k],
                          label=reduction)  # fmt: skip
        axes.set(xlabel="batch B", ylabel="accuracy / %", xscale="log", xticks=config.batches)
        axes.set_xticklabels(map(str, config.batches))
        axes.minorticks_off()
        axes.legend(loc="lower left")
        return figure


EXPERIMENT = Experiment(
    name="minibatch-stdp",
    title="Learning by STDP in batches",
    summary="A layer of neurons that inhibit each other learns images by STDP, B of them at a time. In each step the "
    "weight changes of all B are reduced to one: to their sum, their mean, or the largest. The larger the batch, the "
    "more images are learned with the same weights, and the more it matters how.",
    source="Minibatch Processing in Spiking Neural Networks, arXiv 1909.02549, Diehl-Cook network with 225 neurons",
    config=MinibatchStdpConfig,
    quick={
        "seeds": 1, "batches": (1, 32, 128), "examples": 5120, "test_images": 1000, "tests": 2, "jobs": 1,
    },
    steps=(learn,),
    headline=(
        "max, B = 1: best accuracy",
        "max, B = 32: best accuracy",
        "max, B = 256: best accuracy",
        "mean, B = 256: best accuracy",
        "sum, B = 256: best accuracy",
    ),
    expected="85 to 88 % for B up to 32; at B = 256 max holds (81 %), the mean falls (47 %)",
    tables=("Accuracy by batch and reduction",),
)  # fmt: skip
