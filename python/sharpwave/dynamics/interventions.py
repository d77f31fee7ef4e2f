"""What becomes of a network when a variable that was found in it is given another value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..recurrent.network import RNN
from ..recurrent.tasks import HistoryTask
from .privileged import PrivilegedBasis

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Interventions:
    """Trials in each of which one variable changed its sign.

    Attributes:
        columns: which variable, by trial.
        followed: whether all outputs afterwards had the signs that the rule gives the changed window, by trial.
        undisturbed: the same where nothing was changed, by trial.
        kept: whether outputs were those of the network that was left alone, by trial: then nothing has happened.
    """

    columns: NDArray[np.int64]
    followed: NDArray[np.bool_]
    undisturbed: NDArray[np.bool_]
    kept: NDArray[np.bool_]

    def __str__(self) -> str:
        share, alone = 100 * self.followed.mean(), 100 * self.undisturbed.mean()
        return f"{share:.1f} % of {len(self.followed)} trials follow the rule, {alone:.1f} % undisturbed"


def flip_variables(
    network: RNN,
    task: HistoryTask,
    found: PrivilegedBasis,
    *,
    trials: int = 500,
    horizon: int | None = None,
    seed: int = 0,
) -> Interventions:
    """Let a network run on for two windows, turn the sign of one variable, and see whether outputs follow the rule.

    Args:
        network: does the task.
        task: its rule says what must follow.
        found: the variables; that of each trial is drawn at random.
        trials: how many.
        horizon: outputs that must follow; None: two windows, so that each variable is read.
        seed: of inputs and choices.

    Raises:
        ValueError: no trials.

    Example:
        >>> from ..recurrent import circuit, repeat_copy
        >>> from .privileged import privileged_basis
        >>> task = repeat_copy(3, 2)
        >>> network = circuit(task).network
        >>> print(flip_variables(network, task, privileged_basis(network, task), trials=50))
        100.0 % of 50 trials follow the rule, 100.0 % undisturbed
    """
    if trials < 1:
        raise ValueError(f"trials must be at least 1, got {trials}")
    s, rng = task.window, np.random.default_rng(seed)
    steps = 2 * s if horizon is None else horizon
    inputs, _ = task.batch(seed, 1, trials, 1, stream=3)
    states = network.states(inputs.numpy(), 3 * s)
    window = np.sign(network.outputs(states[:, -s:]))
    columns, place = rng.integers(0, len(found.variables), trials), np.arange(trials)
    blocks, dimensions = found.variables[columns].T
    changed = window.copy()
    changed[place, blocks, dimensions] *= -1
    h = states[:, -1]
    values = (h * found.dual[columns]).sum(axis=1)
    other = h - 2 * values[:, None] * found.basis[:, columns].T
    nothing = np.zeros((trials, 0, task.dimensions))
    signs = [np.sign(network.outputs(network.states(nothing, steps, initial=start))) for start in (h, other)]
    left, right = (np.asarray(task.continued(w, steps)) for w in (window, changed))
    every = (1, 2)
    return Interventions(
        columns, (signs[1] == right).all(every), (signs[0] == left).all(every), (signs[1] == signs[0]).all(every)
    )
