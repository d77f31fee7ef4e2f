"""Visits to memories along a recall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Separates recalls of random patterns (peaks above .9, and .86 for a cue with a quarter missing) from the moments in
# which a third memory leads while one gives way to the next (at most .57 in the runs of the paper).
PEAK = 0.8


@dataclass(frozen=True)
class Visit:
    """A stretch of time in which one memory is recalled.

    Attributes:
        memory: its index.
        enter: time at which its overlap became the largest of all.
        leave: time at which another overtook it, or the end.
        peak_overlap: its largest overlap in between.
        complete: whether the leaving was seen.
    """

    memory: int
    enter: float
    leave: float
    peak_overlap: float
    complete: bool

    @property
    def dwell(self) -> float:
        """Time from entering to leaving."""
        return self.leave - self.enter


def find_visits(t: Array, overlaps: Array, peak: float = PEAK) -> tuple[Visit, ...]:
    """The memories that are visited, in order.

    A memory is visited from when its overlap becomes the largest of all to when another overtakes it, if in between it
    reaches `peak`; stretches whose leader does not reach it are passed over, and what they part is one visit if the
    memory before and after is the same. Times of overtaking are interpolated linearly between samples.

    Args:
        t: times, (times,).
        overlaps: (times, memories); what follows the first NaN is not read.
        peak: the overlap that a visit must reach.

    Example:
        >>> t = np.array([0.0, 1.0, 2.0, 3.0])
        >>> for visit in find_visits(t, np.array([[1.0, 0.0], [0.9, 0.1], [0.1, 0.9], [0.0, 1.0]])):
        ...     print(visit.memory, visit.enter, visit.leave, visit.complete)
        0 0.0 1.5 True
        1 1.5 3.0 False
    """
    broken = np.flatnonzero(np.isnan(overlaps).any(axis=1))
    length = int(broken[0]) if broken.size else len(t)
    if length == 0:
        return ()
    t, overlaps = t[:length], overlaps[:length]
    leader = overlaps.argmax(1)
    first = np.r_[0, np.flatnonzero(np.diff(leader)) + 1]
    taken = first[1:]
    behind = overlaps[taken - 1, leader[taken - 1]] - overlaps[taken - 1, leader[taken]]
    ahead = overlaps[taken, leader[taken]] - overlaps[taken, leader[taken - 1]]
    total = behind + ahead
    share = np.divide(behind, total, out=np.zeros_like(total), where=total > 0)
    overtaking = t[taken - 1] + (t[taken] - t[taken - 1]) * share
    enter, leave = np.r_[t[0], overtaking], np.r_[overtaking, t[-1]]
    peaks = np.maximum.reduceat(overlaps[np.arange(length), leader], first)
    visits: list[Visit] = []
    for run in np.flatnonzero(peaks >= peak):
        memory, highest, begin = int(leader[first[run]]), float(peaks[run]), float(enter[run])
        if visits and visits[-1].memory == memory:
            before = visits.pop()
            begin, highest = before.enter, max(highest, before.peak_overlap)
        visits.append(Visit(memory, begin, float(leave[run]), highest, bool(run < len(first) - 1)))
    return tuple(visits)
