"""Networks of rates: what holds whatever the numbers, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import run_python

from sharpwave.forward import (
    DivergedError,
    EquilibriumPropagation,
    ErrorForwardPropagation,
    Link,
    Nudging,
    RateNetwork,
    Settling,
    energy_network,
    error_forward_network,
    julia_backend,
    torch_backend,
)
from sharpwave.forward.epoch import Work
from sharpwave.forward.method import dropped_out, shuffled

rng = np.random.default_rng(0)
INPUTS = rng.uniform(size=(30, 8)).astype(np.float32)
LABELS = rng.integers(0, 3, 30)
SMALL = ErrorForwardPropagation((20, 20), (0.5, 0.2, 0.02), batch=7)


@pytest.mark.usefixtures("julia")
@pytest.mark.parametrize("rule", ["contrastive", "vector-field"])
def test_tied_links_stay_tied_bit_for_bit(rule: str) -> None:
    network = energy_network((8, 40, 35, 3), (0.4, 0.2, 0.1))
    order = shuffled(30, 8, 0, 0)
    nudging = Nudging(constant=False, rule=rule, weight_decay=1e-3)  # type: ignore[arg-type]
    work = Work(
        network, Settling(20, 4, step=0.5, clipped=True), nudging, order, np.ones(4), nudging.betas(4, 0, 0), INPUTS,
        np.eye(3, dtype=np.float32)[LABELS],
    )  # fmt: skip
    weights = network.initial(0)
    julia_backend.learn(work, weights, None)
    assert len(network.tied) == 2
    for first, second in network.tied:
        same = np.array_equal(weights.links[first], weights.links[second].T)
        assert same == (rule == "contrastive")


@pytest.mark.usefixtures("julia")
def test_settled_states_are_fixed_points_and_do_not_depend_on_the_batch() -> None:
    network = error_forward_network((8, 20, 15, 3), (1.0, 0.4, 0.1))
    weights, settling = network.initial(0, np.float64), Settling(500, 1, tolerance=1e-13)
    found = julia_backend.settle(network, settling, weights, INPUTS.astype(np.float64), 30)
    assert (found.steps < 500).all()
    active = [INPUTS.astype(np.float64), *(s.clip(0, 1) for s in found.states)]
    drive = [np.broadcast_to(b, s.shape).copy() for b, s in zip(weights.biases, found.states, strict=True)]
    for link, w in zip(network.links, weights.links, strict=True):
        drive[link.target - 1] += active[link.source] @ w
    for state, u in zip(found.states, drive, strict=True):
        np.testing.assert_allclose(state, u, atol=1e-12)
    fixed = replace(settling, free_steps=20, tolerance=0.0)
    whole, parts = (julia_backend.settle(network, fixed, weights, INPUTS.astype(np.float64), b) for b in (30, 7))
    for one, other in zip(whole.states, parts.states, strict=True):
        np.testing.assert_array_equal(one, other)


def test_learning_does_not_depend_on_threads() -> None:
    code = """
import numpy as np
from sharpwave.forward import ErrorForwardPropagation
rng = np.random.default_rng(0)
x, y = rng.uniform(size=(100, 30)).astype(np.float32), rng.integers(0, 4, 100)
learner = ErrorForwardPropagation((70, 50), (.5, .2, .02), batch=13, backend="julia").start(30, 4, 100, 0)
for epoch in range(2):
    learner.learn(x, y, epoch, 2)
print([float(np.abs(a.astype(np.float64)).sum()) for a in learner.arrays().values()])
"""
    found = [run_python(code, JULIA_NUM_THREADS=None, SHARPWAVE_THREADS=threads) for threads in ("1", "2", "5")]
    assert all(one.returncode == 0 for one in found), found[0].stderr
    assert len({one.stdout for one in found}) == 1


@pytest.mark.parametrize("backend", ["julia", "torch"])
def test_numbers_that_are_not_finite_end_it_and_leave_what_was_learned(backend: str) -> None:
    wild = replace(SMALL, rates=(1e38, 1e38, 1e38), loop_rate=1e38, backend=backend)
    learner = wild.start(8, 3, 30, 0)
    with pytest.raises(
        DivergedError, match=r"finite in epoch 0: states of layer [1-3], in batch [1-4]. The network is as before"
    ):
        learner.learn(INPUTS, LABELS, 0, 1)
    for name, array in wild.start(8, 3, 30, 0).arrays().items():
        np.testing.assert_array_equal(learner.arrays()[name], array)


@pytest.mark.usefixtures("julia")
def test_how_far_states_are_from_settled_is_said_by_layer() -> None:
    network = error_forward_network((8, 20, 15, 3), (1.0, 0.4, 0.1), loop_scale=4.0)
    weights = network.initial(3)
    found = [b.settle(network, Settling(6, 1), weights, INPUTS, 10) for b in (julia_backend, torch_backend)]
    assert found[0].change.shape == (3, 3)
    np.testing.assert_allclose(found[0].change, found[1].change, rtol=1e-3, atol=1e-5)
    assert (found[0].change > 1e-3).any()


@pytest.mark.usefixtures("julia")
def test_kept_states_are_where_examples_begin() -> None:
    learner = EquilibriumPropagation((12,), batch=10).start(8, 3, 30, 0)
    assert not learner.kept.any()
    learner.learn(INPUTS, LABELS, 0, 2)
    assert learner.kept.any(axis=1).all()
    before = learner.kept.copy()
    learner.learn(INPUTS, LABELS, 1, 2)
    assert 0 < np.abs(learner.kept - before).max() < 1


@given(st.floats(0, 0.9), st.integers(0, 9), st.integers(0, 9))
def test_inputs_that_are_left_out_are_drawn_from_seed_and_epoch_and_keep_the_mean(share, seed, epoch) -> None:
    inputs = np.random.default_rng(1).random((200, 50)).astype(np.float32) + np.float32(0.5)
    found = dropped_out(inputs, share, seed, epoch)
    assert found.dtype == inputs.dtype
    np.testing.assert_array_equal(found, dropped_out(inputs, share, seed, epoch))
    assert abs((found == 0).mean() - share) < 0.03
    np.testing.assert_allclose(found[found > 0], inputs[found > 0] / np.float32(1 - share), rtol=1e-6)
    if share > 0.01:
        assert ((found == 0) != (dropped_out(inputs, share, seed, epoch + 1) == 0)).any()


@pytest.mark.usefixtures("julia")
def test_what_is_learned_with_inputs_left_out_is_what_the_rest_of_them_teach() -> None:
    method = replace(SMALL, input_dropout=0.3)
    learner, plain = method.start(8, 3, 30, 2), SMALL.start(8, 3, 30, 2)
    learner.learn(INPUTS, LABELS, 1, 3)
    plain.learn(dropped_out(INPUTS, 0.3, 2, 1), LABELS, 1, 3)
    for name, array in plain.arrays().items():
        np.testing.assert_array_equal(learner.arrays()[name], array)
    np.testing.assert_array_equal(learner.scores(INPUTS), plain.scores(INPUTS))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RateNetwork((4,), (), ()), "expected an input, layers and a bias_rate for each"),
        (lambda: RateNetwork((4, 3), (Link(0, 1, 0.1),), (0.1, 0.1)), "a bias_rate for each"),
        (lambda: RateNetwork((4, 0), (Link(0, 1, 0.1),), (0.1,)), "units of a layer must be a whole number from 1"),
        (lambda: RateNetwork((4, 3), (Link(1, 0, 0.1),), (0.1,)), "nothing drives the input, 0"),
        (lambda: RateNetwork((4, 3), (Link(0, 2, 0.1),), (0.1,)), "layers are 0 to 1"),
        (lambda: RateNetwork((4, 3, 2), (Link(0, 1, 0.1),), (0.1, 0.1)), "nothing drives layer 2"),
        (
            lambda: RateNetwork((4, 3, 2), (Link(0, 1, 0.1), Link(1, 2, 0.1)), (0.1, 0.1), ((0, 1),)),
            "cannot be tied: the second must be the way back",
        ),
        (lambda: error_forward_network((4, 3, 2), (0.1,)), "expected a rate for each of 2 layers, got 1"),
        (lambda: Settling(0, 4), "free_steps must be a whole number from 1 on, got 0"),
        (lambda: Settling(4, 4, step=0.0), "step must be from 0 to 2"),
        (lambda: Settling(4, 4, tolerance=float("nan")), "tolerance not negative"),
        (lambda: Nudging(0.0), "beta must be positive"),
        (lambda: Nudging(sides="left"), "sides must be 'both', 'positive' or 'random'"),  # type: ignore[arg-type]
        (lambda: replace(SMALL, last_factor=2.0).start(8, 3, 30, 0), "last_factor must be from 0 to 1, got 2"),
        (
            lambda: replace(SMALL, input_dropout=1.0).start(8, 3, 30, 0),
            "input_dropout must be from 0 to below 1, got 1",
        ),
        (lambda: replace(SMALL, backend="jula").start(8, 3, 30, 0).scores(INPUTS), "did you mean 'julia'"),
    ],
)
def test_what_is_no_network_or_way_to_settle_is_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
