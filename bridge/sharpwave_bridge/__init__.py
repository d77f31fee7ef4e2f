"""The only door to Julia: find or install it, start it, call kernels, stop them."""

from __future__ import annotations

from .doctor import doctor
from .errors import BridgeError, JuliaUnavailableError, KernelCancelled, KernelError
from .job import Job
from .julia import call, is_started, session, submit, thread_count
from .setup import Outcome, SetupError, setup

__all__ = [
    "BridgeError",
    "Job",
    "JuliaUnavailableError",
    "KernelCancelled",
    "KernelError",
    "Outcome",
    "SetupError",
    "call",
    "doctor",
    "is_started",
    "session",
    "setup",
    "submit",
    "thread_count",
]
