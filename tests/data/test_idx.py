"""The IDX reader: the right array, or an error that says where the bytes differ; never a wrong array."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharpwave.data.idx import IDXError, file_size, read_idx

shapes = st.lists(st.integers(1, 6), min_size=1, max_size=3).map(tuple)


def idx_bytes(shape: tuple[int, ...]) -> bytes:
    header = struct.pack(f">HBB{len(shape)}I", 0, 0x08, len(shape), *shape)
    return header + bytes(i % 251 for i in range(math.prod(shape)))


@given(shapes)
def test_values_come_in_c_order(shape: tuple[int, ...]) -> None:
    array = read_idx(idx_bytes(shape), shape)
    assert array.shape == shape
    assert array.dtype == np.uint8
    np.testing.assert_array_equal(array.ravel(), np.arange(array.size) % 251)


@given(shapes, st.data())
def test_any_truncation_is_an_error(shape: tuple[int, ...], data: st.DataObject) -> None:
    raw = idx_bytes(shape)
    length = data.draw(st.integers(0, len(raw) - 1))
    with pytest.raises(IDXError, match=rf"file has {length} bytes"):
        read_idx(raw[:length], shape)


@given(shapes, st.data())
def test_any_change_of_the_header_is_an_error(shape: tuple[int, ...], data: st.DataObject) -> None:
    raw = bytearray(idx_bytes(shape))
    header = len(raw) - math.prod(shape)
    raw[data.draw(st.integers(0, header - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(IDXError):
        read_idx(bytes(raw), shape)


@given(shapes, st.binary(min_size=1, max_size=20))
def test_bytes_after_the_array_are_an_error(shape: tuple[int, ...], more: bytes) -> None:
    with pytest.raises(IDXError, match="bytes"):
        read_idx(idx_bytes(shape) + more, shape)


@given(st.binary(max_size=64), shapes)
def test_arbitrary_bytes_are_an_error_or_the_array(raw: bytes, shape: tuple[int, ...]) -> None:
    try:
        array = read_idx(raw, shape)
    except IDXError:
        return
    assert raw[-array.size :] == array.tobytes()
    assert len(raw) == file_size(shape)


def test_sizes_with_the_same_product_are_an_error() -> None:
    with pytest.raises(IDXError, match=r"array has shape \(2, 14, 56\): expected \(2, 28, 28\)"):
        read_idx(idx_bytes((2, 14, 56)), (2, 28, 28))


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"\x1f\x8b\x08\x03", "file starts with the bytes 1f8b0803"),  # still gzipped
        (b"\x00\x00\x0d\x03", "values have type 0x0d: expected unsigned bytes"),  # float32
        (b"\x00\x00\x08\x01", "array has 1 dimensions: expected 3"),  # labels in the place of images
    ],
)
def test_the_error_names_the_field(start: bytes, message: str) -> None:
    with pytest.raises(IDXError, match=message):
        read_idx(start + idx_bytes((2, 2, 2))[4:], (2, 2, 2))
