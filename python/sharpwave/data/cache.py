"""The files of an archive in the cache directory: checked at every read, fetched again where damaged."""

from __future__ import annotations

import logging
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sharpwave_bridge import paths
from sharpwave_bridge.locks import locked

from ..files import whole
from . import sources, spoken
from .catalog import ARCHIVES, Archive, DataFile

_STATES: dict[bool | None, Literal["ok", "absent", "corrupt"]] = {True: "ok", False: "corrupt", None: "absent"}
_log = logging.getLogger("sharpwave.data")


@dataclass(frozen=True)
class DatasetStatus:
    """Where a data set is on this machine, and whether it is whole.

    Attributes:
        name: name of the data set.
        state: "ok", "absent" (`load` will fetch it), or "corrupt" (`load` will fetch it again).
        path: its directory; for a data set that comes with a package, the name of the package.
        detail: for each damaged file, what is wrong with it.
    """

    name: str
    state: Literal["ok", "absent", "corrupt"]
    path: str
    detail: str = ""


def status() -> list[DatasetStatus]:
    """Check every data set on this machine, without the network.

    Example:
        >>> [s.state for s in status() if s.name == "digits"]
        ['ok']
    """
    found = [DatasetStatus("digits", "ok", "scikit-learn")]
    for archive in ARCHIVES.values():
        whole_files, faults = _read(archive)
        state: Literal["ok", "absent", "corrupt"] = "corrupt" if faults else "absent"
        if len(whole_files) == len(archive.files):
            state = "ok"
        found.append(DatasetStatus(archive.name, state, str(_directory(archive)), _describe(faults)))
    return [*found, DatasetStatus(spoken.NAME, _STATES[spoken.whole_file()], str(spoken.path().parent))]


def contents(archive: Archive) -> list[bytes]:
    """The files of an archive, not compressed, in its order; fetched first where they are missing or damaged.

    Raises:
        DataUnavailableError: they are not in the cache, and no source has them.
        CacheError: they are not in the cache, and it cannot be written.
    """
    found, _ = _read(archive)
    if len(found) < len(archive.files):
        with locked(_directory(archive), _log.info) as lock:
            found, faults = _read(archive)  # another process may have fetched them in the meantime
            if faults:
                warnings.warn(f"damaged files of {archive.name} are fetched again: {_describe(faults)}", stacklevel=3)
            missing = [file for file in archive.files if file not in found]
            if missing:
                found.update(_fetch(archive, missing, lock))
    return [found[file] for file in archive.files]


def _fetch(archive: Archive, missing: list[DataFile], lock: int) -> dict[DataFile, bytes]:
    directory = _directory(archive)
    scratch = paths.make_writable(directory / "download")
    fetched = sources.fetch(archive, missing, scratch, lock)
    try:
        for leftover in directory.glob(".*-ubyte-*"):  # of a process that was killed while it wrote
            leftover.unlink()
        for file, raw in fetched.items():
            with whole(directory / file.name) as beside:
                beside.write_bytes(raw)
        shutil.rmtree(scratch)
    except OSError as error:
        raise paths.unwritable(directory, error) from error
    return fetched


def _read(archive: Archive) -> tuple[dict[DataFile, bytes], dict[DataFile, str]]:
    """The content of the files that are whole, and what is wrong with those that are not."""
    found: dict[DataFile, bytes] = {}
    faults: dict[DataFile, str] = {}
    for file in archive.files:
        try:
            raw = (_directory(archive) / file.name).read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            faults[file] = f"cannot be read ({error.strerror})"
            continue
        fault = file.fault(raw)
        if fault:
            faults[file] = fault
        else:
            found[file] = raw
    return found, faults


def _describe(faults: Mapping[DataFile, str]) -> str:
    return "; ".join(f"{file.name} {fault}" for file, fault in faults.items())


def _directory(archive: Archive) -> Path:
    return paths.data_dir() / archive.name
