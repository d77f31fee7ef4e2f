"""The one thread that owns Julia, the jobs queued to it, and what a job shares with its kernel."""

from __future__ import annotations

import ctypes
import queue
import threading
from collections.abc import Callable
from typing import Any

from .errors import KernelCancelled, KernelError
from .table import Signature, pack

MESSAGE_BYTES = 4096
POLL_SECONDS = 0.1

# int32 kernel(control, slots, message, capacity); ctypes lets go of the GIL during the call.
KERNEL_TYPE = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
_CONTROL = ctypes.c_int64 * 4  # cancel, done, total, reserved
_OK, _FAILED, _CANCELLED, _BAD_ARGUMENT = 0, 1, 2, 3


class Job:
    """One call of a kernel: its arguments stay alive, and its control block is shared, until it ends."""

    __slots__ = ("_control", "_ended", "_message", "_signature", "_slots", "_status", "_values")

    def __init__(self, signature: Signature, values: tuple[Any, ...]) -> None:
        self._signature = signature
        self._values = values
        slots = pack(signature, values)
        self._slots = (ctypes.c_int64 * len(slots))(*slots)
        self._control = _CONTROL()
        self._message = b""
        self._status: int | None = None
        self._ended = threading.Lock()
        self._ended.acquire()

    def cancel(self) -> None:
        """Ask the kernel to stop; it does so at its next poll, and `result` raises KernelCancelled."""
        self._control[0] = 1

    @property
    def progress(self) -> tuple[int, int]:
        """(done, total) as the kernel counts; total is 0 until the kernel has said it."""
        return self._control[1], self._control[2]

    def run(self, kernel: Callable[..., int], message: ctypes.Array[ctypes.c_char]) -> None:
        """Enter the kernel, on the thread that owns Julia; `message` is where it writes what went wrong."""
        try:
            self._status = kernel(self._control, self._slots, message, len(message))
            if self._status != _OK:
                self._message = message.value
        finally:
            self._ended.release()

    def result(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Wait for the end of the job.

        Args:
            progress: called with (done, total) about ten times a second while the kernel runs.

        Raises:
            KernelError: the kernel failed.
            KernelCancelled: the job was cancelled.
            KeyboardInterrupt: Ctrl-C; the kernel was told to stop, and has stopped unless Ctrl-C was pressed twice.
        """
        try:
            if progress is None:
                self._ended.acquire()
            else:
                while not self._ended.acquire(timeout=POLL_SECONDS):
                    progress(*self.progress)
        except BaseException:
            self.cancel()
            self._ended.acquire()
            raise
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._status == _OK:
            return
        if self._status == _CANCELLED:
            raise KernelCancelled(f"{self._signature.name}: cancelled")
        text = self._message.decode("utf-8", "replace")
        argument = None
        if self._status == _BAD_ARGUMENT:
            argument, _, text = text.partition("\x1f")
        raise KernelError(self._signature.name, text, argument)


class Worker:
    """A daemon thread that runs callables one after another; Julia is started on it and never entered from another."""

    def __init__(self) -> None:
        self.message = ctypes.create_string_buffer(MESSAGE_BYTES)
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="sharpwave-julia", daemon=True)
        self._thread.start()

    @property
    def is_current(self) -> bool:
        return threading.get_ident() == self._thread.ident

    def post(self, task: Callable[[], None]) -> None:
        """Queue a task that does not raise."""
        self._inbox.put(task)

    def run(self, function: Callable[[], Any]) -> Any:
        """Run a function on the worker and return its result or raise its exception here."""
        if self.is_current:
            return function()
        outcome: dict[str, Any] = {}
        done = threading.Event()

        def task() -> None:
            try:
                outcome["value"] = function()
            except BaseException as error:  # noqa: BLE001  (carried to the caller, whatever it is)
                outcome["error"] = error
            finally:
                done.set()

        self.post(task)
        done.wait()
        if "error" in outcome:
            raise outcome["error"]
        return outcome["value"]

    def _loop(self) -> None:
        while True:
            self._inbox.get()()
