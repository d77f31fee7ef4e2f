"""Tasks one after the other: what parts add is what they say, and less is forgotten."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from sharpwave.data import load
from sharpwave.forward import DivergedError
from sharpwave.replay.generative import GenerativeReplay
from sharpwave.replay.learner import Learner
from sharpwave.replay.metrics import METRICS, forward_transfer, metric, omega
from sharpwave.replay.network import Settings
from sharpwave.replay.part import Part
from sharpwave.replay.protocols import split_stream
from sharpwave.replay.replaying import AveragedGradients, DarkReplay, ExperienceReplay
from sharpwave.replay.scorers import GROWING, SCORERS, Shown
from sharpwave.replay.storing import Target
from sharpwave.replay.weighing import Weighing

DIGITS = load("digits")
BUDGET = 200 * (64 + 2 + 2 + 8)
QUICK = Settings(hidden=(60, 60), learning_rate=3e-3, batch=32, iterations=120)


def learned(scenario, parts: list[Part], settings: Settings = QUICK) -> tuple[Learner, np.ndarray]:
    learner = Learner(split_stream(DIGITS, scenario), settings, parts, 0)
    matrix = np.zeros((5, 5))
    for place in range(5):
        learner.learn(place)
        matrix[place] = [learner.accuracy(other) for other in range(5)]
    return learner, matrix


@pytest.fixture(scope="module")
def nothing() -> float:
    _, matrix = learned("class", [])
    assert matrix[-1, -1] > 0.9
    assert (matrix[-1, :4] < 0.2).all()
    return metric("accuracy", matrix)


@pytest.mark.parametrize(
    "part",
    [
        ExperienceReplay(BUDGET), DarkReplay(BUDGET + 200 * 40, batch=32),
        *(ExperienceReplay(BUDGET + 200 * 4).scored(scorer) for scorer in SCORERS),
    ],
    ids=["replay", "dark", *SCORERS],
)  # fmt: skip
def test_what_is_shown_again_is_not_forgotten(part: ExperienceReplay, nothing: float) -> None:
    learner, matrix = learned("class", [part])
    assert metric("accuracy", matrix) > nothing + 0.5
    assert sum(array.nbytes for array in part.store.arrays.values()) + 8 * part.store.capacity <= part.budget
    assert learner.replayed > 0
    held = part.store.take(np.arange(part.store.size))
    train = {row.tobytes() for row in DIGITS.train_images.reshape(-1, 64)}
    assert all(row.tobytes() in train for row in held["x"])
    np.testing.assert_array_equal(held["task"], held["y"] // 2)


@pytest.mark.parametrize("active", ["known", "all"])
def test_outputs_of_tasks_to_come_learn_where_all_compete(active) -> None:
    learner = Learner(replace(split_stream(DIGITS), active=active), QUICK, [], 0)
    before = learner.network.head.bias.detach().clone()
    for place in (0, 1):
        learner.learn(place)
        moved = (learner.network.head.bias.detach() != before).numpy()
        assert moved.tolist() == [active == "all" or k < 2 * place + 2 for k in range(10)]
        assert learner.accuracy(place) > 0.9
        assert set(learner.answers(learner.stream.tasks[4].test.inputs(), place)) <= set(range(2 * place + 2))


@pytest.mark.parametrize("penalty", [0.0, 5.0])
@given(
    place=st.none() | st.integers(0, 9), new=st.tuples(st.floats(0, 10), st.integers(1, 200)),
    old=st.lists(st.tuples(st.floats(0, 10), st.integers(1, 200)), min_size=1, max_size=4),
)  # fmt: skip
def test_new_examples_count_by_the_number_of_tasks_and_all_old_ones_alike(penalty: float, place, new, old) -> None:
    weighing, shown = Weighing(torch.tensor(new[0]), new[1], place), sum(number for _, number in old)
    found = torch.tensor(new[0] + penalty)
    for loss, number in old:
        found = weighing.add(found, torch.tensor(loss), number)
    share = new[1] / (new[1] + shown) if place is None else 1 / (place + 1)
    mean = sum(loss * number for loss, number in old) / shown
    assert float(found) == pytest.approx(share * new[0] + (1 - share) * mean + penalty, abs=1e-4)


def test_scorers_prefer_what_they_say() -> None:
    p = torch.tensor([[0.9, 0.05, 0.05], [0.5, 0.45, 0.05], [0.05, 0.05, 0.9]])
    features = torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 5.0]])
    shown = Shown(p.log(), torch.tensor([0, 0, 0]), features, -p[:, 0].log(), torch.tensor([0.05, 0.6, 2.0]))
    found = {name: scorer(shown) for name, scorer in SCORERS.items() if name not in GROWING}
    assert {name: int(score.argmax()) for name, score in found.items()} == {
        "loss": 2, "margin": 2, "entropy": 1, "novelty": 2, "forgetting": 2, "reward": 2,
    }  # fmt: skip
    torch.testing.assert_close(found["margin"], torch.tensor([0.15, 0.95, 1.85]))
    torch.testing.assert_close(found["reward"], torch.tensor([0.1, 0.5, 0.9]))
    torch.testing.assert_close(found["forgetting"], (-p[:, 0].log() - shown.best).clamp(min=0))


def test_what_is_alone_of_its_class_is_compared_with_all_that_is_shown() -> None:
    features = torch.tensor([[1.0, 0.0], [1.0, 0.2], [1.0, -0.2], [0.0, 4.0]])
    y = torch.tensor([0, 0, 0, 1])
    shown = Shown(torch.full((4, 3), -1.0), y, features, torch.ones(4), torch.ones(4))
    found = SCORERS["novelty"](shown)
    mean = features.mean(0)
    alone = torch.linalg.vector_norm(features[3] - mean) / torch.linalg.vector_norm(mean)
    torch.testing.assert_close(found, torch.stack([torch.tensor(0.0), torch.tensor(0.3), torch.tensor(0.3), alone]))


def test_with_no_exponents_scored_replay_is_the_mean_of_a_plain_draw() -> None:
    part = ExperienceReplay(BUDGET).scored("loss", alpha=0.0, beta=1.0)
    learner = Learner(split_stream(DIGITS), QUICK, [part], 0)
    learner.learn(0)
    part.again(64)
    np.testing.assert_array_equal(part.store.priorities.values(slice(part.store.size)), 1.0)
    part = ExperienceReplay(BUDGET).scored("loss", alpha=1.0, beta=1.0)
    learner = Learner(split_stream(DIGITS), Settings((60, 60), 1e-3, 32, 5), [part], 0)
    learner.learn(0)
    for _ in range(50):
        part.again(64)
    held = part.shown(part.store.take(np.arange(part.store.size)))
    said = learner.network(held.x).masked_fill(~learner.competing(held.task), -torch.inf)
    losses = functional.cross_entropy(said, held.y, reduction="none").detach().numpy()
    was_shown = np.isfinite(part.store.arrays["best"][: part.store.size])
    assert was_shown.mean() > 0.9
    values = part.store.priorities.values(slice(part.store.size))
    np.testing.assert_allclose(values[was_shown], losses[was_shown] + 1e-3, rtol=1e-4)


@pytest.mark.parametrize("beta", [0.0, 0.7, 1.0])
def test_drawn_examples_count_the_less_the_likelier_they_are(beta: float) -> None:
    part = ExperienceReplay(BUDGET).scored("loss", beta=beta)
    learner = Learner(split_stream(DIGITS), Settings((20,), 1e-3, 32, 5), [part], 0)
    learner.learn(0)
    size, places = part.store.size, np.arange(0, 40, 2)
    priorities = np.linspace(1, 5, size)
    part.store.priorities.set(np.arange(size), priorities)
    part.store.sample = lambda number, by_priority=False: places  # type: ignore[method-assign]
    held = part.read(part.store.take(places))
    losses = -learner.said(learner.network(held.x), held)[np.arange(20), held.y].detach().numpy()
    weights = (size * priorities[places] / priorities.sum()) ** -beta
    wanted = (weights * losses).sum() / weights.sum()
    assert float(part.again(20).detach()) == pytest.approx(wanted, rel=1e-5)
    if beta:
        assert wanted != pytest.approx(losses.mean(), rel=1e-4)


def test_a_small_store_grows_stale_at_once() -> None:
    part = ExperienceReplay(64 + 16).scored("staleness")
    learner = Learner(split_stream(DIGITS), Settings((20,), 1e-3, 32, 5), [part], 0)
    learner.learn(0)
    for _ in range(3):
        assert np.isfinite(float(part.again(2000).detach()))


@pytest.mark.parametrize("scenario", ["task", "domain", "class"])
@pytest.mark.parametrize("target", ["labels", "logits"])
def test_dreams_are_what_was_said_of_them_before(target, scenario) -> None:
    part = GenerativeReplay(target=target, temperature=3.0)
    learner = Learner(split_stream(DIGITS, scenario), replace(QUICK, iterations=5), [part], 0)
    learner.learn(0)
    learner.learn(1)
    learner.place = 2
    part.begin(2)
    torch.nn.init.normal_(learner.network.head.weight)
    x = torch.rand(20, 64)
    now, then = learner.network(x), part.old[0](x)
    groups = {
        "task": [((0, 1), (0, 1)), ((2, 3), (2, 3))],
        "domain": [((0, 1), (0, 1))],
        "class": [(range(6), range(4))],
    }
    wanted = []
    for outputs, before in groups[scenario]:
        said = then[:, list(before)]
        if target == "labels":
            wanted.append(functional.cross_entropy(now[:, list(outputs)], said.argmax(1)))
        else:
            shares = functional.pad((said / 3).softmax(1), (0, len(outputs) - len(before)))
            wanted.append(functional.cross_entropy(now[:, list(outputs)] / 3, shares))
    torch.testing.assert_close(part.kept(now, x), sum(wanted) / len(wanted))


def test_what_has_not_been_shown_for_long_is_drawn_first_and_all_come_about_as_often() -> None:
    def times(part: ExperienceReplay) -> np.ndarray:
        learner = Learner(split_stream(DIGITS), Settings((20,), 1e-3, 32, 5), [part], 0)
        learner.learn(0)
        shown = np.zeros(part.store.size)
        take = part.store.take

        def taken(places: np.ndarray) -> dict[str, np.ndarray]:
            np.add.at(shown, places, 1)
            return take(places)

        part.store.take = taken  # type: ignore[method-assign, assignment]
        for _ in range(200):
            part.again(16)
        return shown

    stale, plain = times(ExperienceReplay(BUDGET).scored("staleness", alpha=3.0)), times(ExperienceReplay(BUDGET))
    assert stale.sum() == plain.sum() == 200 * 16
    assert stale.var() < 0.5 * plain.var()
    assert stale.min() > 0


@pytest.mark.parametrize("target", ["logits", "features"])
def test_dark_replay_holds_to_what_the_network_made_of_examples(target: Target) -> None:
    part = DarkReplay(BUDGET + 100 * 40, alpha=1.0, beta=0.0, batch=32, target=target)
    learner = Learner(split_stream(DIGITS), Settings((20,), 1e-3, 32, 50), [part], 0)
    learner.learn(0)
    item = part.store.take(np.arange(1))
    x, made = part.inputs(item), torch.from_numpy(item["made"])
    assert made.shape == (1, learner.stream.outputs if target == "logits" else 20)
    assert not torch.equal(part.made(x), made)
    part.store.add({name: values.repeat(200, 0) for name, values in item.items()})
    with torch.no_grad():
        for weight in learner.network.parameters():
            weight.add_(0.05)
    away = [float((part.made(x) - made).square().mean().detach())]
    nothing = torch.zeros(())
    for _ in range(30):
        learner.follow(part.loss(learner.batch(learner.stream.tasks[0].train, np.arange(4), 0), nothing))
        away.append(float((part.made(x) - made).square().mean().detach()))
    assert away[-1] < 0.5 * away[0]


def test_a_target_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown target 'logit': did you mean 'logits'"):
        DarkReplay(BUDGET, target="logit")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="must be 'logits' or 'features', got 'labels'"):
        DarkReplay(BUDGET, target="labels")


def test_a_store_is_empty_before_the_first_task_has_ended_and_never_holds_what_comes() -> None:
    part = ExperienceReplay(BUDGET)
    learner = Learner(split_stream(DIGITS), QUICK, [part], 0)
    assert part.store.size == 0
    for place in range(3):
        learner.learn(place)
        assert set(part.store.take(np.arange(part.store.size))["task"]) == set(range(place + 1))


def test_no_step_of_averaged_gradients_raises_the_loss_of_what_is_stored() -> None:
    part = AveragedGradients(BUDGET)
    learner = Learner(split_stream(DIGITS), QUICK, [part], 0)
    learner.learn(0)
    examples = learner.stream.tasks[1].train
    learner.place = 1
    batch = learner.batch(examples, np.arange(32), 1)
    learner.network.zero_grad()
    torch.autograd.backward([learner.entropy(learner.network(batch.x), batch)])
    stored = part.shown(part.store.take(np.arange(part.store.size)))
    weights = list(learner.network.parameters())

    reference = torch.autograd.grad(learner.entropy(learner.network(stored.x), stored), weights)

    def along() -> float:
        return float(sum((w.grad * r).sum() for w, r in zip(weights, reference, strict=True)))

    before = along()
    assert before < 0
    part.batch = part.store.size  # each of them once
    part.project(batch)
    assert abs(along()) < 1e-5 * abs(before)


@pytest.mark.parametrize("smaller", [1.0, 1e-10, 1e-18, 1e-25, 1e-38])
def test_where_what_is_stored_has_nothing_to_lose_steps_stay_as_they_are(smaller: float) -> None:
    part = AveragedGradients(BUDGET, batch=200)
    learner = Learner(split_stream(DIGITS), QUICK, [part], 0)
    learner.learn(0)
    learner.place = 1
    batch = learner.batch(learner.stream.tasks[1].train, np.arange(32), 1)
    torch.autograd.backward([learner.entropy(learner.network(batch.x), batch)])
    before = torch.cat([w.grad.flatten() for w in learner.network.parameters()])
    entropy = learner.entropy
    learner.entropy = lambda logits, some: smaller * entropy(logits, some)  # type: ignore[method-assign]
    part.project(batch)
    after = torch.cat([w.grad.flatten() for w in learner.network.parameters()])
    assert after.norm() <= before.norm()
    assert torch.equal(before, after) == (smaller < 1e-15)


def test_numbers_of_a_matrix_are_those_of_their_definitions() -> None:
    r = np.array([[0.9, 0.2, 0.1], [0.6, 0.8, 0.3], [0.7, 0.5, 0.95]])
    found = {name: metric(name, r) for name in METRICS}
    assert found == pytest.approx({
        "accuracy": 2.15 / 3, "backward transfer": (-0.2 - 0.3) / 2, "forgetting": (0.2 + 0.3) / 2,
        "average accuracy": (0.9 + 0.7 + 2.15 / 3) / 3, "learning accuracy": 2.65 / 3,
    })  # fmt: skip
    assert forward_transfer(r, [0.1, 0.1, 0.1]) == pytest.approx(0.15)
    assert omega(r, [1.0, 0.9, 0.8]) == pytest.approx((0.9 + 0.7 / 0.9 + 2.15 / 3 / 0.8) / 3)
    late = [[0.9, 0.95, 0.1], [0.8, 0.6, 0.1], [0.8, 0.6, 0.9]]  # what was known before it was learned counts too
    assert metric("forgetting", late) == pytest.approx((0.1 + 0.35) / 2)
    with pytest.raises(ValueError, match="unknown metric 'accurcy': did you mean 'accuracy'"):
        metric("accurcy", r)
    with pytest.raises(ValueError, match="accuracies must be from 0 to 1"):
        metric("accuracy", r + np.nan)
    with pytest.raises(ValueError, match=r"expected accuracies \(tasks, tasks\), got shape \(2, 3\)"):
        metric("accuracy", r[:2])


def test_a_loss_that_is_not_finite_ends_it() -> None:
    learner = Learner(split_stream(DIGITS), Settings((8,), 1e30, 32, 50), [], 0)
    with pytest.raises(DivergedError, match="the loss of task 0, 1 is"):
        learner.learn(0)
