"""How what layers learn compares with the gradient, and which layer is dead."""

from __future__ import annotations

from contextlib import nullcontext
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from .sigprop import SigProp
from .taught import AlignedBlocks, Backpropagated, Taught

COLLAPSED = 1e-2  # share of the mean square of activities that examples differ by, below which they say nothing


def alignment(model: SigProp | Taught, x: Tensor, labels: Tensor) -> list[float]:
    """Angle in degrees of each block's step from that of backpropagation; below 90 it goes the same way.

    The step is that before Adam. Backpropagation is that of the last loss through the whole network: of signal
    propagation that of the last block, else that of the classifier.

    Args:
        model: which does not learn.
        x: examples (examples, ...).
        labels: their classes (examples,).
    """
    states = {name: {k: v.clone() for k, v in module.state_dict().items()} for name, module in model.modules.items()}
    weights = [list(block.parameters()) for block in model.blocks]
    own: list[list[Tensor]] = []
    take = model.updates.take

    def keep(place: int, root: Tensor, gradient: Tensor | None = None) -> None:
        taught = (
            range(len(weights)) if isinstance(model, Backpropagated) else range(place, min(place + 1, len(weights)))
        )
        for block in taught:
            found = torch.autograd.grad(root, weights[block], gradient, allow_unused=True, retain_graph=True)
            own.append([torch.zeros_like(w) if g is None else g for g, w in zip(found, weights[block], strict=True)])

    model.updates.take = keep  # type: ignore[method-assign]
    try:
        model.learn(x, labels)
    finally:
        model.updates.take = take  # type: ignore[method-assign]
        for name, module in model.modules.items():
            module.load_state_dict(states[name])
    loss = _whole_loss(model, x, labels)
    found = []
    for its, parameters in zip(own, weights, strict=True):
        true = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
        one = torch.cat([g.flatten() for g in its])
        other = torch.cat(
            [(torch.zeros_like(w) if g is None else g).flatten() for g, w in zip(true, parameters, strict=True)]
        )
        cosine = functional.cosine_similarity(one.double(), other.double(), dim=0)
        found.append(float(torch.rad2deg(torch.arccos(cosine.clamp(-1, 1)))))
    return found


def _whole_loss(model: SigProp | Taught, x: Tensor, labels: Tensor) -> Tensor:
    if isinstance(model, SigProp):
        return model.whole_loss(x, labels)
    with model.plain() if isinstance(model, AlignedBlocks) else nullcontext():
        for block in model.blocks:
            x = block.train()(x)
        return functional.cross_entropy(model.readout(x.flatten(1)), labels)


class Collapse(NamedTuple):
    """A block whose activities are the same whatever the example.

    Attributes:
        block: its number.
        share: of the mean square of its activities that examples differ by.
    """

    block: int
    share: float

    def __str__(self) -> str:
        return f"block {self.block} has collapsed: examples differ by {self.share:.1e} of its activity"


@torch.no_grad()
def find_collapse(model: SigProp | Taught, x: Tensor) -> Collapse | None:
    """The first block that says nothing of the examples x (examples, ...); None: all do."""
    for place, block in enumerate(model.blocks):
        x = block.eval()(x)
        h = x.flatten(1).double()
        square = float(h.square().sum(1).mean())
        share = float((h - h.mean(0)).square().sum(1).mean()) / square if square else 0.0
        if share < COLLAPSED:
            return Collapse(place, share)
    return None
