"""Data sets by name: fetched once, checked at every load, kept in the cache directory."""

from __future__ import annotations

from .cache import DatasetStatus, status
from .images import ImageDataset
from .loading import available, load
from .sources import DataUnavailableError
from .texts import TextCorpus, load_text

__all__ = [
    "DataUnavailableError",
    "DatasetStatus",
    "ImageDataset",
    "TextCorpus",
    "available",
    "load",
    "load_text",
    "status",
]
