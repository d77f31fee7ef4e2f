"""Automata as tasks: examples, loss, and networks that learn them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sharpwave.recurrent import GRU, Elman, Protocol, new_networks, train
from sharpwave.recurrent.automata import AutomatonTask, TimedAutomaton, Transition, temporal_flipflop

FLIPFLOP = AutomatonTask(temporal_flipflop(period=4), name="flipflop")
THREE = TimedAutomaton(
    ("red", "green", "blue"), ("tick", "back"),
    (*(Transition(a, "tick", b) for a, b in (("red", "green"), ("green", "blue"), ("blue", "red"))),
     Transition("*", "back", "red")),
)  # fmt: skip
LONG = AutomatonTask(temporal_flipflop(period=14))
SHORT = Protocol(steps=20, examples=16, horizons=(12,), check_every=10, check_examples=16)


def test_examples_are_what_the_automaton_does() -> None:
    inputs, targets = FLIPFLOP.batch(3, 5, 40, 30)
    symbols = inputs.argmax(-1).numpy()
    np.testing.assert_array_equal(symbols, FLIPFLOP.symbols(3, 5, 40, 30))
    np.testing.assert_array_equal(targets[..., 0] > 0, FLIPFLOP.automaton.simulate(symbols) == 1)
    assert set(inputs.sum(-1).unique().tolist()) == {1.0}
    other, _ = FLIPFLOP.batch(3, 6, 40, 30)
    assert not torch.equal(inputs, other)
    three = AutomatonTask(THREE).batch(0, 0, 9, 7)[1]
    assert three.shape == (9, 7, 3)
    assert set((three > 0).sum(-1).unique().tolist()) == {1}


def test_symbols_come_as_often_as_they_are_to() -> None:
    task = AutomatonTask(temporal_flipflop("relative"), [0.1, 0.1, 0.8])
    shares = np.bincount(task.symbols(0, 0, 200, 200).ravel(), minlength=3) / 40_000
    np.testing.assert_allclose(shares, [0.1, 0.1, 0.8], atol=0.01)


def test_the_loss_is_torchs_binary_cross_entropy() -> None:
    outputs, targets = torch.randn(2, 5, 6, 1, dtype=torch.float64), torch.randn(2, 5, 6, 1).sign().double()
    plain = torch.nn.functional.binary_cross_entropy_with_logits
    expected = torch.stack([plain(o, (t + 1) / 2) for o, t in zip(outputs, targets, strict=True)])
    torch.testing.assert_close(FLIPFLOP.loss(outputs, targets), expected)


def test_a_network_with_biases_is_torchs_and_its_numpy_self() -> None:
    architecture = Elman(7, bias=True)
    parameters = {n: p.double().requires_grad_() for n, p in new_networks(architecture, 2, 1, [0, 1]).items()}
    inputs = FLIPFLOP.batch(0, 0, 3, 9)[0].double().expand(2, -1, -1, -1)
    outputs = architecture.outputs(parameters, inputs, 11)
    trained = train(architecture, FLIPFLOP, [0, 1], replace(SHORT, steps=1))
    for replica in range(2):
        one = {name: value[replica] for name, value in parameters.items()}
        h, said = torch.zeros(3, 7, dtype=torch.float64), []
        for t in range(11):
            drive = h @ one["recurrent"].T + one["bias"]
            h = torch.tanh(drive + inputs[replica, :, t] @ one["input"].T if t < 9 else drive)
            said.append(h @ one["readout"].T + one["readout_bias"])
        plain = torch.stack(said, dim=1)
        torch.testing.assert_close(outputs[replica], plain)
        wanted = list(parameters.values())
        found, expected = (
            torch.autograd.grad(y.square().sum(), wanted, retain_graph=True) for y in (outputs[replica], plain)
        )
        torch.testing.assert_close(found, expected)
        network = trained.network(replica)
        own = {name: torch.tensor(value[replica : replica + 1]).double() for name, value in trained.parameters.items()}
        np.testing.assert_allclose(
            network.outputs(network.states(inputs[0].numpy(), 11)),
            architecture.outputs(own, inputs[:1], 11)[0].numpy(), rtol=1e-10, atol=1e-12,
        )  # fmt: skip


@pytest.mark.parametrize("architecture", [Elman(24, bias=True), GRU(24)], ids=repr)
def test_networks_learn_to_keep_time(architecture) -> None:
    protocol = Protocol(steps=500, learning_rate=0.01, horizons=(16,), check_every=100, patience=1)
    assert train(architecture, FLIPFLOP, [0], protocol).test(16)[0] > 0.95  # .75 without a sense of time


def test_side_by_side_and_alone_are_the_same_and_so_is_what_was_broken_off(tmp_path: Path) -> None:
    architecture, file = Elman(8, bias=True), tmp_path / "training.npz"
    together = train(architecture, FLIPFLOP, [2, 5], SHORT, keep=range(0, 21, 5))
    alone = train(architecture, FLIPFLOP, [5], SHORT, keep=range(0, 21, 5))
    for name, value in alone.kept.items():
        np.testing.assert_allclose(together.kept[name][:, 1], value[:, 0], rtol=1e-4, atol=1e-5)
    train(architecture, FLIPFLOP, [5], SHORT, checkpoint=file)
    other = AutomatonTask(temporal_flipflop(period=6), name="flipflop")
    with pytest.raises(ValueError, match="a checkpoint of another training"):
        train(architecture, other, [5], SHORT, checkpoint=file)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AutomatonTask(THREE, [0.5, 0.6]), "2 numbers from 0 on that add up to 1"),
        (lambda: AutomatonTask(THREE, [1.0]), "2 numbers from 0 on"),
        (lambda: AutomatonTask(THREE, [1.5, -0.5]), "2 numbers from 0 on"),
        (lambda: AutomatonTask(TimedAutomaton(("a",), ("b",), (Transition("a", "b", "a"),))), "nothing to learn"),
        (lambda: train(Elman(4), LONG, [0], SHORT), "counts to 14 steps, and sequences of 12 never show all"),
        (lambda: LONG.batch(0, 0, 1, 13), "counts to 14 steps, and sequences of 13 never"),
        (lambda: train(Elman(4), FLIPFLOP, [0], backend="julia"), "Julia trains Elman networks without biases on lin"),
    ],
)
def test_what_is_no_task_is_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
