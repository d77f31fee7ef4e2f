"""Steps of training in torch: any architecture and any rule, through torch's own gradients."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..torch_threads import torch_threads
from .protocol import DECAYS, EPSILON, Protocol
from .replicas import Architecture
from .tasks import Task
from .training_state import TrainingState, Watch

if TYPE_CHECKING:
    from torch import Tensor

_SHARED = 4_000_000  # multiplications of a product that is worth being shared out to threads
_TOGETHER = 4_000_000  # numbers of hidden states that are computed together, so that they stay in the cache


@contextmanager
def fitting_threads(protocol: Protocol, state: TrainingState) -> Iterator[None]:
    """Let torch have one thread in this block if all products are small: others would only wait, or be waited for."""
    small = protocol.examples * max(value.numel() for value in state.parameters.values()) < _SHARED
    with torch_threads(1 if small else None):
        yield


def together(architecture: Architecture, task: Task, protocol: Protocol, state: TrainingState) -> Iterator[Tensor]:
    """Networks that are not done, those of one stage and not too many at a time."""
    import torch

    for stage, horizon in enumerate(protocol.horizons):
        these = torch.nonzero((state.stage == stage) & ~state.ended).ravel()
        size = protocol.examples * (task.skipped + horizon) * architecture.width
        if len(these):
            yield from torch.split(these, max(1, _TOGETHER // size))


def examples(task: Task, seeds: Sequence[int], some: Tensor, *place: int) -> tuple[Tensor, Tensor]:
    """Inputs and targets of some networks, each by its seed; for the place see `HistoryTask.batch`."""
    import torch

    pairs = [task.batch(seeds[replica], *place) for replica in some.tolist()]
    inputs, targets = (torch.stack(parts) for parts in zip(*pairs, strict=True))
    return inputs, targets


def said(
    architecture: Architecture, task: Task, parameters: Mapping[str, Tensor], inputs: Tensor, horizon: int
) -> Tensor:
    """What networks say in the steps that count, (replicas, examples, horizon, outputs)."""
    return architecture.outputs(parameters, inputs, task.skipped + horizon)[:, :, task.skipped :]


def learn(
    architecture: Architecture, task: Task, protocol: Protocol, seeds: Sequence[int], state: TrainingState,
    until: int, watch: Watch | None,
) -> None:  # fmt: skip
    """Take all networks that are not done to a step."""
    while state.step < until and not bool(state.ended.all()):
        for some in together(architecture, task, protocol, state):
            _step(architecture, task, protocol, seeds, state, some)
        state.step += 1
        if watch is not None:
            watch(state.step, protocol.steps)


def _step(
    architecture: Architecture, task: Task, protocol: Protocol, seeds: Sequence[int], state: TrainingState,
    some: Tensor,
) -> None:  # fmt: skip
    """One step of Adam for networks of one stage; one whose numbers are not finite ends without it."""
    import torch

    horizon = protocol.horizons[int(state.stage[some[0]])]
    inputs, targets = examples(task, seeds, some, state.step, protocol.examples, horizon)
    parameters = {name: value[some].requires_grad_() for name, value in state.parameters.items()}
    loss = task.loss(said(architecture, task, parameters, inputs, horizon), targets)
    gradients = dict(zip(parameters, torch.autograd.grad(loss.sum(), list(parameters.values())), strict=True))
    norm = torch.stack([g.flatten(1).norm(dim=1) for g in gradients.values()]).norm(dim=0)
    fine = torch.isfinite(loss) & torch.isfinite(norm)
    state.diverged[some[~fine]] = state.ended[some[~fine]] = True
    scale = (protocol.clip / (norm + 1e-6)).clamp(max=1.0)
    state.steps[some[fine]] += 1
    step = state.step + 1
    rate, unbiased = protocol.learning_rate / (1 - DECAYS[0] ** step), math.sqrt(1 - DECAYS[1] ** step)
    for name, gradient in gradients.items():
        shape = (-1, *[1] * (gradient.dim() - 1))
        old = state.parameters[name][some]
        gradient = gradient * scale.view(shape) + protocol.weight_decay * old
        mean = state.mean[name][some].lerp_(gradient, 1 - DECAYS[0])
        square = state.square[name][some].mul_(DECAYS[1]).addcmul_(gradient, gradient, value=1 - DECAYS[1])
        new = old - rate * mean / (square.sqrt() / unbiased + EPSILON)
        if name == "recurrent" and protocol.spectral_radius is not None:
            radius = torch.linalg.eigvals(new).abs().amax(dim=1)
            new *= (protocol.spectral_radius / radius).clamp(max=1.0)[:, None, None]
        for table, value in ((state.parameters, new), (state.mean, mean), (state.square, square)):
            table[name][some[fine]] = value[fine]
