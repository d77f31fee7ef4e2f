"""Transformers of attention alone, whose context window is the substrate of a wave lattice."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from .boundaries import AttentionBoundary, RuleBoundary
from .lattice import WaveLattice

if TYPE_CHECKING:
    from torch import Tensor


class AttentionOnlyTransformer(torch.nn.Module):
    """Causal attention and nothing else: no positions, residuals, normalisation or perceptrons.

    A layer makes of each vector x_t the sum over heads of O V x_i weighted by softmax_i(x_i' K' Q x_t), i up to t. The
    next vector is what the last layer makes of the newest one.

    Args:
        width: d, of the vectors.
        window: s, how many vectors are in sight.
        layers, heads: how many.
        head_width: of queries, keys and values of a head; None: d over the number of heads, rounded up.
        seed: of the initial weights, U(-1/sqrt(d), 1/sqrt(d)).

    Raises:
        ValueError: a number below 1.

    Source:
        arXiv 2402.10163: with one layer and one head it is the lattice with the self-attention boundary.

    Example:
        >>> transformer = AttentionOnlyTransformer(width=4, window=6)
        >>> transformer(torch.ones(2, 6, 4)).shape, transformer.continued(torch.ones(2, 6, 4), steps=3).shape
        (torch.Size([2, 6, 4]), torch.Size([2, 3, 4]))
    """

    def __init__(
        self, width: int, window: int, layers: int = 1, heads: int = 1, head_width: int | None = None, *, seed: int = 0
    ) -> None:
        super().__init__()
        inner = math.ceil(width / heads) if head_width is None and heads > 0 else head_width
        if min(width, window, layers, heads, inner or 0) < 1:
            raise ValueError(
                f"width, window, layers and heads must be at least 1, got {width}, {window}, {layers}, {heads}"
            )
        self.width, self.window = width, window
        generator, bound = torch.Generator().manual_seed(seed), 1 / math.sqrt(width)

        def weights(*shape: int) -> torch.nn.Parameter:
            return torch.nn.Parameter((2 * torch.rand(layers, heads, *shape, generator=generator) - 1) * bound)

        assert inner is not None
        self.query, self.key, self.value = (weights(inner, width) for _ in range(3))
        self.output = weights(width, inner)

    def forward(self, vectors: Tensor) -> Tensor:
        """What the last layer makes of each vector, (..., time, d) to (..., time, d), each seeing those before it."""
        length = vectors.shape[-2]
        if length > self.window:
            raise ValueError(f"{length} vectors are more than the window of {self.window}")
        later = torch.ones(length, length, dtype=torch.bool, device=vectors.device).triu(1)
        x = vectors
        for query, key, value, output in zip(self.query, self.key, self.value, self.output, strict=True):
            heads = x[..., None, :, :]
            scores = (heads @ query.mT) @ (heads @ key.mT).mT
            attention = scores.masked_fill(later, -math.inf).softmax(dim=-1)
            x = (attention @ (heads @ value.mT) @ output.mT).sum(dim=-3)
        return x

    def continued(self, start: Tensor, steps: int) -> Tensor:
        """The autoregressive loop: the next vectors, (..., steps, d), after a start (..., time, d)."""
        seen, found = start, []
        for _ in range(steps):
            found.append(self(seen[..., -self.window :, :])[..., -1, :])
            seen = torch.cat([seen, found[-1][..., None, :]], dim=-2)
        return torch.stack(found, dim=-2)

    def lattice(self) -> WaveLattice:
        """The wave lattice that this loop is: of one layer and head with an `AttentionBoundary`, else with itself.

        A vector is a column, and the window is full from the start.
        """
        if self.query.shape[:2] != (1, 1):
            return WaveLattice(self.window, self.width, RuleBoundary(self._newest))
        with torch.no_grad():
            score = self.key[0, 0].double().mT @ self.query[0, 0].double()
            value = self.output[0, 0].double() @ self.value[0, 0].double()
        return WaveLattice(self.window, self.width, AttentionBoundary(score.numpy(), value.numpy()))

    def _newest(self, substrate: Tensor) -> Tensor:
        newest: Tensor = self(substrate.to(self.query.dtype))[..., -1, :]
        return newest.to(substrate.dtype)
