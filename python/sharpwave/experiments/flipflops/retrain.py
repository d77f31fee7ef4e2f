"""Networks that have learned one period and learn another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..experiment import Context, Experiment
from .networks import check_steps, flipflop_protocol, flipflop_task, learned, mean_sd, networks, variables, weights
from .oscillator import Flow, fitted, oscillation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...recurrent import RNN

Array = NDArray[np.float64]
_BEFORE, _AFTER = "before", "after"
_BOTH = (0.5, 0.5)  # a and b, halved
_QUIET = 1e-3  # root mean square of a motion that has died away
_SETTLING, _SEEN = 300, 240  # steps


@dataclass(frozen=True)
class RetrainConfig:
    """What is trained."""

    seed: int = 0
    """Of the first network; others have the seeds that follow."""
    seeds: int = 30
    """Networks."""
    hidden: int = 64
    """Hidden units."""
    first: int = 24
    """The period that is learned first."""
    second: int = 12
    """The period that is learned then."""
    horizon: int = 96
    """T, steps of a sequence, a choice."""
    first_steps: int = 800
    """Steps of training of the first period, a choice."""
    steps: int = 500
    """Steps of training of the second period, a choice."""
    every: int = 10
    """Steps from one checkpoint to the next."""
    learning_rate: float = 2e-3
    """Of Adam, a choice."""

    def __post_init__(self) -> None:
        if min(self.seeds, self.hidden, self.horizon, self.first_steps, self.every) < 1:
            raise ValueError("all numbers must be at least 1")
        if any(period < 2 or period % 2 for period in (self.first, self.second)) or self.first == self.second:
            raise ValueError(f"expected two different even periods, got {self.first} and {self.second}")
        check_steps(self.steps, self.every)
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be positive, got {self.learning_rate}")


def learn(context: Context) -> dict[str, Any]:
    """Train networks on the first period."""
    return _learned(context, _BEFORE, context.config.first, context.config.first_steps, context.config.first_steps)


def relearn(context: Context) -> dict[str, Any]:
    """Train them on the second one."""
    config = context.config
    return _learned(context, _AFTER, config.second, config.steps, config.every, weights(context["learn"], _BEFORE))


def _learned(
    context: Context, label: str, period: int, steps: int, every: int, initial: Any = None
) -> dict[str, Any]:  # fmt: skip
    from ...recurrent import Elman

    config, task = context.config, flipflop_task(period)
    seeds = range(config.seed, config.seed + config.seeds)
    protocol = flipflop_protocol(steps, config.horizon, config.learning_rate)
    ones = learned(context, label, Elman(config.hidden, bias=True), task, seeds, protocol, every, initial)
    return {**variables(label, ones, every), "seed": np.array(seeds)}


def analyse(context: Context) -> dict[str, Any]:
    """See when the orbit is lost and regained, and fit the oscillator."""
    config, found = context.config, context["relearn"]
    steps = found[f"{_AFTER} step"].values
    amplitude, exponents = np.zeros((config.seeds, len(steps))), np.zeros((config.seeds, len(steps), 2))
    for k in range(config.seeds):
        ones = networks(found, _AFTER, k)
        amplitude[k] = _amplitudes(ones)
        inputs = np.tile(_BOTH, (config.horizon, 1))
        exponents[k] = [oscillation(one.states(inputs, config.horizon)) for one in ones]
        context.progress(k + 1, config.seeds + 1)
    median = np.median(exponents, axis=0)
    model = fitted(median[:, 0], median[:, 1], 2 * np.pi / config.second, config.horizon, steps)
    accuracy = found[f"{_AFTER} accuracy"].values
    _report(context, steps, amplitude, exponents, accuracy[..., 0], model)
    context.figure(
        "retraining", _draw(steps, amplitude, exponents, accuracy, model, config),
        title="From one period to the other",
        alt="The orbit's size falls to nothing and comes back; mu dips below 0 meanwhile, and the period goes from the "
        "first to the second while mu is below 0.",
        caption="Median and quartiles over networks. Above: size of the orbit under a and b halved, and accuracy on a. "
        "Below: mu and period of the exponential that describes the motion from rest best; dashed: the gradient flow "
        "of an oscillator e^((mu + i omega) t), its two rates fitted to the medians.",
    )  # fmt: skip
    axes = ("seed", "step")
    return {"amplitude": (axes, amplitude), "mu": (axes, exponents[..., 0]), "omega": (axes, exponents[..., 1])}


def _amplitudes(ones: Sequence[RNN]) -> list[float]:
    """Size of where each network settles, begun from where the one before has settled."""
    from ...dynamics import NetworkMap, orbit

    found, h = [], np.zeros(ones[0].hidden)
    for one in ones:
        states = orbit(NetworkMap(one, _BOTH), h + _QUIET, _SEEN, _SETTLING)
        found.append(float(np.sqrt(np.var(states, axis=0).sum())))
        h = states[-1]
    return found


def _report(
    context: Context, steps: NDArray[np.int64], amplitude: Array, exponents: Array, timed: Array, model: Flow
) -> None:
    quiet, count = amplitude < _QUIET, len(amplitude)
    lost = quiet.any(axis=1) & ~quiet[:, 0]
    back = lost & ~quiet[:, -1]
    first = [float(steps[np.argmax(row)]) for row in quiet[lost]]
    regained = [float(steps[len(row) - np.argmax(row[::-1])]) for row in quiet[back]]
    median = np.median(exponents, axis=0)
    learned_by = [float(steps[np.argmax(row > 0.75)]) if (row > 0.75).any() else None for row in timed.T]
    period = 2 * np.pi / exponents[:, -1, 1]
    for name, value, unit in (
        ("networks that lose their orbit", int(lost.sum()), ""),
        ("networks that regain one", int(back.sum()), ""),
        ("deepest mu, median", float(median[:, 0].min()), "1/step"),
        ("period in the end, median", float(np.median(period)), "steps"),
        ("deepest mu of the oscillator", float(model.mu.min()), "1/step"),
        ("error of the oscillator, in units of the spread", model.error, ""),
    ):
        context.metric(name, value, unit=unit, note=f"of {count}" if name.startswith("networks") else "")
    moving = int(steps[np.argmax(np.abs(median[:, 1] - median[-1, 1]) < 0.1 * abs(median[0, 1] - median[-1, 1]))])
    context.table(
        "Loss and return of the orbit", ["what", "networks", "oscillator"],
        [
            ["the orbit is lost at", f"{mean_sd(first)} ({lost.sum()}/{count})", _first(steps, model.mu < -0.01)],
            ["deepest mu", f"{median[:, 0].min():.3f} at {steps[np.argmin(median[:, 0])]}",
             f"{model.mu.min():.3f} at {steps[np.argmin(model.mu)]}"],
            ["omega is within a tenth of the way from", str(moving),
             _first(steps, np.abs(model.omega - model.omega[-1]) < 0.1 * abs(model.omega[0] - model.omega[-1]))],
            ["the orbit is back at", f"{mean_sd(regained)} ({back.sum()}/{count})",
             _first(steps, (model.mu > -0.01) & (steps > steps[np.argmin(model.mu)]))],
            ["accuracy on a above .75 from", mean_sd(learned_by), ""],
            ["rates of mu and omega", "", f"{model.rates[0]:.3g}, {model.rates[1]:.3g} an iteration"],
            ["error, in units of the spread", "", f"{model.error:.2f}"],
        ],
        "Iterations; mean ± sd over networks, of mu and omega the median. An orbit is lost where the motion under a "
        "and b halved dies away; the oscillator's is where mu is below -.01. Its rates are fitted to the medians.",
    )  # fmt: skip


def _first(steps: NDArray[np.int64], where: NDArray[np.bool_]) -> str:
    return str(int(steps[np.argmax(where)])) if where.any() else "never"


def _draw(
    steps: Array, amplitude: Array, exponents: Array, accuracy: Array, model: Flow, config: RetrainConfig
) -> Figure:
    from matplotlib.figure import Figure

    from ...plots import COLORS, style

    lines = (
        (amplitude / np.median(amplitude[:, 0]), "size of the orbit / first", None),
        (accuracy[..., 0].T, "accuracy on a", None),
        (exponents[..., 0], "mu", model.mu),
        (2 * np.pi / exponents[..., 1], "period / steps", 2 * np.pi / model.omega),
    )
    with style():
        figure = Figure(figsize=(6.6, 4.6), layout="constrained")
        panels = figure.subplots(2, 2, sharex=True)
        for axes, (values, name, fit) in zip(panels.ravel(), lines, strict=True):
            low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), axis=0)
            axes.fill_between(steps, low, high, color=COLORS[0], alpha=0.25, linewidth=0)
            axes.plot(steps, middle, color=COLORS[0])
            if fit is not None:
                axes.plot(steps, fit, "--", color=COLORS[1])
            axes.set(ylabel=name)
        panels[1, 1].set(ylim=(0, 1.4 * config.first))
        for axes in panels[1]:
            axes.set(xlabel="iteration of the second period")
        return figure


EXPERIMENT = Experiment(
    name="flipflop-retrain",
    title="Networks learn another time of day",
    summary="Networks that have learned one period are trained on another. Their orbit does not change its period "
    "little by little: it dies away, and another one appears. An oscillator that goes down its gradient does the same.",
    source="On the Dynamics of Learning Time-Aware Behavior with Recurrent Neural Networks, arXiv 2306.07125",
    config=RetrainConfig,
    quick={"seeds": 2, "hidden": 32, "first": 20, "second": 10, "horizon": 60, "first_steps": 300, "steps": 200},
    steps=(learn, relearn, analyse),
    headline=(
        "networks that lose their orbit", "networks that regain one", "deepest mu, median",
        "deepest mu of the oscillator", "error of the oscillator, in units of the spread",
    ),
    expected="the orbit loses its stability and regains it at the new period, and an oscillator's gradient flow is "
    "fitted",
    tables=("Loss and return of the orbit",),
)  # fmt: skip
