"""The step of `lc-snn` that takes synapses, or neurons, away from networks that have learned."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..experiment import Context
from ..sweeping import mean_and_sd, shown, swept
from .config import NAMES, lesson_of
from .networks import PARTS, VOTES, lesioned
from .published import LESIONED, LESIONED_SIZES

_TWO_GRAM = VOTES.index("ngram")
_TOLD = (0.0, 0.5, 0.9)  # shares whose accuracy is a metric


def robustness(context: Context) -> dict[str, Any]:
    """Delete synapses, and neurons, of a network of each kind."""
    from .figures import accuracy_of_the_lesioned
    from .tables import by_vote

    config = context.config
    tasks = {
        name: partial(lesioned, plan, lesson_of(context, name), config.fractions, config.draws)
        for name, plan in config.pair(config.lesioned, 0).items()
    }
    found = swept(context, tasks, config.jobs)
    accuracy = {(name, what): by_vote(found[name][what]) for what in PARTS for name in NAMES}
    published = LESIONED if config.as_published and config.lesioned == LESIONED_SIZES else {}
    known = {key: [published.get(key, {}).get(share) for share in config.fractions] for key in accuracy}
    for (name, what), values in accuracy.items():
        two_grams = values[:, :, _TWO_GRAM].T
        for share, each, reference in zip(config.fractions, two_grams, known[name, what], strict=True):
            if share in _TOLD:
                mean, sd = mean_and_sd(each)
                notes = [] if np.isnan(sd) else [f"sd {sd:.2f} over {config.draws} draws"]
                notes += [f"published: {shown(*reference)}"] if reference else []
                context.metric(f"{name}, {share:.0%} of {what} deleted", mean, unit="%", note="; ".join(notes))
    for what in PARTS:
        rows = []
        for place, share in enumerate(config.fractions):
            cells = [f"{share:.0%}"]
            for name in NAMES:
                cells += [shown(*mean_and_sd(vote)) for vote in accuracy[name, what][:, place].T]
                reference = known[name, what][place]
                cells += [shown(*reference) if reference else ""]
            rows.append(cells)
        votes = ("all", "proportion", "2-gram", "published")
        context.table(
            f"Accuracy without some of the {what}",
            ["deleted", *(f"{name}: {vote}" for name in NAMES for vote in votes)],
            rows,
            f"In percent, mean and standard deviation over {config.draws} draws of what is deleted and of the test's "
            f"spikes, of one network of {config.lesioned[0]} filters and one layer of {config.lesioned[1]} units.",
        )
    context.figure(
        "robustness",
        accuracy_of_the_lesioned(
            config.fractions, {key: values[:, :, _TWO_GRAM] for key, values in accuracy.items()}, published
        ),
        title="Accuracy without some of the synapses, or neurons",
        alt="Two panels: accuracy against the share that is deleted, of synapses and of neurons, for both networks.",
        caption="By 2-grams. Bars are standard deviations over draws. Dashed, with bands of them: arXiv 1904.06269.",
    )
    axes = ("draw", "fraction", "readout")
    return {
        **{f"{name}: {what}": (axes, values) for (name, what), values in accuracy.items()},
        "fraction": np.array(config.fractions),
        "readout": list(VOTES),
    }
