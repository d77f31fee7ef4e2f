"""Training side by side against training alone, torch's own RNN and Adam, and breaks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sharpwave.recurrent import (
    RNN,
    Elman,
    HistoryTask,
    Protocol,
    Trained,
    linear_task,
    new_networks,
    published_tasks,
    repeat_copy,
    train,
)  # fmt: skip

TASK = repeat_copy(3, 2)
XOR = HistoryTask("xor", 2, 1, lambda x: x[..., 0, :] * x[..., 1, :])
SHORT = Protocol(steps=30, examples=16, horizons=(4, 7), promoted_at=0.5, check_every=10, check_examples=32)


def same(one: Trained, other: Trained) -> bool:
    return all(np.array_equal(one.parameters[name], other.parameters[name]) for name in one.parameters) and all(
        np.array_equal(one.checks[name], other.checks[name], equal_nan=True) for name in one.checks
    )


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu", "identity"])
def test_gradients_are_those_of_a_plain_loop(nonlinearity: str) -> None:
    architecture, functions = (
        Elman(5, nonlinearity),
        {"tanh": torch.tanh, "relu": torch.relu, "identity": lambda x: x},
    )
    parameters = {n: p.double().requires_grad_() for n, p in new_networks(architecture, 2, 2, [0, 1]).items()}
    inputs = torch.randn(2, 3, 4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    weighting = torch.randn(2, 3, 9, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    outputs = architecture.outputs(parameters, inputs, 9)
    h, found = torch.zeros(2, 3, 5, dtype=torch.float64), []
    for t in range(9):
        drive = h @ parameters["recurrent"].mT
        if t < 4:
            drive = drive + inputs[:, :, t] @ parameters["input"].mT
        h = functions[nonlinearity](drive)
        found.append(h @ parameters["readout"].mT)
    plain = torch.stack(found, dim=2)
    torch.testing.assert_close(outputs, plain, rtol=1e-13, atol=1e-13)
    wanted = list(parameters.values())
    gradients = [torch.autograd.grad((y * weighting).sum(), wanted) for y in (outputs, plain)]
    torch.testing.assert_close(*gradients, rtol=1e-12, atol=1e-12)


@pytest.mark.usefixtures("julia")
def test_in_julia_networks_side_by_side_are_those_trained_alone_bit_for_bit() -> None:
    together = train(Elman(24), TASK, [5, 0, 9], SHORT, backend="julia")
    assert (together.checks["horizon"][-1] == 7).any()  # some have gone on to the next stage
    for place, seed in enumerate(together.seeds):
        alone = train(Elman(24), TASK, [seed], SHORT, backend="julia")
        for name, value in alone.parameters.items():
            np.testing.assert_array_equal(together.parameters[name][place], value[0])


@pytest.mark.usefixtures("julia")
@pytest.mark.parametrize("nonlinearity", ["tanh", "identity"])
def test_julia_and_torch_learn_the_same(nonlinearity: str) -> None:
    protocol, task = replace(SHORT, weight_decay=0.01, clip=0.5), published_tasks()["T4"]
    julia, plain = (train(Elman(40, nonlinearity), task, [1, 2], protocol, backend=b) for b in ("julia", "torch"))
    np.testing.assert_allclose(julia.checks["loss"], plain.checks["loss"], rtol=1e-5)
    for name, value in julia.parameters.items():
        np.testing.assert_allclose(value, plain.parameters[name], atol=2e-6)


@pytest.mark.usefixtures("julia")
def test_julia_and_torch_learn_the_same_with_rectified_units() -> None:
    task = linear_task("mean", [[0.5, 0.0, 0.5, 0.0], [0.0, 0.25, 0.0, 0.75]], 2, 2)  # a rule of several terms
    julia, plain = (
        train(Elman(7, "relu"), task, [1, 2], replace(SHORT, steps=5), backend=b) for b in ("julia", "torch")
    )
    for name, value in julia.parameters.items():
        np.testing.assert_allclose(value, plain.parameters[name], atol=2e-6)


def test_in_torch_networks_side_by_side_are_those_trained_alone_but_for_rounding() -> None:
    together = train(Elman(24), TASK, [5, 0, 9], SHORT, backend="torch")
    for place, seed in enumerate(together.seeds):
        alone = train(Elman(24), TASK, [seed], SHORT, backend="torch")
        np.testing.assert_array_equal(together.checks["horizon"][:, place], alone.checks["horizon"][:, 0])
        for name, value in alone.parameters.items():
            np.testing.assert_allclose(together.parameters[name][place], value[0], rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("julia")
@pytest.mark.parametrize("backend", ["julia", "torch"])
def test_a_network_learns_what_torchs_own_learns(backend: str) -> None:
    protocol = replace(SHORT, steps=12, horizons=(6,), check_every=12, weight_decay=0.01, clip=0.3)
    ours = train(Elman(16), TASK, [3], protocol, backend=backend)
    rnn, readout = torch.nn.RNN(2, 16, bias=False, batch_first=True), torch.nn.Linear(16, 2, bias=False)
    first = new_networks(Elman(16), 2, 2, [3])
    with torch.no_grad():
        for parameter, name in (
            (rnn.weight_hh_l0, "recurrent"),
            (rnn.weight_ih_l0, "input"),
            (readout.weight, "readout"),
        ):
            parameter.copy_(first[name][0])
    parameters = [*rnn.parameters(), *readout.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=protocol.learning_rate, weight_decay=protocol.weight_decay)
    for step in range(protocol.steps):
        inputs, targets = TASK.batch(3, step, protocol.examples, 6)
        shown = torch.cat([inputs, torch.zeros(len(inputs), 6, 2)], dim=1)
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(readout(rnn(shown)[0])[:, 3:], targets).backward()
        torch.nn.utils.clip_grad_norm_(parameters, protocol.clip)
        optimizer.step()
    theirs = {"recurrent": rnn.weight_hh_l0, "input": rnn.weight_ih_l0, "readout": readout.weight}
    for name, value in theirs.items():
        np.testing.assert_allclose(ours.parameters[name][0], value.detach().numpy(), rtol=1e-4, atol=2e-6)


@pytest.mark.usefixtures("julia")
@pytest.mark.parametrize("backend", ["julia", "torch"])
def test_training_that_was_broken_off_ends_in_the_same_numbers(tmp_path: Path, backend: str) -> None:
    whole, file = train(Elman(16), TASK, [0, 1], SHORT, backend=backend), tmp_path / "training.npz"

    def broken(done: int, total: int) -> None:
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(Elman(16), TASK, [0, 1], SHORT, checkpoint=file, watch=broken, backend=backend)
    seen: list[int] = []
    watched = {"checkpoint": file, "watch": lambda done, total: seen.append(done), "backend": backend}
    resumed = train(Elman(16), TASK, [0, 1], SHORT, **watched)
    assert seen[0] == {"julia": 20, "torch": 11}[backend]  # steps are done again from the last check on, at 10
    assert same(resumed, whole)
    assert same(train(Elman(16), TASK, [0, 1], SHORT, checkpoint=file, backend=backend), whole)
    assert [path.name for path in tmp_path.iterdir()] == ["training.npz"]


@pytest.mark.usefixtures("julia")
@pytest.mark.parametrize("backend", ["julia", "torch"])
def test_parameters_are_kept_at_the_steps_asked_for(tmp_path: Path, backend: str) -> None:
    steps = (0, 4, 10, 13, 20, 30)
    plain = train(Elman(16), TASK, [0, 1], SHORT, backend=backend)
    found = train(Elman(16), TASK, [0, 1], SHORT, keep=steps, backend=backend)
    assert same(plain, found)
    first = new_networks(Elman(16), 2, 2, [0, 1])
    for name, value in found.kept.items():
        assert value.shape == (6, *first[name].shape)
        np.testing.assert_array_equal(value[0], first[name])
        for place, step in enumerate(steps[1:], 1):
            protocol = replace(SHORT, steps=step, check_every=10)
            alone = train(Elman(16), TASK, [0, 1], protocol, keep=(step,), backend=backend)
            np.testing.assert_array_equal(value[place], alone.kept[name][0])
    np.testing.assert_array_equal(found.network(1, kept=3).recurrent, found.kept["recurrent"][3, 1])

    def broken(done: int, total: int) -> None:
        if done == 20:
            raise KeyboardInterrupt

    file = tmp_path / "training.npz"
    with pytest.raises(KeyboardInterrupt):
        train(Elman(16), TASK, [0, 1], SHORT, keep=steps, checkpoint=file, watch=broken, backend=backend)
    resumed = train(Elman(16), TASK, [0, 1], SHORT, keep=steps, checkpoint=file, backend=backend)
    for name, value in found.kept.items():
        np.testing.assert_array_equal(resumed.kept[name], value)


@pytest.mark.usefixtures("julia")
@pytest.mark.parametrize("backend", ["julia", "torch"])
def test_a_network_that_diverges_stops_and_the_others_go_on(backend: str) -> None:
    protocol = replace(SHORT, learning_rate=30.0, steps=40, horizons=(60,), clip=1e9)
    with pytest.warns(RuntimeWarning, match="networks diverged, and training them ended, by seed and step"):
        found = train(Elman(8, "relu"), TASK, [0, 1, 2, 3], protocol, backend=backend)
    assert found.diverged.any()
    assert (found.steps[found.diverged] < 40).all()
    assert (found.steps[~found.diverged] == 40).all()
    assert all(np.isfinite(value).all() for value in found.parameters.values())


@pytest.mark.usefixtures("julia")
@pytest.mark.parametrize("backend", ["julia", "torch"])
def test_what_was_kept_before_all_networks_diverged_is_returned(backend: str) -> None:
    protocol = replace(SHORT, learning_rate=30.0, steps=40, horizons=(60,), clip=1e9, check_every=20)
    with pytest.warns(RuntimeWarning, match="networks diverged"):
        found = train(Elman(8, "relu"), TASK, [0], protocol, keep=[0, 10, 30, 40], backend=backend)
    assert found.diverged.all()
    assert found.steps[0] < 10
    assert found.kept["recurrent"].shape == (4, 1, 8, 8)
    np.testing.assert_array_equal(found.kept["recurrent"][1], found.kept["recurrent"][3])


def test_a_task_is_learned_and_a_network_without_mistakes_has_done() -> None:
    protocol = Protocol(steps=1500, examples=32, learning_rate=3e-3, horizons=(5, 10), patience=2, check_every=50)
    found = train(Elman(24), repeat_copy(2, 2), [0, 1], protocol)
    assert (found.steps < 1500).all()
    assert (found.test(horizon=10) == 1.0).all()
    untrained = replace(found, parameters={n: p.numpy() for n, p in new_networks(Elman(24), 2, 2, [0, 1]).items()})
    assert (untrained.test(horizon=10) < 0.8).all()
    network = found.network(1)
    inputs, targets = repeat_copy(2, 2).batch(7, 0, 50, 10)
    outputs = network.outputs(network.states(inputs.numpy(), 12))[:, 2:]
    assert (outputs * targets.numpy() > 0).all()


def test_a_network_that_is_right_enough_has_done_sooner() -> None:
    protocol = Protocol(steps=1500, examples=32, learning_rate=3e-3, horizons=(10,), patience=1, check_every=25)
    strict, soon = (train(Elman(24), repeat_copy(2, 2), [0, 1], replace(protocol, done_at=at)) for at in (1.0, 0.9))
    assert (soon.steps < strict.steps).all()
    for found, least in ((strict, 1.0), (soon, 0.9)):
        accuracy = found.checks["accuracy"]
        for network, steps in enumerate(found.steps):
            at = int(steps) // 25 - 1
            assert accuracy[at, network] >= least
            assert (accuracy[:at, network] < least).all()
    with pytest.raises(ValueError, match="done_at must be above 0, up to 1, got 2"):
        Protocol(done_at=2.0)


def test_a_wave_carries_an_input_from_the_newest_column_to_the_oldest() -> None:
    first = new_networks(Elman(11, "identity", "wave"), 2, 2, [0])
    network = RNN(*(first[name][0].numpy() for name in ("recurrent", "input", "readout")), "identity")
    states = network.states([[3.0, 4.0]], steps=7)
    for t in range(5):
        assert np.flatnonzero(states[t]).tolist() == [8 - 2 * t, 9 - 2 * t]
    assert not states[5:].any()
    with pytest.raises(ValueError, match="as many units as inputs at least, got 1 and 2"):
        new_networks(Elman(1, start="wave"), 2, 2, [0])


def test_the_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "training.npz"
    train(Elman(8), TASK, [0], replace(SHORT, steps=10), checkpoint=file)
    with pytest.raises(ValueError, match="a checkpoint of another training: name another file, or remove it"):
        train(Elman(8), TASK, [0], SHORT, checkpoint=file)
    whole = file.read_bytes()
    np.save(tmp_path / "array.npy", np.ones(3))
    for content in (b"PK no archive", b"", whole[: len(whole) // 2], (tmp_path / "array.npy").read_bytes()):
        file.write_bytes(content)
        with pytest.raises(ValueError, match="is no checkpoint"):
            train(Elman(8), TASK, [0], SHORT, checkpoint=file)


@pytest.mark.parametrize(
    "tasks",
    [
        [linear_task("rule", matrix, 2, 1) for matrix in ([[1.0, 0.0]], [[-1.0, 0.5]])],
        [HistoryTask("rule", 2, 1, lambda x, k=k: k * x[..., 0, :] * x[..., 1, :]) for k in (1, -1)],
    ],
)
def test_a_checkpoint_of_another_rule_of_the_same_name_is_refused(tmp_path: Path, tasks: list[HistoryTask]) -> None:
    file = tmp_path / "training.npz"
    train(Elman(8), tasks[0], [0], replace(SHORT, steps=10), checkpoint=file, backend="torch")
    with pytest.raises(ValueError, match="a checkpoint of another training"):
        train(Elman(8), tasks[1], [0], replace(SHORT, steps=10), checkpoint=file, backend="torch")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: train(Elman(8), TASK, []), "at least one, got"),
        (lambda: train(Elman(8), TASK, [1, 1]), "different whole numbers"),
        (lambda: train(Elman(8), TASK, [-1]), "from 0 on"),
        (lambda: train(Elman(8), TASK, [1.9]), "a seed must be a whole number from 0 on, got 1.9"),
        (lambda: train(Elman(8), TASK, [1], SHORT, keep=[1.9]), "a step to keep must be a whole number"),
        (lambda: train(Elman(8), TASK, [1], replace(SHORT, steps=1)).test(0), "horizon must be a whole number from 1"),
        (lambda: train(Elman(8), TASK, [1], backend="jula"), "unknown backend 'jula': did you mean 'julia'"),
        (
            lambda: train(Elman(8), XOR, [1], backend="julia"),
            "Julia trains Elman networks without biases on linear rules, not .* on xor",
        ),
        (lambda: train(Elman(8), TASK, [1], SHORT, keep=(20, 10)), "must rise, from 0 to at most 30, got"),
        (lambda: train(Elman(8), TASK, [1], SHORT, keep=(31,)), "must rise, from 0 to at most 30, got"),
        (lambda: Protocol(horizons=(20, 10)), "rising horizons"),
        (lambda: Protocol(horizons=()), "rising horizons"),
        (lambda: Protocol(learning_rate=float("nan")), "learning_rate and clip must be positive"),
        (lambda: Protocol(weight_decay=-0.1), "weight_decay not negative"),
        (lambda: Elman(0), "hidden must be at least 1"),
        (lambda: Elman(4, start="waves"), "unknown start 'waves': did you mean 'wave'"),
        (lambda: Elman(4, "tan"), "unknown nonlinearity 'tan': did you mean 'tanh'"),
        (lambda: RNN(np.eye(3), np.ones((2, 1)), np.ones((1, 3))), r"got \(3, 3\), \(2, 1\) and \(1, 3\)"),
    ],
)
def test_what_cannot_be_trained_is_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
