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
    """Causal attention and nothing else: no residuals, normalisation or perceptrons.

    A layer makes of each vector x_t the sum over heads of O V x_i weighted by softmax_i(x_i' K' Q x_t + b_{t-i}), i up
    to t. The next vector is what the last layer makes of the newest one.

    Args:
        width: d, of the vectors.
        window: s, how many vectors are in sight.
        layers, heads: how many.
        head_width: of queries, keys and values of a head; None: d over the number of heads, rounded up.
        positions: whether there is b, by which a head learns how much it prefers vectors by how long ago they were;
            the paper's form has none.
        seed: of the initial weights, U(-1/sqrt(d), 1/sqrt(d)), and of b, U(-1, 1).

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
        self,
        width: int,
        window: int,
        layers: int = 1,
        heads: int = 1,
        head_width: int | None = None,
        *,
        positions: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__()
        inner = math.ceil(width / heads) if head_width is None and heads > 0 else head_width
        if min(width, window, layers, heads, inner or 0) < 1:
            raise ValueError(
                "width, window, layers, heads and head_width must be at least 1, got "
                f"{width}, {window}, {layers}, {heads} and {head_width}"
            )
        self.width, self.window = width, window
        generator, bound = torch.Generator().manual_seed(seed), 1 / math.sqrt(width)

        def weights(*shape: int) -> torch.nn.Parameter:
            return torch.nn.Parameter((2 * torch.rand(layers, heads, *shape, generator=generator) - 1) * bound)

        assert inner is not None
        self.query, self.key, self.value = (weights(inner, width) for _ in range(3))
        self.output = weights(width, inner)
        self.position = torch.nn.Parameter(weights(window).detach() / bound) if positions else None

    def forward(self, vectors: Tensor) -> Tensor:
        """What the last layer makes of each vector, (..., time, d) to (..., time, d), each seeing those before it."""
        length = vectors.shape[-2]
        if length > self.window:
            raise ValueError(f"{length} vectors are more than the window of {self.window}")
        ages = torch.arange(length, device=vectors.device)
        ages = ages[:, None] - ages
        x = vectors
        for layer in range(len(self.query)):
            query, key, value, output = (part[layer] for part in (self.query, self.key, self.value, self.output))
            heads = x[..., None, :, :]
            scores = (heads @ query.mT) @ (heads @ key.mT).mT
            if self.position is not None:
                scores = scores + self.position[layer][:, self.window - 1 - ages.clamp(min=0)]
            attention = scores.masked_fill(ages < 0, -math.inf).softmax(dim=-1)
            x = (attention @ (heads @ value.mT) @ output.mT).sum(dim=-3)
        return x

    def continued(self, start: Tensor, steps: int) -> Tensor:
        """The autoregressive loop: the next vectors, (..., steps, d), after a start (..., time, d)."""
        seen, found = start, []
        for _ in range(steps):
            found.append(self(seen[..., -self.window :, :])[..., -1, :])
            seen = torch.cat([seen, found[-1][..., None, :]], dim=-2)
        return torch.stack(found, dim=-2) if found else start[..., :0, :]

    def lattice(self) -> WaveLattice:
        """The wave lattice that this loop is: of one layer with an `AttentionBoundary`, else with itself.

        A vector is a column, and the window is full from the start.
        """
        if len(self.query) > 1:
            return WaveLattice(self.window, self.width, RuleBoundary(self._newest))
        with torch.no_grad():
            score = self.key[0].double().mT @ self.query[0].double()
            value = self.output[0].double() @ self.value[0].double()
            bias = None if self.position is None else self.position[0].double().numpy()
        return WaveLattice(self.window, self.width, AttentionBoundary(score.numpy(), value.numpy(), bias))

    @staticmethod
    def of(lattice: WaveLattice) -> AttentionOnlyTransformer:
        """The transformer whose loop a lattice with an `AttentionBoundary` is, in double precision.

        Raises:
            ValueError: the lattice has another boundary, other ends than open ones, or a speed other than 1.

        Example:
            >>> lattice = WaveLattice(3, 2, AttentionBoundary(torch.eye(2), torch.ones(2, 2) / 2))
            >>> AttentionOnlyTransformer.of(lattice).continued(torch.ones(1, 3, 2, dtype=torch.float64), 1)[0]
            tensor([[1., 1.]], dtype=torch.float64, grad_fn=<SelectBackward0>)
        """
        boundary = lattice.boundary
        if not isinstance(boundary, AttentionBoundary) or not lattice.transport.plain:
            raise ValueError(
                "only a lattice with an AttentionBoundary, open ends and a speed of 1 is a transformer, got "
                f"{type(boundary).__name__}, {lattice.ends} ends and a speed of {lattice.speed:g}"
            )
        d, heads = lattice.rows, len(boundary.value)
        found = AttentionOnlyTransformer(d, lattice.columns, 1, heads, d, positions=boundary.bias is not None).double()
        with torch.no_grad():
            found.query[0], found.value[0] = torch.tensor(boundary.score), torch.tensor(boundary.value)
            found.key[0], found.output[0] = torch.eye(d), torch.eye(d)
            if found.position is not None:
                found.position[0] = torch.tensor(boundary.bias)
        return found

    def _newest(self, substrate: Tensor) -> Tensor:
        newest: Tensor = self(substrate.to(self.query.dtype))[..., -1, :]
        return newest.to(substrate.dtype)
