"""Debian packages, fetched and unpacked by the machine's own apt and dpkg: no root, no change to the system.

apt runs with its state, cache and list of sources in a private directory. What it keeps of the system is how
to reach a mirror (address, proxy, credentials) and the distribution's keyring, to check signatures with.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import paths
from .locks import locked

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_ROLLING_NAMES = {"stable", "oldstable", "oldoldstable", "testing", "unstable", "sid"}
_PRINTED_URI = re.compile(r"^'[^']*' (?P<file>\S+) (?P<size>\d+) (?P<algorithm>SHA\d+):(?P<digest>[0-9a-f]+)$")

# Hooks that the system hangs on apt-get update would change the system.
_CONFIGURATION = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


class FetchError(RuntimeError):
    """A package could not be fetched or unpacked. The message holds the last lines of apt and what to do."""


@dataclass(frozen=True)
class _Package:
    """What the signed lists say of one package."""

    file: str
    size: int
    algorithm: str
    digest: str

    def is_intact(self, path: Path) -> bool:
        try:
            if path.stat().st_size != self.size:
                return False
            return hashlib.new(self.algorithm, path.read_bytes()).hexdigest() == self.digest
        except OSError:
            return False


@dataclass(frozen=True)
class _Apt:
    """apt in a private directory, with one source."""

    home: Path
    lock: int
    report: Callable[[str], None]

    def prepare(self, source: str) -> None:
        self.home.mkdir(mode=0o700, exist_ok=True)  # the address of a mirror may hold credentials
        for directory in ("state/lists/partial", "cache/archives/partial", "incoming"):
            (self.home / directory).mkdir(parents=True, exist_ok=True)
        (self.home / "apt.conf").write_text(_CONFIGURATION)
        (self.home / "status").write_text("")  # as if nothing were installed: every package may be downloaded
        (self.home / "sources.list").write_text(source)

    def run(self, *arguments: str) -> list[str]:
        """Run apt-get, report what it gets, and return the lines that it printed.

        Raises:
            FetchError: it failed.
        """
        settings = {
            "Dir::State": self.home / "state",
            "Dir::State::status": self.home / "status",
            "Dir::Cache": self.home / "cache",
            "Dir::Cache::pkgcache": "",
            "Dir::Cache::srcpkgcache": "",
            "Dir::Etc::sourcelist": self.home / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "APT::Default-Release": "",
            "APT::Sandbox::User": "root",  # apt's own user need not be able to read this directory
            "APT::Update::Error-Mode": "any",
            "Acquire::GzipIndexes": "true",
        }
        options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        lines: list[str] = []
        with subprocess.Popen(
            ["apt-get", "-c", str(self.home / "apt.conf"), "-q", *options, *arguments],
            cwd=self.home / "incoming",
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=(self.lock,),
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line.strip())
                if line.startswith("Get:"):
                    self.report("  " + line.strip().split(" ", 2)[-1])
        if process.returncode:
            raise FetchError(f"apt-get {arguments[0]} failed: {_tail(lines)}")
        return lines

    def plan(self, packages: Sequence[str]) -> list[_Package]:
        """What the lists that are here say of the packages."""
        lines = self.run("download", "--print-uris", "--", *packages)
        found = [match.groupdict() for match in map(_PRINTED_URI.match, lines) if match]
        if not found:
            raise FetchError(f"apt-get download --print-uris named no file: {_tail(lines)}")
        return [_Package(p["file"], int(p["size"]), p["algorithm"], p["digest"]) for p in found]


def fetch(packages: Sequence[str], suite: str, into: Path, report: Callable[[str], None] = print) -> list[Path]:
    """Download packages of a Debian suite, from the mirror that this machine's apt is configured with.

    Packages that are in `into` already, with the size and hash of the signed lists, are not downloaded again.

    Args:
        packages: names of packages; their dependencies are not followed.
        suite: codename of a release, such as "bullseye"; it need not be the machine's own.
        into: directory for the packages; apt's private files go to `apt-<suite>` in it.
        report: called with a line for each stage and each download.

    Returns:
        The files, in the order of apt's list.

    Raises:
        FetchError: no apt, no Debian mirror, a mirror that fails, or an unknown package.
        CacheError: `into` cannot be written.
    """
    _need("apt-get", "dpkg", "dpkg-deb")
    if not KEYRING.is_file():
        raise FetchError(
            f"{KEYRING} is not there, and without it no signature of Debian's archive can be checked: "
            "install the package debian-archive-keyring"
        )
    into = into.absolute()
    failures = []
    with locked(into, report) as lock:
        apt = _Apt(into / f"apt-{suite}", lock, report)
        for uri in mirror_uris():
            try:
                apt.prepare(f"deb [signed-by={KEYRING} target=Packages lang=none] {uri} {suite} main\n")
                return _fetch(apt, packages, suite, into)
            except FetchError as error:
                failures.append(str(error))
            except OSError as error:
                raise paths.unwritable(into, error) from error
    raise FetchError(
        f"could not fetch {_enumerate(packages)} of Debian's suite {suite}: {'; '.join(failures)}. "
        "See that `apt-get update` works here and that its mirror carries the suite, then run again; "
        "what was downloaded is kept"
    )


def _fetch(apt: _Apt, packages: Sequence[str], suite: str, into: Path) -> list[Path]:
    try:
        wanted = apt.plan(packages)  # the lists of an earlier run will do where nothing is missing
        missing = [p for p in wanted if not p.is_intact(into / p.file)]
        stale = bool(missing)
    except FetchError:
        stale = True
    if stale:
        apt.report(f"reading Debian's package lists ({suite})")
        apt.run("update")
        wanted = apt.plan(packages)
        missing = [p for p in wanted if not p.is_intact(into / p.file)]
    if missing:
        size = sum(p.size for p in missing) / 1e6
        apt.report(f"downloading {len(missing)} of {len(wanted)} packages ({size:.1f} MB)")
        try:
            lines = apt.run("download", "--", *(p.file.split("_")[0] for p in missing))
        finally:  # what arrived before a failure is kept
            for package in missing:
                arrived = apt.home / "incoming" / package.file
                if package.is_intact(arrived):
                    os.replace(arrived, into / package.file)
        damaged = [p.file for p in missing if not (into / p.file).exists()]
        if damaged:
            raise FetchError(f"{_enumerate(damaged)} did not arrive whole: {_tail(lines)}")
    return [into / p.file for p in wanted]


def unpack(debs: Iterable[Path], prefix: Path) -> None:
    """Unpack packages, without running their scripts, below a directory.

    Not atomic: unpack into a directory beside the final one, and rename it.

    Args:
        debs: package files.
        prefix: directory that takes the place of the root of the file system; created if it is not there.

    Raises:
        FetchError: dpkg-deb is not there, or a file is no intact package.
    """
    _need("dpkg-deb")
    for deb in debs:
        done = subprocess.run(
            ["dpkg-deb", "--extract", str(deb), str(prefix)],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            raise FetchError(
                f"{deb} could not be unpacked: {_tail(done.stderr.splitlines())}. "
                "See that the disk is not full; if the file is damaged, delete it and fetch it again"
            )


def mirror_uris() -> list[str]:
    """The addresses of Debian's main archive in the sources of this machine's apt, in their order.

    apt is asked for what an update would fetch, so this works before any update and with both source formats.

    Raises:
        FetchError: no apt, its sources cannot be read, or none of them carries the machine's own release.
    """
    _need("apt-get")
    columns = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(TARGET_OF)"
    command = [
        "apt-get",
        "indextargets",
        "-o",
        "APT::Get::IndexTargets::ReleaseInfo=false",
        "--format",
        columns,
    ]
    done = subprocess.run(
        command,
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise FetchError(f"apt cannot read its sources: {_tail(done.stderr.splitlines())}. Correct them in /etc/apt")
    # Security updates, backports and most other archives have suites of other names, or no component "main".
    # One that has both fails the check of its signature, and the next is tried.
    names = {own_suite(), *_ROLLING_NAMES}
    found = [line.split(" ") for line in done.stdout.splitlines()]
    uris = [f[0] for f in found if len(f) == 4 and f[1] in names and f[2:] == ["main", "deb"]]
    if not uris:
        raise FetchError(
            f"the sources of this machine's apt have no archive of {own_suite()!r} with the component main: "
            "add a Debian mirror in /etc/apt/sources.list.d"
        )
    return list(dict.fromkeys(uris))


def own_suite() -> str:
    """The codename of this machine's release, such as "bookworm"; empty where it has none."""
    try:
        return platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    except OSError:
        return ""


def _need(*programs: str) -> None:
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise FetchError(
            f"no {' and no '.join(missing)} on PATH: Debian's packages need a machine of the Debian family"
        )


def _tail(lines: Sequence[str], count: int = 6) -> str:
    """The last lines of a program's output (its errors, if any) on one line, without credentials."""
    told = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    errors = [line for line in told if line.startswith(("E:", "Err:"))]
    return re.sub(r"//[^/@\s]+@", "//", " | ".join((errors or told)[-count:])).rstrip(".") or "it said nothing"


def _enumerate(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:3])} and {len(names) - 3} more"
