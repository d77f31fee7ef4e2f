"""The run behind the paper's DSEM figure: two cycles of random patterns, one of them cued."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from .experiment import Context, Experiment

CYCLES = ((0, 1, 2), (3, 4, 5, 6))  # the paper counts from 1: 1-2-3-1 and 4-5-6-7-4
CUED = 4


@dataclass(frozen=True)
class DSEMFigureConfig:
    """Constants of the figure; times in units of tau_f."""

    seed: int = 0
    """Draws the patterns."""
    features: int = 100
    """Number N of features; the hidden layer's gain is 100/N."""
    t_end: float = 60.0
    """Length of the recall."""
    alpha_s: float = 1.0
    """Strength of the static coupling."""
    alpha_c: float = 4.9
    """Strength of the delayed coupling."""
    tau_d: float = 20.0
    """Time constant of the delay."""
    beta_d: float = 7.0
    """Gain of the delay."""
    lost: float = 0.25
    """Fraction of the cue that is zeroed, from the end."""
    backend: Literal["auto", "julia", "torch"] = "auto"
    """Who computes: auto is Julia, or torch where there is no Julia."""


def recall(context: Context) -> dict[str, Any]:
    """Recall from memory 5 with the last quarter zeroed."""
    from ..memory import DSEM
    from .drawing import energy_over_time, overlaps_over_time

    config = context.config
    patterns = context.rng().choice([-1.0, 1.0], (sum(map(len, CYCLES)), config.features))
    edges = [(cycle[k], cycle[(k + 1) % len(cycle)]) for cycle in CYCLES for k in range(len(cycle))]
    constants = {name: getattr(config, name) for name in ("alpha_s", "alpha_c", "tau_d", "beta_d")}
    memory = DSEM(patterns, edges, gain=100.0 / config.features, **constants)
    cue = patterns[CUED].copy()
    cue[config.features - round(config.lost * config.features) :] = 0.0
    result = memory.recall(cue, config.t_end, backend=config.backend)
    context.timing("recall", result.seconds)

    sequence = result.sequence()
    right = sum(step in edges for step in pairwise(sequence))
    context.metric("memories visited", " ".join(str(k + 1) for k in sequence), note="paper: 5 6 7 4 5 ...")
    context.metric("transitions along the graph", f"{right} of {max(len(sequence) - 1, 0)}")
    if len(result.dwell_times) > 1:
        later = float(np.mean(result.dwell_times[1:]))  # the first begins at the cue, not at a transition
        context.metric("mean dwell time", later, unit="tau_f", note="paper: about 4.4; the first visit is left out")
        peaks = [visit.peak_overlap for visit in result.episodes[1:]]
        context.metric("mean peak overlap", float(np.mean(peaks)), note="paper: .99; the first visit is left out")
    context.metric("backend", result.stats.backend)
    names = [str(k + 1) for k in range(len(patterns))]
    context.figure(
        "overlaps",
        overlaps_over_time(result.overlaps, result.episodes, names),
        title="Overlaps with the memories",
        alt="Overlaps of the seven memories over time: those of the cued cycle rise and fall one after the other, "
        "those of the other cycle stay low.",
        caption="Memories are counted from 1, as in the paper. Overlap is the cosine between features and memory.",
    )
    context.figure(
        "energy",
        energy_over_time(result),
        title="Energy",
        alt="Above, the energy over time. Below, its two rates: descent, never above zero, and drift.",
    )
    return {name: getattr(result, name) for name in ("overlaps", "energy", "descent", "drift")}


EXPERIMENT = Experiment(
    name="dsem-figure",
    title="Two cycles of random patterns, one of them cued",
    summary="Seven random patterns are stored as two cycles, 1-2-3-1 and 4-5-6-7-4. The cue is pattern 5 with its last "
    "quarter zeroed. The network goes round the cycle that it was cued in and stays out of the other.",
    source="General Sequential Episodic Memory Model, ICML 2023, arXiv 2212.05563, the DSEM figure",
    config=DSEMFigureConfig,
    quick={"t_end": 20.0},
    steps=(recall,),
    headline=("memories visited", "transitions along the graph", "mean dwell time", "mean peak overlap"),
    expected="5 6 7 4 5 ..., overlap .99, dwell time about 4.4 tau_f",
)
