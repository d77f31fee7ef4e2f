"""Converted networks: against closed forms, a plain loop, PyTorch's own layers, and the model as time goes on."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sharpwave.spiking.affine import ConversionError, affine_stages
from sharpwave.spiking.conversion import convert

pytestmark = pytest.mark.usefixtures("julia")


def random_model(*sizes, seed=0, dropout=0.0):
    """Linear layers with ReLUs between them, and biases of both signs."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = [nn.Linear(*pair) for pair in itertools.pairwise(sizes)]
        for layer in layers:
            nn.init.normal_(layer.bias, std=0.5)
    between = [[layer, nn.ReLU(), nn.Dropout(dropout)] for layer in layers[:-1]]
    return nn.Sequential(*itertools.chain(*between), layers[-1])


def outputs(model, examples):
    with torch.no_grad():
        return model.double().eval()(torch.tensor(examples)).numpy()


def examples_of(count, *shape, seed=1):
    return np.random.default_rng(seed).normal(size=(count, *shape))


def plain_loop(model, examples, steps, scales, initial):
    """Layer after layer, each integrating T steps of the spikes of the layer before it."""
    linear = [layer for layer in model if isinstance(layer, nn.Linear)]
    weights = [layer.weight.detach().double().numpy().T for layer in linear]
    biases = [layer.bias.detach().double().numpy() for layer in linear]
    given = np.repeat(examples[None], steps, axis=0)  # (steps, examples, units), in units of the model
    for weight, bias, scale in zip(weights, biases, scales, strict=False):
        potential, spikes = np.full((len(examples), len(bias)), initial), []
        for step in given:
            potential += (step @ weight + bias) / scale
            crossed = potential >= 1
            potential -= crossed
            spikes.append(scale * crossed)
        given = np.array(spikes)
    return given.mean(axis=0) @ weights[-1] + biases[-1]


# Identities


@pytest.mark.parametrize("steps", [1, 2, 7, 40])
@pytest.mark.parametrize("initial", [0.0, 0.5, 0.9])
def test_a_constant_current_evokes_its_number_of_spikes(steps, initial):
    """After T steps of current a, a neuron has spiked floor(T a + initial) times, at least 0, at most T times."""
    model, examples = random_model(6, 30, 4), examples_of(50, 6)
    spiking = convert(model, examples, percentile=90.0, initial_potential=initial)
    (scale,) = spiking.scales
    drive = outputs(model[:1], examples) / scale
    assert (drive > 1).any()
    assert (drive < 0).any()
    rate = np.floor(steps * drive + initial).clip(0, steps) / steps
    np.testing.assert_allclose(spiking.scores(examples, steps), outputs(model[3:], scale * rate), atol=1e-9)


@pytest.mark.parametrize("steps", [1, 3, 20])
def test_every_layer_integrates_t_steps_also_of_its_bias(steps):
    model, examples = random_model(5, 20, 15, 10, 3, seed=2), examples_of(40, 5)
    spiking = convert(model, examples, percentile=95.0)
    expected = plain_loop(model, examples, steps, spiking.scales, 0.5)
    np.testing.assert_allclose(spiking.scores(examples, steps), expected, atol=1e-9)
    result = spiking.simulate(examples, steps)
    assert result.stats.steps == steps + 3
    first = {name: int(spikes.step.min()) for name, spikes in result.spikes.items() if len(spikes)}
    assert all(first[f"hidden_{layer}"] >= layer - 1 for layer in (1, 2, 3))
    assert "output" not in first


def test_scores_approach_the_model_as_1_over_t():
    model, examples = random_model(8, 40, 30, 5, seed=3), examples_of(60, 8)
    spiking = convert(model, examples, percentile=100.0)  # nothing is cut off
    wanted = outputs(model, examples)
    error = {steps: abs(spiking.scores(examples, steps) - wanted).mean() for steps in (16, 128, 1024)}
    assert 4 < error[16] / error[128] < 16  # 8 times the steps
    assert 4 < error[128] / error[1024] < 16
    assert error[1024] < 2e-3 * wanted.std()


def test_what_is_above_the_percentile_is_cut_off():
    model, examples = random_model(8, 40, 5), examples_of(60, 8)
    active = outputs(model[:2], examples)
    (scale,) = convert(model, examples, percentile=80.0).scales
    assert scale == pytest.approx(np.percentile(active, 80.0))
    scores = convert(model, examples, percentile=80.0).scores(examples, 2000)
    np.testing.assert_allclose(scores, outputs(model[3:], active.clip(0, scale)), atol=0.02)
    assert abs(scores - outputs(model, examples)).max() > 0.2


def test_a_model_without_hidden_layers_is_exact():
    model, examples = random_model(6, 3), examples_of(9, 6)
    np.testing.assert_allclose(convert(model, examples).scores(examples, 5), outputs(model, examples), atol=1e-12)


def test_dropout_is_left_out_and_scores_lead_to_predictions():
    model, examples = random_model(6, 30, 20, 4, dropout=0.5).train(), examples_of(30, 6)
    plain = random_model(6, 30, 20, 4)
    spiking = convert(model, examples)
    np.testing.assert_array_equal(spiking.scores(examples, 6), convert(plain, examples).scores(examples, 6))
    np.testing.assert_array_equal(spiking.predict(examples, 6), spiking.scores(examples, 6).argmax(axis=1))


# Batches and backends


@settings(max_examples=15)
@given(st.integers(1, 12), st.integers(1, 30), st.randoms(use_true_random=False))
def test_scores_do_not_depend_on_what_is_simulated_together(steps, batch, random):
    """Bit for bit, and in any order."""
    model, examples = random_model(40, 30, 20, 4), examples_of(25, 40)
    spiking = convert(model, examples)
    together = spiking.scores(examples, steps, batch=25)
    order = random.sample(range(25), 25)
    np.testing.assert_array_equal(spiking.scores(examples[order], steps, batch=batch), together[order])


@pytest.mark.parametrize("batch", [1, 7, 50])
def test_julia_and_torch_agree(batch):
    model, examples = random_model(8, 40, 30, 5, seed=4), examples_of(50, 8)
    spiking = convert(model, examples)
    julia, by_torch = (spiking.scores(examples, 9, batch=batch, backend=name) for name in ("julia", "torch"))
    np.testing.assert_allclose(julia, by_torch, atol=1e-9)


# Layers


def merged(stages, examples):
    for stage in stages[:-1]:
        examples = np.maximum(stage(examples), 0)
    return stages[-1](examples)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@settings(max_examples=60)
@given(st.data())
def test_convolutions_and_means_are_those_of_torch(data):
    draw = data.draw
    channels, groups = draw(st.sampled_from([(1, 1), (4, 1), (4, 2), (4, 4)]))
    kernel = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 2)))
    dilation = draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))
    padding = draw(st.one_of(st.tuples(st.integers(0, 2), st.integers(0, 2)), st.sampled_from(["valid", "same"])))
    if padding == "same":
        stride = (1, 1)
    pooling = draw(st.integers(1, 2))
    layers = [
        nn.Conv2d(channels, 4, kernel, stride, padding, dilation, groups, bias=draw(st.booleans())),
        nn.AvgPool2d(pooling, draw(st.none() | st.integers(1, 2)), padding=draw(st.integers(0, pooling // 2))),
        *([nn.ReLU()] if draw(st.booleans()) else []),
        nn.Conv2d(4, 3, 1),
        nn.Flatten(),
    ]
    model, examples = nn.Sequential(*layers), examples_of(3, channels, 9, 11)
    with_torch = outputs(model, examples)
    stages = affine_stages(model, (channels, 9, 11))
    assert len(stages) == 1 + any(isinstance(layer, nn.ReLU) for layer in layers)
    np.testing.assert_allclose(merged(stages, examples.reshape(3, -1)), with_torch, atol=1e-9)


def test_a_convolutional_network_is_converted():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        block = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2))
        model = nn.Sequential(block, nn.Conv2d(4, 6, 3), nn.ReLU(), nn.Flatten(), nn.Dropout(), nn.Linear(150, 5))
    images = abs(examples_of(20, 1, 14, 14))
    spiking = convert(model, images, percentile=100.0)
    assert [p.units for p in spiking.network.populations.values()] == [4 * 14 * 14, 6 * 5 * 5, 5]
    window = 4 * 6 * 6  # of a 3 x 3 filter of means over 2 x 2
    assert spiking.network.synapses == 150 * window + 150 * 5
    wanted = outputs(model, images)
    errors = [abs(spiking.scores(images, steps) - wanted).mean() for steps in (20, 200)]
    assert errors[1] < errors[0] / 4
    assert errors[1] < 0.05 * wanted.std()


# What cannot be converted


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([nn.Conv2d(1, 2, 3), nn.MaxPool2d(2)], r"layer 1, MaxPool2d.* cannot be converted: use AvgPool2d"),
        ([nn.Flatten(), nn.Sequential(nn.Linear(64, 3), nn.Sigmoid())], r"layer 1\.1, Sigmoid.*use ReLU"),
        ([nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)], r"layer 1, BatchNorm2d.*fuse_conv_bn_eval"),
        ([nn.Flatten(), nn.Linear(64, 3), nn.Softmax(1)], r"layer 2, Softmax.*leave it out"),
        ([nn.Flatten(), nn.Linear(64, 3), nn.ELU()], r"layer 2, ELU.*convertible are Linear, Conv2d"),
        ([nn.Flatten(), nn.Linear(64, 3), nn.ReLU6()], r"layer 2, ReLU6"),
        ([nn.Flatten(), nn.Linear(64, 3), nn.ReLU()], r"must end in a layer with weights.*leave out the ReLU"),
        ([nn.Flatten()], r"must end in a layer with weights"),
        ([nn.Linear(64, 3)], r"layer 0, Linear.*got \(1, 8, 8\): put a Flatten before it"),
        ([nn.Flatten(), nn.Linear(65, 3)], r"expects examples of shape \(65,\), got \(64,\)$"),
        ([nn.Flatten(2), nn.Linear(64, 3)], r"layer 0, Flatten.*all axes but the first"),
        ([nn.Conv2d(1, 2, 9)], r"larger than the image: examples are of shape \(1, 8, 8\)"),
        ([nn.Conv2d(3, 2, 3)], r"expects 3 channels"),
        ([nn.Conv2d(1, 2, 3, padding=1, padding_mode="circular")], r"must pad with zeros"),
        ([nn.AvgPool2d(3, ceil_mode=True)], r"no ceil_mode"),
        ([nn.Flatten(), nn.AvgPool2d(2)], r"expects examples of shape \(channels, rows, columns\), got \(64,\)"),
    ],
)
def test_a_layer_that_does_not_convert_is_named(layers, message):
    with pytest.raises(ConversionError, match=message):
        convert(nn.Sequential(*layers), np.ones((2, 1, 8, 8)))


def test_only_sequential_models_of_finite_weights():
    with pytest.raises(ConversionError, match=r"must be a torch\.nn\.Sequential, got Linear"):
        convert(nn.Linear(3, 2), np.ones((2, 3)))
    model = random_model(3, 4, 2)
    model[0].weight.data[1, 2] = torch.nan
    with pytest.raises(ConversionError, match=r"layer 0, Linear.*has a weight that is not finite"):
        convert(model, np.ones((2, 3)))


@pytest.mark.parametrize(
    ("data", "settings", "message"),
    [
        ([[1.0, 2.0, np.nan]], {}, r"data must be finite, got nan for example 0, value 2"),
        (np.ones((0, 3)), {}, r"data has no examples"),
        (np.ones(3), {}, r"data must be numbers \(examples, \.\.\.\), got float64 of shape \(3,\)"),
        ([["a", "b", "c"]], {}, r"data must be numbers"),
        (np.ones((2, 3)), {"percentile": 0.0}, r"percentile must be above 0, up to 100, got 0\.0"),
        (np.ones((2, 3)), {"percentile": np.nan}, r"percentile must be"),
        (np.ones((2, 3)), {"initial_potential": 1.0}, r"initial_potential must be from 0 to below"),
        (np.ones((2, 3)), {"percentile": 1e-6}, r"hidden layer 1 is silent: the 1e-06th percentile"),
    ],
)
def test_bad_data_are_refused(data, settings, message):
    model = random_model(3, 4, 2)
    model[0].bias.data[0] = -100.0  # a unit that is never active
    with pytest.raises(ValueError, match=message):
        convert(model, data, **settings)


@pytest.mark.parametrize(
    ("examples", "settings", "message"),
    [
        ([[1.0, np.inf, 0.0]], {}, r"examples must be finite, got inf for example 0, value 1"),
        (np.ones((2, 4)), {}, r"examples must be numbers \(examples, 3\), got float64 of shape \(2, 4\)"),
        (np.ones((2, 3)), {"steps": 0}, r"steps must be a whole number, at least 1, got 0"),
        (np.ones((2, 3)), {"steps": 2.5}, r"steps must be a whole number"),
        (np.ones((2, 3)), {"batch": 0}, r"batch must be a whole number of examples, at least 1, got 0"),
    ],
)
def test_bad_examples_are_refused(examples, settings, message):
    spiking = convert(random_model(3, 4, 2), np.ones((2, 3)))
    with pytest.raises(ValueError, match=message):
        spiking.scores(examples, **{"steps": 3, **settings})


def test_of_no_examples_there_are_no_scores():
    spiking = convert(random_model(3, 4, 2), np.ones((2, 3)))
    assert spiking.scores(np.ones((0, 3)), 3).shape == (0, 2)
    assert spiking.predict(np.ones((0, 3)), 3).shape == (0,)
    with pytest.raises(ValueError, match="there are no examples"):
        spiking.simulate(np.ones((0, 3)), 3)
