"""Sequences of random patterns learned online: how many are recalled in exact order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .experiment import Context, Experiment


@dataclass(frozen=True)
class LearnSequenceConfig:
    """Sizes of the source's learning runs."""

    seed: int = 0
    """Draws the sequences and the random weights that learning starts from."""
    features: int = 50
    """Number N of features."""
    items: int = 10
    """Length of a sequence."""
    hidden: int = 20
    """Number of hidden units, more than items."""
    draws: int = 50
    """Sequences that are learned, each from weights of its own; the figures show the first."""
    epochs: int = 40
    """How often a sequence is shown."""
    backend: Literal["auto", "julia", "torch"] = "auto"
    """Who computes recalls: auto is Julia, or torch where there is no Julia."""

    def __post_init__(self) -> None:
        if not 2 <= self.items < self.hidden or self.draws < 1 or self.epochs < 1:
            raise ValueError(
                "expected 2 <= items < hidden, and at least one draw and epoch, got "
                f"{self.items}, {self.hidden}, {self.draws}, {self.epochs}"
            )


def learn(context: Context) -> dict[str, Any]:
    """Learn each sequence, and recall it from its first item."""
    from ..memory import learn, untrained, wilson_interval
    from .drawing import overlaps_over_time, surprise_over_epochs

    config, rng = context.config, context.rng()
    exact, untaught, surprises, peaks, rows = 0, 0, [], [], []
    for draw in range(config.draws):
        items = rng.choice([-1.0, 1.0], (config.items, config.features))
        start = untrained(items, config.hidden, seed=int(rng.integers(2**31)))
        memory = learn(start, items, epochs=config.epochs)
        recall = memory.recall(backend=config.backend)
        visits = memory.visits(recall)
        right = memory.in_order(recall)
        exact += right
        before = start.recall(items[0], float(recall.t[-1]), backend=config.backend)
        untaught += memory.in_order(before)
        surprises.append(memory.surprise)
        peaks += [visit.peak_overlap for visit in visits[: config.items]]
        rows.append([draw + 1, "yes" if right else "no", " ".join(str(visit.memory + 1) for visit in visits)])
        if draw == 0:
            context.figure(
                "overlaps",
                overlaps_over_time(recall.overlaps_with(items), visits, [str(k + 1) for k in range(config.items)]),
                title="Free recall of the first sequence",
                alt="The overlaps of the learned items over time rise and fall one after the other.",
                caption="From the first item on, nothing is shown to the network.",
            )
        context.progress(draw + 1, config.draws)
    low, high = wilson_interval(exact, config.draws)
    interval = f"95 % interval {100 * low:.0f} to {100 * high:.0f} %"
    context.metric("sequences recalled in exact order", f"{exact} of {config.draws}", note=interval)
    context.metric("fraction recalled in exact order", exact / config.draws, note=interval)
    context.metric("recalled before learning", f"{untaught} of {config.draws}", note="must be none")
    if peaks:
        context.metric("mean peak overlap", float(np.mean(peaks)))
    mean = np.mean(surprises, axis=0)
    context.figure(
        "surprise",
        surprise_over_epochs(mean),
        title="Learning",
        alt="Surprise over the epochs of learning.",
        caption="How much the hidden activity that an item calls for differs from that of the free network, on average "
        "over all sequences.",
    )
    context.table("Sequences", ["draw", "in exact order", "items recalled"], rows, "Items are counted from 1.")
    return {"surprise": (("draw", "epoch"), np.array(surprises))}


EXPERIMENT = Experiment(
    name="learn-sequence",
    title="Sequences of random patterns learned online",
    summary="Ten random patterns of 50 features are shown one after the other, a few dozen times over, to a network "
    "with random weights. Then it is given the first one. A sequence counts if all items are recalled in exactly their "
    "order.",
    source="General Sequential Episodic Memory Model, ICML 2023, arXiv 2212.05563, learning of random sequences",
    config=LearnSequenceConfig,
    quick={"draws": 3},
    steps=(learn,),
    headline=("sequences recalled in exact order", "fraction recalled in exact order", "recalled before learning"),
    expected="free recall in exact order from the first item",
)
