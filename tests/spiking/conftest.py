"""A network that has learned, for all who only look at it."""

from __future__ import annotations

import pytest

from sharpwave.spiking import votes
from small_estimators import X, Y, windows


@pytest.fixture(scope="session")
def learned():
    """Three epochs of the digits, with every readout; not to be changed."""
    return windows(epochs=3, readouts=votes.VOTES).fit(X, Y)
