"""Which Julia this machine has: found by asking it, recorded in the cache, so that no start goes to the network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from . import paths
from .errors import JuliaUnavailableError
from .libjulia import JuliaInstall

_QUESTION = (
    "using Libdl; "
    'lib = filter(p -> occursin(r"^libjulia\\.(so|dylib|dll|[0-9])", basename(p)), Libdl.dllist()); '
    "print(join([VERSION, Sys.BINDIR, abspath(first(lib)), unsafe_string(Base.JLOptions().image_file), "
    'get(ENV, "LD_LIBRARY_PATH", "")], "\\n"))'
)
_OLDEST = (1, 5)


@dataclass(frozen=True)
class Record:
    """What set-up found: whether juliacall works, why not if it does not, and a Julia to embed."""

    juliacall_works: bool = False
    juliacall_message: str = ""
    install: JuliaInstall | None = None


def record_path() -> Path:
    return paths.cache_dir() / "runtime.json"


def read_record() -> Record:
    """The recorded outcome of set-up; an empty record where there is none or it cannot be read."""
    try:
        fields: dict[str, Any] = json.loads(record_path().read_text())
        install = fields.pop("install")
        record = Record(install=None if install is None else _install_from(install), **fields)
        if not isinstance(record.juliacall_works, bool) or not isinstance(record.juliacall_message, str):
            raise TypeError("a field of another type")
        return record
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Record()


def _install_from(fields: dict[str, Any]) -> JuliaInstall:
    install = JuliaInstall(**{**fields, "private": tuple(fields["private"])})
    texts = (install.executable, install.library, install.bindir, install.image, install.version, *install.private)
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("a field of another type")
    if install.release < _OLDEST:
        raise ValueError(f"Julia {install.version} is too old")
    return install


def write_record(record: Record) -> None:
    """Record the outcome of set-up by atomic rename."""
    path = record_path()
    paths.make_writable(path.parent)
    beside = path.with_suffix(f".{os.getpid()}.tmp")
    beside.write_text(json.dumps(asdict(record), indent=2) + "\n")
    os.replace(beside, path)


def find_install() -> JuliaInstall | None:
    """The Julia to embed: `SHARPWAVE_JULIA`, else the recorded one, else `julia` on PATH; None if there is none.

    Raises:
        JuliaUnavailableError: `SHARPWAVE_JULIA` is no working julia.
    """
    named = os.environ.get("SHARPWAVE_JULIA")
    if named:
        return ask_julia(named)
    recorded = read_record().install
    if recorded is not None and Path(recorded.library).exists() and Path(recorded.image).exists():
        return recorded
    on_path = shutil.which("julia")
    return ask_julia(on_path) if on_path else None


def ask_julia(executable: str) -> JuliaInstall:
    """Ask a julia where its library, its home, its system image and its private libraries are.

    Args:
        executable: a path, or a name on PATH; it may be a script that sets LD_LIBRARY_PATH and starts Julia.

    Raises:
        JuliaUnavailableError: it is not there, does not run, or is older than 1.5.
    """
    path = shutil.which(executable)
    if path is None:
        raise JuliaUnavailableError(f"{executable!r} is not an executable: SHARPWAVE_JULIA must name a julia program")
    command = [path, "--startup-file=no", "-e", _QUESTION]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
        version, bindir, library, image, libraries = answer.split("\n")
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        detail = getattr(error, "stderr", None) or error
        raise JuliaUnavailableError(f"{path} does not answer as a julia: {str(detail).strip()[-500:]}") from error
    known = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    private = tuple(directory for directory in libraries.split(":") if directory and directory not in known)
    install = JuliaInstall(path, library, bindir, image, version, private)
    if install.release < _OLDEST:
        raise JuliaUnavailableError(f"{path} is Julia {version}; sharpwave needs 1.5 or later")
    return install
