"""What a network said before is kept, as well as it can be."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .streams import Stream


def distillation(now: Tensor, then: Tensor, temperature: float) -> Tensor:
    """Cross-entropy of what is said with what was, (examples, outputs) both, at a temperature."""
    wanted = (then / temperature).softmax(1)
    return -(wanted * (now / temperature).log_softmax(1)).sum(1).mean()


def kept_of(stream: Stream, place: int, now: Tensor, then: Tensor, way: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """How far what is said in a task is from what was said before it.

    Outputs that did not compete before are taken to have been said to be wrong. Where tasks are told, it is the mean
    over earlier ones of how far it is among a task's own outputs.

    Args:
        stream: of tasks.
        place: of the task.
        now, then: what is said and what was, (examples, outputs).
        way: how far the one is from the other.
    """
    if stream.scenario == "task":
        groups = [list(task.outputs) for task in stream.tasks[:place]]
    else:
        before, groups = list(stream.competing(place - 1)), [list(stream.competing(place))]
        then = torch.full_like(then, -torch.inf).index_copy(1, torch.tensor(before), then[:, before])
    return torch.stack([way(now[:, own], then[:, own]) for own in groups]).mean()
