"""Integrate-and-fire neurons of a layer, all of their steps at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import pi
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor

Way = Literal["voltage", "surrogate", "backpropagation", "shallow"]
WAYS = ("voltage", "surrogate", "backpropagation", "shallow")
INITIAL_POTENTIAL = 0.5  # share of the threshold


def integrate_and_fire(
    current: Tensor, steps: int, threshold: float, way: Way
) -> tuple[tuple[Tensor, ...], Tensor | None]:  # fmt: skip
    """Neurons that add up a current and lose a threshold with each spike: V, of which U = V - theta is told.

    V is half a threshold at first, so that a current that stays, from 0 to theta, makes as many spikes as the nearest
    whole number of thresholds that it brings.

    Args:
        current: (steps, ...), or (1, ...), which stays for all steps.
        steps: how many.
        threshold: theta.
        way: what learns; see `SpikingSignalPropagation`.

    Returns:
        Of each step spikes of 0 and 1, (...), with the gradient of f(U) = atan(pi U) / pi + 1/2 if learning goes back
        through them; and the mean over steps of what learns beside them, (...): U, as it were if no spike took
        anything, f(U) - 1/2, or None.

    Example:
        >>> spikes, u = integrate_and_fire(torch.full((1, 1), 0.8125), 4, 1.0, "voltage")
        >>> [float(spike) for spike in spikes], float(u)
        ([1.0, 1.0, 0.0, 1.0], 1.53125)
    """
    said, *spikes = _Firing.apply(current, steps, threshold, way)  # type: ignore[no-untyped-call]
    return tuple(spikes), said


class _Firing(torch.autograd.Function):
    """The neurons of a layer, all steps. A current acts on the potentials of its step and of all later ones."""

    @staticmethod
    def forward(ctx: Any, current: Tensor, steps: int, threshold: float, way: Way) -> tuple[Tensor | None, ...]:
        v, spikes, slopes = torch.full_like(current[0], INITIAL_POTENTIAL * threshold), [], []
        said = torch.zeros_like(v) if way in ("voltage", "surrogate") else None
        taken = torch.zeros_like(v) if way == "voltage" else None
        for now in current.expand(steps, *current.shape[1:]):
            u = v.add_(now) - threshold
            spike = u.sign().clamp_(min=0)
            v.sub_(spike, alpha=threshold)
            spikes.append(spike)
            if said is not None and taken is not None:
                said.add_(u.add_(taken), alpha=1 / steps)
                taken.add_(spike, alpha=threshold)
            if way in ("surrogate", "backpropagation"):
                scaled = u.mul_(pi)
                if said is not None:
                    said.add_(scaled.arctan(), alpha=1 / (pi * steps))
                slopes.append(scaled.square_().add_(1).reciprocal_())
        ctx.way, ctx.stays, ctx.steps = way, len(current) == 1, steps
        ctx.save_for_backward(*slopes)
        ctx.set_materialize_grads(False)
        if way != "backpropagation":
            ctx.mark_non_differentiable(*spikes)
        return said, *spikes

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        said, *spikes = gradients
        if ctx.way == "backpropagation":
            back = [a * b for a, b in zip(spikes, ctx.saved_tensors, strict=True)]
            found = _of_currents(back, ctx.stays)
        else:
            slopes = ctx.saved_tensors or [1.0] * ctx.steps
            found = [said * (one / ctx.steps) for one in _of_currents(slopes, ctx.stays)]
        return found[0][None] if ctx.stays else apart_by_step(torch.cat(found), ctx.steps), None, None, None


Number = TypeVar("Number", Tensor, float)


def _of_currents(of_potentials: Sequence[Number], stays: bool) -> list[Number]:
    """Gradients of the current of each step, or of that which stays, from those of the potentials of each step."""
    sums = list(accumulate(reversed(of_potentials)))
    return [sum(sums[1:], sums[0])] if stays else sums[::-1]


def joined(x: Tensor) -> Tensor:
    """Steps and examples as one axis, in the memory order that they have."""
    return x[0] if len(x) == 1 else x.flatten(0, 1)


def apart_by_step(flat: Tensor, steps: int) -> Tensor:
    """Steps and examples, which were one axis, as two."""
    found: Tensor = flat.unflatten(0, (steps, -1))  # type: ignore[no-untyped-call]
    return found
