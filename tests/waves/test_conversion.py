"""Lattices, RNNs and transformers that are the same system."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sharpwave.recurrent import RNN, HistoryTask, published_tasks
from sharpwave.waves import (
    AttentionBoundary,
    AttentionOnlyTransformer,
    LinearBoundary,
    RuleBoundary,
    WaveLattice,
    as_rnn,
    as_task,
    compile_history_system,
    from_rnn,
)  # fmt: skip

TASKS = published_tasks()
rng = np.random.default_rng(0)


@pytest.mark.parametrize("name", TASKS)
def test_a_task_survives_the_way_to_a_lattice_and_an_rnn_and_back(name: str) -> None:
    lattice = compile_history_system(TASKS[name])
    np.testing.assert_array_equal(as_task(lattice).matrix, TASKS[name].matrix)
    hidden = as_rnn(lattice, rng.normal(size=(90, 64)))
    back = from_rnn(hidden.network, hidden.basis, columns=8)
    np.testing.assert_allclose(as_task(back).matrix, TASKS[name].matrix, atol=1e-8)
    assert list(back.boundary.phi) == list(lattice.boundary.phi)


def test_terms_of_all_kinds_become_the_same_matrix() -> None:
    diagonal = rng.normal(size=3)
    lattice = WaveLattice(4, 3, LinearBoundary({1: 0.5, 2: diagonal, 4: rng.normal(size=(3, 3))}))
    window = rng.normal(size=(2, 4, 3))
    found = lattice.run(steps=10, initial=window).values
    np.testing.assert_allclose(found, as_task(lattice).continued(window, 10), rtol=1e-12)
    operator = as_rnn(lattice).network.recurrent
    np.testing.assert_array_equal(operator[:9, 3:], np.eye(9))
    np.testing.assert_array_equal(operator[9:, 3:6], np.diag(diagonal))


def test_a_basis_that_the_network_leaves_is_refused() -> None:
    turn = RNN([[0, 1, 0], [0, 0, 1], [1, 0, 0]], [[0], [1], [0]], [[0, 1, 0]], "identity")
    with pytest.raises(ValueError, match="or does not stay in it: it is off by 1"):
        from_rnn(turn, np.eye(3)[:, :2], columns=2)


def test_a_task_of_any_rule_survives_too() -> None:
    task = HistoryTask("xor", 2, 1, lambda x: x[..., 0, :] * x[..., 1, :])
    window = [[[1.0], [-1.0]]]
    same = as_task(compile_history_system(task))
    assert torch.equal(same.continued(window, 9), task.continued(window, 9))


@pytest.mark.parametrize("positions", [False, True])
@pytest.mark.parametrize(("layers", "heads", "width"), [(1, 1, 5), (1, 1, 2), (1, 3, 6), (2, 1, 5), (3, 4, 8)])
def test_a_transformers_loop_is_its_lattice(layers: int, heads: int, width: int, positions: bool) -> None:
    transformer = AttentionOnlyTransformer(width, 6, layers, heads, positions=positions, seed=3).double()
    with torch.no_grad():
        for parameter in transformer.parameters():
            parameter.mul_(2.0)
    start = torch.from_numpy(rng.normal(size=(3, 6, width)))
    with torch.no_grad():
        expected = transformer.continued(start, 25).numpy()
    waves = transformer.lattice().run(steps=25, initial=start.numpy())
    np.testing.assert_allclose(waves.values, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("biased", [False, True])
def test_a_lattice_becomes_the_transformer_that_it_is_and_a_lattice_again(biased: bool) -> None:
    boundary = AttentionBoundary(*rng.normal(size=(2, 3, 4, 4)), rng.normal(size=(3, 5)) if biased else None)
    lattice = WaveLattice(5, 4, boundary)
    transformer = AttentionOnlyTransformer.of(lattice)
    start = rng.normal(size=(2, 5, 4))
    with torch.no_grad():
        found = transformer.continued(torch.from_numpy(start), 9).numpy()
    np.testing.assert_allclose(found, lattice.run(steps=9, initial=start).values, rtol=1e-11, atol=1e-12)
    again = transformer.lattice().boundary
    for name in ("score", "value", "bias"):
        np.testing.assert_array_equal(getattr(again, name), getattr(boundary, name))


def test_a_transformer_does_not_see_what_comes_later() -> None:
    transformer = AttentionOnlyTransformer(4, 8, layers=3, heads=2)
    vectors = torch.randn(2, 8, 4, generator=torch.Generator().manual_seed(0))
    changed = vectors.clone()
    changed[:, 5:] += 1.0
    before, after = transformer(vectors), transformer(changed)
    torch.testing.assert_close(before[:, :5], after[:, :5])
    assert not torch.allclose(before[:, 5:], after[:, 5:])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: as_rnn(WaveLattice(2, 1, RuleBoundary(lambda x: x[..., 0, :]))), "only a linear rule"),
        (lambda: from_rnn(RNN(np.eye(2), np.ones((2, 1)), np.ones((1, 2))), np.eye(2), 2), "has tanh: linearise it"),
        (lambda: from_rnn(LINEAR, np.eye(2) * 1j, 2), "the basis must be real"),
        (lambda: from_rnn(LINEAR, np.ones((2, 2)), 2), "2 independent columns, got rank 1"),
        (lambda: from_rnn(LINEAR, np.eye(3), 2), r"\(2, 2 x rows\) for 2 units, got \(3, 3\)"),
        (lambda: from_rnn(LINEAR, np.eye(2), 2), "does not shift its columns, or does not stay in it: it is off by 1"),
        (lambda: AttentionOnlyTransformer.of(WaveLattice(2, 1, LinearBoundary({1: 1.0}))), "got LinearBoundary, open"),
        (lambda: AttentionOnlyTransformer(4, 0), "must be at least 1"),
        (lambda: AttentionOnlyTransformer(4, 2)(torch.ones(3, 4)), "3 vectors are more than the window of 2"),
        (
            lambda: AttentionOnlyTransformer(4, 2, head_width=0),
            "and head_width must be at least 1, got 4, 2, 1, 1 and 0",
        ),
    ],
)
def test_what_is_no_lattice_is_said(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


LINEAR = RNN(np.eye(2), np.ones((2, 1)), np.ones((1, 2)), "identity")
