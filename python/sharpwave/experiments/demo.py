"""The demo: episodes of real images, stored and learned, recalled from a corrupted image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from .experiment import Context, Experiment

if TYPE_CHECKING:
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
    from .drawing import energy_over_time, images_over_time, overlaps_over_time

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
        images_over_time(recall, cue.reshape(shape), stored, names),
        title="Recalled images",
        alt=f"Above, the corrupted image of a {names[0]} and what the network shows as it goes from one memory to the "
        "next; below each, the stored image.",
        caption="The cue, then the features where each visit's overlap is highest, with the time in units of tau_f.",
    )
    context.figure(
        "overlaps",
        overlaps_over_time(recall, names),
        title="Overlaps with the memories",
        alt="One line for each memory: its overlap rises to 1, stays, and falls as that of the next one rises.",
        caption="Overlap is the cosine between features and memory. Time is in units of tau_f.",
    )
    context.figure(
        "energy",
        energy_over_time(recall),
        title="Energy",
        alt="Above, the energy over time, a sawtooth. Below, its two rates: descent, never above zero, and drift.",
        caption="The features slide down the energy surface (descent, never positive), while the delayed activity "
        "moves the surface itself (drift). Both add up to the energy's rate of change.",
    )
    _visits_table(context, recall, names)
    return {
        "cue": (("row", "column"), cue.reshape(shape)),
        "overlaps": recall.overlaps,
        "energy": recall.energy,
        "descent": recall.descent,
        "drift": recall.drift,
    }


def _record(context: Context, recall: Recall, cue: Array, target: Array) -> None:
    visits = recall.episodes
    steps = list(pairwise(recall.sequence()))
    in_order = sum((before + 1) % recall.model.memories == after for before, after in steps)
    cosine = float(cue @ target / np.linalg.norm(cue) / np.linalg.norm(target))
    context.metric("overlap of the cue with its memory", cosine)
    context.metric("transitions in the stored order", f"{in_order} of {len(steps)}")
    if visits:
        context.metric("mean peak overlap in recall", float(np.mean([visit.peak_overlap for visit in visits])))
    if len(recall.dwell_times):
        context.metric("mean dwell time", float(np.mean(recall.dwell_times)), unit="tau_f")
    context.metric("integration steps", sum(recall.stats.accepted))
    context.metric("backend", recall.stats.backend)


def _visits_table(context: Context, recall: Recall, names: Sequence[str]) -> None:
    rows = [
        [names[visit.memory], f"{visit.enter:.2f}", f"{visit.leave:.2f}", f"{visit.peak_overlap:.3f}"]
        for visit in recall.episodes
    ]
    columns = ["memory", "enter", "leave", "peak overlap"]
    context.table("Visited memories", columns, rows, "Times are in units of tau_f.")


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
    patterns: Array = (flat - flat.mean(1, keepdims=True)) / flat.std(1, keepdims=True)
    return patterns


def _gain(patterns: Array) -> float:
    return 100.0 / int(patterns.shape[1])  # the figure's 1 at N = 100: the drive of the hidden layer grows with N


def _corrupted(pattern: Array, corruption: float, noise: float, rng: np.random.Generator) -> Array:
    kept = len(pattern) - round(corruption * len(pattern))
    cue = pattern + noise * rng.standard_normal(len(pattern))
    cue[kept:] = 0.0
    return cue


EXPERIMENT = Experiment(
    name="demo",
    title="An episode of images, recalled from a corrupted one",
    summary="A dense sequential episodic memory stores an episode of images as a cycle. A corrupted image is its cue: "
    "the network completes it, and then goes through the episode, one image after the other, because a delayed copy of "
    "its own activity moves the energy surface that it descends.",
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
