"""What streams, stores, parts and settings refuse, before anything is learned, and how they say it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sharpwave.data import load
from sharpwave.forward import DivergedError
from sharpwave.replay.continual import ContinualExperiment
from sharpwave.replay.discriminant import StreamingDiscriminant
from sharpwave.replay.elements import LeastWorth, NearestAnswers, NoveltyPaced
from sharpwave.replay.episodes import Episode, EpisodeStore, Transition, learn_values, ordered
from sharpwave.replay.exemplars import Exemplars
from sharpwave.replay.generative import BrainInspiredReplay, GenerativeReplay
from sharpwave.replay.greedy import GreedySampler
from sharpwave.replay.herding import Herding, herded
from sharpwave.replay.interfered import InterferedReplay
from sharpwave.replay.latent import LatentReplay, QuantisedReplay
from sharpwave.replay.learner import Learner
from sharpwave.replay.metrics import forward_transfer, omega
from sharpwave.replay.network import Settings
from sharpwave.replay.offline import learn_offline
from sharpwave.replay.online import learn_online
from sharpwave.replay.part import Part
from sharpwave.replay.passes import single_pass
from sharpwave.replay.penalties import ElasticWeightConsolidation, LearningWithoutForgetting, SynapticIntelligence
from sharpwave.replay.protocols import one_after_another, rotated_stream, split_stream
from sharpwave.replay.replaying import AveragedGradients, DarkReplay, ExperienceReplay
from sharpwave.replay.sequence_memory import SequenceMemory
from sharpwave.replay.sleep import SleepRule, sleep
from sharpwave.replay.sleep_replay import RectifiedOutputs, SleepReplay
from sharpwave.replay.stores import ClassBalanced, Field, Reservoir, Store
from sharpwave.replay.streams import Examples, Stream, Task

DIGITS = load("digits")
STREAM = split_stream(DIGITS)
QUICK = Settings(hidden=(20, 20), learning_rate=3e-3, batch=16, iterations=12)
EPISODE = Episode(np.array([0, 1, 2]), np.array([0.0, 1.0]))
PIXELS, ROWS, LABELS = np.zeros((5, 4), dtype=np.uint8), np.arange(3), np.array([0, 1, 0])


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"pixels": np.full((5, 4), np.nan)}, "pixels must be a uint8 array .* got float64"),
        ({"pixels": PIXELS.astype(np.int64)}, "pixels must be a uint8 array .* got int64"),
        ({"pixels": PIXELS[0]}, r"\(images, features\), got uint8 \(4,\)"),
        ({"pixels": PIXELS.tolist()}, "got list"),
        ({"pixels": PIXELS + 17}, "pixels must be from 0 to 16, the value of a white one, got 17"),
        ({"largest": 0}, "largest must be the value of a white pixel, above 0 and at most 255, got 0"),
        ({"largest": 1000}, "above 0 and at most 255, got 1000"),
        ({"largest": np.nan}, "above 0 and at most 255, got nan"),
        ({"rows": np.array([0, 1, 5])}, "rows must be among the 5 images, got 5"),
        ({"rows": np.array([0, 1, -1])}, "rows must be whole numbers from 0, .* got -1"),
        ({"rows": ROWS[:2]}, "there must be a label for each row, got 3 for 2"),
        ({"labels": np.array([0, -1, 1])}, "labels must be whole numbers from 0, .* got -1"),
        ({"labels": LABELS * 0.5}, "labels must be whole numbers from 0, .* got float64"),
        ({"order": np.array([0, 1, 1, 2])}, "order must have each of 4 pixels once"),
    ],
)
def test_examples_that_are_none(given: dict, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        Examples(**{"pixels": PIXELS, "rows": ROWS, "labels": LABELS, "largest": 16, **given})


def test_labels_of_any_whole_numbers_are_learned() -> None:
    train, test = (replace(part, labels=part.labels.astype(np.int32)) for part in (STREAM.tasks[0].train,) * 2)
    assert train.labels.dtype == np.int64
    learner = Learner(Stream("one", "class", (Task("0", train, test, (0, 1)),), 2), QUICK, [], 0)
    learner.learn(0)
    assert learner.accuracy(0) > 0.8


def test_streams_that_are_none() -> None:
    first, second = STREAM.tasks[:2]
    none = replace(first.train, rows=ROWS[:0], labels=LABELS[:0])
    with pytest.raises(ValueError, match="task a has no training examples"):
        Task("a", none, first.test, (0, 1))
    with pytest.raises(ValueError, match="task a has no test examples"):
        Task("a", first.train, none, (0, 1))
    with pytest.raises(ValueError, match="examples of output 2, which is none of its outputs, 0, 1"):
        Task("a", first.train, second.test, (0, 1))
    with pytest.raises(ValueError, match="has output 3, but the network has only 3"):
        Stream("a", "class", (first, second), 3)
    cut = replace(first.train, pixels=first.train.pixels[:, :36].copy())
    with pytest.raises(ValueError, match="of one size, got 36 features in b and 64 in 0, 1"):
        Stream("a", "class", (first, Task("b", cut, cut, (0, 1))), 10)
    with pytest.raises(ValueError, match="angles must be finite"):
        rotated_stream(DIGITS, angles=(0, np.nan))
    missing = DIGITS.train_labels != 3
    holed = replace(DIGITS, train_images=DIGITS.train_images[missing], train_labels=DIGITS.train_labels[missing])
    with pytest.raises(ValueError, match="no training images of class 3"):
        split_stream(holed)
    with pytest.raises(ValueError, match="test images of class 10, of which there are none for training"):
        split_stream(replace(DIGITS, test_labels=DIGITS.test_labels + 1))
    with pytest.raises(ValueError, match="angles must be finite, and at least one"):
        rotated_stream(DIGITS, angles=())
    with pytest.raises(ValueError, match="expected at least one stream"):
        one_after_another([])
    with pytest.raises(ValueError, match="streams of the scenarios domain cannot be one of the scenario 'class'"):
        one_after_another([split_stream(DIGITS, "domain")])
    with pytest.raises(ValueError, match=r"have the same outputs, got \(2, 3\) in 2, 3 and \(0, 1\) in 0, 1"):
        Stream("a", "domain", (first, second), 4)
    brighter = Task("b", replace(second.train, largest=20), replace(second.test, largest=20), (2, 3))
    with pytest.raises(ValueError, match="must have one value, got 20 in b and 16 in 0, 1"):
        Stream("a", "class", (first, brighter), 10)
    with pytest.raises(ValueError, match="batch must be a whole number from 1 on, got 0"):
        next(single_pass(STREAM, 0, 0.0, 0))


def test_stores_refuse_what_is_no_number_and_what_is_no_policy() -> None:
    fields = {"x": Field((2,), np.float32), "y": Field((), np.int64)}
    store = Store(1000, fields, Reservoir())
    with pytest.raises(ValueError, match="x of items must be numbers, got NaN in item 1"):
        store.add({"x": np.array([[0, 1], [0, np.nan]], dtype=np.float32), "y": np.arange(2)})
    assert (store.size, store.seen) == (0, 0)
    with pytest.raises(ValueError, match="policy must be one, such as"):
        Store(1000, fields, Reservoir)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="budget must be a whole number"):
        Store(1000.5, fields, Reservoir())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: ExperienceReplay(1000, when="steps"), "unknown when 'steps': did you mean 'step'"),
        (lambda: ExperienceReplay(1000, batch=0), "batch must be a whole number from 1 on, got 0"),
        (lambda: AveragedGradients(1000, batch=-1), "batch must be a whole number from 1 on, got -1"),
        (lambda: DarkReplay(1000, batch=0), "batch must be a whole number from 1 on, got 0"),
        (lambda: DarkReplay(1000, alpha=np.nan), "alpha and beta must be finite"),
        (lambda: ExperienceReplay(1000).scored("loss", beta=np.inf), "alpha and beta must be finite"),
        (lambda: ClassBalanced(0), "most must be a whole number from 1 on, got 0"),
        (lambda: InterferedReplay(1000, candidates=0), "candidates must be a whole number from 1 on"),
        (lambda: InterferedReplay(1000, step=np.nan), "step must be positive"),
        (lambda: ElasticWeightConsolidation(-1.0), "strength must be finite and not negative, got -1.0"),
        (lambda: ElasticWeightConsolidation(1.0, examples=0), "examples must be a whole number from 1 on"),
        (lambda: SynapticIntelligence(np.nan), "strength must be finite and not negative, got nan"),
        (lambda: SynapticIntelligence(1.0, damping=0), "damping must be positive, got 0"),
        (lambda: LearningWithoutForgetting(0), "temperature must be positive, got 0"),
        (lambda: Exemplars(1000, temperature=0), "temperature must be positive, got 0"),
        (lambda: GenerativeReplay(target="features"), "target must be 'labels' or 'logits', got 'features'"),
        (lambda: BrainInspiredReplay(temperature=-1), "temperature must be positive, got -1"),
        (lambda: BrainInspiredReplay(shut=1.0), "shut must be from 0 to below 1"),
        (lambda: GreedySampler(1000, iterations=0), "iterations must be a whole number from 1 on"),
        (lambda: NoveltyPaced(1000, most=np.inf), "most must be at least 1"),
        (lambda: SleepRule(scale=np.nan), "must be positive"),
        (lambda: SleepReplay(backend="julai"), "julai"),  # type: ignore[arg-type]
        (lambda: Settings(hidden=400), "hidden must be the units of each layer"),  # type: ignore[arg-type]
        (lambda: Settings(batch=2.5), "batch must be a whole number"),  # type: ignore[arg-type]
        (lambda: Settings(learning_rate=np.inf), "learning_rate must be positive"),
        (lambda: SequenceMemory(np.ones((2, 4)), stride=0), "stride must be a whole number from 2 on"),
        (lambda: SequenceMemory(np.ones((2, 4)), backend="julai"), "julai"),  # type: ignore[arg-type]
        (lambda: Episode(np.array([0.5, 1]), np.array([0.0])), "states must be whole numbers"),
        (lambda: Episode(np.array([0, -1]), np.array([0.0])), "states must be whole numbers"),
        (lambda: Episode(np.array([0, 1]), np.array([np.nan])), "rewards must be finite"),
        (lambda: learn_values(np.zeros(3, dtype=np.int64), [], 0.5, 0.9), "values must be floats"),
        (lambda: learn_values(np.zeros(3), [], np.nan, 0.9), "rate must be above 0 and at most 1, got nan"),
        (lambda: learn_values(np.zeros(3), [Transition(0, 3, 0.0, 1)], 0.5, 0.9), "state 3 has no value: there are 3"),
        (
            lambda: ordered(EPISODE, "compressed", 0.9, np.random.default_rng(0), 0),
            "stride must be a whole number from 2",
        ),
        (lambda: ExperienceReplay(1000, Herding(), "step"), "Herding chooses among all examples of a task"),
        (lambda: BrainInspiredReplay(level=-1), "level must be a whole number from 0 on, got -1"),
        (lambda: omega([[0.5]], [0.9, 0.9]), "offline must be an accuracy from 0 to 1 for each of 1 tasks"),
        (lambda: omega([[0.5]], [0.0]), "offline must be above 0"),
        (lambda: forward_transfer([[0.5]], [np.nan]), "before must be an accuracy from 0 to 1"),
        (lambda: sleep([np.ones((1, 2))], np.array([[2, 0]]), SleepRule(thresholds=(1.0,))), "spikes must be 1 or 0"),
        (lambda: SequenceMemory(np.ones((2, 4))).keep(Episode(np.array([0, 2]), np.array([0.0]))), "no pattern"),
    ],
)
def test_parameters_that_are_none(make: Callable[[], object], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        make()


@pytest.mark.parametrize(
    ("strategy", "error"),
    [
        ([], "strategy must be a function that returns parts"),
        (ExperienceReplay, "strategy must be a function that returns parts"),
        (lambda: ExperienceReplay(20_000), "strategy must return a list of parts"),
        (lambda: [ExperienceReplay], "strategy must return a list of parts"),
        (lambda: [ExperienceReplay(20_000, Reservoir)], "policy must be one"),  # type: ignore[arg-type]
        (lambda: [QuantisedReplay(100, parts=4)], "100 bytes is no larger than the centres, of 20480 bytes"),
        (lambda: [Exemplars(20_000), BrainInspiredReplay()], "both replace the loss of new examples"),
        (lambda: [GreedySampler(20_000), BrainInspiredReplay()], "would not outlive"),
        (lambda: [BrainInspiredReplay(), GreedySampler(20_000)], "would not outlive"),
        (lambda: [RectifiedOutputs(), GreedySampler(20_000)], "RectifiedOutputs.* would not outlive"),
        (lambda: [Exemplars(20_000), StreamingDiscriminant()], "Exemplars and StreamingDiscriminant all answer"),
        (lambda: [ExperienceReplay(20_000, LeastWorth())], "LeastWorth decides by priorities, which a scorer gives"),
        (lambda: [ExperienceReplay(700, Herding())], "is for 9 examples: fewer than the 10 classes"),
        (lambda: [NearestAnswers(ExperienceReplay(20_000))], "must be a part of the strategy"),
        (lambda: [BrainInspiredReplay(level=2)], "must be above level 2: settings have 2 hidden layers"),
    ],
)
def test_strategies_that_are_none(strategy, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        ContinualExperiment(stream=STREAM, strategy=strategy, settings=QUICK).run()


def test_dreams_need_a_hidden_layer() -> None:
    with pytest.raises(ValueError, match="must be above level 0: settings have 0 hidden layers"):
        Learner(STREAM, Settings(hidden=()), [BrainInspiredReplay()], 0)


@pytest.mark.parametrize(
    "part",
    [
        AveragedGradients(20_000), InterferedReplay(20_000), ElasticWeightConsolidation(10.0),
        SynapticIntelligence(1.0), LearningWithoutForgetting(), DarkReplay(20_000, batch=16),
    ],
    ids=lambda part: type(part).__name__,
)  # fmt: skip
def test_layers_that_do_not_learn_go_with_other_parts(part: Part) -> None:
    learner = Learner(STREAM, QUICK, [LatentReplay(40_000), part], 0)
    learner.learn(0)
    kept = learner.network.hidden[0].weight.detach().clone()
    moved = learner.network.head.weight.detach().clone()
    for place in range(1, 3):
        learner.learn(place)
    assert bool((learner.network.hidden[0].weight == kept).all())
    assert not bool((learner.network.head.weight == moved).all())


def test_parts_are_used_once(tmp_path: Path) -> None:
    part = ExperienceReplay(20_000)
    one = ContinualExperiment(
        stream=STREAM, strategy=lambda: [part], settings=QUICK, checkpoint=tmp_path / "training.npz"
    )
    one.run()
    with pytest.raises(ValueError, match="parts are used once, but this ExperienceReplay has been"):
        one.run(resume=True)


@pytest.mark.parametrize("way", [learn_online, learn_offline])
@pytest.mark.parametrize(
    "make",
    [
        lambda: ExperienceReplay(20_000), lambda: GreedySampler(20_000), lambda: LatentReplay(40_000),
        lambda: ElasticWeightConsolidation(1.0), lambda: BrainInspiredReplay(),
    ],
)  # fmt: skip
def test_parts_that_wait_for_tasks_are_refused_where_nobody_tells_of_them(make, way) -> None:
    part = make()
    with pytest.raises(ValueError, match=f"{type(part).__name__} waits for tasks to begin or to end"):
        way(Learner(STREAM, QUICK, [part], 0))


def test_where_an_autoencoder_is_spoiled_no_checkpoint_is_written(tmp_path: Path) -> None:
    path = tmp_path / "training.npz"

    class Spoiling(Part):
        def after(self, batch) -> None:
            if self.learner.iteration == 3:
                next(self.learner.parts[0].generator.decoder.parameters()).data[0, 0] = np.nan

    def run(every: int) -> None:
        ContinualExperiment(
            stream=STREAM,
            strategy=lambda: [GenerativeReplay(), Spoiling()],
            settings=QUICK,
            checkpoint=path,
            every=every,
        ).run()

    with pytest.raises(DivergedError, match=r"GenerativeReplay: generator.* is not finite"):
        run(1)
    with np.load(path) as file:
        assert file["counts"][2] == 3
        assert all(np.isfinite(file[name]).all() for name in file.files if "generator" in name)
    with pytest.raises(DivergedError, match="the loss of task 0, 1, of the autoencoder, is nan"):
        run(500)


def test_a_loss_that_is_not_finite_is_said_to_be_whose_it_is() -> None:
    class Spoiling(Part):
        def loss(self, batch, loss):
            return loss * np.nan

    with pytest.raises(DivergedError, match="the loss of task 0, 1, with what Spoiling adds, is nan"):
        Learner(STREAM, QUICK, [Spoiling()], 0).learn(0)


@pytest.mark.parametrize("way", [learn_online, learn_offline])
def test_what_was_broken_off_is_not_learned_again(way: Callable[[Learner], None]) -> None:
    class Stopping(Part):
        steps = 0

        def after(self, batch) -> None:
            self.steps += 1
            if self.steps == 5:
                raise KeyboardInterrupt

    learner = Learner(STREAM, QUICK, [Stopping()], 0)
    with pytest.raises(KeyboardInterrupt):
        way(learner)
    with pytest.raises(ValueError, match="expected a learner that has learned nothing"):
        way(learner)


def test_episodes_stay_as_they_were_when_kept() -> None:
    states, rewards = np.array([0, 1, 2]), np.array([0.0, 1.0])
    store = EpisodeStore(1000)
    store.keep(Episode(states, rewards))
    states[:], rewards[:] = 7, 9
    assert [t[:3] for t in store.replay("forward", 1.0, np.random.default_rng(0))] == [(0, 1, 0.0), (1, 2, 1.0)]


def test_whole_numbers_are_herded_as_floats_are() -> None:
    features = np.random.default_rng(0).integers(0, 256, (50, 6))
    np.testing.assert_array_equal(herded(features.astype(np.uint8), 20), herded(features.astype(np.float64), 20))
