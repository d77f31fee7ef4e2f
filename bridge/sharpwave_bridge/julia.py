"""The process's one Julia: chosen and started at the first call, entered only from its own thread."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, Protocol

from . import pythoncall
from .errors import BridgeError, JuliaUnavailableError, KernelError
from .install import find_install, read_record
from .libjulia import EmbeddedJulia, JuliaInstall
from .table import ABI_VERSION, Signature, parse_table
from .worker import KERNEL_TYPE, Job, Worker

RUNTIMES = ("juliacall", "libjulia", "none")


class Runtime(Protocol):
    """A started Julia. `address` is called on the thread that owns it."""

    name: str
    version: str
    threads: int
    table: str

    def address(self, kernel: str) -> int: ...


class Session:
    """A started Julia with its table of kernels."""

    def __init__(self) -> None:
        choice = choose_runtime()
        count = thread_count()
        self.worker = Worker()
        self.runtime: Runtime
        if choice == "juliacall" and pythoncall.is_running():
            # Somebody's Julia runs already, on another thread: load the kernels from here, enter them from the worker,
            # which current Julias adopt.
            self.runtime = pythoncall.JuliacallJulia(count)
            self._address: Callable[[str], int] = self.runtime.address
        elif choice == "juliacall":
            self.runtime = self.worker.run(lambda: pythoncall.JuliacallJulia(count))
            self._address = self._address_on_worker
        else:
            install = _libjulia_install()
            self.runtime = self.worker.run(lambda: EmbeddedJulia(install, count))
            self._address = self._address_on_worker
        self.abi = ABI_VERSION
        self.table = parse_table(self.runtime.table)
        self._kernels: dict[str, tuple[Signature, Callable[..., int]]] = {}

    def submit(self, name: str, values: tuple[Any, ...]) -> Job:
        """Check the arguments and queue the kernel."""
        signature, kernel = self._kernels.get(name) or self._compile(name)
        job = Job(signature, values)
        worker = self.worker
        if worker.is_current:
            job.run(kernel, worker.message)
        else:
            worker.post(lambda: job.run(kernel, worker.message))
        return job

    def _compile(self, name: str) -> tuple[Signature, Callable[..., int]]:
        signature = self.table.get(name)
        if signature is None:
            raise KernelError(name, f"there is no such kernel; there are {', '.join(sorted(self.table))}")
        self._kernels[name] = (signature, KERNEL_TYPE(self._address(name)))
        return self._kernels[name]

    def _address_on_worker(self, name: str) -> int:
        address: int = self.worker.run(lambda: self.runtime.address(name))
        return address


_lock = threading.Lock()
_session: Session | None = None
_failure: BridgeError | None = None
_forked = False


def session() -> Session:
    """The process's session; starts Julia at the first call.

    Raises:
        JuliaUnavailableError: there is no Julia, or it does not start. The outcome is kept for the process.
        BridgeError: this process was forked from one that runs Julia.
    """
    global _session, _failure
    if _session is not None and not _forked:
        return _session
    with _lock:
        if _forked:
            raise BridgeError(
                "Julia ran in the process that this one was forked from, and cannot run here: start processes with "
                "multiprocessing's 'spawn' (or joblib's default 'loky')"
            )
        if _failure is not None:
            raise _failure
        if _session is None:
            try:
                _session = Session()
            except JuliaUnavailableError as error:
                _failure = error
                raise
        return _session


def is_started() -> bool:
    """Whether Julia runs in this process already."""
    return _session is not None and not _forked


def call(name: str, *values: Any, progress: Callable[[int, int], None] | None = None) -> None:
    """Run a kernel to its end; outputs are written into the arrays given.

    Args:
        name: the kernel's name in the table.
        *values: its arguments in order: C-contiguous NumPy arrays of exactly the declared dtype, numbers for scalars.
        progress: called with (done, total) about ten times a second, on the calling thread.

    Raises:
        KernelError: an argument does not fit (before Julia is entered), or the kernel failed.
        KeyboardInterrupt: Ctrl-C was pressed; the kernel has stopped, outputs are undefined.
        JuliaUnavailableError: see `session`.

    Example:
        >>> import numpy as np
        >>> x = np.zeros(3)
        >>> call("increment", x)
        >>> x
        array([1., 1., 1.])
    """
    submit(name, *values).result(progress)


def submit(name: str, *values: Any) -> Job:
    """Queue a kernel and return its job, to be waited for (`result`), watched (`progress`) or cancelled (`cancel`)."""
    return session().submit(name, values)


def choose_runtime() -> str:
    """The runtime that `session` would start: `SHARPWAVE_RUNTIME` if set, else juliacall where it works, else libjulia.

    Raises:
        JuliaUnavailableError: `SHARPWAVE_RUNTIME` is `none`, or no known runtime.
    """
    forced = os.environ.get("SHARPWAVE_RUNTIME", "").strip().lower()
    if forced == "none":
        raise JuliaUnavailableError("SHARPWAVE_RUNTIME=none forbids Julia: unset it to use Julia")
    if forced:
        if forced not in RUNTIMES:
            raise JuliaUnavailableError(f"SHARPWAVE_RUNTIME must be one of {', '.join(RUNTIMES)}, got {forced!r}")
        return forced
    if pythoncall.is_running() or _juliacall_is_configured() or read_record().juliacall_works:
        return "juliacall"
    return "libjulia"


def thread_count() -> int:
    """Number of Julia threads: `SHARPWAVE_THREADS`, else the cores that this process may use.

    Raises:
        JuliaUnavailableError: `SHARPWAVE_THREADS` is not a positive integer.
    """
    text = os.environ.get("SHARPWAVE_THREADS", "").strip()
    if not text:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not text.isdigit() or not 1 <= int(text) <= 1024:
        raise JuliaUnavailableError(f"SHARPWAVE_THREADS must be an integer from 1 to 1024, got {text!r}")
    return int(text)


def _juliacall_is_configured() -> bool:
    return bool(os.environ.get("PYTHON_JULIACALL_EXE") and os.environ.get("PYTHON_JULIACALL_PROJECT"))


def _libjulia_install() -> JuliaInstall:
    install = find_install()
    if install is None:
        raise JuliaUnavailableError(
            "no Julia is set up on this machine: run `sharpwave setup`, put a julia (1.5 or later) on PATH, or set "
            "SHARPWAVE_JULIA to one"
        )
    return install


def _after_fork_in_child() -> None:
    global _forked, _lock
    _lock = threading.Lock()
    _forked = _session is not None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
