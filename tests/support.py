"""What tests of several rooms use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def run_python(code: str, *, timeout: float = 120, **environment: str | None) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own; an environment variable that is None is taken away."""
    env = {**os.environ, **{name: value for name, value in environment.items() if value is not None}}
    for name, value in environment.items():
        if value is None:
            env.pop(name, None)
    return subprocess.run(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        capture_output=True,
        text=True,
        timeout=timeout,
        env=env,
        check=False,
    )
