"""Circuits that are known, found again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sharpwave.dynamics import compare_spectra, gradient_by_distance, intervene, privileged_basis
from sharpwave.recurrent import RNN, HistoryTask, binding_task, circuit, companion, linear_task, published_tasks
from sharpwave.waves import compile_history_system

TASKS = published_tasks()
rng = np.random.default_rng(0)


@pytest.mark.parametrize("method", ["powers", "regression"])
@pytest.mark.parametrize("name", TASKS)
def test_an_exact_network_in_a_random_basis_gives_its_circuit_away(name: str, method: str) -> None:
    exact = circuit(TASKS[name], rng.normal(size=(96, 64)), compressed=True)
    found = privileged_basis(exact.network, TASKS[name], method, ground="input")
    assert found.error < 1e-8
    np.testing.assert_allclose(found.basis, exact.basis, atol=1e-8)
    np.testing.assert_array_equal(found.variables, exact.variables)
    assert 1 <= found.condition < 100


@pytest.mark.parametrize("name", TASKS)
def test_regression_also_finds_the_circuit_where_it_carries_what_nobody_reads(name: str) -> None:
    exact = circuit(TASKS[name], rng.normal(size=(80, 64)))
    found = privileged_basis(exact.network, TASKS[name], "regression")
    np.testing.assert_allclose(found.operator, found.known, atol=1e-8)


def test_a_variable_that_is_overwritten_goes_where_the_rule_says() -> None:
    task = TASKS["T4"]
    exact = circuit(task, rng.normal(size=(90, 64)), compressed=True)
    found = privileged_basis(exact.network, task, "regression")
    window = np.sign(rng.normal(size=(5, 8, 8)))
    h = window[:, found.variables[:, 0], found.variables[:, 1]] @ exact.basis.T
    column = found.column(3, 1)
    assert found.variables[column].tolist() == [3, 1]
    changed = window.copy()
    changed[:, 3, 1] *= -1
    states = exact.network.states(np.zeros((5, 0, 8)), 20, initial=found.overwrite(h, column, changed[:, 3, 1]))
    np.testing.assert_allclose(exact.network.outputs(states), task.continued(changed, 20), atol=1e-8)
    np.testing.assert_allclose(found.read(h), window[:, found.variables[:, 0], found.variables[:, 1]], atol=1e-8)
    with pytest.raises(ValueError, match="no variable of block 0 and dimension 7"):
        found.column(0, 7)


def test_variables_are_swapped_and_ablated() -> None:
    exact = circuit(TASKS["T3"], rng.normal(size=(90, 64)), compressed=True)
    found = privileged_basis(exact.network, TASKS["T3"], "regression")
    h = rng.normal(size=(4, 36)) @ exact.basis.T
    before, swapped, ablated = (found.read(x) for x in (h, found.swap(h, 2, 7), found.ablate(h, 5)))
    np.testing.assert_allclose(swapped[:, [2, 7]], before[:, [7, 2]], atol=1e-9)
    np.testing.assert_allclose(np.delete(swapped, [2, 7], 1), np.delete(before, [2, 7], 1), atol=1e-9)
    np.testing.assert_allclose(ablated[:, 5], 0.0, atol=1e-9)
    np.testing.assert_allclose(np.delete(ablated, 5, 1), np.delete(before, 5, 1), atol=1e-9)


@pytest.mark.parametrize("kind", ["flip", "swap", "ablate"])
def test_variables_that_are_changed_change_what_the_rule_says_and_nothing_else(kind: str) -> None:
    task = binding_task("turn", [(1, 2, 1), (1, 3, -1), (1, 1, 1)], 5)
    network = circuit(task, rng.normal(size=(20, 15))).network
    found = privileged_basis(network, task, "regression")
    changed = intervene(network, task, found, kind, trials=200)
    assert changed.followed.all()
    assert changed.undisturbed.all()
    if kind != "ablate":  # an output of 0 has the sign of a rounding error
        assert not changed.kept.any()
    wrong = replace(found, basis=np.roll(found.basis, 1, axis=1))  # each variable has its neighbour's direction
    # a neighbour that loses a value of the same sign is 0, and its sign is still right half of the time
    most = 0.9 if kind == "ablate" else 0.5
    assert intervene(network, task, wrong, kind, trials=200).followed.mean() < most


def test_a_swap_needs_two_of_opposite_sign() -> None:
    task = binding_task("one", [(1, 1, 1)], 1)
    network = circuit(task).network
    none = intervene(network, task, privileged_basis(network, task), "swap", trials=20)
    assert len(none.followed) == 0
    assert str(none) == "no trials: no two variables had opposite signs"


def test_waves_are_seen_in_a_hidden_basis() -> None:
    task = TASKS["T3"]
    exact = circuit(task, rng.normal(size=(90, 64)), compressed=True)
    found = privileged_basis(exact.network, task, "regression")
    inputs = np.sign(rng.normal(size=(3, 8, 8)))
    seen = found.window(exact.network.states(inputs, 20))
    waves = compile_history_system(task).run(inputs, steps=20)
    kept = np.zeros((8, 8), dtype=bool)
    kept[tuple(found.variables.T)] = True
    for t in range(20):
        np.testing.assert_allclose(seen[:, t, kept], waves.substrate(t + 1)[:, kept], atol=1e-8)
    assert np.isnan(seen[:, :, ~kept]).all()


def test_a_rule_of_which_no_matrix_is_known_is_found_by_regression() -> None:
    known = binding_task("turn", [(1, 2, 1), (1, 1, -1)], 3)
    task = HistoryTask("a rule", 3, 2, known.rule)
    network = circuit(known, rng.normal(size=(9, 6))).network
    found = privileged_basis(network, task, "regression")
    assert found.known is None
    np.testing.assert_allclose(found.operator, companion(known), atol=1e-8)
    assert intervene(network, task, found, trials=100).followed.all()
    with pytest.raises(ValueError, match="no operator to compare with"):
        _ = found.error
    with pytest.raises(ValueError, match="the rule of a rule is not linear: use method='regression'"):
        privileged_basis(network, task, "powers")


def test_what_else_is_in_hidden_units_is_found_by_its_variance() -> None:
    exact = circuit(TASKS["T2"], rng.normal(size=(90, 64)), compressed=True)
    found = privileged_basis(exact.network, TASKS["T2"], "regression")
    values = rng.normal(size=(400, 36)) @ found.basis.T
    directions, shares = found.residual(values, 3)
    assert (shares < 1e-20).all()
    others = np.linalg.svd(found.basis)[0][:, 36:38]  # orthogonal to the basis
    directions, shares = found.residual(values + rng.normal(size=(400, 2)) @ (others * [3.0, 1.0]).T, 3)
    np.testing.assert_allclose(np.abs(directions[:, :2].T @ others), np.eye(2), atol=0.1)
    assert shares[0] > 5 * shares[1] > 1e6 * shares[2]
    with pytest.raises(ValueError, match="count must be from 1 to 90, got 91"):
        found.residual(values, 91)


def test_a_mixed_ground_is_exact_where_both_grounds_are() -> None:
    orthogonal, _ = np.linalg.qr(rng.normal(size=(70, 64)))
    exact = circuit(TASKS["T2"], orthogonal, compressed=True)
    assert privileged_basis(exact.network, TASKS["T2"], ground="mix").error < 1e-8


def test_spectra_are_paired_by_the_best_assignment_not_in_order() -> None:
    angles = rng.uniform(-np.pi, np.pi, 30)
    turned = np.exp(1j * (angles + 0.01))
    assert compare_spectra(rng.permutation(turned), np.exp(1j * angles)).error == pytest.approx(0.01, rel=1e-6)
    # near -1, where angles jump, and with 0.5 too small to count
    assert compare_spectra([-1, 0.5], [np.exp(3.14j)]).error == pytest.approx(np.pi - 3.14)


def test_more_of_one_than_of_the_other_is_said_and_no_number_given() -> None:
    found = compare_spectra(np.eye(3), companion(TASKS["T1"]))
    assert found.error is None
    assert found.ranks == (3, 64)
    assert str(found) == "rank mismatch: 3 large eigenvalues, expected 64"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: compare_spectra(np.ones((2, 3)), np.eye(2)), r"a square matrix.*got shape \(2, 3\)"),
        (lambda: RNN(1j * np.eye(2), np.ones((2, 1)), np.ones((1, 2))), "the recurrent weights must be real"),
        (lambda: circuit(TASKS["T1"], 1j * np.eye(64)), "the basis must be real; take real and imaginary parts"),
        (lambda: linear_task("turn", [[1j]], 1, 1), "the matrix must be real"),
        (lambda: intervene(None, None, None, "flop"), "did you mean 'flip'"),
        (lambda: intervene(None, TASKS["T1"], None, trials=0), "trials must be a whole number from 1 on, got 0"),
        (lambda: intervene(None, TASKS["T1"], None, horizon=0), "horizon must be a whole number from 1 on, got 0"),
        (
            lambda: privileged_basis(circuit(TASKS["T1"]).network, TASKS["T1"], "regression", examples=0),
            "examples must be a whole number from 1 on, got 0",
        ),
        (lambda: compare_spectra([np.nan], [1.0]), "finite numbers: the network has diverged"),
        (lambda: privileged_basis(circuit(TASKS["T1"]).network, TASKS["T1"], "power"), "did you mean 'powers'"),
        (lambda: privileged_basis(circuit(TASKS["T1"]).network, TASKS["T1"], ground="inputs"), "did you mean 'input'"),
        (
            lambda: privileged_basis(RNN(np.eye(32), np.ones((32, 8)), np.ones((8, 32))), TASKS["T1"]),
            "32 hidden units cannot hold the 64 variables",
        ),
        (
            lambda: privileged_basis(RNN(np.eye(64), np.ones((64, 2)), np.ones((2, 64))), TASKS["T1"]),
            "2 inputs and 2 outputs, the task 8 of each",
        ),
        (
            lambda: privileged_basis(RNN(np.zeros((64, 64)), np.ones((64, 8)), np.ones((8, 64))), TASKS["T1"]),
            "no direction in this network",
        ),
    ],
)
def test_what_cannot_be_compared_or_found_is_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_gradients_of_a_circuit_reach_back_a_whole_window_and_those_of_a_leak_do_not() -> None:
    wave = circuit(TASKS["T1"]).network
    off = RNN(wave.recurrent, wave.input, 0.5 * wave.readout, "identity")  # an exact one has no error, and no gradient
    np.testing.assert_allclose(gradient_by_distance(off, TASKS["T1"]), 1.0)
    leak = RNN(0.5 * np.eye(8), np.eye(8), np.eye(8), "identity")
    found = gradient_by_distance(leak, TASKS["T1"])
    np.testing.assert_allclose(found, 0.5 ** np.arange(8), rtol=1e-9)
