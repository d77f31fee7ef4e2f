"""How many memories can be recalled in order, against the number of features: softmax and rectified polynomials."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .experiment import Context, Experiment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..memory import CapacityCurve, CapacityStudy

_FITTED = 4  # points that a law of growth needs


@dataclass(frozen=True)
class CapacityConfig:
    """The sweep. Every size, activation and share of its own is a point that is kept once it is found."""

    seed: int = 0
    """Draws the patterns."""
    protocol: Literal["chain", "bits"] = "chain"
    """What a recall must do; see `sharpwave.memory.capacity`."""
    sizes: tuple[int, ...] = tuple(range(12, 41, 2))
    """Numbers N of features."""
    powers: tuple[int, ...] = (2, 3)
    """Powers of the rectified polynomials that are compared with the softmax."""
    draws: int = 100
    """Draws at each number of memories that is tried."""
    share: float = 0.96
    """Share of draws that must succeed; the source's is 96 of 100."""
    compared_share: float = 0.8
    """The share at which activations are compared: of polynomials at small N, 4 memories do not reach the source's."""
    largest: int = 8192
    """The largest number of memories that is tried; what succeeds there is known as a lower bound only."""

    def __post_init__(self) -> None:
        if len(set(self.sizes)) < _FITTED:
            raise ValueError(f"sizes must be at least {_FITTED} different numbers of features, got {self.sizes}")


def sweep(context: Context) -> dict[str, Any]:
    """Find the capacity at each size, activation and share."""
    curves = list(_curves(context))
    for _, study, curve in curves:
        _record(context, study, curve)
        _table(context, study, curve)
    context.figure(
        "capacity",
        _figure(context, [(study, curve) for _, study, curve in curves]),
        title="Capacity against the number of features",
        alt="On a logarithmic axis, capacity against the number of features: the softmax's points rise along a "
        "straight line, the polynomials' bend below it.",
        caption="Bars are 95 % intervals, lines the better of the two laws. An arrow is a lower bound: the largest "
        "number of memories that was tried still succeeded.",
    )
    found: dict[str, Any] = {"N": np.array(context.config.sizes)}
    for name, _, curve in curves:
        for what in ("estimate", "low", "high"):
            values = [getattr(point.threshold, what) if point.threshold else np.nan for point in curve.points]
            found[f"{name}_{what}"] = ("N", np.array(values))
        found[f"{name}_is_lower_bound"] = ("N", np.array([int(point.censored) for point in curve.points]))
    return found


def _curves(context: Context) -> Iterator[tuple[str, CapacityStudy, CapacityCurve]]:
    """Name, study and curve, one after the other; finished points are read from the run's directory."""
    from ..memory import CapacityStudy, capacity_curve

    config = context.config
    asked = [(None, config.share), *((power, config.compared_share) for power in (None, *config.powers))]
    asked = list(dict.fromkeys(asked))
    done = 0
    for power, share in asked:
        study = CapacityStudy(
            config.protocol, power, draws=config.draws, share=share, largest=config.largest, seed=config.seed
        )
        home = context.directory / "sweep" / f"share-{share:g}"
        for size in config.sizes:
            capacity_curve(study, [size], home)
            done += 1
            context.progress(done, len(asked) * len(config.sizes))
        kind = "softmax" if power is None else f"power_{power}"
        yield f"{kind}_{round(100 * share)}", study, capacity_curve(study, config.sizes, home)


def _label(study: CapacityStudy) -> str:
    kind = "softmax" if study.power is None else f"power {study.power}"
    return f"{kind}, {100 * study.share:g} %"


def _record(context: Context, study: CapacityStudy, curve: CapacityCurve) -> None:
    label, known = _label(study), _known(curve)
    if known:
        last = known[-1]
        interval = f"95 % interval {last.threshold.low:.4g} to {last.threshold.high:.4g}"
        context.metric(f"{label}: capacity at N = {last.size}", float(last.threshold.estimate), note=interval)
    if len(known) < _FITTED:
        return
    growth = curve.growth()
    for name, law in (("exponential", growth.exponential), ("polynomial", growth.polynomial)):
        unit = {"exponential": "K = c exp(rate N)", "polynomial": "K = c N^rate"}[name]
        note = f"{unit}; 95 % interval {law.low:.3g} to {law.high:.3g}; prefactor {law.prefactor:.3g}"
        context.metric(f"{label}: {name} rate", law.rate, note=note)
    context.metric(
        f"{label}: evidence for exponential growth",
        growth.evidence,
        note=f"difference in Akaike's criterion over {len(known)} points, below 0 against it",
    )


def _known(curve: CapacityCurve) -> list[Any]:
    """Points with an answer that is not a mere bound."""
    return [point for point in curve.points if point.threshold and not point.censored]


def _table(context: Context, study: CapacityStudy, curve: CapacityCurve) -> None:
    rows: list[list[Any]] = []
    for point in curve.points:
        if point.threshold is None:
            rows.append([point.size, None, None, None, "below 4"])
            continue
        remark = "a lower bound" if point.censored else ""
        answer = point.threshold
        rows.append([point.size, answer.estimate, answer.low, answer.high, remark])
    context.table(
        f"Capacity, {_label(study)} of draws",
        ["N", "capacity", "low", "high", "remark"],
        rows,
        f"Number of memories at which the share of successful draws falls below {study.share:g}, of {study.draws} at "
        "each number tried, with its 95 % interval.",
    )


def _figure(context: Context, curves: list[tuple[CapacityStudy, CapacityCurve]]) -> Figure:
    from matplotlib.figure import Figure

    from ..plots import line_style, style

    with style():
        figure = Figure(figsize=(4.8, 4.2), layout="constrained")
        axes = figure.add_subplot()
        for index, (study, curve) in enumerate(curves):
            color = line_style(index)["color"]
            known = _known(curve)
            n = np.array([point.size for point in known])
            k = np.array([point.threshold.estimate for point in known])
            low, high = (np.array([getattr(point.threshold, end) for point in known]) for end in ("low", "high"))
            axes.errorbar(n, k, [k - low, high - k], fmt="o", markersize=4, color=color, label=_label(study))
            for point in curve.points:
                if point.censored and point.threshold:
                    axes.plot(point.size, point.threshold.estimate, "^", color=color, fillstyle="none")
            if len(known) >= _FITTED:
                growth = curve.growth()
                fine = np.linspace(n[0], n[-1], 100)
                exponential = growth.exponential.prefactor * np.exp(growth.exponential.rate * fine)
                polynomial = growth.polynomial.prefactor * fine**growth.polynomial.rate
                axes.plot(fine, exponential if growth.evidence > 0 else polynomial, color=color, linewidth=1.0)
        axes.set(xlabel="features N", ylabel="memories K", yscale="log")
        axes.legend()
        return figure


EXPERIMENT = Experiment(
    name="capacity",
    title="Capacity against the number of features",
    summary="Random patterns are stored as an open chain, and recalled from the first. The capacity is the largest "
    "number of memories at which recall still begins 0, 1, 2 in the share of draws that is asked for. With a softmax "
    "hidden layer it grows exponentially with the number of features, with rectified polynomials more slowly.",
    source="General Sequential Episodic Memory Model, ICML 2023, arXiv 2212.05563, capacity of an open chain; its "
    "softmax grows about as exp(.25 N)",
    config=CapacityConfig,
    quick={"sizes": (12, 16, 20, 24), "powers": (2,), "draws": 20, "share": 0.8, "largest": 256},
    steps=(sweep,),
    headline=(
        "softmax, 96 %: exponential rate",
        "softmax, 80 %: exponential rate",
        "power 2, 80 %: exponential rate",
        "power 3, 80 %: exponential rate",
        "softmax, 80 %: evidence for exponential growth",
        "power 3, 80 %: evidence for exponential growth",
    ),
    expected="exponential growth with a softmax, about exp(.25 N); slower growth with polynomials",
)
