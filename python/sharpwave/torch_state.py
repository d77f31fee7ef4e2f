"""What modules and optimizers of torch go on from, as arrays."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, TypeVar

import torch
from numpy.typing import NDArray
from torch import nn

Arrays = dict[str, NDArray[Any]]
M = TypeVar("M", bound=nn.Module)


def grouped(groups: Mapping[str, Mapping[str, NDArray[Any]]]) -> Arrays:
    """Arrays of several groups, by the group's name and theirs.

    Example:
        >>> import numpy as np
        >>> together = grouped({"a": {"x": np.zeros(1)}, "b/c": {"x": np.ones(1)}})
        >>> list(together), under("b/c", together)
        (['a/x', 'b/c/x'], {'x': array([1.])})
    """
    return {f"{group}/{name}": array for group, arrays in groups.items() for name, array in arrays.items()}


def under(group: str, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    """Arrays of a group, by their own names; see `grouped`."""
    start = f"{group}/"
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}


def frozen_copy(module: M) -> M:
    """A module as it is now, which does not learn."""
    return copy.deepcopy(module).requires_grad_(False)


def module_arrays(module: nn.Module) -> Arrays:
    """Parameters and buffers."""
    return {key: value.numpy().copy() for key, value in module.state_dict().items()}


def restore_module(module: nn.Module, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Take up what `module_arrays` gave."""
    module.load_state_dict({key: torch.tensor(arrays[key]) for key in module.state_dict()})


def optimizer_arrays(optimizer: torch.optim.Optimizer) -> Arrays:
    """What an optimizer has gathered of its first group of parameters."""
    found: Arrays = {}
    for number, parameter in enumerate(optimizer.param_groups[0]["params"]):
        for name, value in optimizer.state.get(parameter, {}).items():
            found[f"{number}/{name}"] = value.numpy().copy()
    return found


def restore_optimizer(optimizer: torch.optim.Optimizer, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Take up what `optimizer_arrays` gave."""
    optimizer.state.clear()
    for number, parameter in enumerate(optimizer.param_groups[0]["params"]):
        gathered = {name: torch.tensor(array) for name, array in under(f"{number}", arrays).items()}
        if gathered:
            optimizer.state[parameter] = gathered
