"""Debian packages from the machine's mirror: sources in both formats, resuming, and each way to fail."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sharpwave_bridge import debian

pytestmark = pytest.mark.skipif(shutil.which("apt-get") is None, reason="no apt-get on this machine")

SUITE = "bullseye"
OWN = debian.own_suite()

Configure = Callable[..., None]


def write_configuration(directory: Path, extra: str = "", **sources: str) -> Path:
    """An apt configuration with source files of its own (`NAME_list`, `NAME_sources`), or the machine's."""
    configuration = directory / "apt.conf"
    lines = [extra]
    if sources:
        parts = directory / "parts"
        shutil.rmtree(parts, ignore_errors=True)
        parts.mkdir()
        for name, text in sources.items():
            (parts / name.replace("_", ".")).write_text(text)
        lines += ['Dir::Etc::sourcelist "/dev/null";', f'Dir::Etc::sourceparts "{parts}";']
    configuration.write_text("\n".join(lines))
    return configuration


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    def write(extra: str = "", **sources: str) -> None:
        monkeypatch.setenv("APT_CONFIG", str(write_configuration(tmp_path, extra, **sources)))

    return write


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory, with a space in its name, into which a small package was fetched."""
    directory = tmp_path_factory.mktemp("apt") / "with space"
    directory.mkdir()
    hook = f"APT::Update::Post-Invoke {{ \"touch '{directory}/hook-ran'\"; }};"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("APT_CONFIG", str(write_configuration(directory, hook)))
        debian.fetch(["hostname"], SUITE, directory)
    return directory


def fetch_again(directory: Path) -> tuple[Path, list[str]]:
    said: list[str] = []
    (deb,) = debian.fetch(["hostname"], SUITE, directory, said.append)
    return deb, said


def test_one_line_sources(configure: Configure) -> None:
    configure(
        a_list=f"# deb http://comment.invalid/debian {OWN} main\n"
        f"deb-src http://source.invalid/debian {OWN} main\n"
        f"deb cdrom:[Debian GNU/Linux - amd64 DVD]/ {OWN} main contrib\n"
        f"deb http://security.invalid/debian-security {OWN}-security main\n"
        f"deb http://components.invalid/linux {OWN} stable\n",
        b_list=f"deb [arch=amd64 signed-by={debian.KEYRING}] http://right.invalid/debian {OWN} main # x\n"
        f"deb http://right.invalid/debian {OWN}-updates main\n"
        "deb http://second.invalid/debian stable main\n",
    )
    assert debian.mirror_uris() == ["http://right.invalid/debian/", "http://second.invalid/debian/"]


def test_deb822_sources(configure: Configure) -> None:
    configure(
        a_sources="Enabled: no\nTypes: deb\nURIs: http://disabled.invalid/debian\n"
        f"Suites: {OWN}\nComponents: main\n\n"
        f"Types: deb\nURIs: http://security.invalid/debian\nSuites: {OWN}-security\nComponents: main\n",
        b_sources="Types: deb deb-src\n# a comment inside a stanza\nURIs: http://right.invalid/debian\n"
        f"Suites: {OWN} {OWN}-updates\nComponents: main\nSigned-By: {debian.KEYRING}\n",
    )
    assert debian.mirror_uris() == ["http://right.invalid/debian/"]


def test_no_archive_of_the_machines_release(configure: Configure) -> None:
    configure(a_list="deb http://other.invalid/debian some-other-suite main\n")
    with pytest.raises(debian.FetchError, match=rf"'{OWN}'.*add a Debian mirror"):
        debian.mirror_uris()


def test_sources_that_apt_cannot_read(configure: Configure) -> None:
    configure(a_list=f"dub http://right.invalid/debian {OWN} main\n")
    with pytest.raises(debian.FetchError, match=r"Type 'dub' is not known.*/etc/apt"):
        debian.mirror_uris()


def test_a_package_is_fetched_and_unpacked(fetched: Path, tmp_path: Path) -> None:
    (deb,) = fetched.glob("hostname_*.deb")
    debian.unpack([deb], tmp_path / "prefix")
    program = tmp_path / "prefix" / "bin" / "hostname"
    assert program.read_bytes().startswith(b"\x7fELF")
    assert program.stat().st_mode & 0o111


def test_hooks_of_the_system_do_not_run(fetched: Path) -> None:
    assert not (fetched / "hook-ran").exists()


def test_what_is_intact_is_not_fetched_again(fetched: Path) -> None:
    (before,) = fetched.glob("hostname_*.deb")
    stamp = before.stat().st_mtime_ns
    deb, said = fetch_again(fetched)
    assert said == []
    assert deb == before
    assert deb.stat().st_mtime_ns == stamp


@pytest.mark.parametrize("damage", ["truncated", "altered", "deleted"])
def test_what_is_damaged_is_fetched_again(fetched: Path, damage: str) -> None:
    (deb,) = fetched.glob("hostname_*.deb")
    whole = deb.read_bytes()
    if damage == "truncated":
        deb.write_bytes(whole[:5000])
    elif damage == "altered":
        deb.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
    else:
        deb.unlink()
    again, said = fetch_again(fetched)
    assert again.read_bytes() == whole
    assert any("downloading 1 of 1" in line for line in said)


def test_an_unknown_package_is_named(fetched: Path) -> None:
    with pytest.raises(debian.FetchError, match="no-such-package-as-this"):
        debian.fetch(["no-such-package-as-this"], SUITE, fetched, lambda _: None)


@pytest.mark.parametrize("mirror", ["file:///no/such/place/debian", "http://user:secret@127.0.0.1:9/debian"])
def test_a_mirror_that_fails_says_what_to_do(configure: Configure, tmp_path: Path, mirror: str) -> None:
    configure('Acquire::Retries "0";', a_list=f"deb {mirror} {OWN} main\n")
    with pytest.raises(debian.FetchError, match=r"hostname.*bullseye.*apt-get update.*run again") as failure:
        debian.fetch(["hostname"], SUITE, tmp_path / "into", lambda _: None)
    assert "secret" not in str(failure.value)


def test_a_second_mirror_is_tried(configure: Configure, tmp_path: Path) -> None:
    right = debian.mirror_uris()[0]
    configure(a_list=f"deb file:///no/such/place/debian {OWN} main\ndeb {right} {OWN} main\n")
    (deb,) = debian.fetch(["hostname"], SUITE, tmp_path / "into", lambda _: None)
    assert deb.exists()


def test_an_unsigned_mirror_is_refused(configure: Configure, tmp_path: Path) -> None:
    release = tmp_path / "mirror" / "dists" / SUITE
    release.mkdir(parents=True)
    (release / "Release").write_text(f"Origin: Debian\nCodename: {SUITE}\nComponents: main\n")
    configure(a_list=f"deb [trusted=yes] file://{tmp_path}/mirror {OWN} main\n")
    with pytest.raises(debian.FetchError, match="not signed"):
        debian.fetch(["hostname"], SUITE, tmp_path / "into", lambda _: None)


def test_a_machine_without_apt_is_told_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(debian.FetchError, match=r"apt-get and no dpkg .*Debian family"):
        debian.fetch(["hostname"], SUITE, tmp_path)
    with pytest.raises(debian.FetchError, match="no dpkg-deb"):
        debian.unpack([], tmp_path)


def test_a_machine_without_the_keyring_is_told_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(debian, "KEYRING", tmp_path / "keyring.gpg")
    with pytest.raises(debian.FetchError, match="install the package debian-archive-keyring"):
        debian.fetch(["hostname"], SUITE, tmp_path)


def test_a_file_that_is_no_package_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.deb"
    wrong.write_bytes(b"not a package")
    with pytest.raises(debian.FetchError, match=r"wrong\.deb could not be unpacked.*fetch it again"):
        debian.unpack([wrong], tmp_path / "prefix")
