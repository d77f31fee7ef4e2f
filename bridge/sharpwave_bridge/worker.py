"""The one thread that owns Julia, and how work gets to it: an inbox, and a mailbox of shared memory."""

from __future__ import annotations

import ctypes
import queue
import threading
from collections.abc import Callable
from typing import Any

from .job import MESSAGE_BYTES, Job

# How long the thread watches for the next kernel after one: what a caller may do between two.
_LINGER_SECONDS = 500e-6
_MOST_MAILED = 16  # jobs of the mailbox after which those that ended unwatched are looked for

# int32 linger(mailbox, patience in nanoseconds, capacity): see mailbox.jl, also for the words of a mailbox.
LINGER_TYPE = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
_MAILBOX = ctypes.c_int64 * 10
_LETTER, _LEAVE, _SLEEPING, _WATCHED, _THREAD_CORE, _CALLER_CORE = 0, 5, 6, 7, 8, 9
_this_core: Callable[[], int] = getattr(ctypes.PyDLL(None), "sched_getcpu", lambda: -1)


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
        woken = self.linger(self._mailbox, int(_LINGER_SECONDS * 1e9), MESSAGE_BYTES)
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
