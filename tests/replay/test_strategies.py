"""Strategies: each keeps more than nothing does, within its budget."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from continual_runs import BUDGET, DIGITS, QUICK, experiment
from sharpwave.forward import Comparison, DenseLayers, SignalPropagation
from sharpwave.replay import (
    AveragedGradients,
    ClassBalanced,
    ContinualExperiment,
    DarkReplay,
    Exemplars,
    ExperienceReplay,
    ForwardLearner,
    Herding,
    Homeostasis,
    LatentReplay,
    Learner,
    NearestAnswers,
    Part,
    RectifiedOutputs,
    Settings,
    SleepReplay,
    StreamingDiscriminant,
    herded,
    learn_offline,
    learn_online,
    metric,
    split_stream,
    strategies,
)
from sharpwave.replay.part import Batch
from sharpwave.replay.storing import Stored

NAMES = [name for name in strategies("class", 1) if name not in ("none", "EWC", "SI", "LwF")]
KEPT = {  # strategies whose parts all store inputs
    name: made
    for name, made in strategies("class", BUDGET).items()
    if name in NAMES and all(isinstance(part, Stored) and not isinstance(part, LatentReplay) for part in made())
} | {"herded replay": lambda: [ExperienceReplay(BUDGET, Herding())]}


@pytest.fixture(scope="module")
def nothing() -> float:
    return experiment("none").run().metrics["accuracy"]


# what a part of them needs: centres of 256 vectors that are paid for, and time for dreams to be of something
MORE = {"quantised latent replay": {"budget": BUDGET + 256 * 80 * 4}}
LEAST = {"A-GEM": 0.05, "generative replay": 0.1, "brain-inspired replay": 0.15}


@pytest.mark.parametrize("name", NAMES)
def test_less_is_forgotten(name: str, nothing: float) -> None:
    settings = replace(QUICK, learning_rate=3e-4) if name == "A-GEM" else QUICK  # its steps are none of Adam's
    found = experiment(name, settings=settings, **MORE.get(name, {})).run()
    assert found.metrics["accuracy"] > nothing + LEAST.get(name, 0.4)
    for part in found.learner.parts:
        if hasattr(part, "store"):
            assert part.store.bytes <= MORE.get(name, {"budget": BUDGET})["budget"]


def test_tasks_are_learned_in_order_and_once() -> None:
    learner = Learner(split_stream(DIGITS), Settings((8,), batch=32, iterations=1), [], 0)
    with pytest.raises(ValueError, match="0 of 5 have been, and task 1 is not the next one"):
        learner.learn(1)
    learner.learn(0)
    with pytest.raises(ValueError, match="1 of 5 have been, and task 0 is among them"):
        learner.learn(0)
    with pytest.raises(ValueError, match="and task 7 is none"):
        learner.learn(7)


def test_all_tasks_at_once_are_learned_best() -> None:
    learner = Learner(split_stream(DIGITS), QUICK, [], 0)
    learn_offline(learner)
    assert np.mean([learner.accuracy(place) for place in range(5)]) > 0.93
    with pytest.raises(ValueError, match="has learned nothing; this one has learned 5 tasks"):
        learn_offline(learner)


def test_a_strategy_of_ones_own_is_a_few_lines() -> None:
    class Rehearsal(ExperienceReplay):
        def __init__(self) -> None:
            super().__init__(BUDGET, ClassBalanced(3))

    found = ContinualExperiment(stream=split_stream(DIGITS), strategy=lambda: [Rehearsal()], settings=QUICK).run()
    assert found.learner.parts[0].store.size == 30
    assert found.accuracy.shape == (5, 5)
    assert found.metrics["accuracy"] == pytest.approx(metric("accuracy", found.accuracy.values))


def test_pictures_show_all_tasks() -> None:
    found = experiment("experience replay", settings=Settings((20,), batch=32, iterations=5)).run()
    matrix, curves = found.plot_matrix(), found.plot_curves()
    assert len(matrix.axes[0].texts) == 25
    assert [line.get_label() for line in curves.axes[0].lines] == [
        *map(str, found.accuracy["task"].values),
        "all so far",
    ]


@pytest.mark.parametrize(
    "method",
    [
        SignalPropagation(layers=DenseLayers((60, 60), dropout=0.0)),
        Comparison("feedback-alignment", DenseLayers((60, 60)), learning_rate=3e-3),
    ],
    ids=["sigprop", "alignment"],
)
def test_networks_without_a_backward_pass_replay_too(method, tmp_path) -> None:
    def trained(parts, **options):
        return ContinualExperiment(
            stream=split_stream(DIGITS), strategy=parts, settings=QUICK, learner=partial(ForwardLearner, method=method),
            **options,
        )  # fmt: skip

    nothing, replay = trained(list).run(), trained(lambda: [ExperienceReplay(BUDGET)]).run()
    assert replay.metrics["accuracy"] > nothing.metrics["accuracy"] + 0.3
    path = tmp_path / "training.npz"

    class Stop(Part):
        def begin(self, place: int) -> None:
            if place == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(lambda: [ExperienceReplay(BUDGET), Stop()], checkpoint=path).run()
    went_on = trained(lambda: [ExperienceReplay(BUDGET), type("Stop", (Part,), {})()], checkpoint=path).run(resume=True)
    np.testing.assert_array_equal(went_on.accuracy.values, replay.accuracy.values)


@pytest.mark.parametrize(
    "part", [ExperienceReplay(BUDGET).scored("loss"), AveragedGradients(BUDGET), DarkReplay(BUDGET)]
)
def test_networks_without_a_backward_pass_refuse_what_they_cannot_do(part: Part) -> None:
    with pytest.raises(ValueError, match=f"{type(part).__name__} adds to losses, changes gradients or answers"):
        ForwardLearner(split_stream(DIGITS), QUICK, [part], 0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: [Homeostasis()], lambda: [RectifiedOutputs()], lambda: [SleepReplay()], lambda: [Exemplars(BUDGET)],
        lambda: [StreamingDiscriminant()], lambda: [one := ExperienceReplay(BUDGET), NearestAnswers(one)],
        lambda: [ExperienceReplay(BUDGET, Herding())],
    ],
    ids=["homeostasis", "rectified", "sleep", "exemplars", "discriminant", "answers", "herding"],
)  # fmt: skip
def test_networks_without_a_backward_pass_refuse_parts_that_need_another_network_before_they_learn(make) -> None:
    with pytest.raises(ValueError, match="Use parts that show stored examples beside new ones"):
        ForwardLearner(split_stream(DIGITS), QUICK, make(), 0)


def test_bytes_are_those_of_all_that_is_kept_but_the_network_and_optimizers() -> None:
    found = experiment("brain-inspired replay", settings=replace(QUICK, iterations=2)).run()
    (part,) = found.learner.parts

    def numbers(*modules) -> int:
        return sum(one.numel() * one.element_size() for module in modules for one in module.state_dict().values())

    assert found.bytes == numbers(part.latents, part.feedback, *part.old)
    dreaming = experiment("generative replay", settings=replace(QUICK, iterations=2)).run()
    (part,) = dreaming.learner.parts
    assert dreaming.bytes == numbers(part.generator, *part.old)


@pytest.mark.parametrize("name", KEPT)
def test_stores_hold_training_examples_of_tasks_that_have_been_and_no_others(name: str) -> None:
    stream, parts = split_stream(DIGITS), KEPT[name]()
    learner = Learner(stream, replace(QUICK, iterations=10), parts, 0)
    for place in range(3):
        learner.learn(place)
        seen = [row.tobytes() for task in stream.tasks[: place + 1] for row in task.train.pixels[task.train.rows]]
        for part in parts:
            held = part.store.take(np.arange(part.store.size))["x"]
            assert len(held) > 20
            assert {row.tobytes() for row in held} <= set(seen)


def test_a_herding_store_holds_the_herded_examples_of_each_class() -> None:
    part = ExperienceReplay(BUDGET // 5, Herding())
    learner = Learner(split_stream(DIGITS), QUICK, [part], 0)
    learner.learn(0)
    first = learner.stream.tasks[0].train
    features = part.direction(torch.from_numpy(first.inputs())).detach().numpy()
    wanted = []
    for k in (0, 1):
        own = np.flatnonzero(first.labels == k)
        wanted += [first.pixels[first.rows[place]] for place in own[herded(features[own], 6)]]
    np.testing.assert_array_equal(part.store.take(np.arange(part.store.size))["x"], wanted)


def test_in_a_stream_without_borders_all_examples_of_a_step_count_alike() -> None:
    weights = set()

    class Looks(ExperienceReplay):
        def loss_beside(self, beside: Batch) -> torch.Tensor:
            weights.add(round(1 - self.learner.share(len(beside)), 6))
            return super().loss_beside(beside)

    learner = Learner(split_stream(DIGITS), QUICK, [Looks(BUDGET, when="step", batch=30)], 0)
    learn_online(learner, batch=10)
    assert weights == {0.75, round(30 / 38, 6)}  # the last step has 8 new examples
