"""Losses of signal propagation: how well activities h go with those that targets evoke, t, in one layer.

Both are (.., ...); z_ij is the inner product of h_i and t_j, of maps the mean over positions of that over channels.
Losses return one number, the mean over examples.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

TOP = 6  # targets that `top_targets` compares with, arXiv 2204.01723


class Loss(Protocol):
    """What a layer makes small."""

    def __call__(self, h: Tensor, t: Tensor, place: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """The loss.

        Args:
            h: activities that examples evoke, (examples, ...).
            t: those that targets evoke, (targets, ...).
            place: which target is that of each example, (examples,).
            labels: of each example, (examples,).
            generator: of random choices.
        """


def similarities(h: Tensor, t: Tensor) -> Tensor:
    """z (examples, targets), of activities (examples, ...) and (targets, ...).

    Raises:
        ValueError: they are of different shapes.
    """
    if h.shape[1:] != t.shape[1:]:
        raise ValueError(
            f"a target of shape {tuple(t.shape[1:])} does not fit activities of shape {tuple(h.shape[1:])}: the target "
            "generator must give what the first layer gives"
        )
    positions = h[0].numel() // h.shape[1]
    if h.ndim == 4 and h.is_contiguous(memory_format=torch.channels_last):
        h, t = h.permute(0, 2, 3, 1), t.permute(0, 2, 3, 1)  # as they are in memory
    return h.flatten(1) @ t.flatten(1).T / positions


def class_entropy(h: Tensor, t: Tensor, place: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
    """Cross-entropy of z over the targets of all classes, which must be those that there are."""
    return functional.cross_entropy(similarities(h, t), place)


def batch_entropy(h: Tensor, t: Tensor, place: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
    """Cross-entropy of z over the targets of the batch's examples; those of one class are all as good."""
    z = similarities(h, t[place])
    same = (labels[:, None] == labels[None]).to(z.dtype)
    return functional.cross_entropy(z, same / same.sum(1, keepdim=True))


def random_target(h: Tensor, t: Tensor, place: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
    """Cross-entropy of z over the targets of the batch's examples; right is one of the same class, drawn at random."""
    z = similarities(h, t[place])
    same = (labels[:, None] == labels[None]).to(z.dtype)
    chosen = torch.multinomial(same, 1, generator=generator)[:, 0]
    return functional.cross_entropy(z, chosen)


def top_targets(h: Tensor, t: Tensor, place: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
    """Cross-entropy of z over the targets of the batch's examples; right are those most like the example's own."""
    targets = t[place]
    z = similarities(h, targets)
    with torch.no_grad():
        unit = functional.normalize(targets.flatten(1))
        nearest = (unit @ unit.T).topk(min(TOP, len(targets)), dim=1).indices
    wanted = torch.zeros_like(z).scatter_(1, nearest, 1 / nearest.shape[1])
    return functional.cross_entropy(z, wanted)


def hebbian(h: Tensor, t: Tensor, place: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
    """z with the example's own target, to be large, less the mean of that with all of them; lengths are 1.

    What fires with its target is wired to it, and unwired from the others. That lengths do not count, without which
    weights would grow for ever, and the second part, without which all targets become one, are choices.
    """
    similarities(h[:1], t[:1])  # says what does not fit
    z = functional.normalize(h.flatten(1)) @ functional.normalize(t.flatten(1)).T
    return (z.mean(1) - z.gather(1, place[:, None])[:, 0]).mean()


def squared_distance(h: Tensor, t: Tensor, place: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
    """The counter-example: all activities may become the same, and then they say nothing."""
    targets = t[place]
    similarities(h[:1], targets[:1])
    return (h - targets).flatten(1).square().sum(1).mean()


LOSSES: dict[str, Loss] = {
    "classes": class_entropy,
    "batch": batch_entropy,
    "random": random_target,
    "top": top_targets,
    "hebbian": hebbian,
    "distance": squared_distance,
}
