"""What this machine's Julia is, and for each thing that is wrong with it, what to do."""

from __future__ import annotations

import os
import signal
from typing import Any

from . import paths
from .errors import BridgeError
from .install import find_install, read_record
from .julia import choose_runtime, session, thread_count
from .sources import julia_sources


def doctor() -> dict[str, Any]:
    """Start Julia and describe it.

    Returns:
        A dictionary that JSON can hold: `runtime`, `julia`, `threads`, `signal_mode`, `kernels` (number), `abi`,
        `paths`, `environment` (the variables that matter and are set) and `problems`, a list of
        `{"what": ..., "remedy": ...}`.

    Example:
        >>> {"runtime", "julia", "problems"} <= set(doctor())
        True
    """
    problems: list[dict[str, str]] = []
    record = read_record()
    about: dict[str, Any] = {
        "runtime": None,
        "julia": None,
        "threads": None,
        "signal_mode": None,
        "abi": None,
        "kernels": 0,
        "juliacall": record.juliacall_message or "not tried: run `sharpwave setup`",
        "paths": _paths(problems),
        "environment": _environment(),
        "problems": problems,
    }
    try:
        about["runtime"] = choose_runtime()
        wanted = thread_count()
        started = session()
    except BridgeError as error:
        what, _, remedy = str(error).partition(": ")
        problems.append({"what": what, "remedy": remedy or "run `sharpwave setup`"})
        return about
    about.update(
        runtime=started.runtime.name,
        julia=started.runtime.version,
        threads=started.runtime.threads,
        signal_mode="Julia handles SIGSEGV and its like; Ctrl-C and termination are Python's",
        abi=started.abi,
        kernels=len(started.table),
    )
    if started.runtime.threads != wanted:
        problems.append(
            {
                "what": f"Julia runs {started.runtime.threads} threads, {wanted} were asked for",
                "remedy": "set SHARPWAVE_THREADS to at most the number of cores; if another library started Julia, "
                "PYTHON_JULIACALL_THREADS too",
            }
        )
    if signal.getsignal(signal.SIGINT) in (None, signal.SIG_DFL):
        problems.append(
            {
                "what": "Python's handler for Ctrl-C is not installed",
                "remedy": "call signal.signal(signal.SIGINT, signal.default_int_handler)",
            }
        )
    return about


def _paths(problems: list[dict[str, str]]) -> dict[str, str | None]:
    cache = paths.cache_dir()
    if not paths.can_write(cache):
        problems.append(
            {
                "what": f"the cache directory {cache} cannot be written, so kernels are compiled anew in each process",
                "remedy": "make it writable, or set SHARPWAVE_CACHE to a directory that is",
            }
        )
    found: dict[str, str | None] = {"cache": str(cache), "kernels": str(julia_sources())}
    try:
        install = find_install()
    except BridgeError as error:
        problems.append({"what": str(error), "remedy": "correct or unset SHARPWAVE_JULIA"})
        install = None
    found["julia"] = install.executable if install else None
    found["libjulia"] = install.library if install else None
    return found


def _environment() -> dict[str, str]:
    prefixes = ("SHARPWAVE_", "PYTHON_JULIACALL_", "JULIA_")
    return {name: value for name, value in sorted(os.environ.items()) if name.startswith(prefixes)}
