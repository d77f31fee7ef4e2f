"""The one thread that owns Julia, the jobs queued to it, and what a job shares with its kernel."""

from __future__ import annotations

import ctypes
import os
import queue
import threading
from collections.abc import Callable
from time import perf_counter
from typing import Any

from .errors import BridgeError, KernelCancelled, KernelError
from .table import Signature, pack

MESSAGE_BYTES = 4096
POLL_SECONDS = 0.1
# How long a caller watches for the end of a kernel before it goes to sleep: a few times what it takes to wake it.
# And how long the thread of Julia watches for the next kernel: what a caller may do between two.
WATCH_SECONDS = 500e-6
LINGER_SECONDS = 500e-6

# int32 kernel(control, slots, message, capacity); ctypes lets go of the GIL during the call.
KERNEL_TYPE = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
# int32 linger(mailbox, patience in nanoseconds, capacity): see mailbox.jl, also for the words of a mailbox.
LINGER_TYPE = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
_MAILBOX = ctypes.c_int64 * 10
_LETTER, _LEAVE, _SLEEPING, _WATCHED, _THREAD_CORE, _CALLER_CORE = 0, 5, 6, 7, 8, 9
_this_core: Callable[[], int] = getattr(ctypes.PyDLL(None), "sched_getcpu", lambda: -1)
# cancel, done, total, ended (0, or one more than the status), and then the message
_SHARED = ctypes.c_int64 * (4 + MESSAGE_BYTES // 8)
_CANCEL, _DONE, _TOTAL, _ENDED = range(4)
_MESSAGE_OFFSET = 4 * 8
_OK, _FAILED, _CANCELLED, _BAD_ARGUMENT = 0, 1, 2, 3
_MOST_MAILED = 16  # jobs of the mailbox after which those that ended unwatched are looked for


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
            self.enter: Callable[..., int] = KERNEL_TYPE(address)
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
            while not self._wait(POLL_SECONDS):
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
        shared, deadline = self._shared, perf_counter() + WATCH_SECONDS
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
    """A daemon thread that runs callables one after another; Julia is started on it and never entered from another.

    Once `linger` is set, to Julia's function of that name, the thread watches its mailbox for some time after each
    task, and a kernel that comes then is run at once, without the GIL. The door is held by whoever changes what thread
    and callers both look at.
    """

    def __init__(self) -> None:
        self.linger: Callable[..., int] | None = None
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._door = threading.Lock()
        self._mailbox = _MAILBOX()
        self._mailed: set[Job] = set()  # jobs put into the mailbox, until they are seen to have ended
        self._thread = threading.Thread(target=self._loop, name="sharpwave-julia", daemon=True)
        self._thread.start()

    @property
    def is_current(self) -> bool:
        return threading.get_ident() == self._thread.ident

    def post(self, task: Callable[[], None]) -> None:
        """Queue a task that does not raise."""
        with self._door:
            self._post(task)

    def _post(self, task: Callable[[], None]) -> None:
        self._mailbox[_LEAVE] = 1
        self._inbox.put(task)

    def enter(self, job: Job) -> None:
        """Queue a job, after what was queued before."""
        if self.is_current:
            job.run()
            return
        letter: list[Any] = list(job.letter)
        ended: list[Job] = []
        with self._door:
            mailbox = self._mailbox
            if len(self._mailed) > _MOST_MAILED:
                ended = self._let_ended_go()
            if mailbox[_WATCHED] and letter[0] and not (mailbox[_LETTER] or mailbox[_LEAVE]):
                mailbox[1:5] = letter
                mailbox[_CALLER_CORE] = _this_core()
                # no call between these, after which an interrupt could come
                job.queued = job.mailed = True
                mailbox[_LETTER] = 1
                self._mailed.add(job)
            else:
                mailbox[_CALLER_CORE] = -1
                job.queued = True
                self._post(job.run)
        del ended  # what a job held may end with it, and may call: not with the door in hand

    @property
    def on_this_core(self) -> bool:
        """Whether the thread was last seen on the core on which this is asked."""
        return bool(self._mailbox[_THREAD_CORE] == _this_core())

    def sleep_over(self, job: Job) -> None:
        """Say that a job's caller will wait to be woken."""
        with self._door:
            if job in self._mailed:
                job.sleeping = True
                self._mailbox[_SLEEPING] = 1
                self._mailbox[_CALLER_CORE] = -1  # where it wakes is not known

    def forget(self, job: Job) -> None:
        """Let go of a job that has ended."""
        with self._door:
            self._let_go(job)

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
            while self._watch_mailbox():
                pass

    def _watch_mailbox(self) -> bool:
        """Run what comes into the mailbox for some time, wake callers; whether to go on with that."""
        if self.linger is None:
            return False
        with self._door:
            self._mailbox[_LEAVE] = int(not self._inbox.empty())
        woken = self.linger(self._mailbox, int(LINGER_SECONDS * 1e9), MESSAGE_BYTES)
        with self._door:
            ended = self._let_ended_go()
            self._mailbox[_SLEEPING] = int(any(job.sleeping for job in self._mailed))
            again = bool(woken or self._mailbox[_LETTER])
        del ended
        return again

    def _let_ended_go(self) -> list[Job]:
        ended = [job for job in self._mailed if job.ended]
        for job in ended:
            self._let_go(job)
        return ended

    def _let_go(self, job: Job) -> None:
        if job in self._mailed:
            self._mailed.discard(job)
            job.release()
