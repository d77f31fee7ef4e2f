"""Training of networks of one architecture on one task, side by side: as if each had been trained alone."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .network import RNN
from .protocol import Protocol
from .replicas import Architecture, Elman, new_networks
from .tasks import HistoryTask
from .training_state import CHECKED, TrainingState

if TYPE_CHECKING:
    from torch import Tensor

_TRAINING, _VALIDATION, _TEST = 0, 1, 2  # streams of examples
_DECAYS, _EPSILON = (0.9, 0.999), 1e-8  # Adam's, as in torch
_TOGETHER = 4_000_000  # numbers of hidden states that are computed together, so that they stay in the cache


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
    """

    architecture: Architecture
    task: HistoryTask
    seeds: tuple[int, ...]
    parameters: dict[str, NDArray[Any]]
    steps: NDArray[np.int64]
    diverged: NDArray[np.bool_]
    checks: dict[str, NDArray[np.float64]]

    def network(self, replica: int) -> RNN:
        """One of the networks, to be looked into.

        Raises:
            TypeError: it is not an Elman network.
        """
        if not isinstance(self.architecture, Elman):
            raise TypeError(f"only an Elman network is an RNN of three matrices, this is {self.architecture!r}")
        one = {name: value[replica] for name, value in self.parameters.items()}
        return RNN(one["recurrent"], one["input"], one["readout"], self.architecture.nonlinearity)

    def test(self, horizon: int = 200, examples: int = 256, seed: int = 0) -> NDArray[np.float64]:
        """Share of outputs with the right sign on examples that are new to the networks, (replicas,).

        Args:
            horizon: outputs after the inputs; 200 in arXiv 2310.02430.
            examples: how many, the same for all networks.
            seed: of the examples.
        """
        import torch

        inputs, targets = self.task.batch(seed, 0, examples, horizon, _TEST)
        found = []
        for replica in range(len(self.seeds)):
            one = {name: torch.from_numpy(value[replica : replica + 1]) for name, value in self.parameters.items()}
            with torch.no_grad():
                outputs = self.architecture.outputs(one, inputs[None], self.task.window + horizon)
            found.append(float(_right(outputs[:, :, self.task.window :], targets[None]).mean()))
        return np.array(found)


def train(
    architecture: Architecture,
    task: HistoryTask,
    seeds: Sequence[int],
    protocol: Protocol | None = None,
    *,
    checkpoint: str | Path | None = None,
    watch: Callable[[int, int], None] | None = None,
) -> Trained:
    """Train a network for each seed, all at once.

    What a network learns depends on its seed alone, up to the rounding of sums: not on the networks beside it.

    Args:
        architecture: of all networks.
        task: what they learn.
        seeds: of initial weights and of examples.
        protocol: how; None: that of arXiv 2310.02430.
        checkpoint: an .npz file that is written at each check, and from which training goes on if it is there.
        watch: called with the steps done and their number.

    Raises:
        ValueError: no seeds, one that is negative or given twice, or a checkpoint of another training.

    Example:
        >>> from .replicas import Elman
        >>> from .tasks import repeat_copy
        >>> protocol = Protocol(steps=20, horizons=(4,), check_every=10)
        >>> train(Elman(8), repeat_copy(2, 1), [0, 1], protocol).checks["loss"].shape
        (2, 2)
    """
    protocol, seeds = protocol or Protocol(), tuple(int(seed) for seed in seeds)
    if not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds must be different whole numbers from 0 on, at least one, got {seeds}")
    path, d = None if checkpoint is None else Path(checkpoint), task.dimensions
    mark = json.dumps([repr(architecture), task.name, task.window, d, seeds, asdict(protocol)])
    if path is not None and path.exists():
        state = TrainingState.read(path, mark)
    else:
        state = TrainingState.new(new_networks(architecture, d, d, seeds))
    while state.step < protocol.steps and not bool(state.ended.all()):
        for some in _together(architecture, task, protocol, state):
            _learn(architecture, task, protocol, seeds, state, some)
        state.step += 1
        if state.step % protocol.check_every == 0 or state.step == protocol.steps:
            _check(architecture, task, protocol, seeds, state)
            if path is not None:
                state.write(path, mark)
        if watch is not None:
            watch(state.step, protocol.steps)
    parameters = {name: value.numpy() for name, value in state.best.items()}
    checks = {name: value.numpy() for name, value in state.checks.items()}
    return Trained(architecture, task, seeds, parameters, state.steps.numpy(), state.diverged.numpy(), checks)


def _together(
    architecture: Architecture, task: HistoryTask, protocol: Protocol, state: TrainingState
) -> Iterator[Tensor]:
    """Networks that are not done, those of one stage and not too many at a time."""
    import torch

    for stage, horizon in enumerate(protocol.horizons):
        these = torch.nonzero((state.stage == stage) & ~state.ended).ravel()
        size = protocol.examples * (task.window + horizon) * architecture.width
        if len(these):
            yield from torch.split(these, max(1, _TOGETHER // size))


def _examples(task: HistoryTask, seeds: Sequence[int], some: Tensor, *place: int) -> tuple[Tensor, Tensor]:
    import torch

    pairs = [task.batch(seeds[replica], *place) for replica in some.tolist()]
    inputs, targets = (torch.stack(parts) for parts in zip(*pairs, strict=True))
    return inputs, targets


def _learn(
    architecture: Architecture,
    task: HistoryTask,
    protocol: Protocol,
    seeds: Sequence[int],
    state: TrainingState,
    some: Tensor,
) -> None:
    """One step of Adam for networks of one stage; one whose numbers are not finite ends without it."""
    import torch

    horizon = protocol.horizons[int(state.stage[some[0]])]
    inputs, targets = _examples(task, seeds, some, state.step, protocol.examples, horizon, _TRAINING)
    parameters = {name: value[some].requires_grad_() for name, value in state.parameters.items()}
    outputs = architecture.outputs(parameters, inputs, task.window + horizon)[:, :, task.window :]
    loss = (outputs - targets).square().mean((1, 2, 3))
    gradients = dict(zip(parameters, torch.autograd.grad(loss.sum(), list(parameters.values())), strict=True))
    norm = torch.stack([g.flatten(1).norm(dim=1) for g in gradients.values()]).norm(dim=0)
    fine = torch.isfinite(loss) & torch.isfinite(norm)
    state.diverged[some[~fine]] = state.ended[some[~fine]] = True
    scale = (protocol.clip / (norm + 1e-6)).clamp(max=1.0)
    state.steps[some[fine]] += 1
    step = state.step + 1
    rate, unbiased = protocol.learning_rate / (1 - _DECAYS[0] ** step), math.sqrt(1 - _DECAYS[1] ** step)
    for name, gradient in gradients.items():
        shape = (-1, *[1] * (gradient.dim() - 1))
        old = state.parameters[name][some]
        gradient = gradient * scale.view(shape) + protocol.weight_decay * old
        mean = state.mean[name][some].lerp_(gradient, 1 - _DECAYS[0])
        square = state.square[name][some].mul_(_DECAYS[1]).addcmul_(gradient, gradient, value=1 - _DECAYS[1])
        new = old - rate * mean / (square.sqrt() / unbiased + _EPSILON)
        for table, value in ((state.parameters, new), (state.mean, mean), (state.square, square)):
            table[name][some[fine]] = value[fine]


def _check(
    architecture: Architecture, task: HistoryTask, protocol: Protocol, seeds: Sequence[int], state: TrainingState
) -> None:
    """Measure each network, keep the best of it, and promote it or let it rest."""
    import torch

    found = {name: torch.full((len(seeds),), math.nan, dtype=torch.float64) for name in CHECKED}
    for some in list(_together(architecture, task, protocol, state)):
        stage = int(state.stage[some[0]])
        horizon, last = protocol.horizons[stage], stage == len(protocol.horizons) - 1
        inputs, targets = _examples(task, seeds, some, state.step, protocol.check_examples, horizon, _VALIDATION)
        with torch.no_grad():
            parameters = {name: value[some] for name, value in state.parameters.items()}
            outputs = architecture.outputs(parameters, inputs, task.window + horizon)[:, :, task.window :]
        loss, accuracy = (outputs - targets).square().mean((1, 2, 3)).double(), _right(outputs, targets)
        for name, values in (("step", state.step), ("loss", loss), ("accuracy", accuracy), ("horizon", horizon)):
            found[name][some] = torch.as_tensor(values, dtype=torch.float64)
        better = (state.merit[some, 0] < stage) | (state.merit[some, 1] <= accuracy)
        chosen = some[better]
        state.merit[chosen] = torch.stack([torch.full_like(accuracy, stage), accuracy], dim=1)[better]
        for name, value in state.parameters.items():
            state.best[name][chosen] = value[chosen]
        if last:
            state.perfect[some] = torch.where(accuracy == 1, state.perfect[some] + 1, 0)
            state.ended[some] |= (state.perfect[some] >= protocol.patience) & (protocol.patience > 0)
        else:
            state.stage[some] += (accuracy > protocol.promoted_at).long()
    for name, values in found.items():
        state.checks[name] = torch.cat([state.checks[name], values[None]])


def _right(outputs: Tensor, targets: Tensor) -> Tensor:
    """Share of outputs with the sign of their target, (replicas,)."""
    return (outputs * targets > 0).double().mean((1, 2, 3))
