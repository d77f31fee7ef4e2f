"""Recall in Julia and in torch: the same steps with fixed steps, the same solution with adaptive ones."""

from __future__ import annotations

import numpy as np
import pytest

from sharpwave.memory import DSEM, GSEMM, LISEM, chain, cycle, recall

RNG = np.random.default_rng(11)
K, N = 4, 30
PATTERNS = RNG.choice([-1.0, 1.0], (K, N))
INPUT = [(0.5, 2.0, PATTERNS[2]), (1.3, 4.0, 0.5 * PATTERNS[1])]
MODELS = {
    "DSEM": DSEM(PATTERNS, cycle(K), tau_d=8.0, gain=0.3),
    "DSEM, finite tau_h": DSEM(PATTERNS, [(0, 1, 0.7), (1, 2), (1, 3), (2, 0)], tau_d=8.0, gain=0.3, tau_h=0.4),
    "LISEM": LISEM(PATTERNS / 5, cycle(K), alpha_s=2.0, alpha_c=0.4, tau_d=8.0),
    "LISEM, finite tau_h": LISEM(PATTERNS / 5, cycle(K), alpha_s=2.0, alpha_c=0.4, tau_d=8.0, tau_h=0.4),
    "polynomial": GSEMM(PATTERNS / 9, chain(K), "tanh", "rectified-polynomial", 2.0, 0.4),
}
# Tolerances of 1e-10 relative hold where the trajectory does not itself amplify rounding.
QUANTITIES = ("features", "delayed", "hidden", "overlaps")


@pytest.mark.parametrize("name", MODELS)
def test_fixed_steps_agree(name):
    cues, t = RNG.normal(size=(3, N)), np.linspace(0, 4.0, 17)  # steps of .03 end between these times, and before 4
    ours, theirs = (
        recall(MODELS[name], cues, 4.0, dt=0.03, t_eval=t, input=INPUT, backend=b) for b in ("julia", "torch")
    )
    for quantity in QUANTITIES:
        a, b = getattr(ours, quantity).values, getattr(theirs, quantity).values
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-10 * max(1.0, np.abs(b).max()), err_msg=quantity)
    assert ours.stats.accepted == theirs.stats.accepted
    assert ours.stats.evaluations == theirs.stats.evaluations


@pytest.mark.parametrize("name", MODELS)
def test_adaptive_steps_agree_to_tolerance(name):
    cues = RNG.normal(size=(3, N))
    ours, theirs = (
        recall(MODELS[name], cues, 4.0, rtol=1e-9, atol=1e-11, input=INPUT, backend=b) for b in ("julia", "torch")
    )
    for quantity in QUANTITIES:
        a, b = getattr(ours, quantity).values, getattr(theirs, quantity).values
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-6 * max(1.0, np.abs(b).max()), err_msg=quantity)


def test_step_limits_leave_the_same_gaps():
    with pytest.warns(RuntimeWarning, match="max_steps=20 were taken"):
        partial = recall(MODELS["LISEM"], PATTERNS, 50.0, max_steps=20, backend="julia")
    for k, reached in enumerate(partial.trajectory.integration.reached):
        assert 0 < reached < 50
        known = np.isfinite(partial.features.values[k]).all(axis=1)
        np.testing.assert_array_equal(known, partial.t.values <= reached)
