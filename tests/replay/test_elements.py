"""Elements of biological replay do what they say, each by itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sharpwave.data import load
from sharpwave.replay import (
    ExperienceReplay,
    Homeostasis,
    InterferedReplay,
    LatentReplay,
    Learner,
    LeastWorth,
    NearestAnswers,
    NoveltyPaced,
    QuantisedReplay,
    RestingReplay,
    Settings,
    Store,
    split_stream,
)
from sharpwave.replay.stores import Field

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


def test_weights_become_smaller_in_sleep() -> None:
    part = RestingReplay(BUDGET, every=20, downscaled=0.1)
    learner = learned([part], 1)
    before = [layer.weight.detach().clone() for layer in learner.network.hidden]
    part._downscale()
    for layer, old in zip(learner.network.hidden, before, strict=True):
        torch.testing.assert_close(layer.weight.detach(), 0.9 * old)
    with pytest.raises(ValueError, match=r"downscaled from 0 to below 1, got 0\.0 and 1"):
        RestingReplay(BUDGET, downscaled=1.0)


def test_a_dream_of_one_example_with_itself_is_the_example() -> None:
    part = RestingReplay(76, every=20)
    learner = learned([part], 1)
    shown = part.read(part.store.take(np.zeros(1, dtype=np.int64)))
    torch.testing.assert_close(part.dream(1), learner.entropy(learner.network(shown.x), shown))


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


def test_what_is_worth_least_goes() -> None:
    store = Store(5 * 12, {"y": Field((), np.int32)}, LeastWorth())
    store.add({"y": np.arange(5, dtype=np.int32)})
    store.priorities.set(np.arange(5), np.array([3.0, 0.5, 2.0, 0.1, 5.0]))
    places = np.full(1, -1)
    while places.max() < 0:
        places = store.add({"y": np.array([7], dtype=np.int32)})
    assert places.tolist() == [3]
    assert sorted(store.arrays["y"].tolist()) == [0, 1, 2, 4, 7]
    part = ExperienceReplay(BUDGET + 200 * 4, LeastWorth()).scored("loss")
    learned([part], 3)
    assert part.store.size == part.store.capacity


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
    memory.loss = lambda batch, loss: loss  # what is stored is not shown again
    plain = learned([memory], 3)
    alone = np.mean([plain.accuracy(place) for place in range(3)])
    again = ExperienceReplay(BUDGET)
    again.loss = lambda batch, loss: loss
    helped = learned([again, NearestAnswers(again, share=0.9)], 3)
    assert np.mean([helped.accuracy(place) for place in range(3)]) > alone + 0.2
    scores = helped.scores(torch.rand(4, 64))
    torch.testing.assert_close(scores.sum(1), torch.ones(4))
    assert (scores[:, 6:] == 0).all()


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


def test_what_is_chosen_by_harm_is_not_chosen_by_a_scorer_too() -> None:
    with pytest.raises(ValueError, match="chooses by harm"):
        InterferedReplay(20_000).scored("loss")
