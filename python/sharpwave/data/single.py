"""One file in the cache directory: checked at every read, fetched again where it is damaged."""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Callable
from pathlib import Path

from sharpwave_bridge import paths
from sharpwave_bridge.locks import locked

from ..files import whole

_log = logging.getLogger("sharpwave.data")


def checked_file(path: Path, sha256: str, fetch: Callable[[int], bytes]) -> bytes:
    """What is in a file, which is fetched first where it is missing or damaged.

    Args:
        path: of the file.
        sha256: of its content.
        fetch: returns the content; it is given a file descriptor that programs started by it keep open.

    Raises:
        DataUnavailableError: it is not in the cache, and no source has it.
        CacheError: it is not in the cache, and the cache cannot be written.
    """
    content = _whole_file(path, sha256)
    if content is None:
        with locked(path.parent, _log.info) as lock:
            content = _whole_file(path, sha256)  # another process may have fetched it in the meantime
            if content is None:
                if path.exists():
                    warnings.warn(f"{path} is damaged, and is fetched again", stacklevel=3)
                content = fetch(lock)
                paths.make_writable(path.parent)
                try:
                    with whole(path) as beside:
                        beside.write_bytes(content)
                except OSError as error:
                    raise paths.unwritable(path.parent, error) from error
    return content


def _whole_file(path: Path, sha256: str) -> bytes | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == sha256 else None
