"""The demo: episodes of real images, stored and learned, recalled from a corrupted image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from .experiment import Context, Experiment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..data import ImageDataset
    from ..memory import Recall

Array = NDArray[np.float64]

_DIGITS = tuple("0123456789")
_FASHION = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")
_CANDIDATES = 50  # images of a class among which the one least like the others is taken


@dataclass(frozen=True)
class DemoConfig:
    """Recall an episode of images; the constants are those of the paper's DSEM figure."""

    seed: int = 0
    """Chooses the images and the noise of the cue."""
    memories: int = 8
    """Images in the stored episode, one of each class, 3 to 10."""
    corruption: float = 0.5
    """Fraction of the cue that is blanked, from below."""
    noise: float = 0.5
    """Noise on the rest of the cue, in standard deviations of the image."""
    t_end: float = 60.0
    """Length of the recall, in units of tau_f."""
    alpha_c: float = 4.9
    """Strength of the delayed coupling, which drives the transitions."""
    tau_d: float = 20.0
    """Time constant of the delay, in units of tau_f."""
    backend: Literal["auto", "julia", "torch"] = "auto"
    """Who computes: auto is Julia, or torch where there is no Julia."""

    def __post_init__(self) -> None:
        if not 3 <= self.memories <= 10:
            raise ValueError(f"memories must be from 3 to 10, got {self.memories}")
        if not 0 <= self.corruption < 1:
            raise ValueError(f"corruption must be from 0 to below 1, got {self.corruption}")
        if not (self.noise >= 0 and self.t_end > 0):
            raise ValueError(f"noise and t_end must not be negative, got {self.noise} and {self.t_end}")


def images(context: Context) -> dict[str, Any]:
    """Choose the images of both episodes."""
    rng = context.rng()
    stored = _first_available("fashion-mnist", "mnist", "digits")
    learned = _first_available("mnist", "digits")
    classes = rng.permutation(10)[: context.config.memories]
    context.metric("images of the stored episode", stored.name)
    context.metric("images of the learned episode", learned.name)
    return {
        "stored": (("memory", "row", "column"), _one_of_each(stored, classes, rng)),
        "stored_names": ("memory", [_names(stored)[k] for k in classes]),
        "learned": (("digit", "digit_row", "digit_column"), _one_of_each(learned, range(10), rng)),
    }


def recall_stored(context: Context) -> dict[str, Any]:
    """Store an episode, cue it with a corrupted image, and recall it."""
    from ..memory import DSEM, cycle

    config = context.config
    stored, names = context["images"].stored.values, [str(name) for name in context["images"].stored_names.values]
    patterns = _standardized(stored)
    memory = DSEM(patterns, cycle(len(patterns)), alpha_c=config.alpha_c, tau_d=config.tau_d, gain=_gain(patterns))
    cue = _corrupted(patterns[0], config.corruption, config.noise, context.rng())
    recall = memory.recall(cue, config.t_end, backend=config.backend)
    context.timing("recall", recall.seconds)
    _record(context, recall, cue, patterns[0])
    shape = stored.shape[1:]
    context.figure(
        "recalled_images",
        _images_over_time(recall, cue, stored, names),
        title="Recalled images",
        alt=f"Above, the corrupted image of a {names[0]} and what the network shows as it goes from one memory to the next; "
        "below each, the stored image.",
        caption="The features at the middle of each visit, at the time below (in units of tau_f), above the stored image.",
    )
    context.figure(
        "overlaps",
        _overlaps(recall, names),
        title="Overlaps with the memories",
        alt="One line for each memory: its overlap rises to 1, stays, and falls as that of the next one rises.",
        caption="Overlap is the cosine between features and memory. Time is in units of tau_f.",
    )
    context.figure(
        "energy",
        _energy(recall),
        title="Energy",
        alt="Above, the energy over time, a sawtooth. Below, its two rates: descent, never above zero, and drift.",
        caption="Between transitions the features slide down the energy surface (descent, never positive), while the delayed "
        "activity moves the surface itself (drift). Both add up to the energy's rate of change.",
    )
    rows = [[names[v.memory], v.enter, v.leave, v.peak_overlap] for v in recall.episodes]
    context.table("Visited memories", ["memory", "enter / tau_f", "leave / tau_f", "peak overlap"], rows)
    return {
        "cue": (("row", "column"), cue.reshape(shape)),
        "overlaps": recall.overlaps,
        "energy": recall.energy,
        "descent": recall.descent,
        "drift": recall.drift,
    }


def _record(context: Context, recall: Recall, cue: Array, target: Array) -> None:
    visits = recall.episodes
    steps = list(zip(recall.sequence(), recall.sequence()[1:], strict=False))
    in_order = sum((a + 1) % recall.model.memories == b for a, b in steps)
    cosine = float(cue @ target / np.linalg.norm(cue) / np.linalg.norm(target))
    context.metric("overlap of the cue with its memory", cosine)
    context.metric("mean peak overlap in recall", float(np.mean([visit.peak_overlap for visit in visits])))
    context.metric("transitions in the stored order", f"{in_order} of {len(steps)}")
    context.metric("mean dwell time", float(np.mean(recall.dwell_times)), unit="tau_f")
    context.metric("backend", recall.stats.backend)
    context.metric("steps", sum(recall.stats.accepted))


def _first_available(*names: str) -> ImageDataset:
    from ..data import DataUnavailableError, load

    for name in names[:-1]:
        try:
            return load(name)
        except DataUnavailableError:
            continue
    return load(names[-1])


def _names(dataset: ImageDataset) -> Sequence[str]:
    return _FASHION if dataset.name == "fashion-mnist" else _DIGITS


def _one_of_each(dataset: ImageDataset, classes: Sequence[int] | NDArray[Any], rng: np.random.Generator) -> Array:
    """An image of each class, the one of some candidates that is least correlated with those taken before."""
    taken: list[Array] = []
    for label in classes:
        candidates = rng.choice(np.flatnonzero(dataset.train_labels == label), _CANDIDATES, replace=False)
        images = dataset.train_images[candidates] / dataset.pixel_max
        likeness = np.abs(_standardized(images) @ _standardized(np.array(taken)).T).max(1) if taken else np.zeros(1)
        taken.append(images[likeness.argmin()])
    return np.array(taken)


def _standardized(images: Array) -> Array:
    """Images as patterns (memories, features) of mean 0 and variance 1, as patterns of -1 and 1 have."""
    flat = images.reshape(len(images), -1)
    return (flat - flat.mean(1, keepdims=True)) / flat.std(1, keepdims=True)


def _gain(patterns: Array) -> float:
    return 100.0 / patterns.shape[1]  # the figure's 1 at N = 100: the drive of the hidden layer grows with N


def _corrupted(pattern: Array, corruption: float, noise: float, rng: np.random.Generator) -> Array:
    kept = len(pattern) - round(corruption * len(pattern))
    cue = pattern + noise * rng.standard_normal(len(pattern))
    cue[kept:] = 0.0
    return cue


def _images_over_time(recall: Recall, cue: Array, stored: Array, names: Sequence[str]) -> Figure:
    from ..plots import image_grid

    visits = recall.episodes[: len(stored) + 1]
    middles = [(visit.enter + visit.leave) / 2 for visit in visits]
    shown = recall.features_at(middles).values.reshape(len(visits), *stored.shape[1:])
    first = stored[visits[0].memory]
    recalled = np.array([cue.reshape(first.shape), *shown])
    below = np.array([first, *(stored[visit.memory] for visit in visits)])
    labels = ["cue", *(f"{names[v.memory]}\n{t:.1f}" for v, t in zip(visits, middles, strict=True))]
    return image_grid([("recalled", recalled), ("stored", below)], labels)


def _overlaps(recall: Recall, names: Sequence[str]) -> Figure:
    from matplotlib.figure import Figure

    from ..plots import line_style, style

    with style():
        figure = Figure(figsize=(5.4, 3.6), layout="constrained")
        axes = figure.add_subplot()
        for index, overlap in enumerate(recall.overlaps.values.T):
            axes.plot(recall.t, overlap, **line_style(index))
        for visit in recall.episodes:
            axes.text(
                (visit.enter + visit.leave) / 2, 1.03, names[visit.memory],
                rotation=45, ha="left", va="bottom", fontsize=8, color=line_style(visit.memory)["color"],
            )  # fmt: skip
        axes.set(xlabel="time / tau_f", ylabel="overlap", xlim=(0, float(recall.t[-1])))
        axes.set_yticks(np.arange(-0.5, 1.1, 0.5))
        return figure


def _energy(recall: Recall) -> Figure:
    from matplotlib.figure import Figure

    from ..plots import COLORS, style

    with style():
        figure = Figure(figsize=(5.4, 3.6), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True)
        above.plot(recall.t, recall.energy, color=COLORS[-1])
        above.set(ylabel="energy")
        below.plot(recall.t, recall.descent, label="descent")
        below.plot(recall.t, recall.drift, label="drift", linestyle=(0, (4, 1)))
        below.set(xlabel="time / tau_f", ylabel="rate of energy", xlim=(0, float(recall.t[-1])))
        below.legend(ncols=2, loc="lower right")
        return figure


EXPERIMENT = Experiment(
    name="demo",
    title="An episode of images, recalled from a corrupted one",
    summary="A dense sequential episodic memory stores an episode of images as a cycle. A corrupted image is its cue: the "
    "network completes it, and then goes through the episode, one image after the other, because a delayed copy of its own "
    "activity moves the energy surface that it descends.",
    source="General Sequential Episodic Memory Model, ICML 2023, arXiv 2212.05563",
    config=DemoConfig,
    quick={"memories": 4, "t_end": 20.0},
    steps=(images, recall_stored),
    headline=(
        "transitions in the stored order",
        "overlap of the cue with its memory",
        "mean peak overlap in recall",
        "mean dwell time",
        "backend",
    ),
)
