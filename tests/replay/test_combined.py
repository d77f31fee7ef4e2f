"""Parts beside each other: what one of them promises holds whatever others do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from sharpwave.data import load
from sharpwave.replay import (
    BrainInspiredReplay,
    ExperienceReplay,
    GreedySampler,
    Homeostasis,
    LatentReplay,
    Learner,
    RectifiedOutputs,
    Reservoir,
    RestingReplay,
    Settings,
    SleepReplay,
    StreamingDiscriminant,
    SynapticIntelligence,
    learn_offline,
    split_stream,
)
from sharpwave.replay.part import Part

DIGITS = load("digits")
BUDGET = 300 * (64 + 2 + 2 + 8)
QUICK = Settings(hidden=(40, 30), learning_rate=3e-3, batch=32, iterations=20)


def test_old_examples_of_two_parts_share_the_weight_of_old_ones() -> None:
    one, other = ExperienceReplay(BUDGET, batch=8), LatentReplay(BUDGET, (2,), batch=24)
    learner = Learner(split_stream(DIGITS), QUICK, [one, other], 0)
    for place in range(3):
        learner.learn(place)
    learner.place = 3
    batch = learner.batch(learner.stream.tasks[3].train, np.arange(32), 3)
    state = learner.arrays()
    new = learner.plain_loss(batch)
    losses = one.again(8), other.again(24)
    head = list(learner.network.head.parameters())
    wanted = torch.autograd.grad(new / 4 + 3 / 4 * (8 * losses[0] + 24 * losses[1]) / 32, head)
    learner.restore(state)
    learner.place = 3
    learner.step(batch)
    for weights, gradient in zip(head, wanted, strict=True):
        assert weights.grad is not None
        torch.testing.assert_close(weights.grad, gradient, rtol=1e-4, atol=1e-6)


def test_where_no_borders_are_told_old_examples_of_two_parts_count_as_new_ones_do() -> None:
    shares = []

    class Looks(Part):
        def after(self, batch) -> None:
            shares.append(self.learner.share(sum(part.batch for part in self.learner.parts[:2])))

    parts = [ExperienceReplay(BUDGET, when="step", batch=number) for number in (32, 64)]
    learn_offline(Learner(split_stream(DIGITS), QUICK, [*parts, Looks()], 0), 4)
    assert shares == [0.25] * 4


@pytest.mark.parametrize("other", [lambda: StreamingDiscriminant(), lambda: BrainInspiredReplay(level=1)])
def test_sleep_does_not_go_with_parts_that_keep_layers_as_they_are(other) -> None:
    settings = replace(QUICK, bias=False)
    with pytest.raises(
        ValueError, match=f"sleep changes all layers, but {type(other()).__name__} keeps the lower ones"
    ):
        Learner(split_stream(DIGITS), settings, [SleepReplay(), other()], 0)


@pytest.mark.parametrize("other", [StreamingDiscriminant, lambda: LatentReplay(BUDGET)])
def test_what_goes_on_from_layers_does_not_go_with_networks_that_are_thrown_away(other) -> None:
    part = other()
    if isinstance(part, StreamingDiscriminant):
        part.scores = Part.scores.__get__(part)  # the first of them answers
    learner = Learner(split_stream(DIGITS), QUICK, [GreedySampler(BUDGET), part], 0)
    with pytest.raises(ValueError, match=f"is there to learn \\({type(part).__name__}\\) would not outlive"):
        learner.learn(0)


@pytest.mark.parametrize("level", [1, 2])
def test_layers_that_are_kept_are_kept_while_others_become_smaller(level: int) -> None:
    parts = [LatentReplay(BUDGET, (level,)), RestingReplay(BUDGET, every=5, downscaled=0.1)]
    learner = Learner(split_stream(DIGITS), QUICK, parts, 0)
    learner.learn(0)
    before = [layer.weight.detach().clone() for layer in learner.network.hidden]
    learner.learn(1)
    same = [torch.equal(layer.weight, was) for layer, was in zip(learner.network.hidden, before, strict=True)]
    assert same == [True, level == 2]


def test_a_rest_of_dreams_alone_does_not_make_weights_smaller() -> None:
    part = RestingReplay(BUDGET, when="step", every=4, rem=1.0, downscaled=0.5)
    learner = Learner(split_stream(DIGITS), QUICK, [part], 0)
    learner.learn(0)
    part.dream = lambda number: learner.network.head.bias.sum() * 0  # type: ignore[method-assign]
    before = [layer.weight.detach().clone() for layer in learner.network.hidden]
    learner.optimizer = torch.optim.SGD(learner.network.parameters(), lr=0.1)
    part.rest(32)
    assert all(torch.equal(layer.weight, was) for layer, was in zip(learner.network.hidden, before, strict=True))


def test_a_rest_after_a_short_batch_is_of_batches_as_they_came_on_the_average() -> None:
    numbers = []

    class Looks(RestingReplay):
        def rest(self, number: int) -> None:
            numbers.append(number)

    learner = Learner(split_stream(DIGITS), QUICK, [Looks(BUDGET, when="step", every=3)], 0)
    train = learner.stream.tasks[0].train
    for size in (32, 32, 2, 30, 31, 32):
        learner.step(learner.batch(train, np.arange(size), 0))
    assert numbers == [22, 31]


@pytest.mark.parametrize("make", [Homeostasis, lambda: SynapticIntelligence(1.0)])
def test_the_order_of_parts_says_nothing_about_initial_weights(make) -> None:
    ends = []
    for turned in (1, -1):
        parts = [make(), RectifiedOutputs(dropout=0.0)][::turned]
        learner = Learner(split_stream(DIGITS), replace(QUICK, learning_rate=0.01), parts, 0)
        for place in (0, 1):
            learner.learn(place)
        ends.append(learner.network.state_dict())
    for name in ends[0]:
        torch.testing.assert_close(ends[0][name], ends[1][name], rtol=0, atol=0)


def test_where_borders_are_not_told_a_store_does_not_tell_tasks_apart() -> None:
    part = ExperienceReplay(BUDGET, Reservoir(), when="step")
    learner = Learner(split_stream(DIGITS, "domain"), QUICK, [part], 0)
    learn_offline(learner, 20)
    held = part.store.take(np.arange(part.store.size))
    assert set(held["task"]) == {0}
    assert set(part.store.offered) == {0, 1}


def test_random_numbers_of_one_thing_are_not_those_of_another() -> None:
    part = ExperienceReplay(BUDGET)
    learner = Learner(split_stream(DIGITS), QUICK, [part], 3)
    fresh = torch.Generator().manual_seed(3)
    assert not torch.equal(torch.rand(5, generator=fresh), torch.rand(5, generator=learner.generator))
    assert part.store.random.random() != np.random.Generator(np.random.Philox(key=3)).random()
