"""Data sets by name: fetched once, checked at every load, kept in the cache directory."""

from __future__ import annotations

from .cache import DatasetStatus, status
from .images import ImageDataset
from .loading import available, load
from .sources import DataUnavailableError

__all__ = ["DataUnavailableError", "DatasetStatus", "ImageDataset", "available", "load", "status"]
