"""Estimators that are small enough for tests, and the digits that they learn."""

from __future__ import annotations

import numpy as np
import pytest

from sharpwave.data import load
from sharpwave.spiking import ConvolutionalSTDP, DiehlCook, DiehlCook2015, LocallyConnected

DIGITS = load("digits")
X, Y = DIGITS.train_images, DIGITS.train_labels
TEST_X, TEST_Y = DIGITS.test_images, DIGITS.test_labels

SMALL = {
    "DiehlCook": DiehlCook(units=20, duration=100.0, norm=20.0, pixel_max=16),
    "LocallyConnected": LocallyConnected(filters=5, kernel_size=6, stride=2, crop=0, pixel_max=16),
    "DiehlCook2015": DiehlCook2015(units=10, duration=200.0, rest=0.0, norm=30.0, pixel_max=16),
    "ConvolutionalSTDP": ConvolutionalSTDP(patches=4, kernel_size=6, duration=200.0, rest=0.0, norm=20.0, pixel_max=16),
}
every_estimator = pytest.mark.parametrize("model", SMALL.values(), ids=SMALL)


def windows(**settings):
    """A locally connected network for the digits."""
    given = {"filters": 30, "kernel_size": 6, "stride": 2, "crop": 0, "pixel_max": 16}
    return LocallyConnected(**{**given, **settings})


def assert_same_learning(one, other):
    """Weights, thresholds and readouts are the same to the last bit."""
    assert one.examples_seen_ == other.examples_seen_
    for kind in ("weights", "shared"):
        mine, theirs = getattr(one.state_, kind), getattr(other.state_, kind)
        assert mine.keys() == theirs.keys()
        for name, array in mine.items():
            np.testing.assert_array_equal(array, theirs[name], err_msg=name)
    assert one.readouts_.keys() == other.readouts_.keys()
    for name, readout in one.readouts_.items():
        found = other.readouts_[name].state_dict()
        for key, array in readout.state_dict().items():
            np.testing.assert_array_equal(array, found[key], err_msg=f"{name} {key}")
