"""Steps that blocks take, each by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..torch_state import Arrays, grouped, module_arrays, optimizer_arrays, restore_module, restore_optimizer, under
from .blocks import SeededDropout

MILESTONES, FALL = (0.5, 0.75, 0.875, 0.94), 0.25  # of training, and of the learning rate there: arXiv 2204.01723


class Updates:
    """For each block an Adam of its own, with a learning rate that falls to a quarter at .5, .75, .875 and .94.

    Args:
        groups: parameters of each block.
        learning_rate: at first.
        steps: of the whole training.

    Attributes:
        taken: steps that each block has taken.
    """

    def __init__(self, groups: Sequence[Iterable[nn.Parameter]], learning_rate: float, steps: int) -> None:
        self.optimizers = [torch.optim.Adam(list(group), lr=learning_rate, fused=True) for group in groups]
        self.learning_rate, self.steps = learning_rate, steps
        self.taken = [0] * len(self.optimizers)

    def rate(self, taken: int) -> float:
        """The learning rate after so many steps.

        Example:
            >>> updates = Updates([[nn.Parameter(torch.zeros(1))]], 1.0, 100)
            >>> [updates.rate(step) for step in (0, 49, 50, 75, 99)]
            [1.0, 1.0, 0.25, 0.0625, 0.00390625]
        """
        return self.learning_rate * FALL ** sum(taken >= int(share * self.steps) for share in MILESTONES)

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
        optimizer.param_groups[0]["lr"] = self.rate(self.taken[place])
        optimizer.step()
        self.taken[place] += 1

    def arrays(self) -> Arrays:
        """All that they go on from."""
        steps = {f"{place}": optimizer_arrays(optimizer) for place, optimizer in enumerate(self.optimizers)}
        return {"taken": np.array(self.taken), **grouped(steps)}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take up what `arrays` gave."""
        self.taken = [int(count) for count in arrays["taken"]]
        for place, optimizer in enumerate(self.optimizers):
            restore_optimizer(optimizer, under(f"{place}", arrays))


def modules_arrays(modules: Mapping[str, nn.Module]) -> Arrays:
    """Parameters and buffers of modules, and the states of their random numbers."""
    found: Arrays = {}
    for name, module in modules.items():
        found |= grouped({name: module_arrays(module)})
        for place, generator in enumerate(_generators(module)):
            found[f"{name}/random {place}"] = generator.get_state().numpy().copy()
    return found


def restore_modules(modules: Mapping[str, nn.Module], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Take up what `modules_arrays` gave."""
    for name, module in modules.items():
        restore_module(module, under(name, arrays))
        for place, generator in enumerate(_generators(module)):
            generator.set_state(torch.tensor(arrays[f"{name}/random {place}"]))


def _generators(module: nn.Module) -> list[torch.Generator]:
    return [one.generator for one in module.modules() if isinstance(one, SeededDropout)]
