"""The demo: an episode of real images stored, another one learned, both recalled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from .experiment import Context, Experiment
from .pictures import class_names, corrupted, first_available, one_of_each, standardized

if TYPE_CHECKING:
    from ..memory import Recall

Array = NDArray[np.float64]


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
    epochs: int = 40
    """How often the learned episode is shown."""
    backend: Literal["auto", "julia", "torch"] = "auto"
    """Who computes recalls: auto is Julia, or torch where there is no Julia."""

    def __post_init__(self) -> None:
        if not 3 <= self.memories <= 10:
            raise ValueError(f"memories must be from 3 to 10, got {self.memories}")
        if not 0 <= self.corruption < 1:
            raise ValueError(f"corruption must be from 0 to below 1, got {self.corruption}")
        if self.epochs < 1:
            raise ValueError(f"epochs must be at least 1, got {self.epochs}")
        if not (self.noise >= 0 and self.t_end > 0):
            raise ValueError(f"noise must not be negative and t_end positive, got {self.noise} and {self.t_end}")


def images(context: Context) -> dict[str, Any]:
    """Choose the images of both episodes."""
    rng = context.rng()
    stored = first_available("fashion-mnist", "mnist", "digits")
    learned = first_available("mnist", "digits")
    classes = rng.permutation(10)[: context.config.memories]
    context.metric("images of the stored episode", stored.name)
    context.metric("images of the learned episode", learned.name)
    return {
        "stored": (("memory", "row", "column"), one_of_each(stored, classes, rng)),
        "stored_names": ("memory", [class_names(stored)[k] for k in classes]),
        "learned": (("digit", "digit_row", "digit_column"), one_of_each(learned, range(10), rng)),
    }


def recall_stored(context: Context) -> dict[str, Any]:
    """Store an episode, cue it with a corrupted image, and recall it."""
    from ..memory import DSEM, cycle
    from ..plots import image_grid
    from .drawing import energy_over_time, moments_of, overlaps_over_time

    config = context.config
    stored, names = context["images"].stored.values, [str(name) for name in context["images"].stored_names.values]
    patterns = standardized(stored)
    gain = 100.0 / patterns.shape[1]  # the figure's 1 at N = 100: the drive of the hidden layer grows with N
    memory = DSEM(patterns, cycle(len(patterns)), alpha_c=config.alpha_c, tau_d=config.tau_d, gain=gain)
    cue = corrupted(patterns[0], config.corruption, config.noise, context.rng())
    recall = memory.recall(cue, config.t_end, backend=config.backend)
    context.timing("recall, start of the backend included", recall.seconds)
    _record(context, recall, cue, patterns[0])

    shape = stored.shape[1:]
    moments = moments_of(recall.overlaps, recall.episodes)
    shown = recall.features_at(moments).values.reshape(-1, *shape)
    nearest = recall.overlaps.sel(time=moments, method="nearest").argmax("memory").values
    rows = [
        ("recalled", np.concatenate([cue.reshape(1, *shape), shown])),
        ("stored", stored[[0, *nearest]]),
    ]
    labels = ["cue", *(f"{names[k]}\n{t:.1f}" for k, t in zip(nearest, moments, strict=True))]
    context.figure(
        "recalled_images",
        image_grid(rows, labels),
        title="Recalled images",
        alt=f"Above, the corrupted image of a {names[0]} and what the network shows as it goes from one memory to the "
        "next; below each, the stored image.",
        caption="The cue, then the features where each visit's overlap is highest, with the time in units of tau_f.",
    )
    context.figure(
        "overlaps",
        overlaps_over_time(recall.overlaps, recall.episodes, names),
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
        **{name: getattr(recall, name) for name in ("overlaps", "energy", "descent", "drift")},
    }


def learn_another(context: Context) -> dict[str, Any]:
    """Learn ten digits in their order online, and recall them from the first."""
    from ..plots import image_grid
    from .drawing import overlaps_over_time, surprise_over_epochs
    from .learned_pictures import fitted, learn_pictures

    config = context.config
    shown = context["images"].learned.values
    decorrelation = fitted(first_available("mnist", "digits"))
    learned = learn_pictures(shown, decorrelation, epochs=config.epochs, seed=context.seed, backend=config.backend)
    for epoch, surprise in enumerate(learned.memory.surprise):
        context.metric("surprise in learning", float(surprise), at=epoch + 1)
    right = sum(visit.memory == k for k, visit in enumerate(learned.visits[: len(shown)]))
    context.metric("learned images recalled in order", f"{right} of {len(shown)}")
    context.metric("learned exactly", "yes" if learned.in_order else "no")

    names = [str(k) for k in range(len(shown))]
    rows = [("recalled", learned.recalled), ("shown", shown[learned.nearest])]
    context.figure(
        "learned_images",
        image_grid(rows, [f"{t:.0f}" for t in learned.moments]),
        title="A learned episode",
        alt="Above, the digits that the network recalls one after the other; below each, the digit that was shown.",
        caption=f"Learned online in {config.epochs} epochs from random weights, then recalled from the first image. "
        "The time of each recalled image is below it, in units of tau_f.",
    )
    context.figure(
        "learned_overlaps",
        overlaps_over_time(learned.overlaps.sel(time=slice(0.0, 1.2 * learned.moments[-1])), learned.visits, names),
        title="Overlaps with the learned images",
        alt="The overlaps of the ten learned images over time rise and fall one after the other.",
        caption="From the cue to shortly after the last of the images above.",
    )
    context.figure(
        "surprise",
        surprise_over_epochs(learned.memory.surprise),
        title="Learning",
        alt="Surprise over the epochs of learning.",
        caption="How much the hidden activity that the image calls for differs from that of the free network, on "
        "average over an epoch: 0 if they agree, 1 if another unit is active.",
    )
    return {
        "learned_overlaps": (("moment", "digit"), learned.overlaps.values),
        "moment": learned.overlaps.time.values,
        "surprise": (("epoch",), learned.memory.surprise),
        "recalled": (("place", "digit_row", "digit_column"), learned.recalled),
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


EXPERIMENT = Experiment(
    name="demo",
    title="Episodes of images, recalled in order",
    summary="A dense sequential episodic memory stores an episode of images as a cycle. A corrupted image is its cue: "
    "the network completes it, and then goes through the episode, one image after the other, because a delayed copy of "
    "its own activity moves the energy surface that it descends. A second network starts from random weights, learns "
    "another episode online, and recalls it from its first image.",
    source="General Sequential Episodic Memory Model, ICML 2023, arXiv 2212.05563",
    config=DemoConfig,
    quick={"memories": 4, "t_end": 20.0, "epochs": 20},
    steps=(images, recall_stored, learn_another),
    headline=(
        "transitions in the stored order",
        "overlap of the cue with its memory",
        "mean peak overlap in recall",
        "mean dwell time",
        "learned images recalled in order",
        "backend",
    ),
    expected="images completed and recalled in the stored order; learned images in exact order",
)
