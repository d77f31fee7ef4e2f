"""The peers solve the same problems as we do."""

from __future__ import annotations

import numpy as np
import pytest

from sharpwave.bench import ode
from sharpwave.bench.peers.problems import DDES, ODES
from sharpwave.bench.peers.recall_cases import RecallCase
from sharpwave.bench.peers.recall_scipy import FORMS, solve_recall
from sharpwave.bench.peers.recall_torch import FORMS as TORCH_FORMS
from sharpwave.equations import problem
from sharpwave.memory import DSEM, cycle, rates

SMALL = RecallCase(features=12, memories=5, batch=3)
rng = np.random.default_rng(1)


@pytest.mark.parametrize("name", ODES)
def test_right_hand_side_and_jacobian_are_those_of_the_library(name):
    ours, theirs = problem(name), ODES[name]
    assert (theirs.y0, theirs.t_end) == (ours.y0, ours.t_span[1])
    for y in rng.uniform(0.1, 2.0, (5, len(ours.y0))):
        np.testing.assert_allclose(theirs.rhs(0.0, y), ours.equations.evaluate(0.0, y), rtol=1e-12)
        np.testing.assert_allclose(theirs.jacobian(0.0, y), ours.equations.jacobian(0.0, y), rtol=1e-12)


def test_the_delay_problem_is_that_of_the_library():
    ours, theirs = problem("mackey_glass"), DDES["mackey_glass"]
    assert (ours.history, ours.t_span) == ({"y": theirs.history}, (0.0, theirs.t_end))
    assert theirs.delay == ours.equations.parameters["tau"]
    for y, z in rng.uniform(0.1, 2.0, (5, 2)):
        np.testing.assert_allclose(theirs.rhs(y, z), ours.equations.evaluate(0.0, [y], lags=[z])[0], rtol=1e-12)


def test_every_problem_of_the_benchmark_has_a_solver_on_each_side():
    assert set(ode.OURS) == set(ode.ATOL_OVER_RTOL) == set(ODES) | set(DDES)


def test_the_error_is_relative_to_each_component():
    reference = np.array(problem("rober").reference)
    assert ode.error("rober", reference * (1.0, 1.01, 1.0)) == pytest.approx(0.01)
    assert ode.error("rober", reference) == ode.SMALLEST_ERROR


def test_recall_over_features_is_the_model_of_the_library():
    rhs, _, starts, _ = FORMS["features"](SMALL)
    model = DSEM(SMALL.patterns(), cycle(5), gain=SMALL.gain)
    v, d = rng.normal(size=(2, 12))
    expected = rates(model, v, d)
    rate = rhs(0.0, np.concatenate([v, d]))
    np.testing.assert_allclose(rate[:12], expected.features, rtol=1e-10)
    np.testing.assert_allclose(rate[12:], expected.delayed, rtol=1e-10)
    assert starts.shape == (3, 24)


@pytest.mark.parametrize("form", FORMS)
def test_the_jacobians_of_recall_by_central_differences(form):
    rhs, jacobian, starts, _ = FORMS[form](SMALL)
    y = starts[0] + rng.normal(scale=0.1, size=starts.shape[1])
    h = 1e-6
    columns = [(rhs(0.0, y + h * e) - rhs(0.0, y - h * e)) / (2 * h) for e in np.eye(len(y))]
    exact = jacobian(0.0, y)
    np.testing.assert_allclose(np.array(columns).T, exact, atol=1e-7 * np.abs(exact).max())


@pytest.mark.parametrize("form", FORMS)
def test_torch_and_scipy_are_given_the_same_right_hand_side(form):
    import torch

    rhs, _, starts, overlaps = FORMS[form](SMALL)
    their_rhs, start, their_overlaps = TORCH_FORMS[form](SMALL)
    split = starts.reshape(3, 2, -1).transpose(1, 0, 2)
    np.testing.assert_array_equal(start.numpy(), split)
    state = torch.from_numpy(split + rng.normal(scale=0.1, size=split.shape))
    rate, ends = their_rhs(0.0, state).numpy(), their_overlaps(state).numpy()
    for b in range(3):
        one = state[:, b].numpy().ravel()
        np.testing.assert_allclose(rate[:, b].ravel(), rhs(0.0, one), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(ends[b], overlaps(one), rtol=1e-9, atol=1e-9)


def test_the_overlap_form_is_the_feature_form_exactly():
    ends = [solve_recall(SMALL, form, "DOP853", 1e-10, 1e-10, 1) for form in FORMS]
    np.testing.assert_allclose(*ends, atol=1e-7)


def test_patterns_are_fixed_and_balanced():
    case = RecallCase(features=1000, memories=100, batch=1)
    patterns = case.patterns()
    assert set(np.unique(patterns)) == {-1.0, 1.0}
    np.testing.assert_array_equal(patterns, case.patterns())
    assert abs(patterns.mean()) < 0.02  # 6 standard deviations of 1e5 fair signs
    overlaps = patterns @ patterns.T / 1000 - np.eye(100)
    assert np.abs(overlaps).max() < 0.25  # 8 standard deviations of a sum of 1000 fair signs
