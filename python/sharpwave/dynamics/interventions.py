"""What becomes of a network when variables that were found in it are given other values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..counts import count
from ..recurrent.network import RNN
from ..recurrent.tasks import HistoryTask
from ..suggest import unknown
from .privileged import PrivilegedBasis

Array = NDArray[np.float64]
Kind = Literal["flip", "swap", "ablate"]
KINDS = ("flip", "swap", "ablate")


@dataclass(frozen=True, eq=False)
class Interventions:
    """Trials in each of which one variable, or two, got other values.

    Attributes:
        columns: which variable, by trial; when two were swapped, the first of them.
        followed: whether all outputs afterwards had the signs that the rule gives the changed window, by trial; where
            it gives 0, any sign will do.
        undisturbed: the same where nothing was changed, by trial.
        kept: whether outputs were those of the network that was left alone, by trial.
    """

    columns: NDArray[np.int64]
    followed: NDArray[np.bool_]
    undisturbed: NDArray[np.bool_]
    kept: NDArray[np.bool_]

    def __str__(self) -> str:
        if not len(self.followed):
            return "no trials: no two variables had opposite signs"
        share, alone = 100 * self.followed.mean(), 100 * self.undisturbed.mean()
        return f"{share:.1f} % of {len(self.followed)} trials follow the rule, {alone:.1f} % undisturbed"


def intervene(
    network: RNN,
    task: HistoryTask,
    found: PrivilegedBasis,
    kind: Kind = "flip",
    *,
    trials: int = 500,
    horizon: int | None = None,
    seed: int = 0,
) -> Interventions:
    """Let a network run on for two windows, change variables, and see whether outputs follow the rule.

    Args:
        network: does the task.
        task: its rule says what must follow.
        found: the variables; those of each trial are drawn at random.
        kind: `"flip"` turns the sign of a variable; `"swap"` gives two of opposite sign each other's value; `"ablate"`
            sets one to 0, and asks whether the outputs that do not depend on it stay what they were.
        trials: how many; fewer are returned where there are no two of opposite sign.
        horizon: outputs that must follow; None: two windows, so that each variable is read.
        seed: of inputs and choices.

    Raises:
        ValueError: no trial or output, or an unknown kind.

    Example:
        >>> from ..recurrent import circuit, repeat_copy
        >>> from .privileged import privileged_basis
        >>> task = repeat_copy(3, 2)
        >>> network = circuit(task).network
        >>> print(intervene(network, task, privileged_basis(network, task), trials=50))
        100.0 % of 50 trials follow the rule, 100.0 % undisturbed
    """
    if kind not in KINDS:
        raise ValueError(unknown("kind of intervention", kind, KINDS))
    trials, s, rng = count("trials", trials), task.window, np.random.default_rng(seed)
    steps = 2 * s if horizon is None else count("horizon", horizon)
    inputs, _ = task.batch(seed, 1, trials, 1, stream=3)
    states = network.states(inputs.numpy(), 3 * s)
    window, h = np.sign(network.outputs(states[:, -s:])), states[:, -1]
    values, place = found.read(h), np.arange(trials)
    columns = rng.integers(0, len(found.variables), trials)
    changed, new = window.copy(), values.copy()
    at = (place, *found.variables[columns].T)
    if kind == "flip":
        changed[at] *= -1
        new[place, columns] *= -1
    elif kind == "ablate":
        changed[at] = 0.0
        new[place, columns] = 0.0
    else:
        others = _opposite(window[:, found.variables[:, 0], found.variables[:, 1]], columns, rng)
        there = (place, *found.variables[others].T)
        changed[at], changed[there] = window[there], window[at]
        new[place, columns], new[place, others] = values[place, others], values[place, columns]
    nothing = np.zeros((trials, 0, task.dimensions))
    starts = (h, h + (new - values) @ found.basis.T)
    signs = [np.sign(network.outputs(network.states(nothing, steps, initial=start))) for start in starts]
    left, right = (np.asarray(task.continued(w, steps)) for w in (window, changed))
    done, every = (changed != window).any((1, 2)), (1, 2)
    return Interventions(
        columns[done],
        ((signs[1] == right) | (right == 0)).all(every)[done],
        (signs[0] == left).all(every)[done],
        (signs[1] == signs[0]).all(every)[done],
    )


def _opposite(values: Array, columns: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """For each trial a variable, at random, of another value than the one given; itself where there is none."""
    chance = rng.random(values.shape)
    chance[values == np.take_along_axis(values, columns[:, None], axis=1)] = -1.0
    return np.where(chance.max(axis=1) < 0, columns, chance.argmax(axis=1))
