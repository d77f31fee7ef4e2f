"""Setting a machine up once: find or fetch a Julia, prove that it runs a kernel, record the outcome."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import paths
from .debian import FetchError
from .errors import BridgeError, JuliaUnavailableError
from .install import Record, ask_julia, read_record, write_record
from .libjulia import JuliaInstall
from .locks import locked
from .private_julia import install_private_julia

JULIACALL_SECONDS = 1800  # juliacall may download Julia and precompile
PROBE_SECONDS = 600


class SetupError(BridgeError):
    """No Julia could be had; the message says what was tried and what to do."""


@dataclass(frozen=True)
class Outcome:
    """What set-up left: the runtime that runs, Julia's version, and what each attempt said."""

    runtime: str
    julia: str
    attempts: tuple[tuple[str, str], ...]


def setup(report: Callable[[str], None] = print, again: bool = False) -> Outcome:
    """Set this machine up. Idempotent: what is recorded and still runs is left alone.

    Tries, in this order, juliacall (with its own Julia), a julia on PATH or in `SHARPWAVE_JULIA`, and on a
    Debian-family machine Debian's julia 1.5.3 in a private prefix. `SHARPWAVE_RUNTIME` narrows the choice.

    Args:
        report: called with a line for each stage.
        again: try everything anew, juliacall included.

    Raises:
        SetupError: nothing worked.
        CacheError: the cache directory cannot be written.
    """
    forced = os.environ.get("SHARPWAVE_RUNTIME", "").strip().lower()
    if forced == "none":
        raise SetupError("SHARPWAVE_RUNTIME=none forbids Julia: unset it, then run `sharpwave setup` again")
    with locked(paths.cache_dir() / "setup", report):
        record = Record() if again else read_record()
        attempts: list[tuple[str, str]] = []
        if forced != "libjulia":
            record = _try_juliacall(record, again or forced == "juliacall", report, attempts)
            if record.juliacall_works:
                return Outcome("juliacall", attempts[-1][1], tuple(attempts))
        if forced != "juliacall":
            version = _try_libjulia(record, report, attempts)
            if version is not None:
                return Outcome("libjulia", version, tuple(attempts))
        tried = "; ".join(f"{name}: {message}" for name, message in attempts)
        raise SetupError(
            f"no Julia could be set up ({tried}). Put a julia (1.5 or later) on PATH or in SHARPWAVE_JULIA and run "
            "`sharpwave setup --again`; without Julia everything still runs on torch"
        )


def _try_juliacall(
    record: Record, wanted: bool, report: Callable[[str], None], attempts: list[tuple[str, str]]
) -> Record:
    configured = bool(os.environ.get("PYTHON_JULIACALL_EXE"))
    if record.juliacall_message and not (record.juliacall_works or wanted or configured):
        attempts.append(("juliacall", record.juliacall_message))
        return record
    report("trying juliacall (it may fetch Julia)")
    try:
        version = probe("juliacall", JULIACALL_SECONDS)["julia"]
        record = Record(not configured, "works", record.install)
        attempts.append(("juliacall", version))
        if configured:  # not recorded: it holds while the variables are set
            return Record(True, "works", record.install)
    except SetupError as error:
        report("juliacall has no Julia here")
        record = Record(False, str(error), record.install)
        attempts.append(("juliacall", str(error)))
    write_record(record)
    return record


def _try_libjulia(record: Record, report: Callable[[str], None], attempts: list[tuple[str, str]]) -> str | None:
    finders: list[tuple[str, Callable[[], JuliaInstall | None]]] = [
        ("recorded", lambda: None if os.environ.get("SHARPWAVE_JULIA") else record.install),
        ("julia", _ordinary_julia),
        ("Debian's julia", lambda: install_private_julia(report)),
    ]
    for name, find in finders:
        try:
            install = find()
            if install is None:
                continue
            report(f"trying Julia {install.version} ({name}); the first time it compiles the kernels")
            write_record(Record(record.juliacall_works, record.juliacall_message, install))
            version: str = probe("libjulia", PROBE_SECONDS)["julia"]
            attempts.append((name, version))
            return version
        except (SetupError, JuliaUnavailableError, FetchError) as error:
            report(f"{name}: {error}")
            attempts.append((name, str(error)))
    write_record(Record(record.juliacall_works, record.juliacall_message, None))
    return None


def _ordinary_julia() -> JuliaInstall | None:
    named = os.environ.get("SHARPWAVE_JULIA") or shutil.which("julia")
    return ask_julia(named) if named else None


def probe(runtime: str, seconds: float) -> dict[str, Any]:
    """Start a runtime in a process of its own, run a kernel, and return what it says of itself.

    Raises:
        SetupError: it does not start, gives a wrong result, or takes longer than `seconds`.
    """
    command = [sys.executable, "-m", "sharpwave_bridge.probe"]
    environment = {**os.environ, "SHARPWAVE_RUNTIME": runtime}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        raise SetupError(f"did not answer within {seconds:.0f} s") from None
    try:
        answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError):
        lines = done.stderr.strip().splitlines()
        raise SetupError(lines[-1] if lines else f"ended with status {done.returncode}") from None
    if "error" in answer:
        raise SetupError(answer["error"])
    return answer
