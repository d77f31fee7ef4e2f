"""What convolutional spiking networks cost, against the cost model: weights, memory and time by kernel size."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .experiment import Context
from .sweeping import kept, points

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..spiking import ConvolutionalSTDP

SIZES = (27, 20, 16, 14, 12, 8)  # the published table's
_WARM = 3  # images that compile what is to be measured
_TERMS = ("a neuron's step", "a weight's arrival", "a weight, once an image", "a shared weight's copy")


@dataclass(frozen=True)
class CostPoint:
    """A layer whose cost is measured.

    Attributes:
        kernel_size: side of the windows.
        shared: whether patches share weights.
        settings: of the estimator.
        data_set: name of the images.
        images: how many are learned, and tested.
    """

    kernel_size: int
    shared: bool
    settings: dict[str, Any]
    data_set: str
    images: int


def stride_of(kernel_size: int, side: int) -> int:
    """The published table's: 2, or 1 where there would be a single window.

    Example:
        >>> stride_of(27, 28), stride_of(14, 28)
        (1, 2)
    """
    return 2 if side - kernel_size >= 2 else 1


def cost(context: Context) -> dict[str, Any]:
    """Count weights, and measure memory and time, for each kernel size with and without sharing."""
    config = context.config
    settings = {
        "patches": config.patches, "duration": config.duration, "rest": config.rest, "norm": config.norm,
        "precision": config.precision, "seed": config.seed, "threads": 1,
    }  # fmt: skip
    found: list[dict[str, Any]] = []
    wanted = list(product((False, True), config.cost_sizes))
    for shared, kernel_size in wanted:
        point = CostPoint(kernel_size, shared, settings, config.data_set, config.cost_images)
        name = f"{'shared' if shared else 'unshared'}-{kernel_size}.json"
        found.append(kept(points(context) / name, partial(_apart, point)))
        context.timing(f"{name[:-5]}, learning of an image", found[-1]["learning"])
        context.progress(len(found), len(wanted))
    wrong = sum(one["weights"] != one["model"] for one in found)
    context.metric("layers with another number of weights than the cost model has", wrong, note=f"of {len(found)}")
    fitted, coefficients = _fitted(found)
    _table(context, wanted, found, fitted, coefficients)
    context.figure(
        "cost",
        _figure(wanted, found, fitted),
        title="Cost against the model",
        alt="Left, memory against the number of weights; right, measured time of an image against the fitted time.",
        caption="Memory is what the process needs at its peak beyond what it had before. The time of an image that is "
        "learned is fitted by terms for neurons, arrivals, weights and copies; the line is where the fit is exact.",
    )
    names = ("neurons", "stored", "weights", "model", "arrivals", "memory", "learning", "test")
    values = {name: ("layer", np.array([one[name] for one in found], dtype=np.float64)) for name in names}
    return {**values, "fitted": ("layer", fitted), "nanoseconds": ("term", coefficients), "term": list(_TERMS)}


def _apart(point: CostPoint) -> dict[str, Any]:
    """Measure in a process of its own, whose memory nothing else has touched."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(measured, point).result()


def measured(point: CostPoint) -> dict[str, Any]:
    """Weights, memory (bytes) and time (s of an image) of a layer.

    Returns:
        `neurons` (excitatory), `steps` (of an image), `shared` (as asked for), `stored` weights and different ones
        (`weights`, after learning), `model` (the cost model's weights), `arrivals` (weights that spikes of an image
        add), `memory` (None where the system does not tell), `learning` and `test`.
    """
    from ..data import load

    source = load(point.data_set)
    images, labels = source.train_images[: point.images], source.train_labels[: point.images]
    side = images.shape[1]
    _model(point, side, source.pixel_max, patches=2).fit(images[:_WARM], labels[:_WARM])
    before = _resident("VmRSS") if _forget_peak() else None
    model = _model(point, side, source.pixel_max)
    began = perf_counter()
    model.fit(images, labels)
    learning = perf_counter() - began
    peak = _resident("VmHWM")
    began = perf_counter()
    model.transform(images)
    test = perf_counter() - began
    network, weights = model.network(), model.state_.weights["input"]  # (windows, pixels, patches)
    neurons = network.populations["excitatory"].units
    windows = neurons // model.patches
    rates = images.reshape(len(images), -1).mean(axis=0) * (model.intensity / source.pixel_max)
    return {
        "neurons": neurons,
        "steps": round((model.duration + model.rest) / network.dt),
        "shared": point.shared,
        "stored": weights.size,
        "weights": weights[0].size if (weights == weights[:1]).all() else weights.size,
        "model": model.patches * (1 if point.shared else windows) * point.kernel_size**2,
        "arrivals": 1e-3 * model.duration * float(_seen_by(network) @ rates),
        "memory": None if before is None else peak - before,
        "learning": learning / len(images),
        "test": test / len(images),
    }


def _model(point: CostPoint, side: int, pixel_max: float, **others: Any) -> ConvolutionalSTDP:
    from ..spiking import ConvolutionalSTDP

    settings = {**point.settings, **others, "pixel_max": pixel_max, "min_spikes": 0}
    stride = stride_of(point.kernel_size, side)
    return ConvolutionalSTDP(kernel_size=point.kernel_size, stride=stride, shared=point.shared, **settings)


def _seen_by(network: Any) -> NDArray[np.float64]:
    """Number of neurons that see each pixel."""
    blocks = network.blocks["input"]
    pixels = network.populations["input"].units
    return np.asarray(blocks.length * np.bincount(blocks.entry_pre, minlength=pixels), dtype=np.float64)


def _resident(name: str) -> int:
    """Bytes in memory now ("VmRSS"), or at most since `_forget_peak` ("VmHWM")."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name))


def _forget_peak() -> bool:
    """Whether Linux lets the peak begin anew."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def _fitted(found: list[dict[str, Any]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Time of an image (s) as the four terms together, and ns of each; terms are not negative."""
    from scipy.optimize import nnls

    terms = np.array(
        [
            [one["steps"] * one["neurons"], one["arrivals"], one["stored"], one["stored"] * one["shared"]]
            for one in found
        ]
    )
    wanted = np.array([one["learning"] for one in found])
    scale = 1 / wanted  # so that relative errors count
    coefficients, _ = nnls(terms * scale[:, None], np.ones(len(found)))
    return terms @ coefficients, 1e9 * coefficients


def _table(
    context: Context,
    wanted: list[tuple[bool, int]],
    found: list[dict[str, Any]],
    fitted: NDArray[np.float64],
    coefficients: NDArray[np.float64],
) -> None:
    rows = []
    for (shared, kernel_size), one, time in zip(wanted, found, fitted, strict=True):
        memory = "" if one["memory"] is None else f"{one['memory'] / 2**20:.0f}"
        times = [f"{1e3 * value:.2f}" for value in (one["learning"], time, one["test"])]
        words = "shared" if shared else "unshared"
        rows.append([words, kernel_size, one["neurons"], one["model"], one["weights"], one["stored"], memory, *times])
    terms = ", ".join(f"{value:.2g} ns for {name}" for name, value in zip(_TERMS, coefficients, strict=True))
    context.table(
        "Cost",
        ["weights", "k", "neurons", "cost model", "different", "stored", "memory / MiB", "learning / ms", "fitted / ms",
         "test / ms"],
        rows,
        f"Of {context.config.patches} patches; neurons are excitatory, and there are as many inhibitory ones. The cost "
        "model is patches x windows x k x k weights, or patches x k x k if they are shared. While an image is "
        "presented, each neuron changes weights of its own also where they are shared, so that these are stored too. "
        "Times are of an image that is learned or tested, on one thread, without repeated presentations; fitted with "
        f"{terms}.",
    )  # fmt: skip


def _figure(wanted: list[tuple[bool, int]], found: list[dict[str, Any]], fitted: NDArray[np.float64]) -> Figure:
    from matplotlib.figure import Figure

    from ..plots import COLORS, style

    with style():
        figure = Figure(figsize=(7.5, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        for sharing in (False, True):
            chosen = [place for place, (shared, _) in enumerate(wanted) if shared == sharing]
            look = {"color": COLORS[sharing], "marker": "s" if sharing else "o", "linestyle": "none"}
            ones = [found[place] for place in chosen]
            memory = [(one["stored"], one["memory"] / 2**20) for one in ones if one["memory"] is not None]
            left.plot(
                *zip(*memory, strict=True) if memory else ([], []), **look, label="shared" if sharing else "unshared"
            )
            times = [1e3 * found[place]["learning"] for place in chosen]
            right.plot(1e3 * fitted[chosen], times, **look)
            for place, time in zip(chosen, times, strict=True):
                right.annotate(f" {wanted[place][1]}", (1e3 * fitted[place], time), fontsize=8, va="top")
        both = [0.0, 1e3 * max(float(fitted.max()), *(one["learning"] for one in found))]
        right.plot(both, both, color=COLORS[-1], linewidth=0.8, zorder=0)
        left.set(xlabel="weights stored", ylabel="memory / MiB", xlim=(0, None), ylim=(0, None))
        right.set(xlabel="fitted time of an image / ms", ylabel="measured / ms", xlim=(0, None), ylim=(0, None))
        left.legend()
        return figure
