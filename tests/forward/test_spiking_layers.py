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
from sharpwave.forward.firing import WAYS, integrate_and_fire
from sharpwave.forward.spiking import SpikingSignalPropagation

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


def test_statistics_of_layers_that_never_learn_settle_and_stay() -> None:
    inputs = np.ascontiguousarray(X.reshape(len(X), -1) / np.float32(16), dtype=np.float32)
    learner = method("shallow", batch=8).start(64, 10, len(X), 0)
    norms = [layer.norm for layer in learner.model.layers]
    for epoch, count in enumerate((60, 100, 100)):
        learner.learn(inputs[:480], Y[:480].copy(), epoch, 3)
        assert [int(norm.num_batches_tracked) for norm in norms] == [count] * 3


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
    spikes, mean = integrate_and_fire(current, len(current), threshold, "voltage")
    given = threshold / 2 + current.cumsum(0) - threshold
    u = given - threshold * torch.cat([torch.zeros(1, 1), torch.stack(spikes)[:-1]]).cumsum(0)
    torch.testing.assert_close(torch.stack(spikes), (u > 0).to(u.dtype))
    torch.testing.assert_close(mean, given.mean(0))


class Step(torch.autograd.Function):
    """1 above 0, with the slope of atan(pi u) / pi + 1/2."""

    @staticmethod
    def forward(ctx, u):
        ctx.save_for_backward(u)
        return (u > 0).to(u.dtype)

    @staticmethod
    def backward(ctx, gradient):
        return gradient / (1 + (math.pi * ctx.saved_tensors[0]) ** 2)


def step_by_step(current: torch.Tensor, steps: int, threshold: float, way: str):
    """The neurons of a layer with a graph of all that they do."""
    v, spikes, said, taken = torch.full_like(current[0], threshold / 2), [], [], 0
    for now in current.expand(steps, *current.shape[1:]):
        v = v + now
        u = v - threshold
        spikes.append(Step.apply(u) if way == "backpropagation" else Step.apply(u).detach())
        said.append(u + taken if way == "voltage" else torch.arctan(math.pi * u) / math.pi)
        taken = taken + threshold * spikes[-1].detach()
        v = v - threshold * spikes[-1].detach()
    return spikes, sum(said) / steps if way in ("voltage", "surrogate") else None


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stays", [True, False])
def test_neurons_and_their_gradients_are_those_of_a_graph_of_all_steps(way: str, stays: bool) -> None:
    draw = torch.Generator().manual_seed(0)
    given_ = 1.5 * torch.rand(1 if stays else 5, 3, 40, generator=draw, dtype=torch.float64) - 0.2
    weights, found = torch.rand(6, 3, 40, generator=draw, dtype=torch.float64), []
    for model in (integrate_and_fire, step_by_step):
        current = given_.clone().requires_grad_()
        spikes, said = model(current, 5, 0.8, way)
        assert [spike.requires_grad for spike in spikes] == [way == "backpropagation"] * 5
        learning = {"backpropagation": spikes, "shallow": []}.get(way, [said])
        losses = [(a * b).sum() for a, b in zip(weights, learning, strict=False)]
        gradient = torch.autograd.grad(losses, current) if losses else ()
        found.append([*(one.detach() for one in (*spikes, *learning)), *gradient])
    assert 0.1 < float(torch.stack(found[0][:5]).mean()) < 0.9
    for mine, expected in zip(*found, strict=True):
        torch.testing.assert_close(mine, expected, rtol=1e-12, atol=1e-14)


def test_a_current_that_stays_is_as_many_that_are_the_same() -> None:
    current = torch.rand(1, 20, dtype=torch.float64)
    one, u = integrate_and_fire(current, 5, 0.7, "voltage")
    other, same = integrate_and_fire(current.expand(5, 20), 5, 0.7, "voltage")
    assert all(torch.equal(a, b) for a, b in zip((*one, u), (*other, same), strict=True))


@pytest.mark.parametrize("way", ["voltage", "shallow"])
def test_a_fit_that_goes_on_ends_in_the_same_numbers(way: str) -> None:
    whole = ForwardClassifier(method=method(way, batch=16), epochs=2, pixel_max=16).fit(X, Y)
    learner = method(way, batch=16).start(64, 10, len(X), 0)
    inputs = np.ascontiguousarray(X.reshape(len(X), -1) / np.float32(16), dtype=np.float32)
    learner.learn(inputs, Y.copy(), 0, 2)
    other = method(way, batch=16).start(64, 10, len(X), 0)
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
