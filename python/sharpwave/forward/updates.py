"""Steps that blocks take, each by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

MILESTONES, FALL = (0.5, 0.75, 0.875, 0.94), 0.25  # of training, and of the learning rate there: arXiv 2204.01723


class Updates:
    """For each block an Adam of its own, with a learning rate that falls to a quarter at .5, .75, .875 and .94.

    Args:
        groups: parameters of each block.
        learning_rate: at first.
        steps: of the whole training.
    """

    def __init__(self, groups: Sequence[Iterable[nn.Parameter]], learning_rate: float, steps: int) -> None:
        falls = sorted({int(share * steps) for share in MILESTONES})
        self.optimizers = [torch.optim.Adam(list(group), lr=learning_rate) for group in groups]
        self.schedules = [torch.optim.lr_scheduler.MultiStepLR(one, falls, FALL) for one in self.optimizers]

    def take(self, place: int, root: Tensor, gradient: Tensor | None = None) -> None:
        """Let a block take a step.

        Args:
            place: of the block.
            root: a loss, or activities (examples, ...).
            gradient: of activities.
        """
        optimizer = self.optimizers[place]
        optimizer.zero_grad()
        torch.autograd.backward([root], None if gradient is None else [gradient])
        optimizer.step()
        self.schedules[place].step()

    def state_dict(self) -> dict[str, Any]:
        """All that they go on from."""
        return {name: [one.state_dict() for one in getattr(self, name)] for name in ("optimizers", "schedules")}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        for name in ("optimizers", "schedules"):
            for one, its in zip(getattr(self, name), state[name], strict=True):
                one.load_state_dict(its)
