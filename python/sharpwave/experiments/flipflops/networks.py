"""Networks that are trained on flipflops, as they were at many steps: what a step of an experiment keeps of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..experiment import Context
from ..sweeping import points, shown

if TYPE_CHECKING:
    import xarray

    from ...recurrent import RNN, Architecture, Protocol, Trained
    from ...recurrent.automata import AutomatonTask

Array = NDArray[np.float64]
_WEIGHTS = ("recurrent", "input", "readout", "bias", "readout_bias")
INPUTS = {"a": (1.0, 0.0), "b": (0.0, 1.0)}  # of a periodic flipflop


def flipflop_protocol(steps: int, horizon: int, learning_rate: float, spectral_radius: float | None = None) -> Protocol:
    """All outputs of sequences of one length, 64 in a step; what a check finds is of no consequence."""
    from ...recurrent import Protocol

    return Protocol(
        steps=steps, horizons=(horizon,), learning_rate=learning_rate, check_every=100, spectral_radius=spectral_radius
    )


def check_steps(steps: int, every: int) -> None:
    """Raise a ValueError if there would be no checkpoint after the first and the last step, or none between."""
    if steps < 2 * every or steps % every:
        raise ValueError(f"steps must be a multiple of every, twice at least, got {steps} and {every}")


def flipflop_task(period: int) -> AutomatonTask:
    """What networks learn: the time of day."""
    from ...recurrent.automata import AutomatonTask, temporal_flipflop

    return AutomatonTask(temporal_flipflop(period=period), name=f"flipflop of period {period}")


class Learned(NamedTuple):
    """Networks that were trained, and their accuracies by step, seed and symbol, on sequences of the same length."""

    trained: Trained
    accuracy: Array


def learned(
    context: Context, label: str, architecture: Architecture, task: AutomatonTask, seeds: Sequence[int],
    protocol: Protocol, every: int, initial: Mapping[str, Any] | None = None, share: tuple[int, int] = (0, 1),
) -> Learned:  # fmt: skip
    """Train networks and keep what they were every so many steps; a killed run goes on from the last check.

    Args:
        context: of the step.
        label: name of the checkpoint's file.
        share: which part of the step's work this is, of how many.
    """
    from ...recurrent import train
    from ...recurrent.automata import accuracy_by_symbol

    home = points(context)
    home.mkdir(parents=True, exist_ok=True)

    def watch(done: int, steps: int) -> None:
        context.progress(share[0] + done / steps, share[1] + 0.2)

    trained = train(
        architecture, task, seeds, protocol, initial=initial, keep=range(0, protocol.steps + 1, every),
        checkpoint=home / f"{label}.npz", watch=watch, backend="torch",
    )  # fmt: skip
    return Learned(trained, accuracy_by_symbol(trained, task, protocol.horizons[0]))


def variables(label: str, learned: Learned, every: int) -> dict[str, Any]:
    """What is stored of trained networks: parameters and accuracies at each step."""
    step = f"{label} step"
    found: dict[str, Any] = {
        f"{label} {name}": ((step, "seed", *(f"{label} {name} {k}" for k in range(value.ndim - 2))), value)
        for name, value in learned.trained.kept.items()
    }
    found[f"{label} accuracy"] = ((step, "seed", f"{label} symbol"), learned.accuracy)
    found[step] = every * np.arange(len(learned.accuracy))
    return found


def networks(found: xarray.Dataset, label: str, place: int) -> list[RNN]:
    """An Elman network through training, from what `variables` stored; the place is that of its seed."""
    from ...recurrent import RNN

    parts = [np.asarray(found[f"{label} {name}"])[:, place] for name in _WEIGHTS]
    return [RNN(w, u, v, "tanh", b, c) for w, u, v, b, c in zip(*parts, strict=True)]


def weights(found: xarray.Dataset, label: str) -> dict[str, NDArray[np.float32]]:
    """Parameters of all networks after the last step, to begin another training with."""
    return {name: np.asarray(found[f"{label} {name}"])[-1] for name in _WEIGHTS}


def mean_sd(values: Sequence[float | None], digits: int = 0) -> str:
    """Mean and standard deviation of those that are numbers, for a table."""
    some = [value for value in values if value is not None]
    return shown(float(np.mean(some)), float(np.std(some)), digits) if some else "–"
