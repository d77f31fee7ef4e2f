"""Steps of `lc-snn` that train networks: of the paper's sizes, its baseline, better ones, and on other images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..experiment import Context
from ..sweeping import swept
from .config import lesson_of
from .networks import Plan, tested, window_of
from .published import DIEHL_COOK, LOCALLY_CONNECTED, Published

if TYPE_CHECKING:
    from .tables import Group

_SHOWN = 100  # filters that a network should have whose weights are shown
_CURVES = (2, 5, 6)  # columns of the tables


class _Kind(NamedTuple):
    """Networks that differ in nothing but their seeds."""

    size: int
    window: tuple[int, int] | None
    seeds: int
    epochs: int = 1

    @property
    def label(self) -> str:
        """Such as `100-12-4`, with epochs if there are several."""
        return "-".join(map(str, (self.size, *(self.window or ()), *([self.epochs] if self.epochs > 1 else []))))

    @property
    def cells(self) -> tuple[Any, ...]:
        """Size and window for a table."""
        return (self.size,) if self.window is None else (self.size, f"{self.window[0]}, {self.window[1]}")


def sizes(context: Context) -> dict[str, Any]:
    """Train locally connected networks of all sizes."""
    from ...spiking.figures import plot_filters
    from .figures import accuracy_by_size
    from .tables import COLUMNS, report, stored, within

    config = context.config
    kinds = [_Kind(filters, window_of(filters), config.seeds_of(filters)) for filters in sorted(set(config.filters))]
    drawn = min(kinds, key=lambda kind: abs(kind.size - _SHOWN))
    groups = _groups(context, kinds, "LC-SNN, {size} filters", LOCALLY_CONNECTED, shown=drawn)
    report(context, "LC-SNN", ["F", "k, s"], groups)
    if config.as_published:
        for name, place in (("2-gram", _CURVES[0]), ("best vote", None)):
            context.metric(f"sizes within one sd of the paper or above, {name}", within(groups, place))
    found = stored(groups, "F", [kind.size for kind in kinds])
    accuracy = found["accuracy"][1]
    context.figure(
        "accuracy",
        accuracy_by_size(
            [kind.size for kind in kinds],
            {COLUMNS[place][0]: accuracy[:, :, place].T for place in _CURVES},
            LOCALLY_CONNECTED if config.as_published else {},
        ),
        title="Accuracy against the number of filters",
        alt="Accuracy on test images against the number of filters, on a logarithmic axis.",
        caption="Bars are standard deviations over seeds. Dashed, with bands of them: arXiv 1904.06269.",
    )
    weights = np.load(lesson_of(context, f"{drawn.label}-0").weights)["weights"]
    context.figure(
        "filters",
        plot_filters(weights, limit=36),
        title=f"Filters of a network of {drawn.size}",
        alt="Strokes and parts of digits: for each filter, its weights at each position of the window.",
        caption="A block is a filter; its tiles are the windows, where they are in the image. Each learns on its own.",
    )
    return found


def baseline(context: Context) -> dict[str, Any]:
    """Train Diehl-Cook layers of all sizes."""
    from .tables import report, stored

    kinds = [_Kind(units, None, context.config.seeds) for units in sorted(set(context.config.units))]
    groups = _groups(context, kinds, "Diehl-Cook, {size} units", DIEHL_COOK)
    report(context, "Diehl-Cook", ["units"], groups)
    return stored(groups, "units", [kind.size for kind in kinds])


def best(context: Context) -> dict[str, Any]:
    """Train networks with more filters, positions or epochs."""
    from .tables import COLUMNS, report, stored

    config = context.config
    wanted = zip(config.best_filters, config.best_windows, config.best_epochs, strict=True)
    kinds = [_Kind(filters, (window, 2), config.best_seeds, epochs) for filters, window, epochs in wanted]
    groups = _groups(context, kinds, "LC-SNN, {size} filters, k = {window[0]}, epochs: {epochs}", {})
    report(context, "more filters, positions or epochs", ["F", "k, s", "epochs"], groups)
    before = context["sizes"]
    lines = before.accuracy.mean("seed").values
    means = {f"LC-SNN, {size} filters": line for size, line in zip(before.F.values, lines, strict=True)}
    means |= {group.name: group.accuracies.mean(axis=0) for group in groups}
    for name, columns in (("any readout", len(COLUMNS)), ("votes of units", len(COLUMNS) - 1)):
        who = max(means, key=lambda group: float(means[group][:columns].max()))
        highest = int(means[who][:columns].argmax())
        note = f"mean over seeds of {who}; readout: {COLUMNS[highest][0]}"
        context.metric(f"best accuracy, {name}", float(means[who][highest]), unit="%", note=note)
    return stored(groups, "network", [kind.label for kind in kinds])


def fashion(context: Context) -> dict[str, Any]:
    """Train networks on articles of clothing; nothing else is changed."""
    from .tables import report, stored

    config = context.config
    kinds = [_Kind(size, window_of(size), config.seeds_of(size)) for size in sorted(set(config.fashion_filters))]
    groups = _groups(context, kinds, "Fashion-MNIST, {size} filters", {}, data_set="fashion-mnist")
    report(context, "LC-SNN on Fashion-MNIST", ["F", "k, s"], groups)
    return stored(groups, "F", [kind.size for kind in kinds])


def _groups(
    context: Context,
    kinds: Sequence[_Kind],
    name: str,
    published: Mapping[int, Published],
    *,
    data_set: str = "",
    shown: _Kind | None = None,
) -> list[Group]:
    """Train networks, the largest first, and return what they came to in the order of the kinds.

    Args:
        context: of the step.
        kinds: what is trained.
        name: of a kind, a template of its fields.
        published: accuracies, by size.
        data_set: what is learned, if not that of the configuration.
        shown: of this kind, the first network's weights are kept.
    """
    from .tables import Group

    config, tasks = context.config, {}
    for kind in sorted(kinds, key=lambda kind: -kind.size * kind.epochs):
        for number in range(kind.seeds):
            label = f"{kind.label}-{number}"
            kept = kind.size if kind is shown and number == 0 else 0
            lesson = lesson_of(context, label, data_set=data_set, shown=kept)
            seed = config.network_seed(number)
            layer = kind.window is None
            plan = config.baseline(kind.size, seed) if layer else Plan(kind.size, seed, kind.window, kind.epochs)
            tasks[label] = partial(tested, plan, lesson)
    found = swept(context, tasks, config.jobs)
    return [
        Group(
            name.format(**kind._asdict()),
            (*kind.cells, kind.epochs) if "{epochs}" in name else kind.cells,
            [found[f"{kind.label}-{number}"] for number in range(kind.seeds)],
            published.get(kind.size) if config.as_published else None,
        )
        for kind in kinds
    ]
