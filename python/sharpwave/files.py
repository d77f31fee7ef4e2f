"""Files that appear whole or not at all."""

from __future__ import annotations

import json
import math
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to, and rename it to `path` when the block ends without an error.

    Whoever reads `path`, at any moment and after any kill, sees the old file, the new one, or none: never a part.

    Args:
        path: the file to make; its directory is created if it is not there.

    Yields:
        A temporary path in the same directory with the same suffix.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as directory:
        ...     with whole(Path(directory) / "a.txt") as beside:
        ...         _ = beside.write_text("all of it")
        ...     (Path(directory) / "a.txt").read_text()
        'all of it'
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.stem}.{os.getpid()}.{threading.get_ident()}{path.suffix}")
    try:
        yield beside
        with beside.open("rb") as written:  # on disk before the name is, so that a power cut cannot part them
            os.fsync(written.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def sweep(directory: Path) -> None:
    """Remove what writers that were killed have left in a directory and below; nobody else may be writing there."""
    for path in directory.rglob(".*"):
        if re.fullmatch(r"\..+\.\d+\.\d+(\.\w+)?", path.name):
            path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file by atomic rename."""
    with whole(path) as beside:
        beside.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file by atomic rename; numbers that are not finite become null."""
    write_text(path, json.dumps(finite(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def finite(value: Any) -> Any:
    """The same value with null in place of numbers that JSON does not have, and NumPy scalars as Python numbers.

    Example:
        >>> finite({"a": [1.0, float("nan")]})
        {'a': [1.0, None]}
    """
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    if isinstance(value, (str, bool)) or value is None:
        return value
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "item"):  # a NumPy scalar
        return finite(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
