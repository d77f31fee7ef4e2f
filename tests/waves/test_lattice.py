"""Lattices against direct recursion, transformers and what is known of waves."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from random_tasks import random_sources
from sharpwave.recurrent import HistoryTask, binding_task, circuit, published_tasks
from sharpwave.waves import AttentionBoundary, LinearBoundary, RuleBoundary, WaveLattice, compile_history_system
from sharpwave.waves.julia_backend import roll

XOR = HistoryTask("xor", 3, 2, lambda x: x[..., 0, :] * x[..., -1, :])
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


BOUNDARIES = {
    "numbers": LinearBoundary({1: 0.5, 4: -0.25, 5: 0.125}),
    "rows": LinearBoundary({2: rng.normal(size=70) / 2, 5: 0.3}),
    "matrices": LinearBoundary({1: rng.normal(size=(70, 70)) / 20, 3: rng.normal(size=(70, 70)) / 20, 5: 0.1}),
    "attention": AttentionBoundary(rng.normal(size=(70, 70)) / 10, rng.normal(size=(70, 70)) / 9),
}


@pytest.mark.usefixtures("julia")
@pytest.mark.parametrize("name", BOUNDARIES)
@pytest.mark.parametrize("examples", [1, 3])
def test_julia_and_torch_agree_and_threads_do_not_matter(name: str, examples: int) -> None:
    lattice = WaveLattice(5, 70, BOUNDARIES[name])
    start, inputs = rng.normal(size=(examples, 5, 70)), rng.normal(size=(examples, 4, 70))
    julia, plain = (lattice.run(inputs, 23, start, backend=backend) for backend in ("julia", "torch"))
    np.testing.assert_allclose(julia.values, plain.values, rtol=1e-11, atol=1e-12)
    np.testing.assert_array_equal(lattice.run(inputs, 23, start, threads=1).values, julia.values)
    for example in range(examples):
        alone = lattice.run(inputs[[example]], 23, start[[example]], backend="julia")
        np.testing.assert_array_equal(alone.values[0], julia.values[example])
    _, substrate = roll(lattice, start, inputs, 23, None)
    np.testing.assert_array_equal(substrate, julia.substrate(23))
    none, same = roll(lattice, start, inputs, 23, None, keep=False)
    assert none.shape == (examples, 0, 70)
    np.testing.assert_array_equal(same, substrate)


def test_gradients_flow_through_a_lattice() -> None:
    lattice = WaveLattice(4, 2, AttentionBoundary(*rng.normal(size=(2, 2, 2))))
    start = torch.from_numpy(rng.normal(size=(1, 4, 2))).requires_grad_()
    inputs = torch.from_numpy(rng.normal(size=(1, 3, 2))).requires_grad_()
    assert torch.autograd.gradcheck(lambda s, u: lattice.roll(s, u, 6), (start, inputs))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WaveLattice(3, 2, LinearBoundary({4: 1.0})), "reads column 4: the lattice has 3"),
        (
            lambda: WaveLattice(3, 2, LinearBoundary({1: np.eye(3)})),
            r"\(2,\) or \(2, 2\) for 2 rows, got shape \(3, 3\)",
        ),
        (lambda: LinearBoundary({0: 1.0}), "columns count from 1"),
        (lambda: LinearBoundary({}), "at least one term"),
        (lambda: LinearBoundary({1: np.nan}), "finite"),
        (lambda: AttentionBoundary(np.eye(2), np.ones((2, 3))), "square and of one size"),
        (lambda: WaveLattice(3, 2, AttentionBoundary(np.eye(3), np.eye(3))), "for 3 rows, the lattice has 2"),
        (lambda: WaveLattice(2, 2, RuleBoundary(lambda x: x[..., -3, :])), "reads beyond the window of 2"),
        (lambda: XOR_LATTICE.run(steps=1, initial=np.ones((1, 3, 2)), backend="julia"), "use backend='torch'"),
        (lambda: XOR_LATTICE.run(steps=1, initial=np.ones((1, 3, 2)), backend="jul"), "did you mean 'julia'"),
        (lambda: WaveLattice(0, 2, LinearBoundary({1: 1.0})), "at least one column and row"),
        (lambda: WaveLattice(1, 1, LinearBoundary({1: 1.0})).run(steps=3), "expected inputs, an initial substrate"),
        (lambda: WaveLattice(1, 1, LinearBoundary({1: 1.0})).run([[1.0]]), r"\(examples, shown, 1\), got \(1, 1\)"),
        (lambda: WaveLattice(1, 1, LinearBoundary({1: 1.0})).run([[[np.inf]]]), "inputs must be finite"),
        (lambda: WaveLattice(1, 1, LinearBoundary({1: 1.0})).run([[[1.0]]], -1), "must not be negative"),
        (lambda: WaveLattice(1, 1, LinearBoundary({1: 1.0})).run([[[1.0]]]).substrate(2), "from 0 to 1, got 2"),
    ],
)
def test_what_is_no_lattice_is_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
