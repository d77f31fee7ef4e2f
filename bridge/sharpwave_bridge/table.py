"""The table of kernels, as Julia declares it, and the check of every argument against it before Julia is entered."""

from __future__ import annotations

import ctypes
import math
import numbers
import operator
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import BridgeError, KernelError

ABI_VERSION = 1

_DTYPES: dict[str, np.dtype[Any]] = {
    "f64": np.dtype(np.float64),
    "f32": np.dtype(np.float32),
    "i64": np.dtype(np.int64),
    "i32": np.dtype(np.int32),
    "u64": np.dtype(np.uint64),
    "u8": np.dtype(np.uint8),
}
_LINE = re.compile(r"^(\w+)\s+(in|out|inout)\s+(\w+)(?:\s*\[([^\]]*)\])?(\s+nan)?$")


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a kernel.

    Attributes:
        name: as the kernel's signature has it.
        mode: `in`, `out` or `inout`.
        dtype: element type, exactly.
        sizes: None for a scalar, else a name or an integer for each axis (C order).
        written: whether the kernel writes it.
        refuses_nan: whether it is read, of floats, and NaN is not allowed.
        limits: of an integer scalar.
    """

    name: str
    mode: str
    dtype: np.dtype[Any]
    sizes: tuple[str | int, ...] | None
    written: bool
    refuses_nan: bool
    limits: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Signature:
    """A kernel's name and arguments, in order."""

    name: str
    arguments: tuple[Argument, ...]


def parse_table(text: str) -> dict[str, Signature]:
    """Read the table that Julia prints: a version line, then per kernel its name, its argument lines and an empty line.

    Args:
        text: what `SharpwaveKernels.abi_table()` returns.

    Returns:
        A signature for each kernel name.

    Raises:
        BridgeError: the table has another version, or a line that cannot be read.

    Example:
        >>> table = parse_table("abi 1\\nincrement\\nx inout f64[n]\\n\\n")
        >>> table["increment"].arguments[0].mode
        'inout'
    """
    head, _, body = text.partition("\n")
    if head != f"abi {ABI_VERSION}":
        raise BridgeError(
            f"the Julia sources speak {head!r}, this package expects 'abi {ABI_VERSION}': reinstall sharpwave so that "
            "both are of one version"
        )
    table = {}
    for block in body.strip().split("\n\n"):
        name, *lines = block.split("\n")
        table[name] = Signature(name, tuple(_parse_argument(line) for line in lines))
    return table


def _parse_argument(line: str) -> Argument:
    match = _LINE.match(line)
    if match is None or match[3] not in _DTYPES:
        raise BridgeError(f"cannot read this line of the kernel table: {line!r}")
    sizes = None
    if match[4] is not None:
        parts = [part.strip() for part in match[4].split(",")]
        sizes = tuple(int(part) if part.isdigit() else part for part in parts)
    mode, dtype, allow_nan = match[2], _DTYPES[match[3]], match[5] is not None
    refuses_nan = mode != "out" and dtype.kind == "f" and not allow_nan
    limits = (0, 0) if dtype.kind == "f" else (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
    return Argument(match[1], mode, dtype, sizes, mode != "in", refuses_nan, limits)


def pack(signature: Signature, values: Sequence[Any]) -> list[int]:
    """Check the values of one call and write them as the 64-bit slots that Julia reads.

    Args:
        signature: the kernel's signature.
        values: one value an argument, in order: NumPy arrays (exact dtype, C-contiguous), numbers for scalars.

    Returns:
        One 64-bit integer a slot: a scalar's bits, or an array's address and sizes. The caller keeps `values` alive
        during the call.

    Raises:
        KernelError: a value has the wrong kind, dtype, rank or size, is not contiguous, is read-only but written by
            the kernel, overlaps an array that the kernel writes, or holds NaN where that is not allowed.
    """
    arguments = signature.arguments
    if len(values) != len(arguments):
        names = ", ".join(a.name for a in arguments)
        raise KernelError(signature.name, f"takes {len(arguments)} arguments ({names}), got {len(values)}")
    # Written for speed: 20 arguments are checked in some 15 microseconds. What is wrong is worked out afterwards.
    kernel = signature.name
    slots: list[int] = []
    sizes: dict[str | int, int] = {}
    spans: list[tuple[int, int, Argument]] = []
    for argument, value in zip(arguments, values):  # noqa: B905  (of one length: checked above; strict costs time)
        if argument.sizes is None:
            slots.append(_scalar(kernel, argument, value))
            continue
        if not isinstance(value, np.ndarray) or value.dtype != argument.dtype or value.ndim != len(argument.sizes):
            raise _wrong_kind(kernel, argument, value)
        flags = value.flags
        if not flags.carray and (argument.written or not (flags.c_contiguous and flags.aligned)):
            raise _wrong_memory(kernel, argument, value)
        if argument.refuses_nan and 1 in np.isnan(value).tobytes():
            raise KernelError(kernel, "the array holds NaN", argument.name)
        shape = value.shape
        for size, got in zip(argument.sizes, shape):  # noqa: B905  (of one length: the rank was checked)
            if sizes.setdefault(size, got) != got or (got != size and isinstance(size, int)):
                raise _wrong_size(signature, values, argument, size, got)
        address = _address(value)
        slots.append(address)
        slots.extend(shape)
        if value.size:
            spans.append((address, address + value.nbytes, argument))
    if len(spans) > 1:
        _check_overlaps(kernel, spans)
    return slots


# What an empty array points to: Julia wants an address that is not null, and reads nothing there.
_NOTHING = ctypes.create_string_buffer(64)
_NOTHING_ADDRESS = ctypes.addressof(_NOTHING)


def _address(array: Any) -> int:
    if not array.size:
        return _NOTHING_ADDRESS
    if array.flags.writeable:
        return ctypes.addressof(ctypes.c_char.from_buffer(array))  # 4 times faster than the general way
    address: int = array.__array_interface__["data"][0]
    return address


def _check_overlaps(kernel: str, spans: list[tuple[int, int, Argument]]) -> None:
    """Refuse memory that two arguments share if one of them is written: a sweep over the arrays in order of address.

    As long as nothing was refused, the arrays that reach beyond the present address are all only read, so that it is
    enough to look at the one that reaches furthest.
    """
    spans.sort(key=_start)
    reach, owner = spans[0][1], spans[0][2]
    for start, stop, argument in spans[1:]:
        if start < reach and (argument.written or owner.written):
            raise KernelError(kernel, f"shares memory with '{owner.name}', and one of them is written", argument.name)
        if stop > reach:
            reach, owner = stop, argument


_start = operator.itemgetter(0)
_float_bits = struct.Struct("d").pack
_as_integer = struct.Struct("q").unpack


def _scalar(kernel: str, argument: Argument, value: Any) -> int:
    if argument.dtype.kind == "f":
        number = value if type(value) is float else _real(kernel, argument, value)
        if argument.refuses_nan and math.isnan(number):
            raise KernelError(kernel, "must not be NaN", argument.name)
        bits: int = _as_integer(_float_bits(number))[0]
        return bits
    if type(value) is not int and (isinstance(value, bool) or not isinstance(value, numbers.Integral)):
        raise KernelError(kernel, f"expected an integer, got {type(value).__name__}", argument.name)
    low, high = argument.limits
    integer = int(value)
    if not low <= integer <= high:
        raise KernelError(kernel, f"expected an integer in [{low}, {high}], got {integer}", argument.name)
    return integer if integer < 2**63 else integer - 2**64


def _real(kernel: str, argument: Argument, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise KernelError(kernel, f"expected a number, got {type(value).__name__}", argument.name)
    try:
        return float(value)
    except OverflowError:
        raise KernelError(kernel, "the number is too large for a float64", argument.name) from None


def _wrong_kind(kernel: str, argument: Argument, value: Any) -> KernelError:
    expected = f"a C-contiguous {argument.dtype} array"
    if not isinstance(value, np.ndarray):
        return KernelError(kernel, f"expected {expected}, got {type(value).__name__}", argument.name)
    if value.dtype != argument.dtype:
        return KernelError(kernel, f"expected {expected}, got dtype {value.dtype}: convert it first", argument.name)
    sizes = argument.sizes or ()
    axes = ", ".join(str(size) for size in sizes)
    return KernelError(kernel, f"expected {len(sizes)} axes ({axes}), got shape {value.shape}", argument.name)


def _wrong_memory(kernel: str, argument: Argument, value: np.ndarray[Any, Any]) -> KernelError:
    if value.flags.c_contiguous and value.flags.aligned:
        return KernelError(kernel, "the kernel writes this array, but it is read-only: copy it", argument.name)
    return KernelError(kernel, "the array is not C-contiguous and aligned: use numpy.ascontiguousarray", argument.name)


def _wrong_size(
    signature: Signature, values: Sequence[Any], argument: Argument, size: str | int, got: int
) -> KernelError:
    if isinstance(size, int):
        return KernelError(signature.name, f"an axis must have {size} entries, got {got}", argument.name)
    for other, value in zip(signature.arguments, values, strict=True):
        if other.sizes is not None and size in other.sizes:
            known = value.shape[other.sizes.index(size)]
            break
    message = f"axis '{size}' has {got} entries, but {known} in '{other.name}'"
    return KernelError(signature.name, message, argument.name)
