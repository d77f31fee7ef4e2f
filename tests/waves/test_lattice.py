"""Lattices against direct recursion, transformers and what is known of waves."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from random_tasks import random_sources
from sharpwave.equations import EquationError
from sharpwave.recurrent import HistoryTask, binding_task, circuit, published_tasks
from sharpwave.waves import (
    AttentionBoundary,
    EquationBoundary,
    LinearBoundary,
    MLPBoundary,
    RuleBoundary,
    WaveLattice,
    compile_history_system,
)  # fmt: skip
from sharpwave.waves.julia_backend import roll

XOR = HistoryTask("xor", 3, 2, lambda x: x[..., 0, :] * x[..., -1, :])
FIXED = LinearBoundary({1: 1.0})
XOR_LATTICE = compile_history_system(XOR)
rng = np.random.default_rng(0)


@pytest.mark.parametrize("task", [*published_tasks().values(), XOR], ids=lambda task: task.name)
def test_a_compiled_system_rolls_on_as_its_recursion_bit_for_bit(task: HistoryTask) -> None:
    window = np.sign(rng.normal(size=(4, task.window, task.dimensions)))
    waves = compile_history_system(task).run(steps=50, initial=window)
    np.testing.assert_array_equal(waves.values, task.continued(window, 50).numpy())


@given(st.integers(1, 6), st.integers(1, 3), st.integers(0, 2**31))
def test_any_binding_task_is_its_lattice(window: int, dimensions: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    task = binding_task("any", random_sources(window, dimensions, random), window)
    start = random.normal(size=(2, window, dimensions))
    waves = compile_history_system(task).run(steps=13, initial=start)
    np.testing.assert_array_equal(waves.values, task.continued(start, 13).numpy())


@pytest.mark.parametrize("columns", [1, 5, 8])
def test_an_input_leaves_at_the_open_end_exactly_so_many_steps_later(columns: int) -> None:
    inputs = rng.normal(size=(3, 1, 2))
    waves = WaveLattice(columns, 2, LinearBoundary({1: 0.0})).run(inputs, steps=columns + 4)
    expected = np.zeros((3, columns + 4, 2))
    expected[:, columns] = inputs[:, 0]
    np.testing.assert_array_equal(waves.left, expected)
    for step in range(1, columns + 1):
        substrate = waves.substrate(step)
        assert np.flatnonzero(substrate.any(axis=(0, 2))).tolist() == [columns - step]


def test_a_linear_lattice_in_any_basis_is_the_rnn_of_its_circuit() -> None:
    task = published_tasks()["T1"]
    inputs = np.sign(rng.normal(size=(5, 8, 8)))
    exact = circuit(task, rng.normal(size=(100, 64)))
    outputs = exact.network.outputs(exact.network.states(inputs, 40))
    waves = compile_history_system(task).run(inputs, steps=40)
    np.testing.assert_allclose(outputs, waves.values, atol=1e-9)
    found = exact.network.states(inputs, 40)[:, -1] @ np.linalg.pinv(exact.basis).T
    np.testing.assert_allclose(found.reshape(5, 8, 8), waves.substrate(40), atol=1e-9)


def test_the_attention_boundary_is_torchs_attention_with_a_cache_of_the_window() -> None:
    score, value = rng.normal(size=(2, 4, 4))
    start = rng.normal(size=(3, 6, 4))
    waves = WaveLattice(6, 4, AttentionBoundary(score, value)).run(steps=20, initial=start)
    cache = torch.from_numpy(start)
    for t in range(20):
        query = cache[:, -1:] @ torch.from_numpy(score).T
        found = torch.nn.functional.scaled_dot_product_attention(
            query, cache, cache @ torch.from_numpy(value).T, scale=1.0
        )
        np.testing.assert_allclose(found[:, 0], waves.values[:, t], rtol=1e-12, atol=1e-12)
        cache = torch.cat([cache, found], dim=1)[:, -6:]


def test_equations_are_the_system_that_they_say() -> None:
    xor = WaveLattice(3, 2, EquationBoundary({"x": "x(t - 3)*x(t - 1)", "y": "y(t - 3)*y(t - 1)"}))
    start = np.sign(rng.normal(size=(4, 3, 2)))
    np.testing.assert_array_equal(xor.run(steps=40, initial=start).values, XOR.continued(start, 40).numpy())


def test_a_perceptron_of_identity_columns_is_the_network_by_hand() -> None:
    parts = rng.normal(size=(7, 6)), rng.normal(size=7), rng.normal(size=(2, 7)), rng.normal(size=2)
    start = rng.normal(size=(1, 3, 2))
    waves = WaveLattice(3, 2, MLPBoundary(*parts)).run(steps=12, initial=start)
    window = start[0]
    for t in range(12):
        found = parts[2] @ np.tanh(parts[0] @ window.ravel() + parts[1]) + parts[3]
        np.testing.assert_allclose(waves.values[0, t], found, rtol=1e-11)
        window = np.concatenate([window[1:], [found]])


def test_heads_with_biases_read_one_column_each() -> None:
    sources = random_sources(5, 5, rng)
    task = binding_task("bound", sources, 5)
    value, bias = np.zeros((5, 5, 5)), np.full((5, 5), -1e4)
    for output, (block, dimension, sign) in enumerate(sources):
        value[output, output, dimension - 1], bias[output, block - 1] = sign, 0.0
    start = np.sign(rng.normal(size=(3, 5, 5)))
    waves = WaveLattice(5, 5, AttentionBoundary(np.zeros((5, 5, 5)), value, bias)).run(steps=30, initial=start)
    np.testing.assert_array_equal(waves.values, task.continued(start, 30).numpy())


BOUNDARIES = {
    "numbers": LinearBoundary({1: 0.5, 4: -0.25, 5: 0.125}),
    "rows": LinearBoundary({2: rng.normal(size=70) / 2, 5: 0.3}),
    "matrices": LinearBoundary({1: rng.normal(size=(70, 70)) / 20, 3: rng.normal(size=(70, 70)) / 20, 5: 0.1}),
    "attention": AttentionBoundary(rng.normal(size=(70, 70)) / 10, rng.normal(size=(70, 70)) / 9),
    "heads": AttentionBoundary(
        rng.normal(size=(3, 70, 70)) / 40, rng.normal(size=(3, 70, 70)) / 30, rng.normal(size=(3, 5))
    ),
    "perceptron": MLPBoundary(
        rng.normal(size=(9, 350)) / 19, rng.normal(size=9), rng.normal(size=(70, 9)) / 3, rng.normal(size=70)
    ),
    "rectified": MLPBoundary(
        rng.normal(size=(9, 350)) / 19, rng.normal(size=9), rng.normal(size=(70, 9)) / 3, np.zeros(70), "relu"
    ),
    "equations": EquationBoundary(
        {f"x{j}": f"tanh(a*x{(j + 1) % 70}(t - {j % 5 + 1})) - x{j}(t - 2)/2" for j in range(70)}, {"a": 1.25}
    ),
}


@pytest.mark.usefixtures("julia")
@pytest.mark.parametrize("name", BOUNDARIES)
@pytest.mark.parametrize(("ends", "speed"), [("open", 1.0), ("periodic", 1.5), ("reflecting", 0.7)])
@pytest.mark.parametrize("examples", [1, 3])
def test_julia_and_torch_agree_and_threads_do_not_matter(name: str, ends, speed: float, examples: int) -> None:
    lattice = WaveLattice(5, 70, BOUNDARIES[name], ends, speed)
    start, inputs = rng.normal(size=(examples, lattice.memory, 70)), rng.normal(size=(examples, 4, 70))
    julia, plain = (lattice.run(inputs, 23, start, backend=backend) for backend in ("julia", "torch"))
    np.testing.assert_allclose(julia.values, plain.values, rtol=1e-11, atol=1e-12)
    np.testing.assert_array_equal(lattice.run(inputs, 23, start, threads=1).values, julia.values)
    for example in range(examples):
        alone = lattice.run(inputs[[example]], 23, start[[example]], backend="julia")
        np.testing.assert_array_equal(alone.values[0], julia.values[example])
    _, memory = roll(lattice, start, inputs, 23, None)
    np.testing.assert_array_equal(lattice.transport.substrate(memory), julia.substrate(23))
    none, same = roll(lattice, start, inputs, 23, None, keep=False)
    assert none.shape == (examples, 0, 70)
    np.testing.assert_array_equal(same, memory)


def test_gradients_flow_through_a_lattice() -> None:
    lattice = WaveLattice(4, 2, AttentionBoundary(*rng.normal(size=(2, 2, 2))))
    start = torch.from_numpy(rng.normal(size=(1, 4, 2))).requires_grad_()
    inputs = torch.from_numpy(rng.normal(size=(1, 3, 2))).requires_grad_()
    assert torch.autograd.gradcheck(lambda s, u: lattice.roll(s, u, 6), (start, inputs))


@pytest.mark.parametrize("precision", [torch.float32, torch.float64])
def test_a_module_as_a_boundary_runs_in_its_own_precision(precision: torch.dtype) -> None:
    module = torch.nn.Sequential(torch.nn.Flatten(-2), torch.nn.Linear(2, 1)).to(precision)
    waves = WaveLattice(2, 1, RuleBoundary(module)).run([[[1.0]]], steps=3)
    weights, bias = module[1].weight.detach().double().numpy()[0], float(module[1].bias.detach())
    window = [0.0, 0.0]
    for t in range(3):
        window = [window[1], float(weights @ window) + bias + (t == 0)]
        np.testing.assert_allclose(waves.values[0, t, 0], window[1], rtol=1e-6)


@pytest.mark.parametrize("name", ["mean", "attention", "perceptron"])
def test_whole_numbers_are_no_reason_to_round_a_boundary(name: str) -> None:
    boundary = {
        "mean": LinearBoundary({1: 0.5, 2: 0.5}),
        "attention": AttentionBoundary(np.zeros((1, 1)), np.ones((1, 1))),
        "perceptron": MLPBoundary([[0.5, 0.5], [0.0, 0.0]], [0.0, 0.0], [[1.0, 0.0]], [0.0], "relu"),
    }[name]
    whole = torch.tensor([[2], [5]])
    assert boundary(whole).tolist() == [3.5]
    assert WaveLattice(2, 1, boundary).roll(whole[None], whole[None, :0], 1).tolist() == [[[3.5]]]


def test_a_module_as_a_boundary_learns_through_the_waves() -> None:
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Flatten(-2), torch.nn.Linear(6, 2, bias=False))
    lattice, task = WaveLattice(3, 2, RuleBoundary(module)), binding_task("bound", [(1, 2, 1), (2, 1, -1)], 3)
    optimizer = torch.optim.Adam(module.parameters(), 0.05)
    for step in range(300):
        start, targets = task.batch(0, step, 16, 6)
        loss = (lattice.roll(start, start[:, :0], 6) - targets).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    np.testing.assert_allclose(module[1].weight.detach(), task.matrix, atol=0.05)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WaveLattice(3, 2, LinearBoundary({4: 1.0})), "reads column 4: the lattice has 3"),
        (
            lambda: WaveLattice(3, 2, LinearBoundary({1: np.eye(3)})),
            r"\(2,\) or \(2, 2\) for 2 rows, got shape \(3, 3\)",
        ),
        (lambda: LinearBoundary({0: 1.0}), "a column must be a whole number from 1 on, got 0"),
        (lambda: LinearBoundary({1.5: 1.0}), "a column must be a whole number from 1 on, got 1.5"),
        (lambda: AttentionBoundary(np.ones((0, 2, 2)), np.ones((0, 2, 2))), "with a head at least"),
        (lambda: MLPBoundary(np.ones((0, 2)), [], np.ones((1, 0)), [1.0]), "with a hidden unit at least"),
        (lambda: WaveLattice(2.5, 1, FIXED), "columns must be a whole number from 1 on, got 2.5"),
        (lambda: WaveLattice(2, 0, FIXED), "rows must be a whole number from 1 on, got 0"),
        (lambda: WaveLattice(2, 1, FIXED, speed=1e-320), "waves must not need"),
        (lambda: WaveLattice(1, 1, FIXED).run([[[1j]]]), "inputs must be real"),
        (lambda: WaveLattice(1, 1, FIXED).run([[[1.0]]], 2.7), "steps must be a whole number from 0 on, got 2.7"),
        (lambda: WaveLattice(1, 1, FIXED).run([[[1.0]]], threads=-3), "threads must be a whole number from 1 on"),
        (lambda: LinearBoundary({}), "at least one term"),
        (lambda: LinearBoundary({1: np.nan}), "finite"),
        (lambda: LinearBoundary({1: 1j}), "must be real"),
        (lambda: AttentionBoundary(np.eye(2), np.ones((2, 3))), "square and of one size"),
        (lambda: AttentionBoundary(np.eye(2), np.eye(2), np.ones((2, 4))), r"\(columns,\) or \(1, columns\)"),
        (lambda: WaveLattice(3, 2, AttentionBoundary(np.eye(2), np.eye(2), np.ones(4))), "for 4 columns, the lattice"),
        (lambda: MLPBoundary(np.eye(2), np.ones(3), np.eye(2), np.ones(2)), r"got \(2, 2\), \(3,\), \(2, 2\)"),
        (lambda: MLPBoundary(np.eye(2), np.ones(2), np.eye(2), np.ones(2), "tan"), "did you mean 'tanh'"),
        (
            lambda: WaveLattice(3, 2, MLPBoundary(np.ones((4, 4)), np.ones(4), np.ones((2, 4)), np.ones(2))),
            "makes 2 numbers of 4; a lattice of 3 columns and 2 rows needs 2 of 6",
        ),
        (lambda: WaveLattice(1, 1, EquationBoundary({"x": "x(t - 2)"})), r"x\(t - 2\) reads beyond the window"),
        (lambda: WaveLattice(1, 2, EquationBoundary({"x": "x(t - 1)"})), r"for 1 rows \(x\), the lattice has 2"),
        (lambda: WaveLattice(3, 1, FIXED, "closed"), "unknown kind of ends 'closed'"),
        (lambda: WaveLattice(3, 1, FIXED, speed=0.0), "above 0 and at most 3, the columns, got 0"),
        (lambda: WaveLattice(3, 1, FIXED, speed=4.0), "above 0 and at most 3, the columns, got 4"),
        (lambda: WaveLattice(3, 2, AttentionBoundary(np.eye(3), np.eye(3))), "for 3 rows, the lattice has 2"),
        (lambda: WaveLattice(2, 2, RuleBoundary(lambda x: x[..., -3, :])), "reads beyond the window of 2"),
        (lambda: XOR_LATTICE.run(steps=1, initial=np.ones((1, 3, 2)), backend="julia"), "use backend='torch'"),
        (lambda: XOR_LATTICE.run(steps=1, initial=np.ones((1, 3, 2)), backend="jul"), "did you mean 'julia'"),
        (lambda: WaveLattice(0, 2, LinearBoundary({1: 1.0})), "columns must be a whole number from 1 on, got 0"),
        (lambda: WaveLattice(1, 1, LinearBoundary({1: 1.0})).run(steps=3), "expected inputs, an initial substrate"),
        (lambda: WaveLattice(1, 1, LinearBoundary({1: 1.0})).run([[1.0]]), r"\(examples, shown, 1\), got \(1, 1\)"),
        (lambda: WaveLattice(1, 1, LinearBoundary({1: 1.0})).run([[[np.inf]]]), "inputs must be finite"),
        (
            lambda: WaveLattice(1, 1, LinearBoundary({1: 1.0})).run([[[1.0]]], -1),
            "steps must be a whole number from 0 on, got -1",
        ),
        (lambda: WaveLattice(1, 1, LinearBoundary({1: 1.0})).run([[[1.0]]]).substrate(2), "from 0 to 1, got 2"),
    ],
)
def test_what_is_no_lattice_is_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "not x now"),
        ("x(t - 1) + t", "not t now"),
        ("x(t - 1.5)", "delays count steps"),
        ("x(t - 0)", "not x now"),
        ("x(t/2 - 1)", "at t = 0: delays count steps"),
        ("z(t - 1)", "unknown function 'z'"),
        ("x(t - 1) +", "not an expression"),
    ],
)
def test_equations_that_are_no_rule_are_refused(text: str, message: str) -> None:
    with pytest.raises(EquationError, match=message):
        EquationBoundary({"x": text})
