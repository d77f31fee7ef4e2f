"""Signal propagation through integrate-and-fire neurons."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sharpwave.data import load
from sharpwave.forward import ForwardClassifier, event_driven
from sharpwave.forward.spiking import WAYS, SpikingSignalPropagation, integrate_and_fire, smooth_spike

DIGITS = load("digits")
X, Y = DIGITS.train_images, DIGITS.train_labels
LEAST = {"voltage": 0.6, "surrogate": 0.7, "backpropagation": 0.85, "shallow": 0.6}  # chance is .1


def method(way: str, **settings) -> SpikingSignalPropagation:
    return SpikingSignalPropagation(way, (8, 16), 64, **{"batch": 64, "learning_rate": 5e-3, **settings})


@pytest.mark.parametrize("way", WAYS)
def test_each_way_learns_and_none_teaches_what_it_should_not(way: str) -> None:
    fitted = ForwardClassifier(method=method(way), epochs=15, pixel_max=16).fit(X, Y)
    assert fitted.score(DIGITS.test_images, DIGITS.test_labels) > LEAST[way]
    fresh = method(way).start(64, 10, len(X), 0).model
    moved = [
        not torch.equal(a.layer.weight, b.layer.weight)
        for a, b in zip(fitted.learner_.model.layers, fresh.layers, strict=True)
    ]
    assert moved == [way != "shallow"] * 3


@pytest.mark.usefixtures("julia")
@pytest.mark.parametrize("threshold", [0.5, 1.0])
def test_the_engine_of_events_gives_the_same_scores(threshold: float) -> None:
    learner = method("voltage", threshold=threshold).start(64, 10, len(X), 0)
    inputs = np.ascontiguousarray(X.reshape(len(X), -1) / np.float32(16), dtype=np.float32)
    for epoch in range(2):
        learner.learn(inputs, Y.copy(), epoch, 2)
    network = learner.model
    for module in network.modules.values():
        module.double()
    shown = torch.from_numpy(inputs[:50]).double()
    expected = network.scores(shown).numpy()
    assert expected.std(axis=0).min() > 1e-3
    found = event_driven(network).scores(shown.reshape(50, 1, 8, 8).numpy(), network.about.steps)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@given(st.lists(st.floats(-2, 2, width=32), min_size=1, max_size=12), st.floats(0.1, 3.0))
def test_what_comes_in_is_spikes_and_what_is_left(currents: list[float], threshold: float) -> None:
    current = torch.tensor(currents, dtype=torch.float64)[:, None]
    spikes, u = (
        torch.stack(them) for them in zip(*integrate_and_fire(current, len(current), threshold, False), strict=True)
    )
    left = u[-1] + threshold - threshold * spikes[-1]
    torch.testing.assert_close(current.sum(0), threshold * spikes.sum(0) + left)
    torch.testing.assert_close(spikes, (u > 0).to(u.dtype))


def test_the_gradient_of_a_spike_is_that_of_the_smooth_one() -> None:
    current = torch.linspace(-1, 3, 9, dtype=torch.float64)[None].requires_grad_()
    ((spikes, _),) = integrate_and_fire(current, 1, 1.0, True)
    (given_,) = torch.autograd.grad(spikes.sum(), current)
    u = (current.detach() - 1).requires_grad_()
    (expected,) = torch.autograd.grad(smooth_spike(u).sum(), u)
    torch.testing.assert_close(given_, expected)
    assert float(smooth_spike(torch.tensor(0.0))) == 0.5
    assert math.isclose(float(smooth_spike(torch.tensor(1e6))), 1.0, abs_tol=1e-5)
    assert not next(integrate_and_fire(current, 1, 1.0, False))[0].requires_grad


def test_a_current_that_stays_is_as_many_that_are_the_same() -> None:
    current = torch.rand(1, 20, dtype=torch.float64)
    one, other = integrate_and_fire(current, 5, 0.7, False), integrate_and_fire(current.expand(5, 20), 5, 0.7, False)
    for mine, theirs in zip(one, other, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(mine, theirs, strict=True))


def test_a_fit_that_goes_on_ends_in_the_same_numbers() -> None:
    whole = ForwardClassifier(method=method("voltage"), epochs=2, pixel_max=16).fit(X, Y)
    learner = method("voltage").start(64, 10, len(X), 0)
    inputs = np.ascontiguousarray(X.reshape(len(X), -1) / np.float32(16), dtype=np.float32)
    learner.learn(inputs, Y.copy(), 0, 2)
    other = method("voltage").start(64, 10, len(X), 0)
    other.restore(learner.arrays())
    other.learn(inputs, Y.copy(), 1, 2)
    for name, array in whole.learner_.arrays().items():
        np.testing.assert_array_equal(array, other.arrays()[name])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: method("volts"), "unknown way 'volts': did you mean 'voltage'"),
        (lambda: method("voltage", steps=0), "steps must be a whole number from 1 on, got 0"),
        (lambda: method("voltage", threshold=0.0), "threshold and learning_rate must be positive"),
        (lambda: method("voltage").start(63, 10, 5, 0), "expected square images of at least 4 x 4 pixels, got 63"),
    ],
)
def test_what_is_no_network_is_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
