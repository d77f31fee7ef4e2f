"""The environment that the other libraries live in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# torch first and alone, so that nothing after it can bring another build; scipy and jax before what builds on them.
# NumPy below 2.4 because Brian2 2.9, the last for Python 3.11, does not import with 2.4.
PACKAGES = (
    "torch==2.13.0",
    "numpy<2.4",
    "scipy",
    "jax",
    "numbalsoda",
    "scikit-sundae",
    "diffrax",
    "torchdiffeq",
    "jitcdde",
    "bindsnet==0.3.4",
    "brian2",
    "nest-simulator",
    "torchvision==0.28.*",
    "avalanche-lib==0.6.0",
)
# BindsNET asks for a later torch and for what only its data sets and environments use (see peers/bindsnet_core.py);
# torchvision for a torch that is built with CUDA.
ALONE = ("bindsnet==0.3.4", "torchvision==0.28.*")
HINTS = {
    "numbalsoda": "it is built from source, with CMake and a Fortran compiler (gfortran, or the one that FC names)",
}


def peers_python(root: Path) -> Path:
    """The interpreter of the peers' environment under the project's folder, whether it exists or not."""
    return root / ".venv-peers" / "bin" / "python"


def install_peers(root: Path) -> dict[str, str]:
    """Create `.venv-peers` under `root` if it is not there and install each peer into it.

    Args:
        root: the project's folder.

    Returns:
        For each package that could not be installed, why.
    """
    python = peers_python(root)
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(python.parent.parent)], check=True)
    failed = {}
    for package in PACKAGES:
        print(f"installing {package}", flush=True)
        options = ["--quiet", "--no-deps"] if package in ALONE else ["--quiet"]
        command = [str(python), "-m", "pip", "install", *options, package]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            errors = [line.strip() for line in done.stderr.splitlines() if "error" in line.lower()]
            reason = errors[-1] if errors else f"pip ended with code {done.returncode}"
            failed[package] = "; ".join(filter(None, [reason, HINTS.get(package)]))
            print(f"  not installed: {failed[package]}", flush=True)
    return failed
