"""Tasks against direct recursion, and what is known of their spectra."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from random_tasks import random_sources
from sharpwave.recurrent import (
    HistoryTask,
    binding_task,
    circuit,
    companion,
    compose_copy,
    linear_task,
    parity_task,
    published_tasks,
)

# Number of eigenvalues of modulus 1: arXiv 2310.02430.
RANKS = {"T1": 64, "T2": 36, "T3": 36, "T4": 36}
TASKS = published_tasks()


@pytest.mark.parametrize("name", TASKS)
def test_eigenvalues_have_modulus_one_or_none_at_all(name: str) -> None:
    moduli = np.abs(np.linalg.eigvals(companion(TASKS[name])))
    assert (moduli > 0.5).sum() == RANKS[name]
    # the others are 0, defective: errors of 1e-16 are seen as their eighth root
    assert np.abs(moduli[moduli > 0.5] - 1).max() < 1e-12


def test_repeat_copy_has_each_eighth_root_of_one_eight_times() -> None:
    angles = np.round(np.angle(np.linalg.eigvals(companion(TASKS["T1"]))) / (np.pi / 4)).astype(int) % 8
    assert np.bincount(angles).tolist() == [8] * 8


def test_compose_copy_has_the_roots_of_one_of_each_order_up_to_eight() -> None:
    eigenvalues = np.linalg.eigvals(companion(compose_copy(8)))
    found = np.sort(np.angle(eigenvalues[np.abs(eigenvalues) > 0.5]) % (2 * np.pi - 1e-9))
    known = np.sort([2 * np.pi * j / k for k in range(1, 9) for j in range(k)])
    np.testing.assert_allclose(found, known, atol=1e-12)


@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 2**31))
def test_a_binding_task_is_the_recursion_that_it_says(window: int, dimensions: int, seed: int) -> None:
    sources = random_sources(window, dimensions, np.random.default_rng(seed))
    task = binding_task("any", sources, window)
    inputs, targets = task.batch(seed, 3, 2, 11)
    x = np.concatenate([inputs, targets], axis=1)
    for t in range(window, window + 11):
        for i, (block, dimension, sign) in enumerate(sources):
            assert (x[:, t, i] == sign * x[:, t - window + block - 1, dimension - 1]).all()
    same = linear_task("the same", task.matrix, window, dimensions)
    assert torch.equal(same.continued(inputs, 11), targets)


@given(st.integers(0, 2**31))
def test_a_circuit_goes_on_as_its_task_from_any_window_in_any_basis(seed: int) -> None:
    rng = np.random.default_rng(seed)
    task = TASKS[str(rng.choice(list(TASKS)))]
    window = rng.normal(size=(8, 8))
    for compressed in (False, True):
        found = circuit(task, rng.normal(size=(100, 64)), compressed=compressed)
        h = found.basis @ window[tuple(found.variables.T)]
        outputs = found.network.outputs(found.network.states(np.zeros((0, 8)), 20, initial=h))
        np.testing.assert_allclose(outputs, task.continued(window, 20), atol=1e-9)


def test_inputs_of_repeat_copy_come_back_for_ever() -> None:
    inputs, targets = TASKS["T1"].batch(0, 0, 3, 40)
    network = circuit(TASKS["T1"]).network
    outputs = network.outputs(network.states(inputs.numpy(), 48))
    np.testing.assert_allclose(outputs[:, 8:], targets.numpy(), atol=1e-12)


def test_parities_are_exclusive_ors_of_bits_and_of_one_factor_a_binding() -> None:
    task = parity_task("three", [[(1, 2), (3, 1), (2, 2)], [(1, 1)]], 3)
    window = np.sign(np.random.default_rng(0).normal(size=(3, 2)))
    bits, values = window < 0, task.continued(window, 12).numpy()
    for value in values:
        expected = [bits[0, 1] ^ bits[2, 0] ^ bits[1, 1], bits[0, 0]]
        assert (value < 0).tolist() == expected
        bits = np.concatenate([bits[1:], [expected]])
    places = [[(8, 3)], [(2, 1)], [(1, 2)]]
    plain = binding_task("plain", [(*place, 1) for [place] in places], 8)
    start = np.random.default_rng(1).normal(size=(4, 8, 3))
    assert torch.equal(parity_task("one", places, 8).continued(start, 20), plain.continued(start, 20))


def test_whole_numbers_are_no_reason_to_round_a_rule() -> None:
    halves = linear_task("mean", [[0.5, 0.5]], 2, 1)
    assert halves.continued([[2], [3]], 2).tolist() == [[2.5], [2.75]]


def test_examples_depend_on_seed_step_and_stream_alone() -> None:
    task = TASKS["T2"]
    inputs, _ = task.batch(4, 7, 5, 3)
    again, targets = task.batch(4, 7, 5, 9)
    assert torch.equal(inputs, again)
    assert targets.shape == (5, 9, 8)
    for other in ((5, 7, 5, 3), (4, 8, 5, 3), (4, 7, 5, 3, 1)):
        assert not torch.equal(task.batch(*other)[0], inputs)
    many = task.batch(0, 0, 2000, 1)[0]
    assert set(many.unique().tolist()) == {-1.0, 1.0}
    assert abs(many.mean()) < 4 / np.sqrt(many.numel())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: binding_task("a", [(3, 1, 1)], 2), r"output 1 <- \(3, 1, 1\): expected a block from 1 to 2"),
        (lambda: binding_task("a", [(1, 1, 2)], 2), "a sign of 1 or -1"),
        (lambda: parity_task("a", [[(1, 2)]], 2), r"output 1 reads \(1, 2\): expected a block from 1 to 2 and a dim"),
        (lambda: parity_task("a", [[(1, 1)], []], 2), "output 2 has no factors"),
        (lambda: linear_task("a", np.eye(3), 2, 2), r"finite and \(2, 4\).*got shape \(3, 3\)"),
        (lambda: linear_task("a", [[np.nan, 0.0]], 2, 1), "finite"),
        (lambda: HistoryTask("a", 0, 1, lambda x: x[..., -1, :]), "window must be a whole number from 1 on, got 0"),
        (lambda: TASKS["T1"].continued(np.ones((8, 8)), -1), "steps must be a whole number from 0 on, got -1"),
        (lambda: binding_task("a", [(1.5, 1, 1)], 2), r"output 1 <- \(1.5, 1, 1\): expected a block"),
        (lambda: HistoryTask("a", 2, 3, lambda x: x), r"values \(3, 3\), got \(3, 2, 3\): it may read no more"),
        (lambda: HistoryTask("a", 2, 1, lambda x: x[..., -3, :]), "reads beyond the window of 2"),
        (lambda: TASKS["T1"].continued(np.ones((7, 8)), 2), r"must be \(\.\.\., 8, 8\), got \(7, 8\)"),
        (lambda: companion(HistoryTask("xor", 2, 1, lambda x: x[..., 0, :] * x[..., 1, :])), "only a linear rule"),
        (lambda: circuit(TASKS["T1"], np.ones((64, 64))), "64 independent columns, got rank 1"),
        (lambda: circuit(TASKS["T1"], np.eye(63)), r"\(n, 64\), a column a variable, got \(63, 63\)"),
    ],
)
def test_what_is_no_task_is_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
