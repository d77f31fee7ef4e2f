"""Recall of many random memories side by side, with the fixed steps of the source's capacity runs.

The source takes Euler steps as long as T_f, so that features are replaced at every step, and lets the delay act through
a tanh:

    V_f <- sqrt(a_s) Xi s_h(sqrt(a_s) Xi' s_f(V_f) + a_c Phi' Xi' tanh(V_d))
    V_d <- V_d + (s_f(V_f) - V_d) T_f / T_d

Both are taken from the same state. Every draw has its own patterns; one product serves all.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .activations import Activation, Identity, RectifiedPolynomial, Softmax, Tanh
from .episodes import PEAK

Array = NDArray[np.float64]
Visits = list[list[int]]

_REST = 8  # delays without a new visit


@dataclass(frozen=True)
class DrawnNetwork:
    """What all draws have in common.

    Attributes:
        features: N.
        memories: K.
        power: s_h is the rectified polynomial of this power, features are tanh units and patterns have unit norm, so
            that activity is bounded; None: s_h is a softmax of gain 1, features are linear, patterns are of -1 and 1.
        closed: whether the last memory leads back to the first.
        bias: a pattern's bit is 1 with probability .5 + bias, so that patterns are correlated for a bias other than 0.
        alpha_s, alpha_c: couplings; the source's chain has 1 and 2.
        delay: T_d / T_f; the source's chain has .05 / .001.
    """

    features: int
    memories: int
    power: int | None = None
    closed: bool = False
    bias: float = 0.0
    alpha_s: float = 1.0
    alpha_c: float = 2.0
    delay: float = 50.0

    def activations(self) -> tuple[Activation, Activation]:
        """s_f and s_h."""
        return (Identity(), Softmax()) if self.power is None else (Tanh(), RectifiedPolynomial(self.power))


@dataclass(frozen=True, eq=False)
class DrawnRecalls:
    """What each draw did.

    Attributes:
        visits: for each draw the memories visited, in order.
        bits: (draws,) the largest fraction of features within .1 of their bits, relative to the features' own scale,
            during the visit to the second memory; 0 where there is none.
    """

    visits: Visits
    bits: Array


def recall_draws(network: DrawnNetwork, seed: np.random.SeedSequence, draws: int, visits: int) -> DrawnRecalls:
    """Draw random patterns and recall from the first of each draw.

    Args:
        network: what is drawn.
        seed: of the patterns.
        draws: number of draws.
        visits: a draw ends when it has made this number of visits, or none for eight T_d: then it is at rest.

    Returns:
        The visits. A memory is visited when it has the largest overlap, and that is at least .8.
    """
    import torch

    rng = np.random.default_rng(seed)
    signs = np.where(rng.random((draws, network.memories, network.features)) < 0.5 + network.bias, 1.0, -1.0)
    s_f, s_h = network.activations()
    norm = math.sqrt(network.features)
    scale = 1.0 if network.power is None else 1 / norm
    root = math.sqrt(network.alpha_s)
    made: Visits = [[0] for _ in range(draws)]
    bits = np.zeros(draws)
    with torch.inference_mode():
        patterns = torch.from_numpy(signs * scale)
        f = torch.from_numpy(signs[:, 0].copy())
        d = torch.zeros_like(f)
        active, newest = np.arange(draws), np.zeros(draws, dtype=np.int64)
        for step in itertools.count():
            s = s_f(f)
            overlaps = patterns @ torch.stack([s, torch.tanh(d)], -1)  # one pass over the patterns for both
            leader = overlaps[..., 0].max(1)
            cosine = leader.values / (s.norm(dim=1) * norm * scale).clamp_min(1e-300)
            for row in np.flatnonzero(cosine.numpy() >= PEAK):
                draw, memory = active[row], int(leader.indices[row])
                if memory != made[draw][-1]:
                    made[draw].append(memory)
                    newest[draw] = step
            _note_bits(bits, made, active, s.numpy(), signs)
            delayed = torch.roll(overlaps[..., 1], 1, 1)
            if not network.closed:
                delayed[:, 0] = 0
            hidden = s_h(root * overlaps[..., 0] + network.alpha_c * delayed)
            f, d = root * (hidden[:, None] @ patterns)[:, 0], d + (s - d) / network.delay
            wanted = np.array([len(made[draw]) < visits for draw in active])
            going = wanted & (step - newest[active] < _REST * network.delay)
            if not going.all():
                keep = torch.from_numpy(going)
                patterns, f, d, signs, active = patterns[keep], f[keep], d[keep], signs[going], active[going]
                if not active.size:
                    break
    return DrawnRecalls(made, bits)


def _note_bits(bits: Array, made: Visits, active: NDArray[np.intp], activity: Array, signs: Array) -> None:
    second = [row for row, draw in enumerate(active) if len(made[draw]) == 2]
    if second:
        target = signs[second, [made[active[row]][1] for row in second]]
        own_scale = np.abs(activity[second]).mean(1, keepdims=True)
        near = (np.abs(activity[second] / own_scale - target) < 0.1).mean(1)
        bits[active[second]] = np.maximum(bits[active[second]], near)
