"""The one thread that owns Julia, the jobs queued to it, and what a job shares with its kernel."""

from __future__ import annotations

import ctypes
import queue
import threading
from collections.abc import Callable
from typing import Any

from .errors import BridgeError, KernelCancelled, KernelError
from .table import Signature, pack

MESSAGE_BYTES = 4096
POLL_SECONDS = 0.1

# int32 kernel(control, slots, message, capacity); ctypes lets go of the GIL during the call.
KERNEL_TYPE = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
_CONTROL = ctypes.c_int64 * 4  # cancel, done, total, reserved
_OK, _FAILED, _CANCELLED, _BAD_ARGUMENT = 0, 1, 2, 3


class Job:
    """One call of a kernel: its arguments stay alive, and its control block is shared, until it ends."""

    __slots__ = ("_control", "_ended", "_failure", "_message", "_signature", "_slots", "_status", "_values")

    def __init__(self, signature: Signature, values: tuple[Any, ...]) -> None:
        self._signature = signature
        self._values = values
        slots = pack(signature, values)
        self._slots = (ctypes.c_int64 * len(slots))(*slots)
        self._control = _CONTROL()
        self._message = b""
        self._status: int | None = None
        self._failure: BridgeError | None = None
        self._ended = threading.Lock()
        self._ended.acquire()

    def cancel(self) -> None:
        """Ask the kernel to stop; it does so at its next poll, and `result` raises KernelCancelled."""
        self._control[0] = 1

    @property
    def progress(self) -> tuple[int, int]:
        """(done, total) as the kernel counts; total is 0 until the kernel has said it."""
        return self._control[1], self._control[2]

    def run(self, kernel: Callable[[], Callable[..., int]], message: ctypes.Array[ctypes.c_char]) -> None:
        """Enter the kernel, on the thread that owns Julia.

        Args:
            kernel: gives the kernel; the first time it compiles it.
            message: where the kernel writes what went wrong.
        """
        try:
            self._status = kernel()(self._control, self._slots, message, len(message))
            if self._status != _OK:
                self._message = message.value
        except BridgeError as error:
            self._failure = error
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
                self._wait()
            else:
                while not self._wait(POLL_SECONDS):
                    progress(*self.progress)
        except BaseException:
            self.cancel()
            self._wait()
            raise
        self._raise_failure()

    def _wait(self, seconds: float = -1) -> bool:
        """Whether the job has ended within a time; others may wait for it too."""
        if self._ended.acquire(timeout=seconds):
            self._ended.release()
            return True
        return False

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._status == _OK:
            return
        if self._status == _CANCELLED:
            raise KernelCancelled(f"{self._signature.name}: cancelled")
        text = self._message.decode("utf-8", "replace")
        argument = None
        if self._status == _BAD_ARGUMENT:
            argument, _, text = text.partition("\x1f")
        raise KernelError(self._signature.name, text, argument)


class Pending:
    """A function that runs on the worker, and what comes of it; several may wait, and one may give up."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self._value: Any = None
        self._error: BaseException | None = None
        self._done = threading.Event()

    def run(self) -> None:
        try:
            self._value = self._function()
        except BaseException as error:  # noqa: BLE001  (carried to the caller, whatever it is)
            self._error = error
        finally:
            self._done.set()

    def result(self) -> Any:
        """Wait for the end; return the function's result or raise its exception."""
        self._done.wait()
        if self._error is not None:
            raise self._error
        return self._value


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

    def begin(self, function: Callable[[], Any]) -> Pending:
        """Have a function run on the worker."""
        pending = Pending(function)
        if self.is_current:
            pending.run()
        else:
            self.post(pending.run)
        return pending

    def run(self, function: Callable[[], Any]) -> Any:
        """Run a function on the worker and return its result or raise its exception here."""
        return self.begin(function).result()

    def _loop(self) -> None:
        while True:
            self._inbox.get()()
