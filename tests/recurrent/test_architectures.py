"""Architectures against torch's own modules, plain loops, and each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sharpwave.recurrent import GRU, LSTM, Elman, Protocol, new_networks, repeat_copy, train
from sharpwave.waves import AttentionLattice, WaveRNN

TASK = repeat_copy(3, 2)
ARCHITECTURES = [GRU(6), LSTM(6), WaveRNN(5, 3), WaveRNN(4, 2, nonlinearity="tanh"), AttentionLattice(4, 5, 2)]
generator = torch.Generator().manual_seed(0)


def shown(replicas: int = 2, examples: int = 3, steps: int = 4, inputs: int = 2) -> torch.Tensor:
    return torch.randn(replicas, examples, steps, inputs, dtype=torch.float64, generator=generator)


def networks(architecture, seeds=(0, 1)) -> dict[str, torch.Tensor]:
    return {name: value.double() for name, value in new_networks(architecture, 2, 2, seeds).items()}


@pytest.mark.parametrize(("architecture", "module"), [(GRU(6), torch.nn.GRU), (LSTM(6), torch.nn.LSTM)])
def test_gated_networks_are_torchs(architecture, module) -> None:
    parameters, inputs = networks(architecture), shown()
    outputs = architecture.outputs(parameters, inputs, 9)
    for replica in range(2):
        twin = module(2, 6, batch_first=True).double()
        with torch.no_grad():
            for ours, theirs in (
                ("recurrent", twin.weight_hh_l0),
                ("input", twin.weight_ih_l0),
                ("recurrent_bias", twin.bias_hh_l0),
                ("input_bias", twin.bias_ih_l0),
            ):
                theirs.copy_(parameters[ours][replica])
        whole = torch.cat([inputs[replica], torch.zeros(3, 5, 2, dtype=torch.float64)], dim=1)
        expected = twin(whole)[0] @ parameters["readout"][replica].T
        torch.testing.assert_close(outputs[replica], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("channels", "kernel"), [(3, 3), (1, 5)])
def test_the_wave_rnn_is_torchs_circular_convolution(channels: int, kernel: int) -> None:
    architecture = WaveRNN(6, channels, kernel)
    parameters, inputs = networks(architecture), shown()
    for value in parameters.values():
        value += torch.randn(value.shape, dtype=torch.float64, generator=generator) / 4
    outputs = architecture.outputs(parameters, inputs, 9)
    for replica in range(2):
        one = {name: value[replica] for name, value in parameters.items()}
        h = torch.zeros(3, channels, 6, dtype=torch.float64)
        for t in range(9):
            padded = torch.nn.functional.pad(h, (kernel // 2, kernel // 2), mode="circular")
            h = torch.nn.functional.conv1d(padded, one["recurrent"]) + one["bias"]
            if t < 4:
                h = h + torch.einsum("cnd,ed->ecn", one["input"], inputs[replica, :, t])
            h = h.relu()
            torch.testing.assert_close(outputs[replica, :, t], h.flatten(1) @ one["readout"].T)


def test_a_wave_rnn_begins_as_waves_that_go_round() -> None:
    architecture = WaveRNN(7, 2, nonlinearity="identity")
    parameters = networks(architecture, [0])
    parameters["readout"] = torch.eye(14, dtype=torch.float64)[None]
    h = architecture.outputs(parameters, shown(1, 1, 1), 15)[0, 0].unflatten(-1, (2, 7))
    written = h[0, :, -1]
    for t in range(15):
        assert h[t].nonzero()[:, 1].tolist() == [6 - t % 7] * 2
        torch.testing.assert_close(h[t, :, 6 - t % 7], written)


@pytest.mark.parametrize("biased", [True, False])
def test_an_attention_lattice_is_its_wave_lattice(biased: bool) -> None:
    architecture = AttentionLattice(4, 5, heads=3, biased=biased)
    parameters, inputs = networks(architecture), shown()
    outputs = architecture.outputs(parameters, inputs, 12)
    kept = {name: value.numpy() for name, value in parameters.items()}
    for replica in range(2):
        drive = inputs[replica].numpy() @ kept["input"][replica].T
        waves = architecture.lattice(kept, replica).run(drive, steps=12)
        np.testing.assert_allclose(waves.values @ kept["readout"][replica].T, outputs[replica], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("architecture", [Elman(6), *ARCHITECTURES], ids=repr)
def test_fewer_steps_than_inputs_are_the_first_of_them(architecture) -> None:
    parameters, inputs = networks(architecture), shown()
    for value in parameters.values():
        value.requires_grad_()
    whole, part = (architecture.outputs(parameters, inputs, steps) for steps in (4, 2))
    torch.testing.assert_close(part, whole[:, :, :2])
    gradients = [torch.autograd.grad(y[:, :, :2].square().sum(), parameters["input"])[0] for y in (whole, part)]
    torch.testing.assert_close(*gradients)
    assert architecture.outputs(parameters, inputs, 0).shape == (2, 3, 0, 2)


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=repr)
def test_networks_side_by_side_are_those_trained_alone_but_for_rounding(architecture) -> None:
    protocol = Protocol(steps=20, examples=8, horizons=(3, 5), promoted_at=0.5, check_every=10, check_examples=16)
    together = train(architecture, TASK, [4, 7], protocol)
    assert (together.steps == 20).all()
    for place, seed in enumerate(together.seeds):
        alone = train(architecture, TASK, [seed], protocol)
        for name, value in alone.parameters.items():
            np.testing.assert_allclose(together.parameters[name][place], value[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("architecture", [GRU(24), LSTM(32), WaveRNN(8, 8), AttentionLattice(3, 8, 2)], ids=repr)
def test_all_architectures_learn_to_repeat(architecture) -> None:
    protocol = Protocol(steps=800, horizons=(6,), learning_rate=0.01, check_every=100, patience=1)
    assert train(architecture, TASK, [1], protocol).test(6)[0] > 0.98  # .5 is chance


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GRU(0), "hidden must be at least 1, got 0"),
        (lambda: LSTM(-1), "hidden must be at least 1, got -1"),
        (lambda: Elman(0), "hidden must be at least 1"),
        (lambda: WaveRNN(5, 0), "at least one unit and channel"),
        (lambda: WaveRNN(5, 1, 4), "an odd kernel from 3 to the number of units, got 5, 1 and 4"),
        (lambda: WaveRNN(5, 1, 7), "an odd kernel"),
        (lambda: WaveRNN(5, nonlinearity="rely"), "did you mean 'relu'"),
        (lambda: AttentionLattice(0, 4), "columns, rows and heads must be at least 1, got 0, 4 and 1"),
    ],
)
def test_networks_that_there_are_not_are_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
