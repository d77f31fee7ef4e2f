"""Parts of strategies do what they say: exemplars, codes, discriminants, dreams, harm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from sharpwave.data import load
from sharpwave.replay import (
    BrainInspiredReplay,
    ContinualClassifier,
    Exemplars,
    ExperienceReplay,
    GreedySampler,
    Herding,
    InterferedReplay,
    LatentReplay,
    Learner,
    QuantisedReplay,
    Quantiser,
    Settings,
    StreamingDiscriminant,
    herded,
    split_stream,
)
from sharpwave.replay.generators import Autoencoder, Decoder, Latent

DIGITS = load("digits")
BUDGET = 300 * (64 + 2 + 2 + 8)
QUICK = Settings(hidden=(40, 30), learning_rate=3e-3, batch=32, iterations=60)


def learned(part, tasks=2, scenario="class", settings=QUICK) -> Learner:
    learner = Learner(split_stream(DIGITS, scenario), settings, [part], 0)
    for place in range(tasks):
        learner.learn(place)
    return learner


def test_herded_examples_come_near_to_the_mean() -> None:
    random = np.random.default_rng(1)
    features = random.normal(size=(300, 12))
    away = [np.linalg.norm(features[herded(features, n)].mean(axis=0) - features.mean(axis=0)) for n in (1, 10, 50)]
    drawn = np.linalg.norm(features[random.permutation(300)[:50]].mean(axis=0) - features.mean(axis=0))
    assert away[0] > away[1] > away[2]
    assert away[2] < drawn / 4
    assert len(set(herded(features, 300))) == 300
    first = herded(features, 20)
    np.testing.assert_array_equal(herded(features, 5), first[:5])


def test_exemplars_are_those_nearest_to_the_mean_and_answers_the_nearest_mean() -> None:
    part = Exemplars(BUDGET)
    learner = learned(part, 3)
    assert part.each == 30
    assert learner.replayed > 0
    held = part.store.take(np.arange(part.store.size))
    assert {int(k): int(v) for k, v in zip(*np.unique(held["y"], return_counts=True), strict=True)} == dict.fromkeys(
        range(6), 30
    )
    scores = part.scores(torch.from_numpy(learner.stream.tasks[0].test.inputs()))
    assert scores is not None
    assert torch.isinf(scores[:, 6:]).all()
    means = part.means()
    torch.testing.assert_close(torch.linalg.vector_norm(means[:6], dim=1), torch.ones(6))
    with pytest.raises(ValueError, match="exemplars are for the scenario 'class', got 'task'"):
        learned(Exemplars(BUDGET), 0, "task")
    with pytest.raises(ValueError, match="fewer than the 10 classes"):
        learned(Exemplars(9 * (64 + 2 + 2 + 8)), 0)


def test_new_examples_of_classes_that_were_there_before_teach_them() -> None:
    model = ContinualClassifier(
        strategy=lambda: [Exemplars(BUDGET)], settings=replace(QUICK, iterations=20), pixel_max=16
    )
    halves = np.array_split(np.arange(len(DIGITS.train_labels)), 12)
    for rows in halves:
        model.partial_fit(DIGITS.train_images[rows], DIGITS.train_labels[rows], classes=range(10))
    learner = model.learner_
    said = learner.network(torch.from_numpy(DIGITS.test_images.reshape(-1, 64).astype(np.float32) / 16)).argmax(1)
    assert (said.numpy() == DIGITS.test_labels).mean() > 0.4  # a tenth where they only learn what was said


def test_exemplars_learn_what_was_said_before_and_their_labels() -> None:
    part = Exemplars(BUDGET)
    learner = learned(part, 1)
    learner.place = 1
    part.begin(1)
    torch.nn.init.normal_(learner.network.head.weight, std=0.1)
    batch = learner.batch(learner.stream.tasks[1].train, np.arange(20), 1)
    part.store.size, kept = 0, part.store.size  # new examples alone
    said, before = learner.network(batch.x)[:, :4], part.old(batch.x)[:, :2]
    right = torch.nn.functional.one_hot(batch.y - 2, 2)
    wanted = torch.cat([(before / 2).sigmoid(), right], dim=1)
    costs = -(wanted * said.sigmoid().log() + (1 - wanted) * (1 - said.sigmoid()).log())
    torch.testing.assert_close(learner.own_loss(batch), costs.sum(1).mean())
    part.store.size = kept
    shown = learner.replayed
    learner.own_loss(batch)
    assert learner.replayed > shown


def test_codes_are_the_nearest_centres() -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(700, 12)).astype(np.float32)
    quantiser = Quantiser(12, 3)
    quantiser.fit(vectors)
    codes = quantiser.encode(vectors)
    parts = vectors.reshape(700, 3, 4)
    away = ((parts[:, :, None] - quantiser.centres[None]) ** 2).sum(axis=-1)
    chosen = np.take_along_axis(away, codes[:, :, None].astype(np.int64), axis=2)[:, :, 0]
    np.testing.assert_allclose(chosen, away.min(axis=-1), atol=1e-5)
    again = quantiser.decode(quantiser.encode(quantiser.decode(codes)))
    np.testing.assert_allclose(again, quantiser.decode(codes), atol=1e-3)
    with pytest.raises(ValueError, match="5 parts do not divide 12 features"):
        Quantiser(12, 5)
    vectors[3, 2] = np.nan
    with pytest.raises(ValueError, match="got 700 of which 1 are not finite"):
        quantiser.fit(vectors)
    few = vectors[10:60]
    quantiser.fit(few)
    np.testing.assert_allclose(quantiser.decode(quantiser.encode(few)), few, atol=1e-5)


def test_the_covariance_of_a_stream_does_not_depend_on_how_it_is_cut() -> None:
    random = np.random.default_rng(2)
    labels = random.integers(0, 3, 400)
    features = random.normal(size=(400, 5)) @ random.normal(size=(5, 5)) + 3 * labels[:, None]

    def after(cuts: list[int]) -> StreamingDiscriminant:
        part = StreamingDiscriminant()
        part.start(Learner(split_stream(DIGITS), Settings((5,)), [], 0))
        for some in np.split(np.arange(400), cuts):
            part.see(features[some], labels[some])
        return part

    whole, cut, single = after([]), after([7, 200, 300]), after(list(range(1, 400)))
    for other in (cut, single):
        np.testing.assert_allclose(other.covariance, whole.covariance, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(other.means, whole.means)
    # the formula, one by one
    covariance, means, counts = np.zeros((5, 5)), np.zeros((10, 5)), np.zeros(10)
    for n, (one, label) in enumerate(zip(features, labels, strict=True)):
        d = one - means[label]
        covariance = (n * covariance + n / (n + 1) * np.outer(d, d)) / (n + 1)
        counts[label] += 1
        means[label] += d / counts[label]
    np.testing.assert_allclose(whole.covariance, covariance)
    right = whole.means[:3] @ np.linalg.inv(whole.covariance)
    said = features @ right.T - 0.5 * (right * whole.means[:3]).sum(axis=1)
    assert (said.argmax(axis=1) == labels).mean() > 0.9


def test_what_is_stored_of_frozen_layers_stays_true() -> None:
    part = LatentReplay(300 * (2 * 40 + 2 + 2 + 8), levels=(1,))
    learner = learned(part, 3)
    first = learner.stream.tasks[0].train
    held = part.store.take(np.flatnonzero(part.store.arrays["task"][: part.store.size] == 0))
    activities = learner.network.features(torch.from_numpy(first.inputs()), 0, 1).detach().numpy().astype(np.float16)
    rows = {row.tobytes() for row in activities}
    assert all(row.tobytes() in rows for row in held["level 1"])
    with pytest.raises(ValueError, match=r"expected levels from 1 to 2, the hidden layers, got \[3\]"):
        learned(LatentReplay(BUDGET, levels=(3,)), 0)


def test_codes_leave_room_for_more_examples_in_as_many_bytes() -> None:
    settings = Settings(hidden=(400, 400), batch=32, iterations=5)
    budget = 3000 * 400
    plain, codes = LatentReplay(budget), QuantisedReplay(budget)
    learned(plain, 0, settings=settings)
    learned(codes, 0, settings=settings)
    spent = 256 * 400 * 4
    assert codes.store.capacity == (budget - spent) // (40 + 2 + 2 + 8)
    assert codes.store.capacity > 10 * plain.store.capacity
    other = QuantisedReplay(budget, levels=(1, 2))
    learned(other, 0, settings=replace(settings, hidden=(100, 60)))
    assert other.code == 20


def test_a_greedy_network_has_learned_the_store_and_nothing_else() -> None:
    part = GreedySampler(BUDGET, iterations=80)
    learner = learned(part, 2)
    assert learner.replayed == 2 * 80 * 32
    again = Learner(learner.stream, learner.settings, [], 0)
    assert any((a != b).any() for a, b in zip(learner.network.parameters(), again.network.parameters(), strict=True))
    part.iterations = 1
    part.learner.learn(2)
    moved = max(
        float((a - b).detach().abs().max())
        for a, b in zip(learner.network.parameters(), again.network.parameters(), strict=True)
    )
    assert 0 < moved <= 1.01 * learner.settings.learning_rate  # one step of Adam from the initial weights


def test_what_a_step_harms_most_is_shown_again() -> None:
    part = InterferedReplay(BUDGET, candidates=8)
    learner = learned(part, 1)
    learner.place = 1
    batch = learner.batch(learner.stream.tasks[1].train, np.arange(32), 1)
    seen = []
    shown = part.shown
    part.shown = lambda items: seen.append(items) or shown(items)
    weights = [w.detach().clone() for w in learner.network.parameters()]
    part.loss(batch, learner.plain_loss(batch))
    assert all((a == b).all() for a, b in zip(weights, learner.network.parameters(), strict=True))
    # a step as it is said, and which of all that is stored it harms
    loss = learner.plain_loss(batch)
    for w, g in zip(
        learner.network.parameters(), torch.autograd.grad(loss, list(learner.network.parameters())), strict=True
    ):
        w.data -= part.step * g
    then = _losses(learner, part)
    for w, old in zip(learner.network.parameters(), weights, strict=True):
        w.data.copy_(old)
    harm = dict(zip((row.tobytes() for row in part.store.arrays["x"]), then - _losses(learner, part), strict=False))
    chosen = np.mean([harm[row.tobytes()] for row in seen[0]["x"]])
    assert chosen > np.mean(list(harm.values())) + np.std(list(harm.values())) / 2


def _losses(learner: Learner, part: InterferedReplay) -> np.ndarray:
    held = part.read(part.store.take(np.arange(part.store.size)))
    said = learner.said(learner.network(held.x), held).detach()
    return torch.nn.functional.nll_loss(said, held.y, reduction="none").numpy()


def test_gates_shut_the_share_that_they_say_and_are_the_same_each_time() -> None:
    decoder = Decoder(4, (50, 20), 9, kinds=3, shut=0.8, generator=torch.Generator().manual_seed(0))
    assert decoder.get_buffer("open_0").sum(1).tolist() == [10, 10, 10]
    assert decoder.get_buffer("open_1").sum(1).tolist() == [4, 4, 4]
    z = torch.randn(2, 4)
    one, other = decoder(z, torch.tensor([0, 0])), decoder(z, torch.tensor([1, 1]))
    assert not torch.equal(one, other)
    torch.testing.assert_close(decoder(z, torch.tensor([0, 1]))[1], other[1])
    with pytest.raises(ValueError, match="from 0 to below 1, got 1"):
        Decoder(4, (5,), 9, kinds=3, shut=1.0)


def test_the_divergence_is_that_of_two_normal_distributions() -> None:
    torch.manual_seed(0)
    latent = Latent(6, 3, kinds=2)
    h, kind = torch.randn(4, 6), torch.tensor([0, 1, 1, 0])
    z, divergence = latent(h, kind, torch.Generator().manual_seed(1))
    own = torch.distributions.Normal(latent.mean(h), (latent.log_variance(h) / 2).exp())
    prior = torch.distributions.Normal(latent.prior_mean[kind], (latent.prior_log_variance[kind] / 2).exp())
    torch.testing.assert_close(divergence, torch.distributions.kl_divergence(own, prior).sum(1))
    assert z.shape == (4, 3)


def test_an_autoencoder_learns_to_dream_of_what_it_saw() -> None:
    images = torch.from_numpy(split_stream(DIGITS).tasks[0].train.inputs())
    torch.manual_seed(0)
    model, random = Autoencoder(64, (60,), 10), torch.Generator().manual_seed(0)
    adam = torch.optim.Adam(model.parameters(), lr=3e-3)

    def away() -> float:
        dreams = model.dream(200, random)
        return float(torch.cdist(dreams, images).min(1).values.mean())

    before = away()
    for _ in range(400):
        adam.zero_grad()
        torch.autograd.backward([model.loss(images, random)])
        adam.step()
    assert away() < before / 2


def test_activities_are_dreamed_where_replay_is_internal() -> None:
    settings = Settings(hidden=(80, 60), learning_rate=3e-3, batch=32, iterations=100)
    nothing = Learner(split_stream(DIGITS), settings, [], 0)
    part = BrainInspiredReplay(level=1)
    learner = learned(part, 1, settings=settings)
    kept = learner.network.hidden[0].weight.detach().clone()
    for place in range(1, 5):
        learner.learn(place)
        nothing.learn(place - 1)
    nothing.learn(4)
    assert torch.equal(learner.network.hidden[0].weight, kept)
    assert part.dream(torch.tensor([0, 1])).shape == (2, 80)
    assert float(part.dream(torch.arange(8)).min()) >= 0
    ours, theirs = (np.mean([one.accuracy(place) for place in range(5)]) for one in (learner, nothing))
    assert ours > theirs + 0.3
    again = Learner(learner.stream, settings, [BrainInspiredReplay(level=1)], 0)
    again.restore(learner.arrays())
    assert not again.network.hidden[0].weight.requires_grad


def test_kinds_are_classes_of_tasks_where_tasks_share_outputs() -> None:
    part = BrainInspiredReplay(latent=8)
    learned(part, 2, "domain")
    assert part.latents.kinds == 10
    part.learner.place = 2
    assert set(part._before(500).tolist()) == {0, 1, 2, 3}
    part = BrainInspiredReplay(latent=8)
    learned(part, 1)
    assert part.latents.kinds == 10
    assert set(part._kind(torch.tensor([0, 1]), torch.tensor([0, 0])).tolist()) == {0, 1}


def test_of_classes_that_come_again_the_herded_are_chosen_among_old_ones_and_new_ones() -> None:
    tasks = split_stream(DIGITS).tasks
    first = tasks[0]
    half = len(first.train) // 2
    early = replace(first, train=replace(first.train, rows=first.train.rows[:half], labels=first.train.labels[:half]))
    late = replace(first, train=replace(first.train, rows=first.train.rows[half:], labels=first.train.labels[half:]))
    stream = replace(split_stream(DIGITS), tasks=(early, late, tasks[1]))
    for part in (Exemplars(BUDGET), ExperienceReplay(BUDGET, Herding()), LatentReplay(21_600, (2,), Herding())):
        learner = Learner(stream, QUICK, [part], 0)
        for place in range(3):
            learner.learn(place)
            held = part.store.take(np.arange(part.store.size))
            wanted = [part.each] * (4 if place == 2 else 2)
            assert np.bincount(held["y"]).tolist() == wanted
            pixels = next(iter(held.values()))
            assert len(np.unique(pixels, axis=0)) > 0.9 * len(pixels)


def test_herded_examples_of_a_class_that_comes_again_are_near_to_the_mean_of_all() -> None:
    part = ExperienceReplay(BUDGET, Herding())
    train = Learner(split_stream(DIGITS), QUICK, [part], 0).stream.tasks[0].train
    for some in (slice(0, 150), slice(150, None)):
        part.end(0, replace(train, rows=train.rows[some], labels=train.labels[some]))
    for label in (0, 1):
        held = part.read(part.store.take(part.store.places_of(label, 0)))
        own = torch.from_numpy(train.inputs(np.flatnonzero(train.labels == label)))
        kept, every = (part.direction(x).detach().numpy() for x in (held.x, own))
        assert len(kept) == part.each
        away, drawn = (np.linalg.norm(some.mean(axis=0) - every.mean(axis=0)) for some in (kept, every[: part.each]))
        assert away < drawn / 2


def test_a_network_dreams_of_all_kinds_alike_though_some_came_twice() -> None:
    part = BrainInspiredReplay()
    tasks = split_stream(DIGITS).tasks
    learner = Learner(replace(split_stream(DIGITS), tasks=(tasks[0], tasks[1], tasks[0], tasks[2])), QUICK, [part], 0)
    learner.place = 3
    found = np.bincount(part._before(4000).numpy(), minlength=4)
    assert (np.abs(found - 1000) < 150).all()


def test_centres_of_codes_are_learned_from_all_of_the_first_task(monkeypatch) -> None:
    monkeypatch.setattr("sharpwave.replay.latent._FITTED", 60)
    stream, seen = split_stream(DIGITS), []
    train = stream.tasks[0].train
    order = np.argsort(train.labels, kind="stable")
    sorted_ = replace(stream.tasks[0], train=replace(train, rows=train.rows[order], labels=train.labels[order]))
    part = QuantisedReplay(200_000, parts=10)
    learner = Learner(replace(stream, tasks=(sorted_, *stream.tasks[1:])), QUICK, [part], 0)
    batch = learner.batch
    learner.batch = lambda examples, some, place: seen.append(examples.labels[some]) or batch(examples, some, place)
    part.end(0, sorted_.train)
    assert len(seen[0]) == 60
    assert 15 < seen[0].sum() < 45
