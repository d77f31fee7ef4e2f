"""The process's one Julia: chosen and started at the first call, entered only from its own thread."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Callable
from typing import Any, Protocol

from . import pythoncall
from .errors import BridgeError, JuliaUnavailableError, KernelError
from .install import find_install, read_record
from .job import Job, Kernel
from .libjulia import EmbeddedJulia, JuliaInstall
from .table import ABI_VERSION, parse_table
from .worker import LINGER_TYPE, Pending, Worker

RUNTIMES = ("juliacall", "libjulia", "none")


class Runtime(Protocol):
    """A started Julia, with the address of its function `linger`. `address` is called on the thread that owns it."""

    name: str
    version: str
    threads: int
    table: str
    linger: int

    def address(self, kernel: str) -> int: ...


class Session:
    """A started Julia with its table of kernels.

    Args:
        runtime: the Julia.
        worker: the thread from which kernels are entered.
        here: whether kernels are compiled on the calling thread, for somebody else's Julia runs there.
    """

    def __init__(self, runtime: Runtime, worker: Worker, here: bool = False) -> None:
        self.runtime = runtime
        self.worker = worker
        self.abi = ABI_VERSION
        self.table = parse_table(runtime.table)
        self._here = here
        self._kernels: dict[str, Kernel] = {}
        if platform.machine() in ("x86_64", "AMD64"):  # others may reorder what a mailbox wants in order
            worker.linger = LINGER_TYPE(runtime.linger)

    def job(self, name: str, values: tuple[Any, ...]) -> Job:
        """Check the arguments of a kernel."""
        return Job(self._kernels.get(name) or self._kernel(name), values, self.worker)

    def _kernel(self, name: str) -> Kernel:
        signature = self.table.get(name)
        if signature is None:
            raise KernelError(name, f"there is no such kernel; there are {', '.join(sorted(self.table))}")
        kernel = Kernel(signature, lambda: self.runtime.address(name))
        if self._here:
            kernel.compile()
        return self._kernels.setdefault(name, kernel)


def _begin() -> Pending:
    """Have Julia started on a new worker, but for a Julia that juliacall runs already.

    That one belongs to another thread: the kernels are loaded from here and entered from the worker, which current
    Julias adopt.
    """
    worker = Worker()
    if not pythoncall.is_running():
        return worker.begin(lambda: _start(worker))
    pending = Pending(lambda: _start(worker, here=True))
    pending.run()
    return pending


def _start(worker: Worker, here: bool = False) -> Session:
    choice, count = choose_runtime(), thread_count()
    if choice == "juliacall":
        return Session(pythoncall.JuliacallJulia(count), worker, here)
    return Session(EmbeddedJulia(_libjulia_install(), count), worker)


_lock = threading.Lock()
_session: Session | None = None
_starting: Pending | None = None
_forked = False


def session() -> Session:
    """The process's session; starts Julia at the first call.

    A start is made once: who is interrupted while waiting finds it again, and its failure is kept for the process.

    Raises:
        JuliaUnavailableError: there is no Julia, or it does not start.
        BridgeError: the sources are of another version, or this process was forked from one that runs Julia.
    """
    global _session, _starting
    if _session is not None and not _forked:
        return _session
    if _forked:
        raise BridgeError(
            "Julia ran in the process that this one was forked from, and cannot run here: start processes with "
            "multiprocessing's 'spawn' (or joblib's default 'loky')"
        )
    with _lock:
        if _starting is None:
            _starting = _begin()
    _session = _starting.result()
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
    session().job(name, values).enter(progress)


def submit(name: str, *values: Any) -> Job:
    """Queue a kernel and return its job, to be waited for (`result`), watched (`progress`) or cancelled (`cancel`)."""
    job = session().job(name, values)
    job.submit()
    return job


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
    _forked = _starting is not None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
