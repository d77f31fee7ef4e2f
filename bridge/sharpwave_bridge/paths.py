"""Where sharpwave keeps what it has fetched or built."""

from __future__ import annotations

import os
from pathlib import Path


class CacheError(OSError):
    """The cache cannot be written. The message says why, and names the variable to set."""


def cache_dir() -> Path:
    """The cache: `SHARPWAVE_CACHE` if set, else `XDG_CACHE_HOME`/sharpwave, else ~/.cache/sharpwave.

    Nothing is created: a cache that was filled before may be read-only. Whoever writes calls `make_writable`.

    Raises:
        CacheError: `SHARPWAVE_CACHE` begins with a user that does not exist.
    """
    named = os.environ.get("SHARPWAVE_CACHE")
    if named:
        try:
            return Path(named).expanduser().absolute()
        except RuntimeError:
            raise CacheError(f"SHARPWAVE_CACHE={named!r}: there is no such user") from None
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The XDG base directory specification: a path that is not absolute is to be ignored.
    return (base if base.is_absolute() else Path.home() / ".cache") / "sharpwave"


def data_dir() -> Path:
    """Where data sets are kept."""
    return cache_dir() / "data"


def can_write(directory: Path) -> bool:
    """Whether files can be made in a directory that may not exist yet."""
    nearest = directory.absolute()
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)


def make_writable(directory: Path) -> Path:
    """Create a directory of the cache, with its parents.

    Returns:
        The directory.

    Raises:
        CacheError: it cannot be created, or no file can be made in it.
    """
    if ":" in str(directory):
        raise unwritable(directory, "Julia and the loader take a colon for the end of a path")
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(directory, error) from error
    if not can_write(directory):
        raise unwritable(directory, "permission denied")
    return directory


def unwritable(path: Path, cause: object) -> CacheError:
    """The error for a path of the cache that cannot be written."""
    return CacheError(f"cannot write {path}: {cause}. Make it writable, or set SHARPWAVE_CACHE to a directory that is")
