"""The kernel table and the check of arguments: nothing that does not fit reaches Julia."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharpwave_bridge import BridgeError, KernelError
from sharpwave_bridge.table import pack, parse_table

TABLE = parse_table("""abi 1
blend
x in f64[n, 3]
mask in f64[n] nan
weight in f64
count in i32
seed in u64
out out f64[n, 3]

""")
BLEND = TABLE["blend"]


def good_arguments() -> list[object]:
    return [np.zeros((4, 3)), np.full(4, np.nan), 0.5, 7, 2**63 + 1, np.empty((4, 3))]


def test_slots_hold_addresses_sizes_and_bits_of_scalars() -> None:
    values = good_arguments()
    slots = pack(BLEND, values)
    x, mask, weight, count, seed, out = values
    assert isinstance(x, np.ndarray)
    assert isinstance(mask, np.ndarray)
    assert isinstance(out, np.ndarray)
    assert slots[:3] == [x.ctypes.data, 4, 3]
    assert slots[3:5] == [mask.ctypes.data, 4]
    assert np.int64(slots[5]).view(np.float64) == weight
    assert slots[6] == count
    assert np.int64(slots[7]).view(np.uint64) == seed
    assert slots[8:] == [out.ctypes.data, 4, 3]


BAD = [
    (0, [[0.0] * 3] * 4, "got list"),
    (0, np.zeros((4, 3), np.float32), "float32"),
    (0, np.zeros((4, 3), ">f8"), "dtype >f8"),
    (0, np.zeros((4, 3, 1)), "expected 2 axes"),
    (0, np.zeros((4, 2)), "3 entries, got 2"),
    (0, np.zeros((3, 4)).T, "not C-contiguous"),
    (0, np.full((4, 3), np.nan), "NaN"),
    (0, np.ma.masked_array(np.zeros((5, 3)), mask=True)[:4, ::-1], "not C-contiguous"),
    (1, np.zeros(5), "axis 'n' has 5 entries, but 4 in 'x'"),
    (2, float("nan"), "NaN"),
    (2, "1", "got str"),
    (2, True, "got bool"),
    (2, 10**400, "too large"),
    (3, 2**31, "integer in"),
    (3, 1.0, "expected an integer"),
    (4, -1, "integer in"),
    (5, np.zeros((4, 3), np.int64), "int64"),
]


@pytest.mark.parametrize(("position", "value", "message"), BAD)
def test_bad_argument_is_named_and_explained(position: int, value: object, message: str) -> None:
    values = good_arguments()
    values[position] = value
    with pytest.raises(KernelError, match=message) as caught:
        pack(BLEND, values)
    assert caught.value.argument == BLEND.arguments[position].name


def test_read_only_output_is_refused_and_read_only_input_is_not() -> None:
    values = good_arguments()
    assert isinstance(values[0], np.ndarray)
    assert isinstance(values[5], np.ndarray)
    values[0].flags.writeable = False
    pack(BLEND, values)
    values[5].flags.writeable = False
    with pytest.raises(KernelError, match="read-only"):
        pack(BLEND, values)


def test_overlap_with_a_written_array_is_refused_and_shared_inputs_are_not() -> None:
    memory = np.zeros(40)
    values = good_arguments()
    values[0] = memory[:12].reshape(4, 3)
    values[1] = memory[8:12]
    pack(BLEND, values)
    values[5] = memory[11:23].reshape(4, 3)
    with pytest.raises(KernelError, match="shares memory with 'x'"):
        pack(BLEND, values)
    values[5] = memory[12:24].reshape(4, 3)
    pack(BLEND, values)


def test_wrong_number_of_arguments_lists_them() -> None:
    with pytest.raises(KernelError, match=r"takes 6 arguments \(x, mask, weight, count, seed, out\), got 5"):
        pack(BLEND, good_arguments()[:5])


@given(st.lists(st.floats(), min_size=1, max_size=12))
def test_nan_is_found_wherever_it_is_and_infinity_passes(numbers: list[float]) -> None:
    array = np.array(numbers)
    signature = parse_table("abi 1\nread\nx in f64[n]\n\n")["read"]
    if np.isnan(array).any():
        with pytest.raises(KernelError, match="NaN"):
            pack(signature, [array])
    else:
        assert pack(signature, [array])[1] == len(numbers)


@pytest.mark.parametrize("text", ["", "abi 99\n", "abi 1\nk\nx in f128[n]\n\n", "abi 1\nk\nx through f64\n\n"])
def test_a_table_of_another_version_or_shape_is_refused(text: str) -> None:
    with pytest.raises(BridgeError):
        parse_table(text)
