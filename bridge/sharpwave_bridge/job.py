"""A kernel, and one call of it: its arguments, and the block of memory that it shares with its caller."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from .errors import BridgeError, KernelCancelled, KernelError
from .table import Signature, pack

if TYPE_CHECKING:
    from .worker import Worker

MESSAGE_BYTES = 4096
_POLL_SECONDS = 0.1
# How long a caller watches for the end of a kernel before it goes to sleep: some times what it takes to wake it.
_WATCH_SECONDS = 500e-6

# int32 kernel(control, slots, message, capacity); ctypes lets go of the GIL during the call.
_KERNEL = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
# cancel, done, total, ended (0, or one more than the status), and then the message
_SHARED = ctypes.c_int64 * (4 + MESSAGE_BYTES // 8)
_CANCEL, _DONE, _TOTAL, _ENDED = range(4)
_MESSAGE_OFFSET = 4 * 8
_OK, _FAILED, _CANCELLED, _BAD_ARGUMENT = 0, 1, 2, 3


class Kernel:
    """A kernel of the running Julia, compiled the first time that it is entered.

    Attributes:
        signature: its name and arguments.
        address: of its C function; 0 until it is compiled.
    """

    __slots__ = ("_compile", "address", "enter", "signature")

    def __init__(self, signature: Signature, compile_kernel: Callable[[], int]) -> None:
        self.signature = signature
        self.address = 0
        self._compile = compile_kernel

    def compile(self) -> None:
        """Compile it, if that has not been done; on a thread that may enter Julia."""
        if not self.address:
            address = self._compile()
            self.enter: Callable[..., int] = _KERNEL(address)
            self.address = address


class Job:
    """One call of a kernel: its arguments stay alive, and a block of memory is shared with it, until it ends."""

    __slots__ = (
        "_failure",
        "_released",
        "_shared",
        "_slots",
        "_values",
        "_worker",
        "kernel",
        "mailed",
        "queued",
        "sleeping",
    )

    def __init__(self, kernel: Kernel, values: tuple[Any, ...], worker: Worker) -> None:
        self.kernel = kernel
        self.queued = self.mailed = self.sleeping = False
        self._worker = worker
        self._values = values
        slots = pack(kernel.signature, values)
        self._slots = (ctypes.c_int64 * len(slots))(*slots)
        self._shared = _SHARED()
        self._failure: BridgeError | None = None
        self._released = threading.Lock()
        self._released.acquire()

    def cancel(self) -> None:
        """Ask the kernel to stop; it does so at its next poll, and `result` raises KernelCancelled."""
        self._shared[_CANCEL] = 1

    @property
    def progress(self) -> tuple[int, int]:
        """(done, total) as the kernel counts; total is 0 until the kernel has said it."""
        return self._shared[_DONE], self._shared[_TOTAL]

    @property
    def ended(self) -> bool:
        """Whether the kernel has ended, well or not."""
        return self._shared[_ENDED] != 0

    @property
    def letter(self) -> tuple[int, int, int, int]:
        """The addresses of what a mailbox takes: kernel, control block, slots, message."""
        shared = ctypes.addressof(self._shared)
        return self.kernel.address, shared, ctypes.addressof(self._slots), shared + _MESSAGE_OFFSET

    def run(self) -> None:
        """Enter the kernel, on the thread that owns Julia."""
        status = _FAILED
        try:
            self.kernel.compile()
            _, control, slots, message = self.letter
            status = self.kernel.enter(control, slots, message, MESSAGE_BYTES)
        except BridgeError as error:
            self._failure = error
        except Exception as error:  # noqa: BLE001  (the thread of Julia must live on)
            self._failure = BridgeError(f"{self.kernel.signature.name}: {type(error).__name__}: {error}")
        finally:
            self._shared[_ENDED] = status + 1
            self.release()

    def release(self) -> None:
        """Wake who waits for the end; called once, after it."""
        self._released.release()

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
            self._finish(progress)
        except BaseException:
            self._stop()
            raise
        self._raise_failure()

    def submit(self) -> None:
        """Queue the job."""
        self._worker.enter(self)

    def enter(self, progress: Callable[[int, int], None] | None) -> None:
        """Queue the job, and do as `result`: from here on an interrupt finds it."""
        if self._worker.is_current:
            self.run()
            self._raise_failure()
            return
        try:
            self._worker.enter(self)
            self._finish(progress)
        except BaseException:
            self._stop()
            raise
        self._raise_failure()

    def _finish(self, progress: Callable[[int, int], None] | None) -> None:
        if progress is None:
            self._watch()
            self._wait_for_end()
        else:
            while not self._wait(_POLL_SECONDS):
                progress(*self.progress)
        self._worker.forget(self)

    def _stop(self) -> None:
        self.cancel()
        if self.queued:
            self._wait_for_end()

    def _wait_for_end(self) -> None:
        # again and again: an interrupt can lose what wakes
        while not self._wait(0.5):
            pass

    def _wait(self, seconds: float) -> bool:
        """Whether the job has ended within a time; others may wait for it too."""
        if not self.ended:
            self._worker.sleep_over(self)
        if not self.ended and self._released.acquire(timeout=seconds):
            self._released.release()
        return self.ended

    def _watch(self) -> None:
        """Watch for the end of a short job without going to sleep, unless its thread needs the GIL for it."""
        if not self.mailed:
            return
        shared, deadline = self._shared, perf_counter() + _WATCH_SECONDS
        while not shared[_ENDED] and perf_counter() < deadline and not self._worker.on_this_core:
            os.sched_yield()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
        status = self._shared[_ENDED] - 1
        if status == _OK:
            return
        name = self.kernel.signature.name
        if status == _CANCELLED:
            raise KernelCancelled(f"{name}: cancelled")
        text = ctypes.string_at(ctypes.addressof(self._shared) + _MESSAGE_OFFSET).decode("utf-8", "replace")
        argument = None
        if status == _BAD_ARGUMENT:
            argument, _, text = text.partition("\x1f")
        raise KernelError(name, text, argument)
