"""A network as blocks that learn one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

import torch
from torch import Tensor, nn


def dropout(x: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Set a share of the numbers to 0, and raise the others."""
    left = torch.rand(x.shape, generator=generator, dtype=x.dtype) >= share
    return x * left / (1 - share)


class SeededDropout(nn.Module):
    """Dropout with random numbers of its own, so that they do not depend on what other blocks do in the meantime."""

    def __init__(self, share: float, seed: int) -> None:
        super().__init__()
        self.share = share
        self.generator = torch.Generator().manual_seed(seed)

    def forward(self, x: Tensor) -> Tensor:
        """Set a share of the numbers to 0, and raise the others, while learning."""
        if not self.training or self.share == 0:
            return x
        return dropout(x, self.share, self.generator)


class Block(nn.Module):
    """What is learned together: a module with parameters, and those without that follow it.

    Attributes:
        before: modules without parameters that come first, such as a `Flatten`.
        first: the module with parameters.
        rest: what follows it.
    """

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        super().__init__()
        place = next(k for k, module in enumerate(modules) if has_parameters(module))
        self.before = nn.Sequential(*modules[:place])
        self.first = modules[place]
        self.rest = nn.Sequential(*modules[place + 1 :])

    def forward(self, x: Tensor) -> Tensor:
        """The block's output."""
        found: Tensor = self.rest(self.first(self.before(x)))
        return found


def has_parameters(module: nn.Module) -> bool:
    """Whether it has any."""
    return next(module.parameters(), None) is not None


def blocks_of(network: nn.Sequential, seed: int = 0) -> list[Block]:
    """Children of a network as blocks: each with parameters begins one; normalisation stays with what it follows.

    Args:
        network: its children; a nested module, such as a residual block, is taken whole. The blocks have the same
            parameters, but other dropouts, see `SeededDropout`.
        seed: of these.

    Raises:
        ValueError: it has no parameters, or is no `nn.Sequential`.

    Example:
        >>> layers = nn.Flatten(), nn.Linear(4, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 2)
        >>> found = blocks_of(nn.Sequential(*layers))
        >>> [[type(m).__name__ for m in (*block.before, block.first, *block.rest)] for block in found]
        [['Flatten', 'Linear', 'BatchNorm1d', 'ReLU'], ['Linear']]
    """
    if not isinstance(network, nn.Sequential):
        raise ValueError(f"expected an nn.Sequential of layers, got {type(network).__name__}")
    groups: list[list[nn.Module]] = [[]]
    for place, given in enumerate(network):
        module: nn.Module = given
        begins = has_parameters(module) and not isinstance(module, _NORMALISING)
        if begins and any(has_parameters(one) for one in groups[-1]):
            groups.append([])
        if isinstance(module, nn.Dropout):
            module = SeededDropout(module.p, 1000 * seed + place)
        groups[-1].append(module)
    if not any(has_parameters(one) for one in groups[-1]):
        raise ValueError("there is nothing to learn: no layer has parameters")
    return [Block(group) for group in groups]


def square_side(features: int, halvings: int) -> int:
    """Pixels a side of square images, which are halved so many times.

    Raises:
        ValueError: they are not square, or nothing is left of them.
    """
    side = isqrt(features)
    if side * side != features or side < 2**halvings:
        least = 2**halvings
        raise ValueError(f"expected square images of at least {least} x {least} pixels, got {features}")
    return side


def maps(x: Tensor, side: int) -> Tensor:
    """Pixels (images, pixels) as maps (images, 1, side, side), whose channels are innermost in memory.

    Convolutions, normalisation and pooling keep that order, and are up to four times faster in it.
    """
    return x.reshape(len(x), side, side, 1).permute(0, 3, 1, 2)


class Maps(nn.Module):
    """See `maps`."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        """Maps (images, 1, side, side)."""
        return maps(x, self.side)


def beside(h: Tensor, t: Tensor) -> Tensor:
    """Both as one batch, in the memory order of h."""
    inner = h.ndim == 4 and h.is_contiguous(memory_format=torch.channels_last)
    return torch.cat([h, t.contiguous(memory_format=torch.channels_last) if inner else t])


def apart(both: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """So many of a batch, and the others: cheaper to go back through than slices."""
    first, second = torch.split(both, [number, len(both) - number])
    return first, second


_NORMALISING = (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm, nn.InstanceNorm2d)
