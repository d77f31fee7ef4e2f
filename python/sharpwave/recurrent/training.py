"""Training of networks of one architecture on one task, side by side: as if each had been trained alone."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..backends import Backend, in_julia
from ..counts import count
from . import torch_learning
from .elman import Elman
from .network import RNN
from .protocol import Protocol
from .replicas import Architecture, new_networks
from .tasks import HistoryTask, Task
from .training_state import CHECKED, TrainingState, Watch

if TYPE_CHECKING:
    from torch import Tensor

Learner = Callable[[Protocol, Sequence[int], TrainingState, int, Watch | None], None]
_VALIDATION, TEST = 1, 2  # streams of examples; those that are learned have stream 0


@dataclass(frozen=True, eq=False)
class Trained:
    """Networks that have been trained side by side.

    Attributes:
        architecture, task: what was trained on what.
        seeds: of each network.
        parameters: of the best check of each, by name, (replicas, ...).
        steps: how many each was trained for, (replicas,).
        diverged: whether a network's numbers ceased to be finite, (replicas,).
        checks: by name, (checks, replicas): `step`, `loss`, `accuracy` and `horizon` of each check; NaN once a network
            has ended.
        kept: by name, parameters at each of the steps at which they were to be kept, (steps, replicas, ...), in their
            order; those of a network that has ended stay as they are.
    """

    architecture: Architecture
    task: Task
    seeds: tuple[int, ...]
    parameters: dict[str, NDArray[Any]]
    steps: NDArray[np.int64]
    diverged: NDArray[np.bool_]
    checks: dict[str, NDArray[np.float64]]
    kept: dict[str, NDArray[Any]]

    def weights(self, replica: int, kept: int | None = None) -> dict[str, NDArray[Any]]:
        """Parameters of one of the networks by name; for the arguments see `network`."""
        source = self.parameters if kept is None else {name: value[kept] for name, value in self.kept.items()}
        return {name: value[replica] for name, value in source.items()}

    def network(self, replica: int, kept: int | None = None) -> RNN:
        """One of the networks, to be looked into.

        Args:
            replica: which.
            kept: as it was at this one of the steps at which parameters were kept; None: at its best check.

        Raises:
            TypeError: it is not an Elman network.
        """
        if not isinstance(self.architecture, Elman):
            raise TypeError(f"only an Elman network is an RNN of three matrices, this is {self.architecture!r}")
        one = self.weights(replica, kept)
        weights = (one["recurrent"], one["input"], one["readout"])
        return RNN(*weights, self.architecture.nonlinearity, one.get("bias"), one.get("readout_bias"))

    def test(self, horizon: int = 200, examples: int = 256, seed: int = 0) -> NDArray[np.float64]:
        """Share of outputs with the right sign on examples that are new to the networks, (replicas,).

        Args:
            horizon: outputs after the inputs; 200 in arXiv 2310.02430.
            examples: how many, the same for all networks.
            seed: of the examples.

        Raises:
            ValueError: no output or example.
        """
        import torch

        horizon, examples = count("horizon", horizon), count("examples", examples)
        inputs, targets = self.task.batch(seed, 0, examples, horizon, TEST)
        found = []
        for replica in range(len(self.seeds)):
            one = {name: torch.from_numpy(value[replica : replica + 1]) for name, value in self.parameters.items()}
            with torch.no_grad():
                outputs = torch_learning.said(self.architecture, self.task, one, inputs[None], horizon)
            found.append(float(_right(outputs, targets[None]).mean()))
        return np.array(found)


def train(
    architecture: Architecture,
    task: Task,
    seeds: Sequence[int],
    protocol: Protocol | None = None,
    *,
    initial: Mapping[str, ArrayLike] | None = None,
    keep: Sequence[int] = (),
    checkpoint: str | Path | None = None,
    watch: Watch | None = None,
    backend: Backend = "auto",
) -> Trained:
    """Train a network for each seed, all at once.

    What a network learns depends on its seed alone, up to the rounding of sums: not on the networks beside it. One
    whose loss or gradient is no longer finite ends, with a warning, and is returned as it was at its best check.

    Args:
        architecture: of all networks.
        task: what they learn.
        seeds: of initial weights and of examples.
        protocol: how; None: that of arXiv 2310.02430.
        initial: parameters to begin with by name, (replicas, ...), such as those that a `Trained` has; None: new ones.
        keep: steps, rising, after which parameters are kept; 0: before the first. Training does not depend on them.
        checkpoint: an .npz file that is written at each check, and from which training goes on if it is there.
        watch: called with the steps done and their number, before each check at least.
        backend: `"julia"`, for `Elman` and linear rules, all networks beside each other on all threads; `"torch"` for
            any; `"auto"` is Julia where it can be.

    Raises:
        ValueError: no seeds, one that is negative or given twice, initial parameters that do not fit, steps to keep
            that do not rise from 0 to those of the protocol, or a checkpoint of another training.

    Example:
        >>> from .elman import Elman
        >>> from .generators import repeat_copy
        >>> protocol = Protocol(steps=20, horizons=(4,), check_every=10)
        >>> train(Elman(8), repeat_copy(2, 1), [0, 1], protocol).checks["loss"].shape
        (2, 2)
    """
    protocol, seeds = protocol or Protocol(), tuple(count("a seed", seed, 0) for seed in seeds)
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds must be different whole numbers from 0 on, at least one, got {seeds}")
    wanted = [count("a step to keep", step, 0) for step in keep]
    if wanted != sorted(set(wanted)) or not all(0 <= step <= protocol.steps for step in wanted):
        raise ValueError(f"steps to keep must rise, from 0 to at most {protocol.steps}, got {tuple(keep)}")
    path = None if checkpoint is None else Path(checkpoint)
    first = new_networks(architecture, task.inputs, task.outputs, seeds)
    if initial is not None:
        first = _fitting(initial, first)
    digest = [crc32(value.numpy().tobytes()) for value in first.values()]
    mark = json.dumps([repr(architecture), task.mark, seeds, asdict(protocol), wanted, digest])
    state = TrainingState.read(path, mark) if path is not None and path.exists() else TrainingState.new(first)
    learn = _learner(architecture, task, protocol, backend)
    with torch_learning.fitting_threads(protocol, state):
        while state.step < protocol.steps and not bool(state.ended.all()):
            check = min(protocol.steps, (state.step // protocol.check_every + 1) * protocol.check_every)
            for until in [step for step in wanted[_kept(state) :] if step < check]:
                if until > state.step:
                    learn(protocol, seeds, state, until, watch)
                state.keep()
            learn(protocol, seeds, state, check, watch)
            _check(architecture, task, protocol, seeds, state)
            if path is not None:
                state.write(path, mark)
    while _kept(state) < len(wanted):  # after the last step, or after all have ended
        state.keep()
    if bool(state.diverged.any()):
        steps = {seeds[i]: int(state.steps[i]) for i in np.flatnonzero(state.diverged.numpy())}
        warnings.warn(
            f"networks diverged, and training them ended, by seed and step: {steps}. Their parameters are those of "
            f"their best check before; a learning rate below {protocol.learning_rate:g} or a smaller clip may help",
            RuntimeWarning,
            stacklevel=2,
        )
    parameters = {name: value.numpy() for name, value in state.best.items()}
    checks = {name: value.numpy() for name, value in state.checks.items()}
    kept = {name: value.numpy() for name, value in state.kept.items()}
    return Trained(architecture, task, seeds, parameters, state.steps.numpy(), state.diverged.numpy(), checks, kept)


def _fitting(initial: Mapping[str, ArrayLike], new: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Parameters that a caller gives, as those of new networks."""
    import torch

    found = {name: torch.from_numpy(np.array(value, dtype=np.float32)) for name, value in initial.items()}
    shapes, expected = ({name: tuple(value.shape) for name, value in one.items()} for one in (found, new))
    if shapes != expected or not all(bool(value.isfinite().all()) for value in found.values()):
        raise ValueError(f"initial parameters must be finite and of shapes {expected}, got {shapes}")
    return {name: found[name] for name in new}


def _kept(state: TrainingState) -> int:
    """How many steps' parameters were kept."""
    return len(next(iter(state.kept.values())))


def _learner(architecture: Architecture, task: Task, protocol: Protocol, backend: Backend) -> Learner:
    """What trains networks up to a step."""
    if protocol.spectral_radius is not None and not isinstance(architecture, Elman):
        raise ValueError(f"only an Elman network has a spectral radius, not {architecture!r}")
    from . import julia_learning

    linear = isinstance(task, HistoryTask) and task.matrix is not None
    able = isinstance(architecture, Elman) and not architecture.bias and linear
    unable = ""
    if not able:
        unable = f"Julia trains Elman networks without biases on linear rules, not {architecture!r} on {task.name}"
    elif protocol.spectral_radius is not None:
        unable = "Julia does not bound the spectral radius of what it trains"
    if in_julia(backend, unable):
        assert isinstance(architecture, Elman)
        assert isinstance(task, HistoryTask)
        return partial(julia_learning.learn, architecture, task)
    return partial(torch_learning.learn, architecture, task)


def _check(
    architecture: Architecture, task: Task, protocol: Protocol, seeds: Sequence[int], state: TrainingState
) -> None:
    """Measure each network, keep the best of it, and promote it or let it rest."""
    import torch

    found = {name: torch.full((len(seeds),), math.nan, dtype=torch.float64) for name in CHECKED}
    for some in list(torch_learning.together(architecture, task, protocol, state)):
        stage = int(state.stage[some[0]])
        horizon, last = protocol.horizons[stage], stage == len(protocol.horizons) - 1
        inputs, targets = torch_learning.examples(
            task, seeds, some, state.step, protocol.check_examples, horizon, _VALIDATION
        )
        with torch.no_grad():
            parameters = {name: value[some] for name, value in state.parameters.items()}
            outputs = torch_learning.said(architecture, task, parameters, inputs, horizon)
        loss, accuracy = task.loss(outputs, targets).double(), _right(outputs, targets)
        for name, values in (("step", state.step), ("loss", loss), ("accuracy", accuracy), ("horizon", horizon)):
            found[name][some] = torch.as_tensor(values, dtype=torch.float64)
        better = (state.merit[some, 0] < stage) | (state.merit[some, 1] <= accuracy)
        chosen = some[better]
        state.merit[chosen] = torch.stack([torch.full_like(accuracy, stage), accuracy], dim=1)[better]
        for name, value in state.parameters.items():
            state.best[name][chosen] = value[chosen]
        if last:
            state.perfect[some] = torch.where(accuracy >= protocol.done_at, state.perfect[some] + 1, 0)
            state.ended[some] |= (state.perfect[some] >= protocol.patience) & (protocol.patience > 0)
        else:
            state.stage[some] += (accuracy > protocol.promoted_at).long()
    for name, values in found.items():
        state.checks[name] = torch.cat([state.checks[name], values[None]])


def _right(outputs: Tensor, targets: Tensor) -> Tensor:
    """Share of outputs with the sign of their target, (replicas,)."""
    return (outputs * targets > 0).double().mean((1, 2, 3))
