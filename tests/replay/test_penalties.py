"""Controls without replay: what is kept of weights, and of what they said, is what sources say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from sharpwave.data import load
from sharpwave.replay.continual import ContinualExperiment
from sharpwave.replay.draws import torch_seed
from sharpwave.replay.learner import Learner
from sharpwave.replay.network import Settings
from sharpwave.replay.part import Part
from sharpwave.replay.penalties import ElasticWeightConsolidation, LearningWithoutForgetting, SynapticIntelligence
from sharpwave.replay.protocols import permuted_stream, split_stream

DIGITS = load("digits")
QUICK = Settings(hidden=(60, 60), learning_rate=3e-3, batch=32, iterations=120)


@pytest.mark.parametrize(
    ("part", "factor"), [(ElasticWeightConsolidation(3.0), 1.5), (SynapticIntelligence(3.0), 3.0)], ids=["EWC", "SI"]
)
def test_a_penalty_is_the_square_of_the_way_by_importance(part, factor: float) -> None:
    learner = Learner(split_stream(DIGITS), QUICK, [part], 0)
    loss = torch.tensor(2.0)
    batch = learner.batch(learner.stream.tasks[0].train, np.arange(4), 0)
    assert part.loss(batch, loss) == loss
    learner.learn(0)
    learner.place = 1
    added = torch.zeros(())
    with torch.no_grad():
        for w, importance in zip(learner.network.parameters(), part.importance, strict=True):
            assert float(importance.min()) >= 0 < float(importance.max())
            w.add_(0.1)
            added += 0.01 * importance.sum()
    torch.testing.assert_close(part.loss(batch, loss), loss + factor * added)


def test_importance_is_what_weights_have_lowered_the_loss_by_over_the_square_of_their_way() -> None:
    part = SynapticIntelligence(1.0, damping=0.2)

    class Watching(Part):
        def start(self, learner: Learner) -> None:
            self.before = self.first = learner.network.head.weight.detach().clone()
            self.lowered = torch.zeros_like(self.before)

        def after(self, batch) -> None:
            now, g = self.learner.network.head.weight.detach().clone(), self.learner.network.head.weight.grad
            self.lowered -= g * (now - self.before)
            self.before = now

    watching = Watching()
    watching.learner = learner = Learner(split_stream(DIGITS), QUICK, [part, watching], 0)
    learner.learn(0)
    wanted = (watching.lowered / ((watching.before - watching.first).square() + 0.2)).clamp(min=0)
    found = dict(zip((name for name, _ in learner.network.named_parameters()), part.importance, strict=True))
    torch.testing.assert_close(found["head.weight"], wanted)


@pytest.mark.parametrize(
    "part", [ElasticWeightConsolidation(1000.0), SynapticIntelligence(10.0), LearningWithoutForgetting()]
)
def test_with_penalties_less_is_forgotten(part: Part) -> None:
    forgotten = []
    for parts in ([], [part]):
        experiment = ContinualExperiment(
            stream=permuted_stream(DIGITS, tasks=4), strategy=lambda parts=parts: parts, settings=QUICK
        )
        forgotten.append(experiment.run().metrics["forgetting"])
    assert forgotten[1] < forgotten[0] - 0.1


def test_information_is_found_in_networks_without_biases_too() -> None:
    settings = Settings((20,), 1e-3, 32, 5, bias=False)
    part = ElasticWeightConsolidation(1.0)
    Learner(split_stream(DIGITS), settings, [part], 0).learn(0)
    assert [bool((one > 0).any()) for one in part.importance] == [True, True]


@pytest.mark.parametrize("active", ["known", "all"])
def test_what_was_said_before_is_kept_beside_classes_that_are_new(active) -> None:
    part = LearningWithoutForgetting()
    learner = Learner(replace(split_stream(DIGITS), active=active), QUICK, [part], 0)
    learner.learn(0)
    learner.place = 1
    part.begin(1)
    torch.nn.init.normal_(learner.network.head.weight)
    batch = learner.batch(learner.stream.tasks[1].train, np.arange(20), 1)
    now, then = learner.network(batch.x), part.old(batch.x)
    if active == "known":
        now, then = now[:, :4], torch.cat([then[:, :2], torch.full((20, 2), -torch.inf)], dim=1)
    kept = -((then / 2).softmax(1) * (now / 2).log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(part.loss(batch, torch.ones(())), 1 + kept)


def information(learner: Learner, place: int, some: np.ndarray) -> list[torch.Tensor]:
    """Mean of the squares of gradients of single examples, of all labels by what the network says of them."""
    x, network = torch.from_numpy(learner.stream.tasks[place].train.inputs(some)), learner.network
    weights, found = list(network.parameters()), [torch.zeros_like(w) for w in network.parameters()]
    outputs = list(learner.stream.competing(place))
    for example in x:
        said = network(example[None])[0, outputs].log_softmax(0)
        for one in said:
            for square, g in zip(found, torch.autograd.grad(one, weights, retain_graph=True), strict=True):
                square += one.detach().exp() * g.square() / len(some)
    return found


def test_information_is_the_mean_square_of_gradients_of_single_examples() -> None:
    part = ElasticWeightConsolidation(1.0, examples=40)
    learner = Learner(split_stream(DIGITS, "task"), QUICK, [part], 3)
    learner.learn(0)
    generator = torch.Generator().manual_seed(torch_seed(3, "steps"))  # the same draw again
    some = torch.randperm(len(learner.stream.tasks[0].train), generator=generator)[:40].numpy()
    torch.testing.assert_close(part.importance, information(learner, 0, some), rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("scenario", ["task", "class"])
def test_one_penalty_differs_from_those_of_all_tasks_by_a_constant(scenario) -> None:
    part = ElasticWeightConsolidation(100.0)
    learner = Learner(split_stream(DIGITS, scenario), QUICK, [part], 0)
    weights, kept = list(learner.network.parameters()), []
    for place in (0, 1):
        learner.learn(place)
        every = np.arange(len(learner.stream.tasks[place].train))
        kept.append((information(learner, place, every), [w.detach().clone() for w in weights]))
    learner.place, differences = 2, []
    batch = learner.batch(learner.stream.tasks[2].train, np.arange(4), 2)
    for _ in range(3):
        with torch.no_grad():
            for w in weights:
                w.add_(0.01 * torch.randn_like(w))
            found = part.loss(batch, torch.zeros(()))
            rows = [row for one in kept for row in zip(weights, *one, strict=True)]
            penalties = [50 * (f * (w - w0).square()).sum() for w, f, w0 in rows]
            differences.append(float(found - sum(penalties)))
    assert differences[0] < -1e-4
    assert np.ptp(differences) < 0.01 * abs(differences[0])
