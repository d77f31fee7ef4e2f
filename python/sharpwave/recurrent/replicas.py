"""Networks of one architecture side by side: parameters have a leading axis, and a product serves them all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Generator, Tensor

    Parameters = Mapping[str, Tensor]


class Architecture(Protocol):
    """A network whose parameters a caller keeps. Parameters, inputs and outputs have a leading axis, the replicas'."""

    @property
    def width(self) -> int:
        """Numbers that a step of an example keeps for the backward pass, about."""

    def initial(self, inputs: int, outputs: int, generator: Generator) -> dict[str, Tensor]:
        """Parameters of one new network by name, without the leading axis."""

    def outputs(self, parameters: Parameters, inputs: Tensor, steps: int) -> Tensor:
        """Run from the initial state.

        Args:
            parameters: by name, (replicas, ...).
            inputs: (replicas, examples, shown, inputs); nothing is shown afterwards.
            steps: in all.

        Returns:
            (replicas, examples, steps, outputs).
        """


def new_networks(architecture: Architecture, inputs: int, outputs: int, seeds: Sequence[int]) -> dict[str, Tensor]:
    """Parameters of new networks, one for each seed; a network's numbers depend on its seed alone.

    Example:
        >>> from .elman import Elman
        >>> {name: tuple(p.shape) for name, p in new_networks(Elman(16), 8, 8, seeds=[0, 1]).items()}
        {'recurrent': (2, 16, 16), 'input': (2, 16, 8), 'readout': (2, 8, 16)}
    """
    import torch

    found = [architecture.initial(inputs, outputs, torch.Generator().manual_seed(seed)) for seed in seeds]
    return {name: torch.stack([one[name] for one in found]) for name in found[0]}


def read_out(states: Sequence[Tensor], parameters: Parameters, inputs: Tensor) -> Tensor:
    """Outputs (replicas, examples, steps, outputs) of the states (replicas, examples, hidden) of each step."""
    import torch

    readout = parameters["readout"][:, None].mT
    if not states:
        return inputs.new_zeros(*inputs.shape[:2], 0, readout.shape[-1])
    return torch.stack(list(states), dim=2) @ readout


def uniform(shape: tuple[int, ...], bound: float, generator: Generator) -> Tensor:
    """Numbers from U(-bound, bound)."""
    import torch

    return (2 * torch.rand(shape, generator=generator) - 1) * bound
