"""The only door to Julia: find or install it, start it, call kernels, stop them."""

from __future__ import annotations

from .errors import BridgeError, JuliaUnavailableError, KernelCancelled, KernelError
from .julia import call, is_started, session, submit, thread_count
from .worker import Job

__all__ = [
    "BridgeError",
    "JuliaUnavailableError",
    "Job",
    "KernelCancelled",
    "KernelError",
    "call",
    "is_started",
    "session",
    "submit",
    "thread_count",
]
