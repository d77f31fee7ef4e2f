"""What is found of a network that has learned the time of day."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .config import Setting
from .crossing import Lost, lost
from .networks import INPUTS, flipflop_task, networks

if TYPE_CHECKING:
    import xarray

    from ...recurrent import RNN
    from ...recurrent.automata import Phases

Array = NDArray[np.float64]
THRESHOLDS = (0.7, 0.75, 0.8)  # of TD at which the plateau is said to end; the middle one is the paper's


class Network(NamedTuple):
    """What is found of one network."""

    phases: list[Phases]  # by threshold
    lost: dict[str, Lost]  # by symbol
    angle: dict[str, float]  # of the largest eigenvalue after training, in degrees
    period: dict[str, float | None]  # of the orbit under the symbol alone, after training
    exponent: dict[str, float]  # its largest one
    kept: float  # share of right outputs, read from three dimensions
    free: float  # and from all
    closed: float  # of a network that is kept in three dimensions


def look_into(found: xarray.Dataset, setting: Setting, place: int) -> Network:
    """Follow its fixed points through training, and look at where it has come to."""
    from ...recurrent.automata import find_phases

    ones = networks(found, setting.label, place)
    steps = np.asarray(found[f"{setting.label} step"], dtype=np.float64)
    timed, timeless = np.asarray(found[f"{setting.label} accuracy"])[:, place].T
    phases = [find_phases(steps, timeless, timed, risen=risen) for risen in THRESHOLDS]
    gone = {symbol: lost(ones, steps, input) for symbol, input in INPUTS.items()}
    leading = {name: branch.eigenvalues[-1] for name, (branch, _) in gone.items()}
    angle = {name: degrees(values[np.argmax(np.abs(values))]) for name, values in leading.items()}
    orbits = {symbol: _orbit(ones[-1], gone[symbol], input) for symbol, input in INPUTS.items()}
    period = {name: orbit[0] for name, orbit in orbits.items()}
    exponent = {name: orbit[1] for name, orbit in orbits.items()}
    return Network(phases, gone, angle, period, exponent, *_in_three_dimensions(ones[-1], setting))


def degrees(value: complex) -> float:
    """Of an eigenvalue, from 0 to 180."""
    return float(np.degrees(np.abs(np.angle(value))))


def _orbit(network: RNN, gone: Lost, input: tuple[float, ...]) -> tuple[float | None, float]:
    """Period of the motion under a symbol alone, and its largest Lyapunov exponent."""
    from ...dynamics import NetworkMap, leading_subspace, lyapunov_spectrum, orbit, winding_number

    map, point = NetworkMap(network, input), gone.branch.states[-1]
    exponent = float(lyapunov_spectrum(map, point + 1e-3, 2000, transient=2000, exponents=1, backend="numpy")[0])
    if gone.crossing is None or gone.crossing.kind != "Neimark-Sacker":
        return None, exponent
    states = orbit(map, point + 1e-3, 2001, transient=999)
    turns = winding_number(states, point, leading_subspace(map, point).dual)
    return (1 / abs(turns) if turns else None), exponent


def _in_three_dimensions(network: RNN, setting: Setting) -> tuple[float, float, float]:
    """Share of right outputs of projected states, of all, and of a network that is kept in three dimensions."""
    from ...dynamics import NetworkMap, fixed_points, leading_subspace

    task = flipflop_task(setting.period)
    inputs, targets = (part.numpy() for part in task.batch(0, 1, 256, setting.horizon, 1))
    between = NetworkMap(network, np.mean(list(INPUTS.values()), axis=0))
    points = fixed_points(between, 20, backend="numpy")
    if not len(points.states):
        return np.nan, np.nan, np.nan
    try:
        slow = leading_subspace(between, points.states[0], 2, network.input[:, 0] - network.input[:, 1])
    except ValueError:  # the leading eigenvalues are no pair
        return np.nan, np.nan, np.nan
    states = network.states(inputs, setting.horizon)

    def right(h: Array) -> float:
        return float((network.outputs(h) * targets > 0).mean())

    read = slow.orthogonal(states.mean(axis=(0, 1))).project(states)
    return right(read), right(states), right(slow.states(network, inputs, setting.horizon))
