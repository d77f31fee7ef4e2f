"""The IDX format of MNIST and its relatives: a header of sizes, then the values."""

from __future__ import annotations

import math
import struct

import numpy as np
from numpy.typing import NDArray

_UNSIGNED_BYTE = 0x08


class IDXError(ValueError):
    """The bytes are not the IDX array that was expected. The message says where they differ."""


def file_size(shape: tuple[int, ...]) -> int:
    """Bytes of an IDX file that holds unsigned bytes of a shape."""
    return 4 + 4 * len(shape) + math.prod(shape)


def read_idx(raw: bytes, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Read an IDX array of unsigned bytes.

    The shape is asked for because the header alone cannot be trusted: damaged sizes with the same product
    would give an array of scrambled images.

    Args:
        raw: the whole file, not compressed.
        shape: the shape it must have.

    Returns:
        A read-only array of that shape on the same memory.

    Raises:
        IDXError: the magic number, the type of the values, a size, or the file's length is not as expected.

    Source:
        Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits", "The IDX file format".

    Example:
        >>> read_idx(bytes([0, 0, 8, 1, 0, 0, 0, 3]) + b"abc", (3,))
        array([97, 98, 99], dtype=uint8)
    """
    rank = len(shape)
    header = 4 + 4 * rank
    if len(raw) < header:
        raise IDXError(f"file has {len(raw)} bytes: an IDX header of {rank} dimensions has {header}")
    zeros, kind, dimensions = struct.unpack(">HBB", raw[:4])
    if zeros != 0:
        raise IDXError(f"file starts with the bytes {raw[:4].hex()}: an IDX file starts with 0000")
    if kind != _UNSIGNED_BYTE:
        raise IDXError(f"values have type 0x{kind:02x}: expected unsigned bytes, 0x08")
    if dimensions != rank:
        raise IDXError(f"array has {dimensions} dimensions: expected {rank}")
    sizes = struct.unpack(f">{rank}I", raw[4:header])
    if sizes != shape:
        raise IDXError(f"array has shape {sizes}: expected {shape}")
    if len(raw) != file_size(shape):
        raise IDXError(f"file has {len(raw)} bytes: an array of shape {shape} has {file_size(shape)}")
    return np.frombuffer(raw, np.uint8, offset=header).reshape(shape)
