"""Rates settle and learn in Julia as in torch."""

from __future__ import annotations

import numpy as np
import pytest

from sharpwave.forward import (
    Nudging,
    RateNetwork,
    Settling,
    energy_network,
    error_forward_network,
    julia_backend,
    target_loop_network,
    torch_backend,
)
from sharpwave.forward.epoch import Work

rng = np.random.default_rng(0)
EFP = error_forward_network((12, 70, 33, 5), (1.0, 0.4, 0.2), 0.1)
DEEP = error_forward_network((12, 9, 40, 33, 5), (1.0, 0.4, 0.2, 0.1), 0.0)
EP = energy_network((12, 40, 35, 5), (0.4, 0.2, 0.1))
LOOP = target_loop_network((12, 70, 33, 5), (1.0, 0.4, 0.2), 0.1)
DEEP_LOOP = target_loop_network((12, 9, 40, 33, 5), (1.0, 0.4, 0.2, 0.1))
FREE = energy_network((12, 40, 5), (0.4, 0.2), tied=False)


def work(network: RateNetwork, settling: Settling, nudging: Nudging, dtype: type = np.float64) -> Work:
    examples, batch = 45, 8
    order = np.full(48, -1)
    order[:examples] = rng.permutation(examples)
    inputs, targets = rng.uniform(size=(examples, 12)), np.eye(5)[rng.integers(0, 5, examples)]
    order = order.reshape(-1, batch)
    return Work(
        network, settling, nudging, order, np.linspace(1, 0.1, len(order)), nudging.betas(len(order), 0, 0),
        inputs.astype(dtype), targets.astype(dtype),
    )  # fmt: skip


@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize(
    ("network", "settling", "nudging"),
    [
        (EFP, Settling(9, 5), Nudging(weight_decay=1e-3)),
        (EFP, Settling(20, 10, step=0.5), Nudging(constant=False, sides="positive")),
        (EFP, Settling(200, 5, tolerance=1e-6), Nudging(beta=0.1, sides="random")),
        (DEEP, Settling(12, 6), Nudging(rule="contrastive")),
        (EP, Settling(20, 4, step=0.5, clipped=True), Nudging(constant=False, sides="random", rule="contrastive")),
        (EP, Settling(20, 4, step=0.5, clipped=True), Nudging(constant=False, rule="contrastive")),
        (LOOP, Settling(3, 3), Nudging(weight_decay=1e-3)),
        (LOOP, Settling(5, 4), Nudging(sides="positive", rule="contrastive")),
        (LOOP, Settling(8, 8, step=0.5), Nudging(sides="positive", rule="contrastive", constant=False)),
        (DEEP_LOOP, Settling(8, 8, step=0.5), Nudging(constant=False)),
        (DEEP_LOOP, Settling(8, 8, step=0.5), Nudging(rule="contrastive")),
        (FREE, Settling(20, 4, step=0.5), Nudging(constant=False)),
    ],
)
def test_julia_and_torch_learn_the_same(network, settling, nudging, persistent: bool, julia) -> None:
    given = work(network, settling, nudging)
    found = []
    for backend in (julia_backend, torch_backend):
        weights = network.initial(1, np.float64)
        kept = np.zeros((45, sum(network.sizes[1:]))) if persistent else None
        first = backend.learn(given, weights, kept)
        again = backend.learn(given, weights, kept)
        states = backend.settle(network, settling, weights, given.inputs, 7)
        found.append((first, again, weights, kept, states))
    (a, b, mine, held, states), (c, d, theirs, also_held, other) = found
    for one, two in ((a, c), (b, d)):
        assert one.lost is two.lost is None
        np.testing.assert_array_equal(one.wrong, two.wrong)
        np.testing.assert_array_equal(one.steps, two.steps)
        np.testing.assert_allclose(one.distance, two.distance, rtol=1e-10)
        np.testing.assert_allclose(one.change, two.change, atol=1e-10)
    for one, two in zip([*mine.links, *mine.biases], [*theirs.links, *theirs.biases], strict=True):
        np.testing.assert_allclose(one, two, rtol=0, atol=1e-10)
    for one, two in zip(states.states, other.states, strict=True):
        np.testing.assert_allclose(one, two, rtol=0, atol=1e-10)
    if persistent:
        np.testing.assert_allclose(held, also_held, rtol=0, atol=1e-10)
    moved = [np.abs(w - w0).max() for w, w0 in zip(mine.links, network.initial(1, np.float64).links, strict=True)]
    assert all((m > 0) == (link.rate > 0) for m, link in zip(moved, network.links, strict=True))
