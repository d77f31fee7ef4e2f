"""Where the cache is, what an unwritable one says, and the lock that processes share."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sharpwave_bridge import paths
from sharpwave_bridge.locks import locked


def test_the_cache_follows_its_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SHARPWAVE_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert paths.cache_dir() == tmp_path / ".cache" / "sharpwave"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/to/be/ignored")
    assert paths.cache_dir() == tmp_path / ".cache" / "sharpwave"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert paths.cache_dir() == tmp_path / "xdg" / "sharpwave"
    monkeypatch.setenv("SHARPWAVE_CACHE", "~/own")
    assert paths.cache_dir() == tmp_path / "own"
    assert paths.data_dir() == tmp_path / "own" / "data"
    assert list(tmp_path.iterdir()) == []  # asking creates nothing


def test_a_relative_cache_does_not_move_with_the_working_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHARPWAVE_CACHE", "here")
    assert paths.cache_dir() == tmp_path / "here"


def test_a_cache_of_a_user_who_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARPWAVE_CACHE", "~nobody-of-that-name/cache")
    with pytest.raises(paths.CacheError, match="there is no such user"):
        paths.cache_dir()


def test_an_unwritable_directory_names_the_variable_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    below_a_file = tmp_path / "file" / "cache"
    assert not paths.can_write(below_a_file)
    with pytest.raises(paths.CacheError, match=r"file/cache.*SHARPWAVE_CACHE"):
        paths.make_writable(below_a_file)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_without_permission_is_not_writable(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    assert not paths.can_write(closed / "below")
    with pytest.raises(paths.CacheError, match="SHARPWAVE_CACHE"):
        paths.make_writable(closed)


_HOLDER = """
import subprocess, sys
from pathlib import Path
from sharpwave_bridge.locks import locked
with locked(Path(sys.argv[1])) as lock:
    child = subprocess.Popen(["sleep", "60"], pass_fds=(lock,))
    print(child.pid, flush=True)
    child.wait()
"""


def test_the_lock_outlives_a_killed_holder_as_long_as_its_child_runs(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", _HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    child = int(holder.stdout.readline())
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    waited = []

    def end_the_child(line: str) -> None:
        waited.append(line)
        os.kill(child, signal.SIGKILL)

    with locked(tmp_path, end_the_child):
        assert len(waited) == 1
        assert str(tmp_path) in waited[0]
    holder.stdout.close()


def test_a_free_lock_is_taken_at_once(tmp_path: Path) -> None:
    waited: list[str] = []
    for _ in range(2):
        with locked(tmp_path / "new", waited.append):
            pass
    assert waited == []
