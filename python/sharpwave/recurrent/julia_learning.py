"""Steps of training in Julia: one call of a kernel for all networks and all steps up to the next check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sharpwave_bridge import call

from .elman import NONLINEARITIES, Elman
from .protocol import DECAYS, EPSILON, Protocol
from .tasks import HistoryTask
from .training_state import TrainingState, Watch

if TYPE_CHECKING:
    from torch import Tensor

_ORDER = ("recurrent", "input", "readout")


def learn(
    architecture: Elman, task: HistoryTask, protocol: Protocol, seeds: Sequence[int], state: TrainingState, until: int,
    watch: Watch | None,
) -> None:  # fmt: skip
    """Take all networks that are not done to a step.

    Raises:
        KernelError: the kernel refused an argument.
    """
    some, steps = np.flatnonzero(~state.ended.numpy()), until - state.step
    if not len(some):
        state.step = until
        return
    horizons = np.array(protocol.horizons, dtype=np.int64)[state.stage.numpy()[some]]
    tables = [_rows(table, some) for table in (state.parameters, state.mean, state.square)]
    loss, done = np.empty((len(some), steps)), np.empty(len(some), dtype=np.int64)
    kind = NONLINEARITIES.index(architecture.nonlinearity)
    call(
        "train_elman",
        np.array([architecture.hidden, task.dimensions, task.window, protocol.examples, kind, state.step, steps, 0]),
        np.array([protocol.learning_rate, *DECAYS, EPSILON, protocol.weight_decay, protocol.clip]),
        np.ascontiguousarray(task.matrix, dtype=np.float64),
        np.array(seeds, dtype=np.int64)[some],
        np.ascontiguousarray(horizons),
        *tables,
        loss,
        done,
    )
    for table, rows in zip((state.parameters, state.mean, state.square), tables, strict=True):
        at = 0
        for name in _ORDER:
            size = table[name][0].numel()
            table[name].numpy()[some] = rows[:, at : at + size].reshape(len(some), *table[name].shape[1:])
            at += size
    state.steps.numpy()[some] += done
    failed = some[done < steps]
    state.diverged.numpy()[failed] = state.ended.numpy()[failed] = True
    state.step = until
    if watch is not None:
        watch(until, protocol.steps)


def _rows(table: Mapping[str, Tensor], some: NDArray[np.int64]) -> NDArray[np.float32]:
    """Parameters of some networks, a row each."""
    parts = [table[name].numpy()[some].reshape(len(some), -1) for name in _ORDER]
    return np.ascontiguousarray(np.concatenate(parts, axis=1), dtype=np.float32)
