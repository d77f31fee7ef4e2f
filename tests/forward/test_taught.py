"""Ways of teaching that signal propagation is compared with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn
from torch.nn import functional

from sharpwave.data import load
from sharpwave.forward import (
    Comparison,
    ConvolutionalLayers,
    DenseLayers,
    DivergedError,
    ForwardClassifier,
    SignalPropagation,
)
from sharpwave.forward.taught import AlignedBlocks, Backpropagated, DirectlyTaught
from sharpwave.forward.torch_methods import WAYS
from sharpwave.forward.two_passes import Pepita

DIGITS = load("digits")
X, Y = DIGITS.train_images[:500], DIGITS.train_labels[:500]
LAYERS = DenseLayers((64, 64), dropout=0.0)
RATES = {"target-projection": 2e-3, "pepita": 1e-2, "forward-forward": 5e-3}
LEAST = {"target-projection": 0.5, "pepita": 0.5, "forward-forward": 0.6}  # chance is .1


def digits(method, epochs: int = 20, **settings) -> ForwardClassifier:
    return ForwardClassifier(method=method, epochs=epochs, pixel_max=16, **settings)


@pytest.mark.parametrize("way", WAYS)
def test_each_way_learns(way: str) -> None:
    method = Comparison(way, LAYERS, batch=32, learning_rate=RATES.get(way, 2e-3))
    fitted = digits(method).fit(X, Y)
    assert fitted.score(DIGITS.test_images, DIGITS.test_labels) > LEAST.get(way, 0.8)


@pytest.mark.parametrize("way", [way for way in WAYS if way not in ("pepita", "forward-forward")])
def test_convolutions_are_taught_as_well(way: str) -> None:
    method = Comparison(way, ConvolutionalLayers((8,), 32), batch=32, learning_rate=RATES.get(way, 2e-3))
    assert digits(method, 8).fit(X, Y).score(X, Y) > 0.4


@pytest.mark.parametrize("layers", [LAYERS, ConvolutionalLayers((8,), 32)])
def test_signals_go_forward_through_dense_layers_and_convolutions(layers) -> None:
    from sharpwave.forward import SigPropRule

    fitted = digits(SignalPropagation(SigPropRule(learning_rate=2e-3), layers, 32)).fit(X, Y)
    assert fitted.score(DIGITS.test_images, DIGITS.test_labels) > 0.8


@pytest.mark.parametrize("method", [SignalPropagation(batch=100), Comparison("local-losses", batch=100)])
def test_a_fit_that_was_killed_goes_on_to_the_same_numbers(method, tmp_path: Path, monkeypatch) -> None:
    whole = digits(method, 4).fit(X, Y)
    killed = digits(method, 4, checkpoint=tmp_path / "fit.npz")
    learn = type(whole.learner_).learn

    def die(self, inputs, labels, epoch, epochs):
        if epoch == 2:
            raise KeyboardInterrupt
        return learn(self, inputs, labels, epoch, epochs)

    with monkeypatch.context() as patch:
        patch.setattr(type(whole.learner_), "learn", die)
        with pytest.raises(KeyboardInterrupt):
            killed.fit(X, Y)
    again = clone(killed).fit(X, Y, resume=True)
    first, second = whole.learner_.arrays(), again.learner_.arrays()
    assert first.keys() == second.keys()
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])


@pytest.mark.parametrize("method", [Comparison("local-losses", LAYERS, 50), SignalPropagation(layers=LAYERS, batch=50)])
def test_an_epoch_that_diverges_leaves_the_network_as_before_it(method) -> None:
    inputs = np.ascontiguousarray(X.reshape(len(X), -1) / np.float32(16), dtype=np.float32)
    learner = method.start(64, 10, len(X), 0)
    learner.learn(inputs, Y.copy(), 0, 3)
    before = {name: array.copy() for name, array in learner.arrays().items()}
    wild = inputs.copy()
    wild[250] = np.nan
    for _ in range(2):
        with pytest.raises(DivergedError):
            learner.learn(wild, Y.copy(), 1, 3)
        for name, array in learner.arrays().items():
            np.testing.assert_array_equal(array, before[name])


def test_examples_are_learned_one_by_one_too() -> None:
    learner = Comparison("backpropagation", LAYERS, batch=1).start(64, 10, 20, 0)
    inputs = np.ascontiguousarray(X[:20].reshape(20, -1) / np.float32(16), dtype=np.float32)
    learner.learn(inputs, Y[:20].copy(), 0, 1)
    assert learner.model.updates.taken == [20]


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 7), nn.Tanh())


def gradients(one, x: torch.Tensor, y: torch.Tensor) -> list[torch.Tensor]:
    """Of the blocks' weights, and of the readout's, in a batch; nothing is learned."""
    one.updates.learning_rate = 0.0
    nn.init.normal_(one.readout.weight)
    one.learn(x, y)
    return [module.weight.grad for module in (*(block.first for block in one.blocks), one.readout)]


def test_gradients_are_what_the_theory_says() -> None:
    draw = torch.Generator().manual_seed(1)
    x, y = torch.rand(9, 6, generator=draw), torch.randint(0, 4, (9,), generator=draw)
    make = {
        kind: kind(network(), 4, x[0], 1e-3, 10) for kind in (Backpropagated, AlignedBlocks, DirectlyTaught, Pepita)
    }

    one = make[Backpropagated]
    given = gradients(one, x, y)
    layers = nn.Sequential(*one.blocks, one.readout)
    expected = torch.autograd.grad(
        functional.cross_entropy(layers(x), y),
        [module.weight for module in (layers[0].first, layers[1].first, layers[2])],
    )
    for a, b in zip(given, expected, strict=True):
        torch.testing.assert_close(a, b)

    one = make[DirectlyTaught]
    given = gradients(one, x, y)
    with torch.no_grad():
        h1, h2 = one.blocks[0](x), one.blocks[1](one.blocks[0](x))
        e = (one.readout(h2).softmax(1) - functional.one_hot(y, 4)) / 9
        torch.testing.assert_close(given[0], (e @ one.feedback[0] * (1 - h1**2)).T @ x)
        torch.testing.assert_close(given[1], (e @ one.feedback[1] * (1 - h2**2)).T @ h1)
        torch.testing.assert_close(given[2], e.T @ h2)

    one = make[Pepita]
    given = gradients(one, x, y)
    with torch.no_grad():
        h1, h2 = one.blocks[0](x), one.blocks[1](one.blocks[0](x))
        e = one.readout(h2).softmax(1) - functional.one_hot(y, 4)
        again = x + e @ one.feedback
        m1, m2 = one.blocks[0](again), one.blocks[1](one.blocks[0](again))
        torch.testing.assert_close(given[0], (m1 - h1).neg().T @ again / 9)
        torch.testing.assert_close(given[1], (m2 - h2).neg().T @ m1 / 9)
        torch.testing.assert_close(given[2], e.T @ m2 / 9)


def test_errors_come_back_through_other_weights_that_stay() -> None:
    x, y = torch.rand(9, 6), torch.randint(0, 4, (9,))
    one = AlignedBlocks(network(), 4, x[0], 1e-3, 10)
    plain = Backpropagated(network(), 4, x[0], 1e-3, 10)
    torch.testing.assert_close(one.blocks[0](x), plain.blocks[0](x))
    torch.manual_seed(5)
    mine = gradients(one, x, y)
    torch.manual_seed(5)
    theirs = gradients(plain, x, y)
    torch.testing.assert_close(mine[2], theirs[2])  # nothing has come back yet
    assert not torch.allclose(mine[0], theirs[0], rtol=0.1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Comparison("backprop"), "unknown way 'backprop': did you mean 'backpropagation'"),
        (lambda: Comparison(learning_rate=-1.0), "learning_rate must be positive, got -1"),
        (lambda: digits(Comparison("pepita", ConvolutionalLayers((4,), 8))).fit(X, Y), "Pepita learns dense layers"),
        (
            lambda: digits(Comparison("forward-forward", ConvolutionalLayers((4,), 8))).fit(X, Y),
            "ForwardForward learns dense layers, got Conv2d",
        ),
        (lambda: digits(SignalPropagation(batch=0)).fit(X, Y), "batch must be a whole number from 1 on, got 0"),
        (lambda: ConvolutionalLayers()(65), "expected square images of at least 4 x 4 pixels, got 65"),
    ],
)
def test_what_cannot_be_taught_is_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
