"""The table of kernels, as Julia declares it, and the check of every argument against it before Julia is entered."""

from __future__ import annotations

import ctypes
import math
import numbers
import re
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
    """

    name: str
    mode: str
    dtype: np.dtype[Any]
    sizes: tuple[str | int, ...] | None
    written: bool
    refuses_nan: bool


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
    return Argument(match[1], mode, dtype, sizes, mode != "in", refuses_nan)


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
    slots: list[int] = []
    sizes: dict[str | int, tuple[int, str]] = {}
    spans: list[tuple[int, int, Argument]] = []
    for argument, value in zip(arguments, values):  # noqa: B905  (of one length: checked above; strict costs time)
        if argument.sizes is None:
            slots.append(_scalar(signature.name, argument, value))
            continue
        _check_array(signature.name, argument, value)
        _check_sizes(signature.name, argument, value.shape, sizes)
        address = _address(value)
        slots.append(address)
        slots.extend(value.shape)
        spans.append((address, address + value.nbytes, argument))
    if len(spans) > 1:
        _check_overlaps(signature.name, spans)
    return slots


def _address(array: Any) -> int:
    if array.size and array.flags.writeable:
        return ctypes.addressof(ctypes.c_char.from_buffer(array))  # 4 times faster than the general way
    address: int = array.__array_interface__["data"][0]
    return address


def _check_array(kernel: str, argument: Argument, value: Any) -> None:
    rank = len(argument.sizes or ())
    usable = isinstance(value, np.ndarray) and value.dtype == argument.dtype and value.ndim == rank
    if not usable or not value.flags.carray:
        _explain_array(kernel, argument, value)
    if argument.refuses_nan:
        # The sum of squares is NaN exactly where an entry is (infinities give infinity), and BLAS takes it in one pass.
        flat = value if rank == 1 else value.ravel()
        if math.isnan(flat.dot(flat)):
            raise KernelError(kernel, "the array holds NaN", argument.name)


def _explain_array(kernel: str, argument: Argument, value: Any) -> None:
    """Raise what is wrong with an array that is not plainly right; read-only inputs pass."""
    expected = f"a C-contiguous {argument.dtype} array"
    if not isinstance(value, np.ndarray):
        raise KernelError(kernel, f"expected {expected}, got {type(value).__name__}", argument.name)
    if value.dtype != argument.dtype:
        raise KernelError(kernel, f"expected {expected}, got dtype {value.dtype}: convert it first", argument.name)
    sizes = argument.sizes or ()
    if value.ndim != len(sizes):
        axes = ", ".join(str(size) for size in sizes)
        raise KernelError(kernel, f"expected {len(sizes)} axes ({axes}), got shape {value.shape}", argument.name)
    if not value.flags.c_contiguous or not value.flags.aligned:
        raise KernelError(
            kernel, "the array is not C-contiguous and aligned: use numpy.ascontiguousarray", argument.name
        )
    if argument.written and not value.flags.writeable:
        raise KernelError(kernel, "the kernel writes this array, but it is read-only: copy it", argument.name)


def _check_sizes(
    kernel: str, argument: Argument, shape: tuple[int, ...], sizes: dict[str | int, tuple[int, str]]
) -> None:
    for expected, got in zip(argument.sizes or (), shape):  # noqa: B905  (of one length: the rank was checked)
        if isinstance(expected, int):
            if got != expected:
                raise KernelError(kernel, f"an axis must have {expected} entries, got {got}", argument.name)
            continue
        known, owner = sizes.setdefault(expected, (got, argument.name))
        if known != got:
            raise KernelError(kernel, f"axis '{expected}' has {got} entries, but {known} in '{owner}'", argument.name)


def _check_overlaps(kernel: str, spans: list[tuple[int, int, Argument]]) -> None:
    for i, (start, stop, argument) in enumerate(spans):
        for other_start, other_stop, other in spans[:i]:
            if start < other_stop and other_start < stop and (argument.written or other.written):
                raise KernelError(
                    kernel, f"shares memory with '{other.name}', and one of them is written", argument.name
                )


def _scalar(kernel: str, argument: Argument, value: Any) -> int:
    kind = argument.dtype.kind
    if kind == "f":
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise KernelError(kernel, f"expected a number, got {type(value).__name__}", argument.name)
        try:
            number = float(value)
        except OverflowError:
            raise KernelError(kernel, "the number is too large for a float64", argument.name) from None
        if math.isnan(number) and argument.refuses_nan:
            raise KernelError(kernel, "must not be NaN", argument.name)
        return int(np.float64(number).view(np.int64))
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise KernelError(kernel, f"expected an integer, got {type(value).__name__}", argument.name)
    limits = np.iinfo(argument.dtype)
    number_int = int(value)
    if not limits.min <= number_int <= limits.max:
        raise KernelError(
            kernel, f"expected an integer in [{limits.min}, {limits.max}], got {number_int}", argument.name
        )
    return number_int if number_int < 2**63 else number_int - 2**64
