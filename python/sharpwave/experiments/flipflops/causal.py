"""Does the bifurcation end the plateau? Networks that cannot have it, and networks that begin with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..experiment import Context, Experiment
from .networks import accuracies, flipflop_protocol, learned, mean_sd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
_RISEN = 0.75


@dataclass(frozen=True)
class CausalConfig:
    """What is trained."""

    seed: int = 0
    """Of the first network; others have the seeds that follow."""
    seeds: int = 10
    """Networks of each kind."""
    hidden: int = 32
    """Hidden units."""
    period: int = 10
    """P."""
    horizon: int = 60
    """T, steps of a sequence."""
    steps: int = 1000
    """Steps of training."""
    every: int = 10
    """Steps from one checkpoint to the next."""
    learning_rate: float = 2e-3
    """Of Adam, a choice."""
    clamp: float = 0.9
    """Spectral radius that clamped networks keep below, a choice."""
    modulus: float = 1.2
    """Of the pair of eigenvalues that others begin with, a choice."""
    wrong: float = 90.0
    """Angle of a pair that is of no use, in degrees."""

    def __post_init__(self) -> None:
        if min(self.seeds, self.horizon, self.every) < 1 or self.hidden < 2:
            raise ValueError("all numbers must be at least 1, hidden at least 2")
        if self.period < 2 or self.period % 2:
            raise ValueError(f"the period must be even, got {self.period}")
        if self.steps < 2 * self.every or self.steps % self.every:
            raise ValueError(f"steps must be a multiple of every, twice at least, got {self.steps} and {self.every}")
        if not (self.learning_rate > 0 and 0 < self.clamp < 1 <= self.modulus and 0 < self.wrong < 180):
            raise ValueError(
                "learning_rate must be positive, clamp from 0 to 1, modulus at least 1 and wrong from 0 to 180, got "
                f"{self.learning_rate}, {self.clamp}, {self.modulus} and {self.wrong}"
            )

    def kinds(self) -> dict[str, tuple[float | None, float | None]]:
        """By name, the bound of the spectral radius, and the angle of a pair to begin with, in degrees."""
        right = 360 / self.period
        return {
            "as they are": (None, None),
            f"spectral radius below {self.clamp:g}": (self.clamp, None),
            f"a pair at {right:g} degrees": (None, right),
            f"a pair at {self.wrong:g} degrees": (None, self.wrong),
        }


def compare(context: Context) -> dict[str, Any]:
    """Train all kinds, from the same seeds on the same sequences."""
    from ...recurrent import Elman, new_networks
    from ...recurrent.automata import AutomatonTask, temporal_flipflop

    config, kinds, found = context.config, context.config.kinds(), []
    task = AutomatonTask(temporal_flipflop(period=config.period), name=f"flipflop of period {config.period}")
    seeds, elman = range(config.seed, config.seed + config.seeds), Elman(config.hidden, bias=True)
    for place, (bound, angle) in enumerate(kinds.values()):
        first = {name: value.numpy() for name, value in new_networks(elman, 2, 1, seeds).items()}
        if angle is not None:
            first["recurrent"] = np.array([with_pair(w, config.modulus, angle) for w in first["recurrent"]])
        protocol = flipflop_protocol(config.steps, config.horizon, config.learning_rate, bound)
        trained = learned(
            context, f"kind-{place}", elman, task, seeds, protocol, config.every, first, (place, len(kinds))
        )
        found.append(accuracies(trained, task)[..., 0])
    timed, steps = np.array(found), config.every * np.arange(config.steps // config.every + 1)
    _report(context, timed, steps)
    context.figure(
        "accuracy", _draw(timed, steps, list(kinds)),
        title="Accuracy on a",
        alt="Networks as they are leave the plateau after some hundred iterations; clamped ones never, and those that "
        "begin with the right pair have none.",
        caption="Thin lines: networks; thick: their mean.",
    )  # fmt: skip
    return {"accuracy": (("kind", "step", "seed"), timed), "kind": list(kinds), "step": steps, "seed": np.array(seeds)}


def with_pair(recurrent: Array, modulus: float, degrees: float) -> Array:
    """Weights (n, n) whose leading pair of eigenvalues has another modulus and angle; others stay.

    A leading eigenvalue that is real, and the next one that is, become the pair.
    """
    from ...dynamics import leading_subspace
    from ...recurrent import RNN

    n, w = len(recurrent), np.asarray(recurrent, dtype=np.float64)
    values = np.linalg.eigvals(w)
    by_size = values[np.argsort(-np.abs(values))]
    complex_ones = np.flatnonzero(by_size.imag > 0)
    network = RNN(w, np.zeros((n, 1)), np.zeros((1, n)), "identity")
    if by_size[0].imag == 0 and by_size[1].imag != 0 and len(complex_ones):
        both = leading_subspace(network, np.zeros(n), 3)
        slow_basis, slow_dual = _pair_of(both.basis, both.dual, w)
    else:
        slow = leading_subspace(network, np.zeros(n), 2)
        slow_basis, slow_dual = slow.basis, slow.dual
    angle = np.radians(degrees)
    turn = modulus * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(w + slow_basis @ (turn - slow_dual @ w @ slow_basis) @ slow_dual)


def _pair_of(basis: Array, dual: Array, w: Array) -> tuple[Array, Array]:
    """Of a span of a real eigenvector and a pair, that of the pair."""
    within = dual @ w @ basis
    values, vectors = np.linalg.eig(within)
    place = int(np.argmax(values.imag))
    right, left = vectors[:, place], np.linalg.inv(vectors)[place]
    columns = np.stack([right.real, right.imag], axis=1)
    return basis @ columns, np.stack([2 * left.real, -2 * left.imag]) @ dual


def _report(context: Context, timed: Array, steps: NDArray[np.int64]) -> None:
    rows = []
    for name, accuracy in zip(context.config.kinds(), timed, strict=True):
        risen = accuracy > _RISEN
        rise = [float(steps[np.argmax(row)]) if row.any() else None for row in risen.T]
        end = accuracy[-1]
        count = sum(one is not None for one in rise)
        context.metric(f"{name}: networks with TD > .75", count, note=f"of {len(rise)}")
        context.metric(f"{name}: TD in the end", float(end.mean()))
        if count:
            context.metric(f"{name}: iteration of TD > .75", float(np.mean([one for one in rise if one is not None])))
        rows.append([name, f"{count}/{len(rise)}", mean_sd(rise), f"{end.mean():.3f} ± {end.std():.3f}"])
    context.table(
        "What ends the plateau", ["networks", "with TD > .75", "for the first time at", "TD in the end"], rows,
        "Mean ± sd over networks; TD is the accuracy on a, whose effect depends on time. The pair: recurrent weights "
        "begin with their leading pair of eigenvalues moved to this angle, and beyond the unit circle; all else is the "
        "same.",
    )  # fmt: skip


def _draw(timed: Array, steps: Array, names: list[str]) -> Figure:
    from matplotlib.figure import Figure

    from ...plots import COLORS, style

    with style():
        figure = Figure(figsize=(6.4, 3.4), layout="constrained")
        axes = figure.add_subplot()
        for place, (accuracy, name) in enumerate(zip(timed, names, strict=True)):
            axes.plot(steps, accuracy, color=COLORS[place], linewidth=0.4, alpha=0.4)
            axes.plot(steps, accuracy.mean(axis=1), color=COLORS[place], label=name)
        axes.set(xlabel="iteration", ylabel="accuracy on a", ylim=(0.4, 1.03), xlim=(0, steps[-1]))
        figure.legend(loc="outside lower center", ncols=2)
        return figure


_KINDS = tuple(CausalConfig().kinds())

EXPERIMENT = Experiment(
    name="flipflop-causal",
    title="What ends the plateau",
    summary="Networks that learn the time of day leave a plateau when a pair of eigenvalues leaves the unit circle. "
    "Here some are kept from it, by a bound on their spectral radius; others begin with such a pair, at the angle of "
    "the period or at a wrong one.",
    source="On the Dynamics of Learning Time-Aware Behavior with Recurrent Neural Networks, arXiv 2306.07125; these "
    "tests are ours",
    config=CausalConfig,
    quick={"seeds": 2, "steps": 200},
    steps=(compare,),
    headline=tuple(f"{name}: TD in the end" for name in _KINDS),
    expected="clamped networks stay on the plateau; those that begin with the pair at the right angle have none",
    tables=("What ends the plateau",),
)
