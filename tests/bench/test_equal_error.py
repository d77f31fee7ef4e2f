from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharpwave.bench.equal_error import MARGIN, front, seconds_at

logs = st.floats(-12, 0)
positive = st.floats(1e-12, 1.0)
points = st.lists(st.tuples(positive, st.floats(1e-6, 1e3)), min_size=1, max_size=12)


@given(
    st.floats(-0.9, -0.05), st.floats(1e-6, 10), st.lists(logs, min_size=2, max_size=10, unique=True), st.floats(0, 1)
)
def test_a_power_law_is_read_exactly_between_its_points(slope, scale, exponents, where):
    def law(error):
        return scale * error**slope

    curve = [(10.0**e, law(10.0**e)) for e in exponents]
    error = 10.0 ** (min(exponents) + where * (max(exponents) - min(exponents)))
    reading = seconds_at(error, curve)
    if reading.how == "interpolated":
        assert reading.seconds == pytest.approx(law(error), rel=1e-6)
    else:  # rounding of 10**e put the error outside the curve
        assert where in (pytest.approx(0), pytest.approx(1))


@given(points, positive)
def test_no_reading_is_outside_what_was_measured_but_by_the_margin(measured, error):
    best = min(known for known, _ in measured)
    reading = seconds_at(error, measured)
    if reading is None:
        assert error < best
    elif reading.how == "extrapolated":
        assert best / MARGIN <= error < best
    else:
        assert min(s for _, s in measured) <= reading.seconds * (1 + 1e-9)
        assert reading.seconds <= max(s for _, s in measured) * (1 + 1e-9)


@given(points, positive, positive)
def test_a_smaller_error_never_takes_less_time(measured, a, b):
    small, large = seconds_at(min(a, b), measured), seconds_at(max(a, b), measured)
    if small is not None:
        assert large is not None
        assert small.seconds >= large.seconds * (1 - 1e-9)


@given(points, positive, st.floats(1e-3, 1e3))
def test_the_unit_of_time_does_not_matter(measured, error, unit):
    plain = seconds_at(error, measured)
    scaled = seconds_at(error, [(known, unit * seconds) for known, seconds in measured])
    if plain is None:  # the front is the same up to rounding of the scaled times
        assert scaled is None
    else:
        assert scaled.seconds == pytest.approx(unit * plain.seconds, rel=1e-9)


@given(points)
def test_the_front_has_every_unbeaten_point_and_no_other(measured):
    kept = front(measured)
    assert kept == sorted(kept)
    for point in measured:
        beaten = any(e <= point[0] and s <= point[1] and (e, s) != point for e, s in measured)
        assert (point in kept) != beaten


def test_a_more_accurate_run_stands_for_errors_that_were_never_made():
    reading = seconds_at(1e-1, [(1e-4, 2.0), (1e-6, 5.0)])
    assert (reading.seconds, reading.error, reading.how) == (2.0, 1e-4, "more accurate")


def test_extrapolation_keeps_the_slope_and_stops_at_the_margin():
    curve = [(1e-4, 1.0), (1e-6, 10.0)]
    reading = seconds_at(1e-6 / MARGIN, curve)
    assert reading.how == "extrapolated"
    assert reading.seconds == pytest.approx(10.0 * math.sqrt(MARGIN))
    assert seconds_at(0.99e-6 / MARGIN, curve) is None
    assert seconds_at(1e-6 / MARGIN, [(1e-6, 1.0)]) is None  # one point has no slope
    assert seconds_at(1e-6, []) is None
