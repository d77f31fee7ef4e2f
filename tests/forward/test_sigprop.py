"""Signal propagation: what each layer learns from, what it does not see, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sharpwave.forward import DivergedError, SigProp, SigPropRule, learn_in_parallel
from sharpwave.forward.blocks import SeededDropout, blocks_of
from sharpwave.forward.firing import integrate_and_fire
from sharpwave.forward.losses import LOSSES, similarities
from sharpwave.forward.targets import TargetGenerator

CLASSES = 3
DRAW = torch.Generator().manual_seed(0)
X = torch.rand(60, 12, generator=DRAW)
Y = (X[:, :3] * torch.tensor([1.0, 1.1, 1.2])).argmax(1)


def dense(*extra: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(12, 30), nn.ReLU(), *extra, nn.Linear(30, 20), nn.ReLU(), nn.Linear(20, 20), nn.ReLU()
    )


def model(rule: SigPropRule, network: nn.Sequential | None = None, steps: int = 300) -> SigProp:
    return SigProp(network or dense(), CLASSES, X[0], rule, steps)


RULES = [
    SigPropRule(learning_rate=0.01),
    SigPropRule(learned_targets=False, learning_rate=0.01),
    SigPropRule(loss="batch", learning_rate=0.01),
    SigPropRule(loss="random", learning_rate=0.01),
    SigPropRule(loss="top", learning_rate=0.01),
    SigPropRule(loss="hebbian", learning_rate=0.01),
    SigPropRule(targets="input", loss="batch", learning_rate=0.01),
    SigPropRule(targets="loop", loss="batch", prediction="readout", learning_rate=0.01),
    SigPropRule(prediction="readout", learning_rate=0.01),
    SigPropRule(targets="input", loss="batch", prediction="neutral", learning_rate=0.01),
    SigPropRule(prediction="closest", scaled=True, learning_rate=0.01),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda r: f"{r.targets}-{r.loss}-{r.prediction}-{r.learned_targets}")
def test_all_targets_losses_and_predictions_learn(rule: SigPropRule) -> None:
    one = model(rule)
    before = (one.scores(X).argmax(1) == Y).float().mean()
    for _ in range(300):
        losses = one.learn(X, Y)
    assert len(losses) == 3 + rule.reads
    accuracy = (one.scores(X).argmax(1) == Y).float().mean()
    least = (
        0.5 if rule.prediction == "neutral" else 0.85
    )  # targets need not know of the example: little is left to read
    assert accuracy > max(least, before + 0.2)


def test_the_squared_distance_makes_all_activities_the_same() -> None:
    one = model(SigPropRule(loss="distance", learning_rate=0.01))
    for _ in range(300):
        one.learn(X, Y)
    h = list(one.passing(X, Y))[-1][1]
    assert h.std(0).mean() < 0.05 * (h.abs().mean() + 1e-3) + 1e-3
    assert (one.scores(X).argmax(1) == Y).float().mean() < 0.7


def test_no_layer_sees_what_comes_after_it() -> None:
    """A layer's step is the same whatever the layers behind it are, and none is kept in a graph for another."""
    found = []
    for width in (20, 7):
        torch.manual_seed(0)
        first = nn.Linear(12, 30)
        network = nn.Sequential(first, nn.ReLU(), nn.Linear(30, width), nn.ReLU())
        one = SigProp(network, CLASSES, X[0], SigPropRule(), 10)
        for _place, h, t, loss in one.passing(X, Y):
            assert loss.requires_grad
            one.updates.take(_place, loss)
            assert h.grad_fn is not None
            assert t.grad_fn is not None
        found.append(first.weight.detach().clone())
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=0)


def test_one_step_is_the_gradient_of_the_layers_own_loss() -> None:
    one = model(SigPropRule(learned_targets=False))
    first, second = (block.first for block in one.blocks[:2])
    h1 = torch.relu(first(X)).detach()
    t1 = torch.relu(one.generator(Y, X, None)[0]).detach()
    loss = nn.functional.cross_entropy(torch.relu(second(h1)) @ torch.relu(second(t1)).T, Y)
    (expected,) = torch.autograd.grad(loss, second.weight)
    for place, _, _, its in one.passing(X, Y):
        if place == 1:
            (given,) = torch.autograd.grad(its, second.weight)
            torch.testing.assert_close(given, expected)


def test_normalisation_sees_both_streams_and_running_statistics_at_test() -> None:
    norm = nn.BatchNorm1d(30, momentum=1.0)
    one = model(SigPropRule(learned_targets=False), dense(norm))
    with torch.no_grad():
        first = torch.relu(one.blocks[0].first(X))
        both = torch.cat([one.blocks[0].first(X), one.generator(Y, X, None)[0]]).relu()
    list(one.passing(X, Y))
    torch.testing.assert_close(norm.running_mean, both.mean(0))
    assert not torch.allclose(norm.running_mean, first.mean(0), atol=1e-3)
    alone, together = one.scores(X[:1]), one.scores(X)[:1]
    torch.testing.assert_close(alone, together)


def test_maps_are_compared_by_the_mean_over_positions() -> None:
    h, t = torch.rand(5, 4, 3, 2), torch.rand(7, 4, 3, 2)
    expected = torch.einsum("icxy,jcxy->ij", h, t) / 6
    torch.testing.assert_close(similarities(h, t), expected)


def test_convolutions_and_nested_blocks_learn() -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU())

        def forward(self, x: Tensor) -> Tensor:
            return x + self.inner(x)

    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Unflatten(1, (1, 3, 4)), nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), Residual(),
        nn.Flatten(), nn.Linear(48, 16), nn.ReLU(),
    )  # fmt: skip
    assert [type(block.first).__name__ for block in blocks_of(network)] == ["Conv2d", "Residual", "Linear"]
    one = SigProp(network, CLASSES, X[0], SigPropRule(learning_rate=0.01), 300)
    for _ in range(300):
        one.learn(X, Y)
    assert (one.scores(X).argmax(1) == Y).float().mean() > 0.85


def test_recurrent_layers_learn() -> None:
    class Last(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.RNN(3, 24, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            return self.rnn(x)[0][:, -1]

    torch.manual_seed(0)
    network = nn.Sequential(nn.Unflatten(1, (4, 3)), Last(), nn.Linear(24, 24), nn.ReLU())
    shown = X.roll(3, 1)  # what counts comes last but one
    one = SigProp(network, CLASSES, X[0], SigPropRule(learning_rate=0.01), 400)
    for _ in range(400):
        one.learn(shown, Y)
    assert (one.scores(shown).argmax(1) == Y).float().mean() > 0.8


def test_layers_that_spike_learn() -> None:
    class Rates(nn.Module):
        def forward(self, current: Tensor) -> Tensor:
            return torch.stack(integrate_and_fire(current[None], 4, 1.0, "backpropagation")[0]).mean(0)

    torch.manual_seed(0)
    layers = [(nn.Linear(before, 60), nn.BatchNorm1d(60), Rates()) for before in (12, 60)]
    network = nn.Sequential(*(module for layer in layers for module in layer))
    one = SigProp(network, CLASSES, X[0], SigPropRule(learning_rate=0.01), 300)
    assert (one.scores(X).argmax(1) == Y).float().mean() < 0.7
    for _ in range(300):
        one.learn(X, Y)
    values: set[float] = set()
    for block in one.blocks:
        block.rest.register_forward_hook(lambda _, __, rates: values.update(rates.unique().tolist()))
    assert (one.scores(X).argmax(1) == Y).float().mean() > 0.85
    assert values == {0.0, 0.25, 0.5, 0.75, 1.0}


def test_dropout_draws_its_own_numbers_and_none_at_test() -> None:
    drop = SeededDropout(0.25, 3)
    x = torch.ones(10_000)
    torch.manual_seed(1)
    first = drop(x)
    torch.manual_seed(2)
    torch.testing.assert_close(first, SeededDropout(0.25, 3)(x))
    assert abs(float(first.mean()) - 1) < 0.03
    torch.testing.assert_close(drop.eval()(x), x)


def test_losses_do_what_they_say() -> None:
    h, t = torch.eye(4)[[0, 1, 2, 0]] * 5, torch.eye(4)[:3] * 5
    labels, draw = torch.tensor([0, 1, 2, 0]), torch.Generator().manual_seed(0)
    good = {name: float(loss(h, t, labels, labels, draw)) for name, loss in LOSSES.items()}
    bad = {name: float(loss(h.roll(1, 0), t, labels, labels, draw)) for name, loss in LOSSES.items()}
    assert all(good[name] < bad[name] for name in ("classes", "batch", "random", "hebbian", "distance"))
    assert good["distance"] == 0
    np.testing.assert_allclose(good["classes"], -np.log(1 / (1 + 2 * np.exp(-25))), atol=1e-6)
    np.testing.assert_allclose(good["hebbian"], -2 / 3, atol=1e-6)
    same = [2, 1, 1, 2]  # of the batch, in the class of each
    np.testing.assert_allclose(good["batch"], np.mean(np.log(same)), atol=1e-6)


def test_a_loss_that_is_not_finite_names_its_block() -> None:
    one = model(SigPropRule())
    with torch.no_grad():
        one.blocks[1].first.weight[0, 0] = torch.nan
    before = [block.first.weight.clone() for block in one.blocks]
    with pytest.raises(DivergedError, match="the loss of block 1 is nan"):
        one.learn(X, Y)
    torch.testing.assert_close(before[2], one.blocks[2].first.weight)


@pytest.mark.parametrize(
    ("rule", "labels", "message"),
    [
        (SigPropRule(), None, "layers learn from labels: expected one whole number for each of 60, got None"),
        (SigPropRule(), Y[:-1], r"got torch.int64 of shape \(59,\)"),
        (SigPropRule(), Y.float(), "got torch.float32"),
        (SigPropRule(), Y + 1, "labels must be from 0 to 2, got 3"),
        (SigPropRule(), Y - 1, "labels must be from 0 to 2, got -1"),
        (
            SigPropRule(loss="batch"),
            torch.ones_like(Y),
            "all 60 examples of the batch are of class 1, and the loss 'batch'",
        ),
        (SigPropRule(targets="input", loss="hebbian"), torch.zeros_like(Y), "are of class 0, and the loss 'hebbian'"),
    ],
)
def test_labels_that_say_nothing_are_refused_before_anything_is_learned(rule, labels, message: str) -> None:
    one = model(rule)
    before = [block.first.weight.clone() for block in one.blocks]
    with pytest.raises(ValueError, match=message):
        one.learn(X, labels)
    with pytest.raises(ValueError, match=message):
        learn_in_parallel(one, [(X, labels)])
    assert all(torch.equal(block.first.weight, b) for block, b in zip(one.blocks, before, strict=True))
    model(SigPropRule()).learn(X, torch.zeros_like(Y))  # targets of all classes are compared: one class is as good


def test_targets_of_another_shape_are_refused() -> None:
    def taught_by(classes: int, units: int) -> SigProp:
        own = TargetGenerator("class", classes, (units,), 12)
        return SigProp(dense(), CLASSES, X[0], SigPropRule(), generator=own)

    taught_by(CLASSES, 30).learn(X, Y)
    with pytest.raises(ValueError, match=r"gives targets of shape \(31,\), and the first layer activities of \(30,\)"):
        taught_by(CLASSES, 31).learn(X, Y)
    with pytest.raises(ValueError, match="gives targets of 4 classes, and there are 3"):
        taught_by(4, 30).learn(X, Y)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SigPropRule(loss="clases"), "unknown loss 'clases': did you mean 'classes'"),
        (lambda: SigPropRule(targets="inputs"), "unknown targets 'inputs': did you mean 'input'"),  # type: ignore[arg-type]
        (lambda: SigPropRule(targets="input"), "the loss 'classes' needs the targets of all classes: use 'batch'"),
        (lambda: SigPropRule(targets="loop", loss="batch"), "use prediction='readout'"),
        (lambda: SigPropRule(prediction="neutral"), "a neutral target says nothing of examples with targets 'class'"),
        (lambda: SigPropRule(learning_rate=0.0), "learning_rate must be positive"),
        (lambda: blocks_of(nn.Sequential(nn.ReLU())), "nothing to learn"),
        (lambda: blocks_of(nn.Linear(2, 2)), "expected an nn.Sequential of layers, got Linear"),  # type: ignore[arg-type]
        (
            lambda: similarities(torch.zeros(2, 3), torch.zeros(2, 4)),
            r"a target of shape \(4,\) does not fit .* \(3,\)",
        ),
        (
            lambda: LOSSES["hebbian"](torch.zeros(2, 3), torch.zeros(2, 4), Y[:2], Y[:2], DRAW),
            "the target generator must give what the first layer gives",
        ),
    ],
)
def test_what_cannot_be_learned_is_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_generators_are_seeded_and_fit_the_first_layer() -> None:
    one, other = (TargetGenerator("class", 3, (4, 5, 5), 0, seed=1) for _ in range(2))
    t, place = one(Y, X, None)
    assert t.shape == (3, 4, 5, 5)
    torch.testing.assert_close(place, Y)
    torch.testing.assert_close(t, other(Y, X, None)[0])
    t, place = TargetGenerator("input", 3, (7,), 12, learned=False)(Y, X, None)
    assert t.shape == (60, 7)
    assert not t.requires_grad
    assert place.tolist() == list(range(60))


@pytest.mark.parametrize(
    "rule", [RULES[0], RULES[3], RULES[6], RULES[8]], ids=lambda r: f"{r.targets}-{r.loss}-{r.prediction}"
)
def test_blocks_that_work_at_once_learn_the_same_as_in_turn(rule: SigPropRule) -> None:
    batches = [(X[k : k + 20], Y[k : k + 20]) for k in (0, 20, 40)] * 7
    torch.manual_seed(0)
    one, other = (model(rule, dense(nn.BatchNorm1d(30), nn.Dropout(0.2))) for _ in range(2))
    in_turn = [one.learn(x, y) for x, y in batches]
    at_once = learn_in_parallel(other, batches)
    assert at_once == in_turn
    for name, module in one.modules.items():
        for key, value in module.state_dict().items():
            torch.testing.assert_close(other.modules[name].state_dict()[key], value, rtol=0, atol=0)


def test_a_block_that_fails_holds_up_no_other() -> None:
    one = model(SigPropRule())
    with torch.no_grad():
        one.blocks[1].first.weight[0, 0] = torch.nan
    with pytest.raises(DivergedError, match="the loss of block 1 is nan"):
        learn_in_parallel(one, [(X, Y)] * 20)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        learn_in_parallel(model(SigPropRule()), [(X[:, :5], Y)] * 20)
    for targets, prediction in (("loop", "readout"), ("input", "neutral")):
        waits = model(SigPropRule(targets=targets, loss="batch", prediction=prediction))  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=r"use SigProp\.learn"):
            learn_in_parallel(waits, [(X, Y)])
