"""The runs of the source (arXiv 2212.05563) that come out of this library."""

from __future__ import annotations

import numpy as np
import pytest

from sharpwave.memory import DSEM, LISEM, cycle, recall

# Cycles 1-2-3-1 and 4-5-6-7-4 of the DSEM figure, counted from 0.
TWO_CYCLES = [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 6), (6, 3)]


def random_patterns(seed: int, memories: int, features: int = 100):
    return np.random.default_rng(seed).choice([-1.0, 1.0], (memories, features))


@pytest.mark.parametrize("seed", range(3))
def test_dsem_figure(seed):
    """Cued with three quarters of memory 5, the DSEM goes 5, 6, 7, 4, 5, ... with dwells of about 4.4 T_f."""
    patterns = random_patterns(seed, 7)
    cue = patterns[4].copy()
    cue[75:] = 0
    result = recall(DSEM(patterns, TWO_CYCLES), cue, 100.0, backend="torch")
    expected = ([4, 5, 6, 3] * 10)[: len(result.episodes)]
    assert len(expected) > 16
    assert list(result.sequence()) == expected
    settled = result.dwell_times[4:]
    assert pytest.approx(settled.mean(), abs=0.8) == 4.4  # it varies with the patterns' correlations
    middle = [(visit.enter + 3 * visit.leave) / 4 for visit in result.episodes[4:-1]]
    projection = (result.features_at(middle).values * patterns[[v.memory for v in result.episodes[4:-1]]]).mean(1)
    assert projection.min() > 0.9
    assert min(visit.peak_overlap for visit in result.episodes[4:-1]) > 0.99


def test_lisem_default():
    """Right order, irregular long dwells, overlap 1.000."""
    patterns = random_patterns(2, 5)
    result = recall(LISEM(patterns, cycle(5)), patterns[0], 1500.0, backend="torch")
    assert result.sequence() == (0, 1, 2, 3, 4)
    assert min(visit.peak_overlap for visit in result.episodes) > 0.9995
    assert result.dwell_times.min() > 100
    assert result.dwell_times.max() > 1.5 * result.dwell_times.min()


def winner_take_all_dwell(alpha_s=1.0, alpha_c=4.9, beta_d=7.0, tau_d=20.0, memories=4):
    """Dwell of the limit in which the hidden layer has one winner k = argmax(sqrt(a_s) m_f + a_c shift(m_d)), T_f = 1.

    Between switches overlaps relax exponentially, so that each switch is found by bisection on closed forms.
    """
    m_f, m_d, winner, t, switches = np.eye(memories)[0], np.zeros(memories), 0, 0.0, []

    def after(dt, m_f, m_d, k):
        pull = np.sqrt(alpha_s) * np.eye(memories)[k]
        f = pull + (m_f - pull) * np.exp(-dt)
        lag = tau_d / (tau_d - 1) * (np.exp(-dt / tau_d) - np.exp(-dt)) / tau_d
        d = m_d * np.exp(-dt / tau_d) + beta_d * (pull * (1 - np.exp(-dt / tau_d)) + (m_f - pull) * lag)
        return f, d

    def leader(f, d):
        return int(np.argmax(np.sqrt(alpha_s) * f + alpha_c * np.roll(d, 1)))

    while len(switches) < 60:
        low, high = 0.0, 0.05
        while leader(*after(high, m_f, m_d, winner)) == winner:
            low, high = high, high + 0.05
        for _ in range(50):
            middle = (low + high) / 2
            if leader(*after(middle, m_f, m_d, winner)) == winner:
                low = middle
            else:
                high = middle
        m_f, m_d = after(high, m_f, m_d, winner)
        winner, t = leader(m_f, m_d), t + high
        switches.append(t)
    return np.diff(switches)[-8:].mean()


def test_orthogonal_patterns_dwell_as_the_winner_take_all_limit():
    limit = winner_take_all_dwell()
    assert limit == pytest.approx(4.965, rel=1e-3)  # known for the figure's constants with a cycle of 4; here 4.96739
    signs = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])
    patterns = np.kron(signs, np.ones(25))
    result = recall(DSEM(patterns, cycle(4), gain=100.0), patterns[0], 150.0, backend="torch")
    np.testing.assert_allclose(result.dwell_times[10:], limit, rtol=0.01)
