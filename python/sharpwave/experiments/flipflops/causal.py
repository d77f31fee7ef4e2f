"""Does the bifurcation end the plateau? Networks that cannot have it, and networks that begin with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..experiment import Context, Experiment
from .drawing import networks_over_time
from .networks import check_steps, flipflop_protocol, flipflop_task, learned, mean_sd

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
    modulus: float = 1.5
    """Of the pair of eigenvalues that others begin with, a choice. Under a symbol units are driven away from 0, and
    less is left of it: with 1.2 some pairs are still inside the unit circle."""
    wrong: float = 90.0
    """Angle of a pair that is of no use, in degrees."""

    def __post_init__(self) -> None:
        if min(self.seeds, self.horizon, self.every) < 1 or self.hidden < 2:
            raise ValueError("all numbers must be at least 1, hidden at least 2")
        if self.period < 2 or self.period % 2:
            raise ValueError(f"the period must be even, got {self.period}")
        check_steps(self.steps, self.every)
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

    config, kinds, found = context.config, context.config.kinds(), []
    task = flipflop_task(config.period)
    seeds, elman = range(config.seed, config.seed + config.seeds), Elman(config.hidden, bias=True)
    for place, (bound, angle) in enumerate(kinds.values()):
        first = {name: value.numpy() for name, value in new_networks(elman, 2, 1, seeds).items()}
        if angle is not None:
            first["recurrent"] = np.array([with_pair(w, config.modulus, angle) for w in first["recurrent"]])
        protocol = flipflop_protocol(config.steps, config.horizon, config.learning_rate, bound)
        ones = learned(context, f"kind-{place}", elman, task, seeds, protocol, config.every, first, (place, len(kinds)))
        found.append(ones.accuracy[..., 0])
    timed, steps = np.array(found), config.every * np.arange(config.steps // config.every + 1)
    _report(context, timed, steps)
    context.figure(
        "accuracy", _draw(timed, steps, list(kinds)),
        title="Accuracy on a",
        alt="Networks as they are leave the plateau after some hundred iterations; clamped ones never, and those that "
        "begin with the right pair sooner.",
        caption="Thin lines: networks; thick: their mean.",
    )  # fmt: skip
    return {"accuracy": (("kind", "step", "seed"), timed), "kind": list(kinds), "step": steps, "seed": np.array(seeds)}


def with_pair(recurrent: Array, modulus: float, degrees: float) -> Array:
    """Weights (n, n) whose leading pair of eigenvalues has another modulus and angle; others stay.

    A leading eigenvalue that is real, and the next one that is, become the pair.
    """
    from ...dynamics.subspaces import by_modulus, span

    w = np.asarray(recurrent, dtype=np.float64)
    values, vectors = np.linalg.eig(w)
    order = by_modulus(values)
    pair = order[:2] if sum(np.sign(values[order[:2]].imag)) == 0 else order[1:3]
    basis, dual = span(values, vectors, pair)
    angle = np.radians(degrees)
    turn = modulus * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(w + basis @ (turn - dual @ w @ basis) @ dual)


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
            networks_over_time(axes, steps, accuracy, COLORS[place], name)
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
