"""Phases of series that are known, and accuracies by symbol."""

from __future__ import annotations

import numpy as np
import pytest

from sharpwave.recurrent import Elman, Protocol, train
from sharpwave.recurrent.automata import AutomatonTask, Phases, accuracy_by_symbol, find_phases, temporal_flipflop


def test_a_threshold_that_is_passed_back_does_not_count() -> None:
    timed = [0.5, 0.8, 0.6, 0.76, 0.9, 0.99]
    assert find_phases(range(0, 60, 10), [0.9, 1.0, 1.0, 0.9, 1.0, 1.0], timed) == Phases(10, 30, 50)
    assert find_phases(range(0, 60, 10), np.ones(6), timed, risen=0.85) == Phases(0, 40, 50)


def test_phases_that_do_not_come_are_none() -> None:
    assert find_phases([0, 1], [0.5, 0.5], [0.9, 0.5]) == Phases(None, None, None)
    with pytest.raises(ValueError, match="series of one length"):
        find_phases([0, 1], [0.5], [0.5, 0.5])


def test_accuracies_are_those_of_each_symbol() -> None:
    task = AutomatonTask(temporal_flipflop(period=4), [0.3, 0.7])
    protocol = Protocol(steps=300, learning_rate=0.01, horizons=(16,), check_every=100)
    trained = train(Elman(16, bias=True), task, [0, 1], protocol, keep=[0, 100, 300])
    found = accuracy_by_symbol(trained, task, 16)
    assert found.shape == (3, 2, 2)
    assert (found[1:, :, 1] > 0.98).all()  # b always leads to state 1
    assert (found[2, :, 0] > found[0, :, 0] + 0.1).all()
    whole = trained.test(16)  # of the best check; here as good as the last step, and on other examples
    shares = np.bincount(task.symbols(0, 0, 256, 16, 2).ravel()) / (256 * 16)
    np.testing.assert_allclose(found[2] @ shares, whole, atol=0.03)
    with pytest.raises(ValueError, match="no parameters were kept"):
        accuracy_by_symbol(train(Elman(4, bias=True), task, [0], Protocol(steps=1)), task, 8)
