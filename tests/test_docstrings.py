"""The examples in docstrings say what happens."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import sharpwave
import sharpwave_bridge

# Programs of the benchmark's peers need their libraries; entry points run when they are imported.
_LEFT = ("sharpwave.bench.peers.", "sharpwave.__main__", "sharpwave_bridge.__main__")
MODULES = sorted(
    found.name
    for package in (sharpwave, sharpwave_bridge)
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if not found.name.startswith(_LEFT)
)


@pytest.mark.usefixtures("julia")
@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module(name: str) -> None:
    flags = doctest.NORMALIZE_WHITESPACE
    assert doctest.testmod(importlib.import_module(name), optionflags=flags).failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    modules = ["sharpwave.spiking.models", "sharpwave.memory.model", "sharpwave.equations.system"]
    assert all(any(t.examples for t in finder.find(importlib.import_module(name))) for name in modules)
