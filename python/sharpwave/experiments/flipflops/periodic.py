"""Networks that learn the time of day."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..experiment import Context, Experiment
from .config import PeriodicConfig
from .gated import gated
from .networks import flipflop_protocol, flipflop_task, learned, variables
from .periodic_report import analyse


def learn(context: Context) -> dict[str, Any]:
    """Train networks, and keep them at each checkpoint."""
    from ...recurrent import Elman

    found: dict[str, Any] = {}
    config = context.config
    seeds, settings = range(config.seed, config.seed + config.seeds), config.settings()
    for place, one in enumerate(settings):
        protocol, task = flipflop_protocol(one.steps, one.horizon, config.learning_rate), flipflop_task(one.period)
        ones = learned(
            context, f"{one.hidden}-{one.period}", Elman(one.hidden, bias=True), task, seeds, protocol, one.every,
            share=(place, len(settings)),
        )  # fmt: skip
        found |= variables(one.label, ones, one.every)
    return {**found, "seed": np.array(seeds)}


EXPERIMENT = Experiment(
    name="flipflop-periodic",
    title="Networks learn the time of day",
    summary="A symbol has one effect in the first half of a period and another in the second, and time is no input. "
    "Accuracy on that symbol stays on a plateau, and rises when a fixed point of the network gives way to an orbit: "
    "a pair of eigenvalues leaves the unit circle at the angle of the period.",
    source="On the Dynamics of Learning Time-Aware Behavior with Recurrent Neural Networks, arXiv 2306.07125",
    config=PeriodicConfig,
    quick={
        "seeds": 2, "hidden": (32,), "period": (10,), "horizon": (60,), "steps": (240,), "every": (20,),
        "gated_seeds": 0,
    },
    steps=(learn, analyse, gated),
    headline=(
        "32 units, P=10: networks that lose a point within a checkpoint of TD > .75",
        "32 units, P=10: angle at the crossing, b",
        "64 units, P=24: networks that lose a point within a checkpoint of TD > .75",
        "64 units, P=24: angle at the crossing, b",
        "32 units, P=10: largest change of accuracy, read from three dimensions",
    ),
    expected="the point is lost within a checkpoint of TD > .75 in at least 18 of 20 networks, by a Neimark-Sacker "
    "bifurcation at an angle within 2 degrees of 360/P; three dimensions keep the accuracy within .5 %",
    tables=("Phases of learning", "Crossings", "Three dimensions", "Networks with gates"),
)  # fmt: skip
