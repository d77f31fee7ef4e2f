"""Files appear whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharpwave.files import finite, whole, write_json, write_text


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "half of the new " * 10_000 + "\udfff")  # cannot be encoded
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_the_old_file_is_there_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with whole(path) as beside:
        beside.write_text("new")
        assert path.read_text() == "old"
        assert beside.suffix == path.suffix  # writers choose a format by it
    assert path.read_text() == "new"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=10))
def test_any_value_becomes_strict_json(value: object) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    json.loads(json.dumps(finite(value), allow_nan=False), parse_constant=refuse)


def test_numpy_scalars_become_numbers(tmp_path: Path) -> None:
    write_json(
        tmp_path / "a.json", {"a": np.float64(0.1), "b": np.int64(3), "c": np.bool_(True), "d": np.float32("nan")}
    )
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": 0.1, "b": 3, "c": True, "d": None}
