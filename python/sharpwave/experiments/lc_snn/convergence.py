"""The step of `lc-snn` that tests networks while they learn."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..experiment import Context
from ..sweeping import mean_and_sd, shown, swept
from .config import NAMES, lesson_of
from .networks import VOTES, watched
from .published import CONVERGING, CONVERGING_UNITS

_TWO_GRAM = VOTES.index("ngram")


def convergence(context: Context) -> dict[str, Any]:
    """Test networks of both kinds after more and more images."""
    from .figures import accuracy_while_learning
    from .tables import by_vote

    config, numbers = context.config, range(context.config.large_seeds)
    tasks = {
        f"{name}-{number}": partial(watched, plan, lesson_of(context, name), config.stops)
        for number in numbers
        for name, plan in config.pair(config.watched, number).items()
    }
    found = swept(context, tasks, config.jobs)
    accuracy, spread, known = {}, {}, {}
    for name in NAMES:
        each = [found[f"{name}-{number}"] for number in numbers]
        context.timing(f"{name}, learning and tests", float(np.mean([one["seconds"] for one in each])))
        accuracy[name] = by_vote([one["accuracy"] for one in each])
        spread[name] = [mean_and_sd(column) for column in accuracy[name][:, :, _TWO_GRAM].T]
        if config.as_published and config.watched[1] == CONVERGING_UNITS:
            known[name] = CONVERGING[name]
        for stop, (mean, sd) in zip(config.stops, spread[name], strict=True):
            notes = [] if np.isnan(sd) else [f"sd {sd:.2f} over {len(numbers)} seeds"]
            notes += [f"published: about {known[name][1]:.0f}"] if stop == known.get(name, (0, 0))[0] else []
            context.metric(f"{name}, after {stop} images", mean, unit="%", note="; ".join(notes))
    labels = dict(zip(NAMES, (f"LC-SNN, F = {config.watched[0]}", f"Diehl-Cook, {config.watched[1]}"), strict=True))
    context.table(
        "Accuracy while learning",
        ["images", *labels.values()],
        [[stop, *(shown(*spread[name][place]) for name in NAMES)] for place, stop in enumerate(config.stops)],
        f"In percent on the test images, by 2-grams, mean and standard deviation over {len(numbers)} seeds.",
    )
    context.figure(
        "convergence",
        accuracy_while_learning(
            config.stops, {name: (labels[name], accuracy[name][:, :, _TWO_GRAM]) for name in NAMES}, known
        ),
        title="Accuracy while learning",
        alt="Accuracy on test images against the number of images learned, on a logarithmic axis, for both networks.",
        caption="By 2-grams. Bars are standard deviations over seeds. Crosses: about what arXiv 1904.06269 shows.",
    )
    axes = ("seed", "images", "readout")
    named = {name: (axes, values) for name, values in accuracy.items()}
    return {**named, "images": list(config.stops), "readout": list(VOTES)}
