"""A process of solvers that may crash or hang without taking the benchmark with it."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

START_SECONDS = 120.0  # to import every package and say what is there

_PEERS = "import sys, runpy; sys.path.append(sys.argv.pop()); runpy.run_module('peers', run_name='__main__')"


class WorkerError(RuntimeError):
    """The worker did not solve: it answered with an error, crashed, or took longer than it may."""


class WorkerTimeoutError(WorkerError):
    """The worker took longer than it may."""


class Worker:
    """A process that speaks the protocol of `peers.serve`, started when needed and again after a crash or a kill.

    Args:
        command: starts the process.

    Example:
        >>> worker = ours()
        >>> worker.command[-2:]
        ['-m', 'sharpwave.bench.ours']
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.command = list(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (`close` closes it)
        self._directory = tempfile.TemporaryDirectory()  # to work in: jitcdde compiles in the current directory
        self._unread = b""
        self._starts = 0
        self._description: dict[str, Any] | None = None

    def describe(self) -> dict[str, Any]:
        """What the process has: `solvers` (name to problems), `missing` (name to reason), `versions`."""
        if self._description is None:
            self._started()
        assert self._description is not None  # starting asks for it
        return self._description

    def generation(self) -> int:
        """How many processes there have been, with the one that now runs; what earlier ones had built is gone."""
        self._started()
        return self._starts

    def ask(self, request: Mapping[str, Any], limit: float) -> dict[str, Any]:
        """Send a request and wait for its answer.

        Args:
            request: see `peers.serve`.
            limit: seconds after which the process is killed. The time to start the process is not counted.

        Raises:
            WorkerTimeoutError: no answer within the limit.
            WorkerError: the process ended, or answered with an error.
        """
        process = self._started()
        answer = self._exchange(process, request, limit)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    def close(self) -> None:
        """End the process."""
        self._stop()
        self._errors.close()
        self._directory.cleanup()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._stop()
        self._errors.seek(0)
        self._errors.truncate()
        self._unread = b""
        self._starts += 1
        self._process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=self._directory.name,
            start_new_session=True,  # Ctrl-C reaches the benchmark alone, which then ends its workers
        )
        process = self._process
        self._description = self._exchange(process, {"do": "describe"}, START_SECONDS)
        return process

    def _exchange(self, process: subprocess.Popen[bytes], request: Mapping[str, Any], limit: float) -> dict[str, Any]:
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            raise self._ended(process) from None
        answer: dict[str, Any] = json.loads(self._line(process, limit))
        return answer

    def _line(self, process: subprocess.Popen[bytes], limit: float) -> bytes:
        assert process.stdout is not None
        deadline = time.monotonic() + limit
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    self._stop()
                    raise WorkerTimeoutError(f"over {limit:g} s")
                more = os.read(process.stdout.fileno(), 1 << 16)
                if not more:
                    raise self._ended(process)
                self._unread += more
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _ended(self, process: subprocess.Popen[bytes]) -> WorkerError:
        code = process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return WorkerError(f"the process ended with code {code}" + (f": {lines[-1]}" if lines else ""))

    def _stop(self) -> None:
        if self._process is None:
            return
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
        self._process.kill()
        self._process.wait()
        self._process = None


def ours() -> Worker:
    """A worker with our solvers, in this interpreter's environment."""
    return Worker([sys.executable, "-m", "sharpwave.bench.ours"])


def peers(python: Path) -> Worker:
    """A worker with the other libraries, in the environment of the interpreter `python`.

    That process sees nothing of this environment: `-I` makes it ignore PYTHON* variables and the current directory.
    """
    return Worker([str(python), "-I", "-c", _PEERS, str(Path(__file__).parent)])
