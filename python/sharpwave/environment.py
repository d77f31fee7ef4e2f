"""What a number was computed with: versions, machine, threads, Julia."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("sharpwave", "numpy", "scipy", "torch", "juliacall", "xarray", "h5netcdf", "matplotlib")


def environment() -> dict[str, Any]:
    """Describe the software and the machine, without importing torch or starting Julia.

    Returns:
        A dictionary that JSON can hold: `versions` (installed packages and Python), `commit` (of the checkout that
        sharpwave runs from, with `+` if files differ from it, or None), `julia` (runtime, version or None, threads) and
        `machine` (system, processor, cores, memory in GB).

    Example:
        >>> sorted(environment())
        ['commit', 'julia', 'machine', 'versions']
    """
    return {"versions": _versions(), "commit": _commit(), "julia": _julia(), "machine": _machine()}


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _commit() -> str | None:
    here = Path(__file__).parent
    if "site-packages" in here.parts:  # installed: a repository further up would be somebody else's
        return None
    try:
        commit = _git(here, "rev-parse", "HEAD")
        return commit + ("+" if _git(here, "status", "--porcelain") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(directory: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(directory), *words], capture_output=True, text=True, timeout=10, check=True)
    return done.stdout.strip()


def _julia() -> dict[str, Any]:
    from sharpwave_bridge import BridgeError, is_started, session
    from sharpwave_bridge.install import read_record
    from sharpwave_bridge.julia import choose_runtime, thread_count

    if is_started():
        runtime = session().runtime
        return {"runtime": runtime.name, "version": runtime.version, "threads": runtime.threads}
    try:
        install = read_record().install
        runtime_name, threads = choose_runtime(), thread_count()
    except BridgeError:
        return {"runtime": None, "version": None, "threads": None}
    known = install.version if install and runtime_name == "libjulia" else None
    return {"runtime": runtime_name, "version": known, "threads": threads}


def _machine() -> dict[str, Any]:
    machine: dict[str, Any] = {"system": f"{platform.system()} {platform.machine()}", "cores": os.cpu_count()}
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        machine["processor"] = next(line for line in lines if line.startswith("model name")).partition(": ")[2]
    except (OSError, StopIteration):
        machine["processor"] = platform.processor() or None
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        machine["memory_gb"] = round(memory / 2**30, 1)
    except (OSError, ValueError):
        machine["memory_gb"] = None
    return machine
