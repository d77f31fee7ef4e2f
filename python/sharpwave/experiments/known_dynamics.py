"""Maps and networks whose fixed points, cycles, bifurcations and exponents are known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .experiment import Context, Experiment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..dynamics import Branch, Path

Array = NDArray[np.float64]


@dataclass(frozen=True)
class KnownDynamicsConfig:
    """How hard is looked."""

    seed: int = 0
    """Of starts and of random maps."""
    starts: int = 400
    """Of each search for points."""
    steps: int = 100_000
    """That Lyapunov exponents of maps are averaged over."""

    def __post_init__(self) -> None:
        if min(self.starts, self.steps) < 1:
            raise ValueError("all numbers must be at least 1")


class Found(NamedTuple):
    """Points that were found of those that there are."""

    name: str
    known: int
    found: int
    invented: int
    error: float  # largest distance of a found one from the known one


def points(context: Context) -> dict[str, Any]:
    """Look for all fixed points and cycles of maps and networks that have been worked out by hand."""
    found = list(_searches(context.config, context.rng()))
    context.table(
        "Fixed points and cycles", ["map", "known", "found", "invented", "largest error"],
        [[one.name, one.known, one.found, one.invented, f"{one.error:.1e}"] for one in found],
        "Invented: found, and not among the known ones. Of a cycle the error is that of all its states.",
    )  # fmt: skip
    context.metric("points and cycles that were missed", sum(one.known - one.found for one in found))
    context.metric("points and cycles that were invented", sum(one.invented for one in found))
    context.metric("largest error of a point", max(one.error for one in found))
    return {"error": ("map", np.array([one.error for one in found])), "map": [one.name for one in found]}


def _searches(config: KnownDynamicsConfig, rng: np.random.Generator) -> Iterator[Found]:
    import torch

    from ..dynamics import FunctionMap, cycles, fixed_points, orbit
    from ..recurrent import RNN, circuit, published_tasks

    weights, shift = rng.normal(size=(8, 8)), rng.normal(size=8)
    affine = FunctionMap(lambda h: torch.from_numpy(weights) @ h + torch.from_numpy(shift), 8)
    yield _points("affine, 8 dimensions", np.asarray(np.linalg.solve(np.eye(8) - weights, shift))[None],
                  fixed_points(affine, config.starts).states)  # fmt: skip
    logistic = FunctionMap(lambda x: 4 * x * (1 - x), 1)
    starts = rng.uniform(0, 1, (config.starts, 1))
    yield _points("logistic, r = 4", np.array([[0.0], [0.75]]), fixed_points(logistic, starts).states)
    for period in (2, 3, 4, 5):
        yield _points(
            f"logistic, r = 4, period {period}", _logistic_cycles(period), cycles(logistic, period, starts).states
        )
    henon = FunctionMap(lambda h: torch.stack([1 - 1.4 * h[0] ** 2 + h[1], 0.3 * h[0]]), 2)
    x = (-0.7 + np.array([1, -1]) * np.sqrt(0.49 + 5.6)) / 2.8
    yield _points("Henon", np.stack([x, 0.3 * x], axis=1), fixed_points(henon, config.starts).states)
    gains = np.array([2.0, 1.5, 0.5])
    flipflops = RNN(np.diag(gains), np.zeros((3, 1)), np.zeros((1, 3)))
    sides = [_self_exciting(gain) for gain in gains]
    known = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 3)
    yield _points("flipflops, gains 2, 1.5, .5", known, fixed_points(flipflops, config.starts).states)
    basis = np.linalg.qr(rng.normal(size=(3, 3)))[0] @ np.diag([1.0, 2.0, 0.5])
    linear = basis @ np.diag([0.5, -0.3, 1.7]) @ np.linalg.inv(basis)
    hidden = RNN(linear, np.zeros((3, 1)), np.zeros((1, 3)), "identity")
    yield _points("linear network in a random basis", np.zeros((1, 3)), fixed_points(hidden, config.starts).states)
    task = published_tasks()["T1"]
    exact = circuit(task).network  # a window that goes round, whatever it holds
    windows = np.sign(rng.normal(size=(20, task.window, task.dimensions)))
    own = orbit(exact, exact.states(windows, task.window)[:, -1], task.window)
    yield _points("circuit of T1, windows that go round", own, cycles(exact, task.window, own[:, 0]).states)


def _logistic_cycles(period: int) -> Array:
    """All cycles of x -> 4 x (1 - x) of this period: x = sin(theta)^2 with theta -> 2 theta."""
    found: list[Array] = []
    count = 2**period
    angles = [np.pi * k / (count - 1) for k in range(count)] + [np.pi * k / (count + 1) for k in range(1, count + 1)]
    for angle in angles:
        orbit = np.sin(angle * 2.0 ** np.arange(period)) ** 2
        again = np.abs(orbit[1:] - orbit[0]).min(initial=1.0) < 1e-9
        known = any(np.abs(other - orbit[0]).min() < 1e-9 for other in found)
        if not again and not known:
            found.append(orbit)
    return np.array(found)[..., None]


def _self_exciting(gain: float) -> list[float]:
    """All solutions of h = tanh(gain h)."""
    from scipy.optimize import brentq

    if gain <= 1:
        return [0.0]
    one = float(brentq(lambda h: np.tanh(gain * h) - h, 1e-3, 1.0, xtol=1e-15, rtol=1e-15))
    return [-one, 0.0, one]


def _points(name: str, known: Array, found: Array) -> Found:
    """Compare points (points, n), or cycles (cycles, period, n) from any of their states on."""
    ours, theirs = (array.reshape(len(array), -1, array.shape[-1]) for array in (found, known))
    near = np.array([[np.abs(one[0] - other).max(axis=1).min() for other in theirs] for one in ours])
    hits = near < 1e-6
    error = near[hits].max() if hits.any() else np.inf
    return Found(name, len(theirs), int(hits.any(axis=0).sum()), int((~hits.any(axis=1)).sum()), float(error))


class Case(NamedTuple):
    """A branch, and what is known to happen on it."""

    name: str
    path: Path
    start: list[float]
    ends: tuple[float, float]
    kinds: tuple[str, ...]
    at: tuple[float, ...]
    angles: tuple[float, ...]


def _cases() -> list[Case]:
    import torch

    from ..dynamics import FunctionPath, PowerPath

    logistic = FunctionPath(lambda x, r: r * x * (1 - x), 1)
    henon = FunctionPath(lambda h, a: torch.stack([1 - a * h[0] ** 2 + h[1], 0.3 * h[0]]), 2)
    delayed = FunctionPath(lambda h, a: torch.stack([a * h[0] * (1 - h[1]), h[0]]), 2)
    unit = FunctionPath(lambda h, g: torch.tanh(g * h), 1)
    root = float(np.sqrt(6))
    return [
        Case("logistic, x = 0", logistic, [0.0], (0.5, 4.0), ("transcritical",), (1.0,), (0.0,)),
        Case("logistic, x = 1 - 1/r", logistic, [0.5], (2.0, 4.0), ("flip",), (3.0,), (180.0,)),
        Case("logistic, period 2", PowerPath(logistic, 2), [0.513045], (3.2, 4.0), ("flip",), (1 + root,), (180.0,)),
        Case("logistic, period 3", PowerPath(logistic, 3), [0.5], (3.84, 3.7), ("fold",), (1 + 8**0.5,), (0.0,)),
        Case("Henon, b = .3", henon, [0.9, 0.27], (0.2, 1.4), ("flip",), (3 * 0.7**2 / 4,), (180.0,)),
        Case("Henon, b = .3, down", henon, [0.9, 0.27], (0.2, -0.5), ("fold",), (-(0.7**2) / 4,), (0.0,)),
        Case("delayed logistic", delayed, [0.4, 0.4], (1.5, 2.3), ("Neimark-Sacker",), (2.0,), (60.0,)),
        Case("unit that excites itself", unit, [0.0], (0.5, 2.0), ("pitchfork",), (1.0,), (0.0,)),
    ]


def bifurcations(context: Context) -> dict[str, Any]:
    """Follow branches, and see what is found on the way."""
    from ..dynamics import follow

    rows, errors, wrong, branches = [], [], 0, {}
    for place, case in enumerate(_cases()):
        branch = follow(case.path, case.start, *case.ends, points=300)
        kinds = tuple(crossing.kind for crossing in branch.crossings)
        wrong += kinds != case.kinds
        error = np.inf
        if kinds == case.kinds:
            error = max(abs(one.at - at) for one, at in zip(branch.crossings, case.at, strict=True))
        turned = max((abs(o.angle - a) for o, a in zip(branch.crossings, case.angles, strict=False)), default=np.inf)
        errors.append(error)
        branches[case.name] = branch
        rows.append([case.name, ", ".join(case.kinds), ", ".join(kinds), ", ".join(f"{at:.10g}" for at in case.at),
                     f"{error:.1e}", f"{turned:.1e}"])  # fmt: skip
        context.progress(place + 1, len(_cases()))
    context.metric("branches on which something else was found than there is", wrong)
    context.metric("largest error of a bifurcation's parameter", float(max(errors)))
    context.table("Bifurcations", ["branch", "known", "found", "at", "error", "angle's error"], rows,
                  "Found: all that was, in order. Angles in degrees.")  # fmt: skip
    context.figure(
        "branches", _draw(branches),
        title="Branches",
        alt="Four diagrams: curves that are solid where stable and dashed where not, with dots where that changes.",
        caption="Solid: stable. Dashed: not. Of the logistic and Henon maps the first component is shown.",
    )  # fmt: skip
    return {"error": ("branch", np.array(errors)), "branch": list(branches)}


def _draw(branches: dict[str, Branch]) -> Figure:
    from matplotlib.figure import Figure

    from ..dynamics import plot_branches
    from ..plots import style

    groups = {
        "logistic map": ("r", [name for name in branches if name.startswith("logistic")]),
        "Henon map": ("a", [name for name in branches if name.startswith("Henon")]),
        "delayed logistic map": ("a", ["delayed logistic"]),
        "unit that excites itself": ("gain", ["unit that excites itself"]),
    }
    with style():
        figure = Figure(figsize=(7.2, 5.2), layout="constrained")
        for axes, (title, (xlabel, names)) in zip(figure.subplots(2, 2).ravel(), groups.items(), strict=True):
            plot_branches(axes, [branches[name] for name in names], xlabel=xlabel, ylabel="first component")
            axes.set_title(title)
        return figure


@dataclass(frozen=True)
class _Logistic:
    r: float
    size: int = 1

    def step(self, states: Array) -> Array:
        return self.r * states * (1 - states)

    def jacobian(self, states: Array) -> Array:
        return (self.r * (1 - 2 * states))[..., None]


@dataclass(frozen=True)
class _Henon:
    size: int = 2

    def step(self, states: Array) -> Array:
        x, y = states[..., 0], states[..., 1]
        return np.stack([1 - 1.4 * x**2 + y, 0.3 * x], axis=-1)

    def jacobian(self, states: Array) -> Array:
        return np.array([[-2.8 * states[..., 0], 1.0], [0.3, 0.0]])


def exponents(context: Context) -> dict[str, Any]:
    """Average along trajectories."""
    from ..dynamics import lyapunov_spectrum
    from ..recurrent import RNN

    steps, rows = context.config.steps, []
    turn = np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])
    shrinking = RNN(0.8 * turn, np.zeros((2, 1)), np.zeros((1, 2)))
    henon = lyapunov_spectrum(_Henon(), [0.1, 0.1], steps)
    found = (
        ("logistic, r = 4", "ln 2", np.log(2), lyapunov_spectrum(_Logistic(4.0), [0.3], steps)[0]),
        ("logistic, r = 3.2", "ln(.16) / 2", np.log(0.16) / 2, lyapunov_spectrum(_Logistic(3.2), [0.3], steps)[0]),
        ("Henon, a = 1.4, b = .3", ".4192, Sprott", 0.4192, henon[0]),
        ("Henon, sum of both", "ln .3", np.log(0.3), henon.sum()),
        ("tanh network at rest", "ln .8", np.log(0.8), lyapunov_spectrum(shrinking, [0.0, 0.0], 1000)[0]),
    )
    errors = [abs(float(value - known)) for _, _, known, value in found]
    for (name, text, known, value), error in zip(found, errors, strict=True):
        rows.append([name, text, f"{known:.5f}", f"{value:.5f}", f"{error:.1e}"])
        context.metric(f"{name}: largest exponent" if "sum" not in name else f"{name} of exponents", float(value))
    context.metric("largest error of an exponent", max(errors))
    context.table("Lyapunov exponents", ["map", "known", "value", "found", "error"], rows,
                  f"Averages over {steps:,} steps; of chaotic maps they have a statistical error.")  # fmt: skip
    return {"error": ("map", np.array(errors)), "map": [name for name, *_ in found]}


EXPERIMENT = Experiment(
    name="known-dynamics",
    title="Dynamics that are known",
    summary="Linear, logistic, Henon and delayed logistic maps, networks of units that excite themselves, exact "
    "circuits: all of their fixed points, cycles, bifurcations and exponents have been worked out by hand. Are they "
    "found, and nothing else?",
    source="S. Strogatz, Nonlinear Dynamics and Chaos; J. C. Sprott, Chaos and Time-Series Analysis",
    config=KnownDynamicsConfig,
    quick={"steps": 5000},
    steps=(points, bifurcations, exponents),
    headline=(
        "points and cycles that were missed", "points and cycles that were invented", "largest error of a point",
        "branches on which something else was found than there is", "largest error of a bifurcation's parameter",
        "largest error of an exponent",
    ),
    expected="all found, none invented, all named rightly, to 1e-10; exponents ln 2 and .4192",
    tables=("Fixed points and cycles", "Bifurcations", "Lyapunov exponents"),
)  # fmt: skip
