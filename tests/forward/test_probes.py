"""What learning costs, where it goes, when errors arrive, and what is dead."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from sharpwave.forward import (
    Link,
    Nudging,
    RateNetwork,
    Settling,
    SigProp,
    SigPropRule,
    energy_network,
    error_forward_network,
)
from sharpwave.forward.costs import SavedBytes, cost_by_block, cost_of_a_batch
from sharpwave.forward.probes import alignment, find_collapse
from sharpwave.forward.rate_probes import arrival, rate_alignment
from sharpwave.forward.taught import AlignedBlocks, Backpropagated, DirectlyTaught

X = torch.rand(64, 10, generator=torch.Generator().manual_seed(0))
Y = (X[:, :3] * torch.tensor([1.0, 1.1, 1.2])).argmax(1)


def layers(depth: int, width: int = 32) -> nn.Sequential:
    torch.manual_seed(0)
    sizes = (10, *(width,) * depth)
    return nn.Sequential(*[one for a, b in pairwise(sizes) for one in (nn.Linear(a, b), nn.ReLU())])


def test_memory_is_freed_as_it_is_counted() -> None:
    x = torch.ones(1000, requires_grad=True)
    with SavedBytes() as saved:
        for _ in range(5):
            torch.autograd.backward([x.exp().sum()])
    assert saved.peak == 4000
    with SavedBytes() as saved:
        kept = [x.exp().sum() for _ in range(5)]
    assert len(kept) == 5
    assert saved.peak == 20_000


def test_memory_does_not_grow_with_depth_where_layers_learn_as_the_pass_reaches_them() -> None:
    peaks: dict[str, list[int]] = {"sigprop": [], "backprop": []}
    for depth in (2, 8, 16):
        one = SigProp(layers(depth), 3, X[0], SigPropRule(), 10)
        other = Backpropagated(layers(depth), 3, X[0], 1e-3, 10)
        peaks["sigprop"].append(cost_of_a_batch(one, X, Y, 1).bytes)
        peaks["backprop"].append(cost_of_a_batch(other, X, Y, 1).bytes)
    assert max(peaks["sigprop"]) == min(peaks["sigprop"])
    assert peaks["backprop"][2] > 5 * peaks["backprop"][0]
    blocks = cost_by_block(SigProp(layers(4), 3, X[0], SigPropRule(), 10), X, Y)
    assert len(blocks) == 4
    assert all(block.bytes > 0 and block.seconds > 0 for block in blocks)


def test_steps_are_compared_with_those_of_backpropagation() -> None:
    plain = Backpropagated(layers(3), 3, X[0], 1e-3, 10)
    nn.init.normal_(plain.readout.weight)
    direct, aligned = (kind(layers(3), 3, X[0], 1e-3, 10) for kind in (DirectlyTaught, AlignedBlocks))
    for one in (direct, aligned):
        nn.init.normal_(one.readout.weight)
    before = {name: array.clone() for name, array in direct.blocks[1].state_dict().items()}
    angles = alignment(direct, X, Y)
    assert len(angles) == 3
    assert all(20 < angle < 160 for angle in angles)
    for name, array in direct.blocks[1].state_dict().items():
        torch.testing.assert_close(array, before[name])
    assert max(alignment(plain, X, Y)) < 0.1
    assert 5 < alignment(aligned, X, Y)[0] < 175
    # The last block's step is the gradient of its own loss, which is that of the whole network for it.
    own = alignment(SigProp(layers(3), 3, X[0], SigPropRule(), 10), X, Y)
    assert own[-1] < 0.1
    assert all(0 <= angle <= 180 for angle in own)


def maps() -> nn.Sequential:
    torch.manual_seed(0)
    first = nn.Unflatten(1, (1, 2, 5)), nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.LeakyReLU(0.01)
    return nn.Sequential(*first, nn.Flatten(), nn.Linear(80, 32), nn.LeakyReLU(0.01))


@pytest.mark.parametrize("network", [lambda: layers(3), maps])
@pytest.mark.parametrize(("loss", "dead"), [("distance", True), ("classes", False)])
def test_a_layer_that_says_nothing_is_named(loss: str, dead: bool, network) -> None:
    one = SigProp(network(), 3, X[0], SigPropRule(loss=loss, learning_rate=0.01), 1000)
    assert find_collapse(one, X) is None
    for _ in range(600):
        one.learn(X, Y)
    found = find_collapse(one, X)
    assert (found is not None) == dead
    if found is not None:
        assert str(found).startswith(f"block {found.block} has collapsed: examples differ by")


@pytest.mark.parametrize("constant", [True, False])
def test_errors_go_round_the_loop_one_layer_a_step(constant: bool) -> None:
    sizes, draw = (6, 20, 20, 20, 3), np.random.default_rng(0)
    x, d = draw.uniform(size=(8, 6)), np.eye(3)[draw.integers(0, 3, 8)]
    settling, nudging = Settling(60, 8), Nudging(constant=constant)
    forward = error_forward_network(sizes, (1.0,) * 4)
    changes, first = arrival(forward, settling, nudging, forward.initial(0, np.float64), x, d)
    assert changes.shape == (8, 4)
    assert first.tolist() == [2, 3, 4, 1]  # outputs, then by the loop to the first layer, and on
    both = energy_network(sizes, (1.0,) * 4)
    settling = Settling(60, 8, step=0.5, clipped=True)
    _, first = arrival(both, settling, nudging, both.initial(0, np.float64), x, d)
    assert first.tolist() == [4, 3, 2, 1]  # from the outputs back


def test_what_links_learn_is_compared_with_the_gradient_through_all_steps() -> None:
    draw = np.random.default_rng(0)
    x, d = draw.uniform(size=(40, 6)), np.eye(3)[draw.integers(0, 3, 40)]
    # equilibrium propagation is the gradient where no state is at a border, for a small nudge and settled states
    both = energy_network((6, 20, 3), (1.0,) * 2)
    weights, small = both.initial(0, np.float64), Nudging(0.01, constant=False, rule="contrastive")
    for w in weights.links:
        w *= 0.2
    for b in weights.biases:
        b += 0.4
    angles = rate_alignment(both, Settling(100, 100, step=0.5), small, weights, x, d)
    assert angles.shape == (3,)
    assert angles.max() < 1
    # of a chain without feedback, the last link alone has its gradient, the first learns nothing
    chain = RateNetwork((6, 20, 3), (Link(0, 1, 0.1), Link(1, 2, 0.0)), (0.1, 0.1))
    first, last = rate_alignment(chain, Settling(3, 3), Nudging(0.1), chain.initial(0, np.float64), x, d)
    assert np.isnan(first)
    assert last < 45
    # nothing of what is probed changes
    before = weights.copy()
    rate_alignment(both, Settling(10, 5, step=0.5), small, weights, x, d)
    for mine, was in zip([*weights.links, *weights.biases], [*before.links, *before.biases], strict=True):
        np.testing.assert_array_equal(mine, was)
