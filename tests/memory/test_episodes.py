"""The rule by which visits are told."""

from __future__ import annotations

import numpy as np
import pytest

from sharpwave.memory import find_visits


def hats(t, centres, width):
    """Overlaps that rise and fall linearly, one memory after the other."""
    return np.clip(1 - np.abs(t[:, None] - np.asarray(centres)) / width, 0, 1)


def test_times_are_interpolated():
    t = np.linspace(0, 3, 8)  # none of the crossings at 0.5 and 1.5 is a sample
    visits = find_visits(t, hats(t, [0, 1, 2], 1.0), peak=0.7)
    assert [visit.memory for visit in visits] == [0, 1, 2]
    assert [visit.enter for visit in visits] == pytest.approx([0, 0.5, 1.5])
    assert [visit.leave for visit in visits][:2] == pytest.approx([0.5, 1.5])
    assert visits[1].dwell == pytest.approx(1.0)


def test_only_the_last_visit_is_open():
    t = np.linspace(0, 2.4, 100)
    assert [visit.complete for visit in find_visits(t, hats(t, [0, 1, 2], 1.0))] == [True, True, False]


def test_a_leader_that_stays_low_is_no_visit_and_does_not_part_one():
    overlaps = np.array([[0.9, 0.1, 0], [0.4, 0.5, 0], [0.95, 0.1, 0], [0.4, 0.45, 0.3], [0.1, 0.2, 1.0]])
    visits = find_visits(np.arange(5.0), overlaps)
    assert [(visit.memory, visit.peak_overlap) for visit in visits] == [(0, 0.95), (2, 1.0)]
    assert visits[0].enter == 0
    assert 2 < visits[0].leave < 3
    assert 3 < visits[1].enter < 4


def test_what_was_not_reached_is_not_read():
    overlaps = np.array([[1.0, 0.0], [0.0, 1.0], [np.nan, np.nan]])
    visits = find_visits(np.arange(3.0), overlaps)
    assert [visit.memory for visit in visits] == [0, 1]
    assert visits[-1].leave == 1.0
    assert find_visits(np.arange(3.0), np.full((3, 2), np.nan)) == ()
