"""`python -m sharpwave_bridge.julia_tests`: run the Julia package's own tests with the Julia of this machine."""

from __future__ import annotations

import os
import subprocess
import sys

from . import paths
from .errors import JuliaUnavailableError
from .install import find_install
from .julia import thread_count
from .sources import julia_sources


def main() -> int:
    """Run `test/runtests.jl`; returns its exit status, or 2 where there is no Julia to run it."""
    executable = os.environ.get("PYTHON_JULIACALL_EXE")
    if not executable:
        try:
            install = find_install()
        except JuliaUnavailableError as error:
            print(error, file=sys.stderr)
            return 2
        if install is None:
            print("no julia program is known: run `sharpwave setup`, or set SHARPWAVE_JULIA", file=sys.stderr)
            return 2
        executable = install.executable
    sources = julia_sources()
    environment = {
        **os.environ,
        "JULIA_LOAD_PATH": f"{sources}:@stdlib",
        "JULIA_DEPOT_PATH": str(paths.cache_dir() / "julia-depot"),
        "JULIA_NUM_THREADS": str(max(2, thread_count())),
    }
    script = sources / "SharpwaveKernels" / "test" / "runtests.jl"
    return subprocess.run([executable, "--startup-file=no", str(script)], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
