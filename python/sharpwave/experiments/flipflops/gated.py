"""Networks with gates that learn the time of day."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..experiment import Context
from .looking import degrees
from .networks import INPUTS, flipflop_protocol, flipflop_task, learned, mean_sd

_GATED = ("GRU", "LSTM")


def gated(context: Context) -> dict[str, Any]:
    """The same of networks with gates: at which checkpoint their fixed points become unstable."""
    config = context.config
    if not config.gated_seeds:
        return {}
    from ... import recurrent
    from ...recurrent.automata import find_phases

    one, rows = config.settings()[0], []
    seeds, shape = range(config.seed, config.seed + config.gated_seeds), (len(_GATED), config.gated_seeds, len(INPUTS))
    rises, lost_at, angles = np.full(shape[:2], np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    for place, kind in enumerate(_GATED):
        task, steps = flipflop_task(one.period), one.every * np.arange(one.steps // one.every + 1)
        protocol = flipflop_protocol(one.steps, one.horizon, config.learning_rate)
        trained, accuracy = learned(
            context, kind, getattr(recurrent, kind)(one.hidden), task, seeds, protocol, one.every,
            share=(2 * place, 2 * len(_GATED)),
        )  # fmt: skip
        for k in range(len(seeds)):
            rise = find_phases(steps, accuracy[:, k, 1], accuracy[:, k, 0]).rise
            rises[place, k] = np.nan if rise is None else rise
            for column, input in enumerate(INPUTS.values()):
                lost_at[place, k, column], angles[place, k, column] = _unstable_from(trained, k, steps, input)
            context.progress(2 * place + 1 + (k + 1) / len(seeds), 2 * len(_GATED))
        gap = np.abs(lost_at[place] - rises[place][:, None])
        near = int((np.nanmin(np.where(np.isnan(gap), np.inf, gap), axis=1) <= one.every).sum())
        context.metric(f"{kind}: networks that lose a point within a checkpoint of TD > .75", near,
                       note=f"of {len(seeds)}")  # fmt: skip
        context.metric(f"{kind}: angle where it is lost", float(np.nanmean(angles[place])), unit="degrees")
        columns = [mean_sd([v for v in values if np.isfinite(v)], d)
                   for values, d in ((rises[place], 0), (lost_at[place, :, 0], 0), (lost_at[place, :, 1], 0),
                                     (angles[place, :, 0], 1), (angles[place, :, 1], 1))]  # fmt: skip
        rows.append([kind, *columns, f"{near}/{len(seeds)}"])
    context.table(
        "Networks with gates",
        [
            "networks",
            "TD > .75 from",
            "a's point lost",
            "b's point lost",
            "angle, a",
            "angle, b",
            "near",
        ],
        rows,
        f"{one.label}; the checkpoint from which on the fixed point of a symbol has an eigenvalue outside the unit "
        "circle, and the angle there. Near: of how many this is within a checkpoint of TD > .75.",
    )
    axes = ("kind", "seed", "symbol")
    return {"rise": (axes[:2], rises), "lost": (axes, lost_at), "angle": (axes, angles), "kind": list(_GATED)}


def _unstable_from(trained: Any, replica: int, steps: NDArray[np.int64], input: Any) -> tuple[float, float]:
    """The checkpoint from which on the fixed point is unstable for good, and the angle of its largest eigenvalue there.

    Of several points, that nearest to the one of the checkpoint before.
    """
    from ...dynamics import fixed_points, trained_map

    before, largest = None, []
    for kept in range(len(steps)):
        map = trained_map(trained, replica, input, kept)
        starts = np.zeros((1, map.size)) if before is None else np.stack([before, np.zeros(map.size)])
        points = fixed_points(map, starts)
        if not len(points.states):
            largest.append(np.nan + 0j)
            continue
        nearest = 0 if before is None else int(np.argmin(np.linalg.norm(points.states - before, axis=1)))
        before = points.states[nearest]
        largest.append(points.eigenvalues[nearest, 0])
    stable = np.flatnonzero(~(np.abs(largest) > 1))
    if not len(stable) or stable[-1] + 1 == len(steps):
        return np.nan, np.nan
    return float(steps[stable[-1] + 1]), degrees(largest[stable[-1] + 1])
