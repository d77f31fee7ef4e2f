"""Sleep of a spiking network: noise in, and weights that change with spikes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..backends import Backend, in_julia
from ..counts import count

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class SleepRule:
    """How integrate-and-fire units sleep.

    In a step, v becomes decay v + scale W s, with s the spikes of the layer before. A unit whose v is above its
    threshold fires and begins at 0 again; its weights W become W + raise g(W) from units that fired, W - lower g(W)
    from the others, with g(W) = 2 - 2 / (1 + exp(-W / width)).

    Attributes:
        thresholds: of each layer.
        scale: of what arrives.
        decay: share of v that is left after a step.
        raised, lowered: changes of weights.
        width: of the range about 0 in which changes go over from twice as large to none.
        rate: spikes a second of an input whose mean is 1.
        step: of time, seconds.

    Source:
        Tadros and others, Sleep-like unsupervised replay, Nature Communications 13, 2022, as in
        arXiv 2104.04132's system; that units begin at 0 again after a spike is a choice.
    """

    thresholds: tuple[float, ...] = (14.55, 44.56, 38.05)
    scale: float = 55.88
    decay: float = 0.999
    raised: float = 0.0321
    lowered: float = 0.00334
    width: float = 0.001
    rate: float = 239.5
    step: float = 0.001

    def __post_init__(self) -> None:
        positive = (self.scale, self.width, self.step, self.rate, *self.thresholds)
        numbers = (*positive, self.raised, self.lowered, self.decay)
        if not np.isfinite(numbers).all() or min(positive) <= 0 or min(numbers) < 0 or self.decay > 1:
            raise ValueError(
                "scale, width, step, rate and thresholds must be positive, raised and lowered not negative, and decay "
                f"from 0 to 1: {self}"
            )
        if self.rate * self.step > 1:
            raise ValueError(f"{self.rate} spikes a second are more than one in a step of {self.step} s")

    def noise(self, means: Array, steps: int, seed: int) -> NDArray[np.uint8]:
        """Spikes of inputs with given means, (steps, inputs), 1 or 0, drawn from the seed."""
        draw = np.random.Generator(np.random.Philox(key=seed))
        chance = np.clip(means, 0, 1) * self.rate * self.step
        return (draw.random((count("steps", steps), len(means)), dtype=np.float32) < chance).astype(np.uint8)


class Slept(NamedTuple):
    """A network after a phase of sleep.

    Attributes:
        weights: of each layer, (units, units before).
        fired: spikes of each layer.
    """

    weights: tuple[Array, ...]
    fired: NDArray[np.int64]


def sleep(
    weights: Sequence[Array], spikes: NDArray[np.uint8], rule: SleepRule | None = None, backend: Backend = "auto"
) -> Slept:
    """Let a network of integrate-and-fire units sleep.

    Args:
        weights: of each layer, (units, units before), float32 or float64; they stay as they are.
        spikes: of the inputs, (steps, inputs), 1 or 0.
        rule: None: the published one.
        backend: `"julia"`, `"torch"` or `"auto"`. In float64 all spikes are the same; in float32 a sum is rounded
            otherwise.

    Raises:
        ValueError: shapes that do not fit, another number of layers than thresholds, weights that are not finite, or
            spikes that are neither 1 nor 0.

    Example:
        >>> rule = SleepRule(thresholds=(1.0,), scale=1.0, decay=0.5, raised=0.1, lowered=0.05)
        >>> slept = sleep([np.array([[0.8, -0.2]])], np.array([[1, 0], [1, 0]], dtype=np.uint8), rule)
        >>> slept.fired.tolist(), slept.weights[0].round(3).tolist()
        ([1], [[0.8, -0.3]])
    """
    rule = rule or SleepRule()
    kept = [np.ascontiguousarray(w) for w in weights]
    if len(kept) != len(rule.thresholds):
        raise ValueError(f"there are {len(kept)} layers, but {len(rule.thresholds)} thresholds")
    spikes = np.asarray(spikes)
    if spikes.size and not ((spikes == 0) | (spikes == 1)).all():
        raise ValueError("spikes must be 1 or 0")
    before = spikes.shape[1] if spikes.ndim == 2 else None
    for k, w in enumerate(kept):
        if w.ndim != 2 or w.shape[1] != before:
            raise ValueError(
                f"weights of layer {k} must be (units, {before}), as many as there are before, got {w.shape}"
            )
        if w.dtype not in (np.float32, np.float64) or w.dtype != kept[0].dtype:
            raise ValueError(f"weights must all be float32 or all float64, got {w.dtype}")
        if not np.isfinite(w).all():
            raise ValueError(f"weights of layer {k} are not finite")
        before = w.shape[0]
    return (_julia if in_julia(backend) else _torch)(kept, np.ascontiguousarray(spikes, dtype=np.uint8), rule)


def _julia(weights: list[Array], spikes: NDArray[np.uint8], rule: SleepRule) -> Slept:
    from sharpwave_bridge import call

    sizes = np.array([spikes.shape[1], *(len(w) for w in weights)])
    flat = np.concatenate([w.ravel() for w in weights])
    fired = np.empty(len(weights), dtype=np.int64)
    numbers = np.array([rule.decay, rule.scale, rule.raised, rule.lowered, rule.width])
    name = "sleep_phase" if flat.dtype == np.float32 else "sleep_phase_64"
    call(name, 0, numbers, sizes, np.array(rule.thresholds, dtype=np.float64), spikes, flat, fired)
    ends = np.cumsum([w.size for w in weights])[:-1]
    parts = [part.reshape(w.shape) for part, w in zip(np.split(flat, ends), weights, strict=True)]
    return Slept(tuple(parts), fired)


def _torch(weights: list[Array], spikes: NDArray[np.uint8], rule: SleepRule) -> Slept:
    import torch

    layers = [torch.tensor(w) for w in weights]
    potentials = [torch.zeros(len(w), dtype=w.dtype) for w in layers]
    fired = [0] * len(layers)
    for step in torch.from_numpy(spikes).to(layers[0].dtype):
        s = step
        for k, (w, v) in enumerate(zip(layers, potentials, strict=True)):
            v.mul_(rule.decay).add_(w @ s, alpha=rule.scale)
            fires = v > rule.thresholds[k]
            v[fires] = 0
            fired[k] += int(fires.sum())
            if fires.any():
                own = w[fires]
                room = 2 * torch.sigmoid(-own / rule.width)
                w[fires] = own + (rule.raised * s - rule.lowered * (1 - s)) * room
            s = fires.to(w.dtype)
    return Slept(tuple(w.numpy() for w in layers), np.array(fired))
