"""Debian's own Julia 1.5.3, unpacked into a prefix in the cache directory: no root, no change to the system."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from . import debian, paths
from .install import ask_julia
from .libjulia import JuliaInstall

# The last release that carries a julia package, and what the package needs that a newer release has not.
SUITE = "bullseye"
PACKAGES = [
    "julia",
    "julia-common",
    "libjulia1",
    "libllvm9",
    "libgit2-1.1",
    "libhttp-parser2.9",
    "libmbedcrypto3",
    "libmbedtls12",
    "libmbedx509-0",
    "libdsfmt-19937-1",
    "libopenlibm3",
    "libutf8proc2",
    "libffi7",
    "libssl1.1",
    "libldap-2.4-2",
    "libgfortran5",
    "libquadmath0",
    "libpcre2-8-0",
    "libgmp10",
    "libmpfr6",
    "libblas3",
    "liblapack3",
    "libunwind8",
    "libcurl3-gnutls",
    "libssh2-1",
    "libz3-4",
    "libedit2",
    "libbsd0",
    "libmd0",
    "libtinfo6",
]

_WRAPPER = """#!/bin/sh
# Julia's private libraries are on the loader's path of this program and its children only.
home=$(dirname "$(readlink -f "$0")")
LD_LIBRARY_PATH="{libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}" exec "$home/julia.bin" "$@"
"""


def prefix_dir() -> Path:
    return paths.cache_dir() / "julia-1.5.3"


def install_private_julia(report: Callable[[str], None]) -> JuliaInstall:
    """Fetch, unpack and try Debian's Julia; what is there already is not fetched again.

    Args:
        report: called with a line for each stage.

    Raises:
        debian.FetchError: apt is not there, or a mirror failed.
        JuliaUnavailableError: what was unpacked does not run.
    """
    prefix = prefix_dir()
    if not prefix.exists():
        debs = debian.fetch(PACKAGES, SUITE, paths.cache_dir() / "packages", report=report)
        report(f"unpacking {len(debs)} packages")
        for leftover in prefix.parent.glob(f"{prefix.name}.tmp*"):
            shutil.rmtree(leftover, ignore_errors=True)
        beside = Path(tempfile.mkdtemp(prefix=f"{prefix.name}.tmp", dir=prefix.parent))
        debian.unpack(debs, beside)
        _wrap(beside)
        os.replace(beside, prefix)
        shutil.rmtree(paths.cache_dir() / "packages")  # 80 MB that are not needed again
    return ask_julia(str(prefix / "usr" / "bin" / "julia"))


def _wrap(unpacked: Path) -> None:
    """Put a script in the place of the julia program, for Julia starts itself when it precompiles."""
    program = unpacked / "usr" / "bin" / "julia"
    program.rename(program.with_name("julia.bin"))
    (library,) = unpacked.glob("usr/lib/*/libjulia.so.1")
    # libtinfo6 and libbsd0 lie in /lib on that release
    places = (library.parent, library.parent / "julia", unpacked / "lib" / library.parent.name)
    libraries = ":".join(f"$home/../../{place.relative_to(unpacked)}" for place in places)
    program.write_text(_WRAPPER.format(libraries=libraries))
    program.chmod(0o755)
