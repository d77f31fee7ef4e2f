"""What all checkpoints of estimators have in common."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def checkpoint_path(given: str | Path | None, resume: bool) -> Path | None:
    """Where a fit keeps its checkpoint, if it does.

    Raises:
        ValueError: it is to go on from one, and there is none.
    """
    if given is None and resume:
        raise ValueError("resume: there is no checkpoint to go on from: set checkpoint to the path of a file")
    return None if given is None else Path(given)


def fingerprint(*arrays: NDArray[Any]) -> str:
    """A hash of the arrays' kinds, shapes and contents.

    Example:
        >>> fingerprint(np.arange(3)) == fingerprint(np.arange(3)), fingerprint(np.zeros(3)) == fingerprint(np.zeros(4))
        (True, False)
    """
    digest = hashlib.blake2b(digest_size=16)
    for array in arrays:
        digest.update(f"{array.dtype}{array.shape}".encode())
        if array.dtype.kind == "O":
            digest.update(repr(array.tolist()).encode())
        else:
            digest.update(np.ascontiguousarray(array).view(np.uint8).data)
    return digest.hexdigest()
