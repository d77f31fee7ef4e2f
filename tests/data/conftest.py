"""A server of this machine, for all who fetch."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from toydata import Server, serve


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as running:
        yield running
