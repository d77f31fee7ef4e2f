"""Tables and metrics of `lc-snn`: accuracies of trained networks by readout, seeds and standard deviations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..experiment import Context
from ..sweeping import mean_and_sd, shown
from ..trained_digits import ACTIVITY, ACTIVITY_CAPTION, activity_row
from .networks import VOTES
from .published import Published

Found = dict[str, Any]
Array = NDArray[np.float64]

# Name, when its readout learned, and the readout.
COLUMNS = (
    ("all", "beside", "all"), ("proportion", "beside", "proportion"), ("2-gram", "beside", "ngram"),
    ("all, anew", "afterwards", "all"), ("proportion, anew", "afterwards", "proportion"),
    ("2-gram, anew", "afterwards", "ngram"), ("linear, anew", "afterwards", "linear"),
)  # fmt: skip
_LINEAR = len(COLUMNS) - 1
_CAPTION = (
    "Accuracy on the test images in percent, mean and standard deviation over seeds. Readouts learn beside the "
    "network, as in the paper, or anew: from one presentation of the training images to the network as it has become, "
    "its weights and thresholds held. The linear one is a logistic regression on the spike counts."
)


@dataclass(frozen=True)
class Group:
    """Trainings of one kind of network with several seeds.

    Attributes:
        name: such as `LC-SNN, 25 filters`.
        cells: what identifies it in tables.
        found: of each seed, what `learn_and_test` returned.
        published: accuracy of the paper.
    """

    name: str
    cells: tuple[Any, ...]
    found: Sequence[Found]
    published: Published | None = None

    @property
    def accuracies(self) -> Array:
        """In percent, (seeds, columns)."""
        return np.array([[one["accuracy"][when][readout] for _, when, readout in COLUMNS] for one in self.found])

    @property
    def vote(self) -> int:
        """The column that is best on average, the linear one apart."""
        return int(self.accuracies.mean(axis=0)[:_LINEAR].argmax())


def report(context: Context, title: str, columns: Sequence[str], groups: Sequence[Group]) -> None:
    """Record accuracies of groups, and put tables of them into the report.

    Args:
        context: of the step.
        title: of the tables, such as `LC-SNN`.
        columns: headings of the groups' cells.
        groups: as many rows.
    """
    rows, each = [], []
    for group in groups:
        spread = [mean_and_sd(column) for column in group.accuracies.T]
        reference = shown(*group.published) if group.published else ""
        rows.append([*group.cells, len(group.found), *(shown(*pair) for pair in spread), reference])
        each += [
            [*group.cells, number, *(f"{value:.2f}" for value in line)] for number, line in enumerate(group.accuracies)
        ]
        for name, place in (("2-gram", 2), ("best vote", group.vote), ("linear readout", _LINEAR)):
            mean, sd = spread[place]
            note = [f"{COLUMNS[place][0]}"] if name == "best vote" else []
            note += ["one seed" if np.isnan(sd) else f"mean of {len(group.found)} seeds, sd {sd:.2f}"]
            note += [f"published: {reference}"] if reference and place != _LINEAR else []
            context.metric(f"{group.name}: {name}", mean, unit="%", note="; ".join(note))
        for part, name, images in (
            ("learning", "an epoch", context.config.examples),
            ("test", "test", context.config.test_images),
        ):
            seconds = float(np.mean([one["seconds"][part] for one in group.found]))
            context.timing(f"{group.name}, {name}", seconds * images)
    names = [name for name, _, _ in COLUMNS]
    context.table(f"Accuracy, {title}", [*columns, "seeds", *names, "published"], rows, _CAPTION)
    context.table(f"Accuracy by seed, {title}", [*columns, "seed", *names], each, "In percent; seeds are numbered.")
    activity = [[*group.cells, *activity_row(list(group.found))] for group in groups]
    context.table(f"Activity, {title}", [*columns, *ACTIVITY], activity, ACTIVITY_CAPTION)


def within(groups: Sequence[Group], place: int | None = None) -> str:
    """How many groups, of those with a published accuracy, come to it less its standard deviation: `4 of 5`.

    Args:
        groups: of which.
        place: column of the accuracy; None: each group's best vote.
    """
    known = [(group, group.published) for group in groups if group.published]
    reached = [
        group.accuracies.mean(axis=0)[group.vote if place is None else place] >= reference.mean - reference.sd
        for group, reference in known
    ]
    return f"{sum(reached)} of {len(known)}"


def stored(groups: Sequence[Group], axis: str, values: Sequence[Any]) -> dict[str, Any]:
    """Accuracies (axis, seed, readout) for the results, NaN where a group has fewer seeds."""
    accuracy = np.full((len(groups), max(len(group.found) for group in groups), len(COLUMNS)), np.nan)
    for place, group in enumerate(groups):
        accuracy[place, : len(group.found)] = group.accuracies
    return {
        "accuracy": ((axis, "seed", "readout"), accuracy),
        axis: list(values),
        "readout": [name for name, _, _ in COLUMNS],
    }


def by_vote(found: Sequence[Sequence[Mapping[str, float]]]) -> Array:
    """Accuracies as an array (repeats, points, votes)."""
    return np.array([[[scores[vote] for vote in VOTES] for scores in repeat] for repeat in found])
