"""Where sharpwave keeps what it has fetched or built."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir() -> Path:
    """The cache directory: `SHARPWAVE_CACHE` if set, else `XDG_CACHE_HOME`/sharpwave, else ~/.cache/sharpwave."""
    named = os.environ.get("SHARPWAVE_CACHE")
    if named:
        return Path(named).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base).expanduser() if base else Path.home() / ".cache") / "sharpwave"


def data_dir() -> Path:
    """Where data sets are kept."""
    return cache_dir() / "data"
