"""Elements of biological replay do what they say, each by itself."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from sharpwave.data import load
from sharpwave.experiments.continual.elements import _ELEMENTS, ElementsConfig, bytes_of_dreams
from sharpwave.replay import (
    ExperienceReplay,
    Homeostasis,
    LatentReplay,
    Learner,
    LeastWorth,
    NearestAnswers,
    NoveltyPaced,
    QuantisedReplay,
    RestingReplay,
    Settings,
    SleepReplay,
    Store,
    SynapticIntelligence,
    split_stream,
)
from sharpwave.replay.stores import Field
from sharpwave.replay.weighing import Weighing

DIGITS = load("digits")
BUDGET = 200 * (64 + 2 + 2 + 8)
QUICK = Settings(hidden=(40, 30), learning_rate=3e-3, batch=32, iterations=60)


def learned(parts, tasks=2, settings=QUICK) -> Learner:
    learner = Learner(split_stream(DIGITS), settings, parts, 0)
    for place in range(tasks):
        learner.learn(place)
    return learner


def test_masked_replay_leaves_out_the_share_that_it_says() -> None:
    part = ExperienceReplay(BUDGET, masked=0.5)
    learner = learned([part], 1)
    items = part.store.draw(200)
    seen, whole = part.shown(items).x, part.read(items).x
    assert ((seen == whole) | (seen == 0)).all()
    left = (seen[whole > 0] > 0).float().mean()
    assert abs(float(left) - 0.5) < 0.05
    assert not torch.equal(part.shown(items).x, seen)
    assert learner.replayed == 400
    with pytest.raises(ValueError, match="masked must be from 0 to below 1, got 1"):
        ExperienceReplay(BUDGET, masked=1.0)


def test_rests_are_as_long_as_what_was_learned_and_nothing_is_shown_beside_it() -> None:
    part = RestingReplay(BUDGET, every=20, rem=0.25)
    learner = Learner(split_stream(DIGITS), QUICK, [part], 0)
    kinds = []
    again, dream = part.again, part.dream
    part.again = lambda number: kinds.append("NREM") or again(number)
    part.dream = lambda number: kinds.append("REM") or dream(number)
    learner.learn(0)
    assert kinds == []
    learner.learn(1)
    assert kinds == 3 * (15 * ["NREM"] + 5 * ["REM"])
    assert learner.replayed == 3 * (15 * 32 + 5 * 2 * 32)


def test_weights_become_smaller_in_each_rest() -> None:
    part = RestingReplay(BUDGET, every=20, downscaled=0.1)
    learner = learned([part], 1)
    learner.follow = lambda loss: None  # type: ignore[method-assign, misc]
    before = [layer.weight.detach().clone() for layer in learner.network.hidden]
    for times in (1, 2):
        part.rest(8)
        for layer, old in zip(learner.network.hidden, before, strict=True):
            torch.testing.assert_close(layer.weight.detach(), 0.9**times * old)
    with pytest.raises(ValueError, match=r"downscaled from 0 to below 1, got 0\.0 and 1"):
        RestingReplay(BUDGET, downscaled=1.0)


def test_a_dream_is_a_mixture_of_two_memories_and_of_their_losses() -> None:
    part = RestingReplay(BUDGET, every=20)
    learner = learned([part], 1)
    labels = part.store.arrays["y"]
    pair = [np.flatnonzero(labels[: part.store.size] == label)[:3] for label in (0, 1)]
    draws = iter(pair)
    part.store.sample = lambda number, by_priority=False: next(draws)  # type: ignore[method-assign]
    same = torch.Generator()
    same.set_state(learner.generator.get_state())
    found = part.dream(3)
    share = torch.rand(3, 1, generator=same)
    first, second = (part.read(part.store.take(places)) for places in pair)
    w, v = learner.network.hidden
    h = [torch.relu(w(some.x)) for some in (first, second)]
    logits = learner.network.head(torch.relu(v(share * h[0] + (1 - share) * h[1])))[:, :2].log_softmax(1)
    torch.testing.assert_close(found, -(share[:, 0] * logits[:, 0] + (1 - share[:, 0]) * logits[:, 1]).mean())


def test_dreams_are_of_what_a_scorer_prefers() -> None:
    part = RestingReplay(BUDGET, every=20).scored("loss")
    learned([part], 1)
    asked = []
    sample = part.store.sample
    part.store.sample = lambda number, by_priority=False: asked.append(by_priority) or sample(number, by_priority)
    part.dream(4)
    assert asked == [True, True]


@pytest.mark.parametrize("first", [0, 1])
def test_rests_are_no_part_of_the_way_that_another_part_follows(first: int) -> None:
    parts = [SynapticIntelligence(1.0), RestingReplay(BUDGET, every=20, when="step")]
    learned(parts[::-1] if first else parts, 1)
    other = [SynapticIntelligence(1.0), RestingReplay(BUDGET, every=20, when="step")]
    learned(other, 1)
    for one, same in zip(parts[0].importance, other[0].importance, strict=True):
        assert torch.equal(one, same)


def test_homeostasis_leaves_alone_what_is_kept() -> None:
    learner = learned([LatentReplay(40_000), Homeostasis(0.5)], 1)
    kept, moved = (layer.weight.detach().clone() for layer in learner.network.hidden)
    learner.learn(1)
    assert torch.equal(learner.network.hidden[0].weight, kept)
    assert not torch.equal(learner.network.hidden[1].weight, moved)
    with pytest.raises(ValueError, match="sleep changes all layers, but LatentReplay keeps the lower ones"):
        learned([LatentReplay(40_000), SleepReplay()], 1, replace(QUICK, bias=False))


def test_homeostasis_keeps_weights_as_long_as_they_were() -> None:
    lengths = {}
    for share in (0.0, 1.0):
        learner = learned([Homeostasis(share)] if share else [], 1)
        start = Learner(learner.stream, QUICK, [], 0)
        pairs = zip(learner.network.hidden, start.network.hidden, strict=True)
        lengths[share] = [
            torch.linalg.vector_norm(a.weight, dim=1) / torch.linalg.vector_norm(b.weight, dim=1) for a, b in pairs
        ]
    assert all(torch.allclose(ratio, torch.ones(())) for ratio in lengths[1.0])
    assert any(float((ratio - 1).abs().max().detach()) > 0.05 for ratio in lengths[0.0])


def test_what_surprises_is_followed_by_more_replay_and_the_rest_is_saved() -> None:
    settings = Settings(hidden=(40, 30), learning_rate=1e-3, batch=32, iterations=200)
    part = NoveltyPaced(BUDGET)
    learner = Learner(split_stream(DIGITS), settings, [part], 0)
    learner.learn(0)
    numbers = []
    again = part.again
    part.again = lambda number: numbers.append(number) or again(number)
    learner.learn(1)
    assert np.mean(numbers[:20]) > 1.3 * np.mean(numbers[100:])
    assert sum(numbers) + part._owed == pytest.approx((200 + 20) * 32)  # what is not shown is on account still
    assert max(numbers) <= 3 * 32 + 1


def test_what_is_paced_counts_by_its_number() -> None:
    part = NoveltyPaced(BUDGET)
    learner = learned([part], 1)
    learner.place = 1
    batch = learner.batch(learner.stream.tasks[1].train, np.arange(32), 1)
    numbers = []
    part.again = lambda number: numbers.append(number) or torch.tensor(7.0)  # type: ignore[method-assign]
    for surprise in (0.0, 0.5, 5.0):
        part._usual, part._owed = 1.0, 640.0
        learner._weighing = Weighing(torch.tensor(surprise), 32, 1)
        found = part.loss(batch, torch.tensor(surprise))
        number = numbers[-1] if surprise else 0
        assert float(found) == pytest.approx(surprise / 2 + 7 * number / 32 / 2)
    assert 0 < numbers[0] < numbers[1]


def test_what_is_worth_least_goes() -> None:
    store = Store(5 * 12, {"y": Field((), np.int32)}, LeastWorth())
    store.add({"y": np.arange(5, dtype=np.int32)})
    store.priorities.set(np.arange(5), np.array([3.0, 0.5, 2.0, 0.1, 5.0]))
    places = np.full(1, -1)
    while places.max() < 0:
        places = store.add({"y": np.array([7], dtype=np.int32)})
    assert places.tolist() == [3]
    assert sorted(store.arrays["y"].tolist()) == [0, 1, 2, 4, 7]


def test_the_learner_decides_what_goes() -> None:
    part = ExperienceReplay(BUDGET + 200 * 4, LeastWorth()).scored("loss")
    gone, choose = [], Store.choose

    def choosing(store: Store, labels) -> np.ndarray:
        worth = store.priorities.values(slice(store.size)).copy()
        places = choose(store, labels)
        replaced = np.unique(places[(places >= 0) & (places < len(worth))])
        if len(replaced):
            others = np.delete(worth, replaced)
            gone.append((worth[replaced].max(), others.min()))
        return places

    learner = Learner(split_stream(DIGITS), QUICK, [part], 0)
    part.store.choose = partial(choosing, part.store)  # type: ignore[method-assign]
    for place in range(3):
        learner.learn(place)
    assert part.store.size == part.store.capacity
    assert len(gone) > 1
    assert all(worst <= least for worst, least in gone)


def test_of_a_first_chunk_that_is_too_large_all_are_kept_alike() -> None:
    times = np.zeros(60)
    for seed in range(300):
        store = Store(20 * 12, {"y": Field((), np.int32)}, LeastWorth(), seed)
        store.add({"y": np.arange(60, dtype=np.int32)})
        times[store.arrays["y"]] += 1
    assert abs(times[:20].mean() - times[20:].mean()) < 15  # 100 each
    assert times.min() > 50


def test_what_comes_late_does_not_push_out_all_that_was_before() -> None:
    each = []
    for seed in range(50):
        store = Store(20 * 12, {"y": Field((), np.int32)}, LeastWorth(), seed)
        for task in range(4):
            store.add({"y": np.full(100, task, dtype=np.int32)})
        each.append(np.bincount(store.arrays["y"], minlength=4))
    assert store.size == store.capacity
    assert (np.mean(each, axis=0) > 2.5).all()


def test_the_store_answers_where_the_network_has_forgotten() -> None:
    memory = ExperienceReplay(BUDGET)
    memory.beside = lambda batch: None  # what is stored is not shown again
    plain = learned([memory], 3)
    alone = np.mean([plain.accuracy(place) for place in range(3)])
    again = ExperienceReplay(BUDGET)
    again.beside = lambda batch: None
    helped = learned([again, NearestAnswers(again, share=0.9)], 3)
    assert np.mean([helped.accuracy(place) for place in range(3)]) > alone + 0.2
    scores = helped.scores(torch.rand(4, 64))
    torch.testing.assert_close(scores.sum(1), torch.ones(4))
    assert (scores[:, 6:] == 0).all()


@pytest.mark.parametrize("element", [name for name in _ELEMENTS if name != "spontaneous replay"])
def test_elements_change_what_is_learned_at_equal_memory_and_as_much_replay(element: str) -> None:
    known, settings = ElementsConfig().elements(8000, 1), replace(QUICK, iterations=200)
    one, other = (learned(known[name](), 3, settings) for name in (element, _ELEMENTS[element]))
    assert max(one.bytes, other.bytes) <= 8000 + 256  # with the counts and the state of what is drawn
    assert abs(one.bytes - other.bytes) < 200  # an item, and what paces
    mixed = 1.25 if element in ("REM alone", "NREM and REM") else 1.0  # of which each has two
    if element == "paced by novelty":
        assert other.replayed / 2 < one.replayed < 1.1 * other.replayed
    else:
        assert one.replayed == pytest.approx(mixed * other.replayed, rel=0.02)
    inputs = torch.from_numpy(one.stream.tasks[0].test.inputs())
    assert not torch.equal(one.scores(inputs), other.scores(inputs))


def test_a_store_of_as_many_bytes_as_dreams_take_is_beside_spontaneous_replay() -> None:
    settings = replace(QUICK, hidden=(8, 8))
    dreams = bytes_of_dreams(split_stream(DIGITS), settings)
    known = ElementsConfig().elements(1, dreams)
    one, other = (
        learned(known[name](), 3, settings) for name in ("spontaneous replay", _ELEMENTS["spontaneous replay"])
    )
    assert one.bytes == dreams
    assert other.bytes == pytest.approx(dreams, abs=256)
    assert one.replayed == other.replayed


def test_a_store_of_activities_cannot_answer_for_inputs() -> None:
    with pytest.raises(ValueError, match="expected a part that stores inputs, not LatentReplay"):
        NearestAnswers(LatentReplay(BUDGET))


@pytest.mark.parametrize("scorer", ["loss", "staleness"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: LatentReplay(40_000, (1, 2)), lambda: QuantisedReplay(200_000, parts=10),
        lambda: RestingReplay(20_000, every=10), lambda: NoveltyPaced(20_000),
        lambda: ExperienceReplay(20_000, masked=0.3),
    ],
    ids=["latent", "quantised", "resting", "paced", "masked"],
)  # fmt: skip
def test_a_scorer_goes_with_every_way_of_replay(make, scorer: str) -> None:
    part, worst = make().scored(scorer), []
    for parts in ([], [part]):
        learner = learned(parts, 3, Settings((60, 60), 3e-3, 32, 40))
        worst.append(min(learner.accuracy(place) for place in range(3)))
    assert worst[0] < 0.1 < 0.3 < worst[1]
    assert len(np.unique(part.store.priorities.values(slice(part.store.size)))) > 1
    assert np.isfinite(part.store.arrays["best"][: part.store.size]).sum() > 20
