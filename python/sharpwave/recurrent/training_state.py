"""Where a training stands: all that the next step depends on, and what has been found so far."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..files import whole

if TYPE_CHECKING:
    from torch import Tensor

Watch = Callable[[int, int], None]  # is told how many steps are done, of how many
CHECKED = ("step", "loss", "accuracy", "horizon")


@dataclass(eq=False)
class TrainingState:
    """Tensors have a leading axis, the replicas'.

    Attributes:
        parameters, mean, square: weights, and Adam's moving averages of gradients and of their squares.
        best: parameters of the best check.
        merit: stage and accuracy of it, (replicas, 2).
        stage: which of the horizons a network is at.
        perfect: checks in a row, at the last horizon, at which it was right enough.
        steps: how many each has been trained for.
        ended, diverged: whether training is over, and why.
        checks: by name, what each check found, (checks, replicas).
        kept: parameters at the steps at which they were to be kept, so far, (steps, replicas, ...).
        step: steps done.
    """

    parameters: dict[str, Tensor]
    mean: dict[str, Tensor]
    square: dict[str, Tensor]
    best: dict[str, Tensor]
    merit: Tensor
    stage: Tensor
    perfect: Tensor
    steps: Tensor
    ended: Tensor
    diverged: Tensor
    checks: dict[str, Tensor]
    kept: dict[str, Tensor]
    step: int = 0

    @staticmethod
    def new(parameters: Mapping[str, Tensor]) -> TrainingState:
        """Before the first step."""
        import torch

        count = len(next(iter(parameters.values())))

        def whole_numbers() -> Tensor:
            return torch.zeros(count, dtype=torch.int64)

        def flags() -> Tensor:
            return torch.zeros(count, dtype=torch.bool)

        return TrainingState(
            parameters=dict(parameters),
            mean={name: torch.zeros_like(value) for name, value in parameters.items()},
            square={name: torch.zeros_like(value) for name, value in parameters.items()},
            best={name: value.clone() for name, value in parameters.items()},
            merit=torch.full((count, 2), -1.0, dtype=torch.float64),
            stage=whole_numbers(),
            perfect=whole_numbers(),
            steps=whole_numbers(),
            ended=flags(),
            diverged=flags(),
            checks={name: torch.zeros(0, count, dtype=torch.float64) for name in CHECKED},
            kept={name: value.new_zeros(0, *value.shape) for name, value in parameters.items()},
        )

    def keep(self) -> None:
        """Keep the parameters as they are now."""
        import torch

        for name, value in self.parameters.items():
            self.kept[name] = torch.cat([self.kept[name], value[None]])

    def write(self, path: Path, mark: str) -> None:
        """Save by atomic rename. `mark` says which training it is."""
        groups = {name: getattr(self, name) for name in _GROUPS}
        arrays = {f"{group}/{name}": t.numpy() for group, tensors in groups.items() for name, t in tensors.items()}
        arrays |= {name: getattr(self, name).numpy() for name in _TENSORS}
        with whole(path) as beside, beside.open("wb") as file:
            np.savez(file, mark=np.array(mark), step=np.array(self.step), **arrays)

    @staticmethod
    def read(path: Path, mark: str) -> TrainingState:
        """What was saved.

        Raises:
            ValueError: it is of another training, or no such file.
        """
        import torch

        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
            raise ValueError(f"{path} is no checkpoint: {error}; remove it to begin anew") from None
        if str(arrays.get("mark")) != mark:
            raise ValueError(f"{path} is a checkpoint of another training: name another file, or remove it")
        groups: dict[str, dict[str, Tensor]] = {name: {} for name in _GROUPS}
        for name, array in arrays.items():
            group, _, rest = name.partition("/")
            if rest:
                groups[group][rest] = torch.from_numpy(array)
        tensors: dict[str, Any] = {name: torch.from_numpy(arrays[name]) for name in _TENSORS}
        fields: dict[str, Any] = {**groups, **tensors}
        return TrainingState(**fields, step=int(arrays["step"]))


_GROUPS = ("parameters", "mean", "square", "best", "checks", "kept")
_TENSORS = ("merit", "stage", "perfect", "steps", "ended", "diverged")
