"""What all checkpoints of estimators have in common."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .files import whole


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


def write_checkpoint(path: Path, about: Mapping[str, Any], state: Any, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write an .npz file by atomic rename.

    Args:
        path: of the file.
        about: what the numbers depend on; JSON.
        state: what is not an array; JSON.
        arrays: all else.
    """
    text = json.dumps({"about": about, "state": state})
    everything: dict[str, Any] = {"training": np.array(text), **arrays}
    with whole(path) as beside, beside.open("wb") as file:
        np.savez(file, **everything)


def read_checkpoint(path: Path, about: Mapping[str, Any], whose: str) -> tuple[Any, dict[str, NDArray[Any]]]:
    """Read what `write_checkpoint` wrote: state and arrays.

    Args:
        path: of the file.
        about: what must be the same.
        whose: for the error.

    Raises:
        ValueError: it is no checkpoint, or one of something else.
    """
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            training = json.loads(str(file["training"]))
            arrays = {name: file[name] for name in file.files if name != "training"}
    except (FileNotFoundError, PermissionError, MemoryError):
        raise
    except Exception as error:  # a damaged file can raise nearly anything
        raise ValueError(f"{path} is no checkpoint of {whose}: {error}") from error
    differ = [name for name, value in about.items() if training["about"].get(name) != value]
    if differ:
        raise ValueError(
            f"{path} is a checkpoint of another training: {', '.join(differ)} differ. Go on with the same settings "
            "and data, or choose another file"
        )
    return training["state"], arrays
