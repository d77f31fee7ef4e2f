"""What is learned beside new examples goes through the network with them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sharpwave.data import load
from sharpwave.replay import (
    ClassBalanced,
    ExperienceReplay,
    Learner,
    LearningWithoutForgetting,
    Part,
    RectifiedOutputs,
    Settings,
    split_stream,
)
from sharpwave.replay.part import Batch
from sharpwave.replay.replaying import Replaying

DIGITS = load("digits")
BUDGET = 300 * (64 + 2 + 2 + 8)
QUICK = Settings(hidden=(40, 30), learning_rate=3e-3, batch=32, iterations=60)


class _OneAfterTheOther(Replaying):
    """Experience replay that runs stored examples through the network by themselves."""

    def __init__(self, budget: int) -> None:
        super().__init__(budget, ClassBalanced())

    def loss(self, batch: Batch, loss: torch.Tensor) -> torch.Tensor:
        if not self.store.size:
            return loss
        return self.learner.weighed(loss, self.again(len(batch)), len(batch))


@pytest.mark.parametrize("scorer", [None, "loss", "novelty"])
def test_new_and_stored_examples_go_through_the_network_in_one_pass_to_the_same_end(scorer: str | None) -> None:
    learners, passes = [], []
    for part in (ExperienceReplay(BUDGET), _OneAfterTheOther(BUDGET)):
        if scorer:
            part.scored(scorer)
        learner = Learner(split_stream(DIGITS), QUICK, [part], 0)
        learner.learn(0)
        seen = []
        learner.network.layers[0].register_forward_hook(lambda layer, given, found, seen=seen: seen.append(len(found)))
        learner.step(learner.batch(learner.stream.tasks[1].train, np.arange(32), 1))
        learners.append(learner)
        passes.append(seen)
    assert passes == [[64], [32, 32]]
    one, other = (learner.network.state_dict() for learner in learners)
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=1e-4, atol=1e-6)


def test_what_a_part_has_learned_beside_new_examples_counts_by_the_number_of_tasks() -> None:
    class Beside(Part):
        def beside(self, batch: Batch) -> Batch | None:
            return self.learner.batch(self.learner.stream.tasks[0].train, np.arange(8), 0)

    learner = Learner(split_stream(DIGITS), Settings((20,), 1e-3, 32, 5), [Beside()], 0)
    learner.learn(0)
    learner.learn(1)
    learner.place = 2
    batch, old = (learner.batch(learner.stream.tasks[task].train, np.arange(8), task) for task in (2, 0))
    wanted = learner.plain_loss(batch) / 3 + 2 * learner.plain_loss(old) / 3
    gradients = torch.autograd.grad(wanted, list(learner.network.parameters()))
    learner.step(batch)
    for weights, gradient in zip(learner.network.parameters(), gradients, strict=True):
        assert weights.grad is not None
        torch.testing.assert_close(weights.grad, gradient, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("batches", [1, 2])
def test_where_the_loss_of_new_examples_is_replaced_only_stored_ones_are_seen_beforehand(batches: int) -> None:
    replay = ExperienceReplay(BUDGET, when="step")
    learner = Learner(split_stream(DIGITS), QUICK, [RectifiedOutputs(), replay], 0)
    seen: list[int] = []
    learner.network.layers[0].register_forward_hook(lambda layer, given, found: seen.append(len(found)))
    for _ in range(batches):
        learner.step(learner.batch(learner.stream.tasks[0].train, np.arange(32), 0))
    assert seen == [32, 32, 32][: 2 * batches - 1]


def test_what_the_network_says_of_new_examples_is_worked_out_once_for_their_loss_and_for_what_is_kept() -> None:
    learner = Learner(split_stream(DIGITS), QUICK, [LearningWithoutForgetting()], 0)
    learner.learn(0)
    part = learner.parts[0]
    part.begin(1)
    seen: list[int] = []
    learner.network.layers[0].register_forward_hook(lambda layer, given, found: seen.append(len(found)))
    learner.step(learner.batch(learner.stream.tasks[1].train, np.arange(32), 1))
    assert seen == [32]
