"""Phases of learning the time of day, and the bifurcation at the end of the plateau: tables and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..experiment import Context
from .config import Setting
from .crossing import in_interval
from .looking import THRESHOLDS, Network, look_into
from .networks import INPUTS, mean_sd, networks
from .periodic_figures import draw_crossings, draw_orbits, draw_spectra, draw_training

if TYPE_CHECKING:
    import xarray

_CLOSE = 2.0  # degrees


def analyse(context: Context) -> None:
    """Follow fixed points through training, and say what happens at the end of the plateau."""
    config, found = context.config, context["learn"]
    settings, tables = config.settings(), ([], [], [])  # type: ignore[var-annotated]
    for place, one in enumerate(settings):
        ones = []
        for k in range(config.seeds):
            ones.append(look_into(found, one, k))
            context.progress(place + (k + 1) / config.seeds, len(settings))
        for table, rows in zip(tables, (_phases, _crossings, _three_dimensions), strict=True):
            table.extend(rows(context, one, ones))
        _figures(context, found, one, ones)
    context.table(
        "Phases of learning", ["networks", "TI > .98 from", *(f"TD > {risen:g} from" for risen in THRESHOLDS),
                               "TD > .98 from"], tables[0],
        "Iterations, mean ± sd over networks; the middle threshold is that of the paper. TI: accuracy on b, whose "
        "effect does not depend on time, the first time; TD: on a, whose effect does, for good.",
    )  # fmt: skip
    context.table(
        "Crossings", ["networks", "symbol", "point lost at", "kinds", "angle / degrees", "within 2 of 360/P",
                      "angle after training", "within 2 then", "near TD > .75", "period of the orbit"], tables[1],
        "The fixed point under a symbol that is always seen, followed through training from the first checkpoint on; "
        "lost: an eigenvalue leaves the unit circle for good, at this iteration, and at an angle that is 360/P if it "
        "turns with the time of day. Near: within one checkpoint of that from which TD > .75. The orbit is that after "
        "training, its period in steps by the winding number.",
    )  # fmt: skip
    context.table(
        "Three dimensions", ["networks", "of all", "read from three dimensions", "largest change", "kept in them"],
        tables[2],
        "Share of right outputs after training. The three dimensions are the leading pair of eigenvectors and the "
        "direction between the inputs of a and b, at the fixed point under both halved. To be read, states are "
        "projected to them at right angles, around their mean; to be kept there, in each step along the other "
        "eigenvectors.",
    )  # fmt: skip


def _phases(context: Context, setting: Setting, ones: list[Network]) -> list[list[str]]:
    rises = [[phases.rise for phases in by_seed] for by_seed in zip(*(one.phases for one in ones), strict=True)]
    for risen, values in zip(THRESHOLDS, rises, strict=True):
        some = [value for value in values if value is not None]
        if some:
            context.metric(f"{setting.label}: TD > {risen:g} from iteration", float(np.mean(some)))
    ends = [mean_sd([getattr(one.phases[1], name) for one in ones]) for name in ("plateau", "perfection")]
    return [[setting.label, ends[0], *map(mean_sd, rises), ends[1]]]


def _crossings(context: Context, setting: Setting, ones: list[Network]) -> list[list[str]]:
    label, count, expected, rows, near = setting.label, f"of {len(ones)}", 360 / setting.period, [], []
    for symbol in INPUTS:
        crossings = [one.lost[symbol].crossing for one in ones]
        near.append([in_interval(one.lost[symbol].crossing, one.phases[1].rise, setting.every) for one in ones])
        context.metric(f"{label}: point of {symbol} lost within a checkpoint of TD > .75", sum(near[-1]), note=count)
        there = [crossing for crossing in crossings if crossing is not None]
        angles, kinds = [crossing.angle for crossing in there], [crossing.kind for crossing in there]
        close = sum(abs(angle - expected) <= _CLOSE for angle in angles)
        turning = sum(kind == "Neimark-Sacker" for kind in kinds)
        context.metric(f"{label}: Neimark-Sacker bifurcations, {symbol}", turning, note=count)
        context.metric(f"{label}: angles within 2 degrees of 360/P, {symbol}", close, note=count)
        if angles:
            note = f"360/P = {expected:g}"
            context.metric(
                f"{label}: angle at the crossing, {symbol}", float(np.mean(angles)), unit="degrees", note=note
            )
        after = [one.angle[symbol] for one in ones]
        closer = sum(abs(angle - expected) <= _CLOSE for angle in after)
        context.metric(f"{label}: angle after training, {symbol}", float(np.mean(after)), unit="degrees")
        context.metric(f"{label}: angles after training within 2 degrees of 360/P, {symbol}", closer, note=count)
        exponent = float(np.max([one.exponent[symbol] for one in ones]))
        context.metric(f"{label}: largest Lyapunov exponent under {symbol}", exponent, unit="1/step")
        counts = ", ".join(f"{kind} {kinds.count(kind)}" for kind in sorted(set(kinds)))
        rows.append([
            label, symbol, mean_sd([crossing.at for crossing in there]), counts or "none", mean_sd(angles, 1),
            f"{close}/{len(ones)}", mean_sd(after, 1), f"{closer}/{len(ones)}", f"{sum(near[-1])}/{len(ones)}",
            mean_sd([one.period[symbol] for one in ones], 2),
        ])  # fmt: skip
    either = sum(any(both) for both in zip(*near, strict=True))
    context.metric(f"{label}: networks that lose a point within a checkpoint of TD > .75", either, note=count)
    return rows


def _three_dimensions(context: Context, setting: Setting, ones: list[Network]) -> list[list[str]]:
    some = np.array([(one.free, one.kept, one.closed) for one in ones if np.isfinite(one.kept)])
    if not len(some):
        return [[setting.label, "–", "–", "–", "–"]]
    change = float(np.abs(some[:, 1] - some[:, 0]).max())
    context.metric(f"{setting.label}: largest change of accuracy, read from three dimensions", 100 * change, unit="%")
    free, kept, closed = (f"{100 * value:.2f} %" for value in some.mean(axis=0))
    return [[setting.label, free, kept, f"{100 * change:.2f} %", closed]]


def _figures(context: Context, found: xarray.Dataset, setting: Setting, ones: list[Network]) -> None:
    label, times = setting.label, found[f"{setting.label} step"].values
    rises = [one.phases[1].rise for one in ones]
    crossings = {symbol: [one.lost[symbol].crossing for one in ones] for symbol in INPUTS}
    context.figure(
        f"training-{setting.hidden}", draw_training(times, found[f"{label} accuracy"].values, crossings, rises),
        title=f"Phases of learning, {label}",
        alt="Accuracy on b is 1 almost at once; accuracy on a stays near one half, and then rises within a checkpoint "
        "or two, where vertical lines mark the crossings.",
        caption="Thin lines: networks; thick: their mean. Marks: where the fixed points of a and of b lose stability.",
    )  # fmt: skip
    context.figure(
        f"crossings-{setting.hidden}", draw_crossings(crossings, rises, setting.every),
        title=f"When the point is lost, and when TD passes .75, {label}",
        alt="A dot for each network and symbol, near the diagonal.",
        caption="Dots: networks. Grey: within one checkpoint of each other.",
    )  # fmt: skip
    context.figure(
        f"spectra-{setting.hidden}", draw_spectra(ones[0].lost),
        title=f"Eigenvalues through training, {label}",
        alt="Eigenvalues move within the unit circle; one pair leaves it, at an angle that a grey ray marks.",
        caption="Of the fixed points of a and of b, of the first network; the colour is the iteration.",
    )  # fmt: skip
    context.figure(
        f"orbits-{setting.hidden}", draw_orbits(networks(found, label, 0), times, ones[0].lost),
        title=f"Orbits, {label}",
        alt="Left a closed curve around a point; right, against the iteration, a line that gives way to a band.",
        caption="First network, under a alone. Left: where it settles after training, in the plane of the leading "
        "pair. Right: bifurcation diagram, the first coordinate of where it settles at each checkpoint, and of the "
        "fixed point, dashed where it is not stable.",
    )  # fmt: skip
