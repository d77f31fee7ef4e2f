"""The LISEM at its default constants: several draws of random patterns, each walked as a cycle."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .experiment import Context, Experiment

if TYPE_CHECKING:
    from ..memory import Recall


@dataclass(frozen=True)
class LISEMConfig:
    """Constants of the run; its couplings are the defaults of `sharpwave.memory.LISEM`."""

    seed: int = 0
    """Draws the patterns."""
    features: int = 100
    """Number N of features, for which the couplings hold."""
    memories: int = 5
    """Length of the cycle."""
    draws: int = 20
    """Draws of patterns; the figures show the first that goes once round its cycle."""
    t_end: float = 3000.0
    """Length of each recall, in units of tau_f."""
    backend: Literal["auto", "julia", "torch"] = "auto"
    """Who computes: auto is Julia, or torch where there is no Julia."""

    def __post_init__(self) -> None:
        if self.memories < 2 or self.draws < 1:
            raise ValueError(f"expected memories >= 2 and draws >= 1, got {self.memories} and {self.draws}")


def recall(context: Context) -> dict[str, Any]:
    """Recall from the first pattern of each draw."""
    from ..memory import LISEM, cycle
    from .drawing import energy_over_time, overlaps_over_time

    config, rng = context.config, context.rng()
    recalls = []
    for draw in range(config.draws):
        patterns = rng.choice([-1.0, 1.0], (config.memories, config.features))
        memory = LISEM(patterns, cycle(config.memories))
        recalls.append(memory.recall(patterns[0], config.t_end, backend=config.backend))
        context.progress(draw + 1, config.draws)
    context.timing("recalls", sum(one.seconds for one in recalls))
    _record(context, recalls)
    shown = next((one for one in recalls if _round(one)), recalls[0])
    names = [str(k + 1) for k in range(config.memories)]
    context.figure(
        "overlaps",
        overlaps_over_time(shown.overlaps, shown.episodes, names),
        title="Overlaps with the memories",
        alt="The overlaps of the memories over time: long plateaus at 1 of different lengths, one after the other.",
        caption="The first draw that goes once round its cycle. Overlap is the cosine between the features' activity "
        "and the memory.",
    )
    context.figure(
        "energy",
        energy_over_time(shown),
        title="Energy",
        alt="Above, the energy over time. Below, its two rates: descent, never above zero, and drift.",
    )
    _draws_table(context, recalls)
    return {
        **{name: getattr(shown, name) for name in ("overlaps", "energy", "descent", "drift")},
        "dwell_times": ("visit", np.concatenate([one.dwell_times for one in recalls])),
    }


def _round(recall: Recall) -> bool:
    """Whether it went round the cycle once, back to where it began."""
    return len(recall.episodes) > recall.model.memories


def _record(context: Context, recalls: list[Recall]) -> None:
    memories = context.config.memories
    steps = [step for one in recalls for step in pairwise(one.sequence())]
    right = sum(after == (before + 1) % memories for before, after in steps)
    dwell = np.concatenate([one.dwell_times[1:] for one in recalls])  # the first visit begins at the cue
    peaks = [visit.peak_overlap for one in recalls for visit in one.episodes]
    context.metric("transitions in the stored order", f"{right} of {len(steps)}", note="source: right order")
    context.metric("draws that went round the cycle", f"{sum(map(_round, recalls))} of {len(recalls)}")
    if peaks:
        context.metric("least peak overlap", float(min(peaks)), note="source: 1.000")
    if len(dwell):
        note = "source: irregular and long; each draw's first visit is left out"
        context.metric("shortest dwell time", float(dwell.min()), unit="tau_f", note=note)
        context.metric("median dwell time", float(np.median(dwell)), unit="tau_f", note=note)
        context.metric("longest dwell time", float(dwell.max()), unit="tau_f", note=note)
    context.metric("backend", recalls[0].stats.backend)


def _draws_table(context: Context, recalls: list[Recall]) -> None:
    context.table(
        "Draws",
        ["draw", "visited", "dwell times"],
        [
            [draw + 1, " ".join(str(k + 1) for k in one.sequence()), " ".join(f"{d:.0f}" for d in one.dwell_times)]
            for draw, one in enumerate(recalls)
        ],
        "Each draw has its own random patterns. Dwell times are in units of tau_f; a visit that the end of the recall "
        "cut off has none.",
    )


EXPERIMENT = Experiment(
    name="lisem",
    title="A cycle of random patterns in the linear-interaction model",
    summary="Five random patterns are stored as a cycle in the LISEM, whose hidden layer is linear and whose features "
    "saturate. Recall goes round the cycle in the right order and completes every memory, but how long it stays in one "
    "depends on the chance correlations of the patterns. In some draws they hold a memory for good.",
    source="General Sequential Episodic Memory Model, ICML 2023, arXiv 2212.05563, the LISEM's default run",
    config=LISEMConfig,
    quick={"draws": 4, "t_end": 1500.0},
    steps=(recall,),
    headline=(
        "transitions in the stored order",
        "draws that went round the cycle",
        "least peak overlap",
        "shortest dwell time",
        "median dwell time",
        "longest dwell time",
    ),
    expected="right order, irregular long dwells, overlap 1.000",
)
