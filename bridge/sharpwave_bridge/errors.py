"""What can go wrong between Python and Julia, each with what to do about it."""

from __future__ import annotations


class BridgeError(RuntimeError):
    """Julia could not be used. The message says why and what to do."""


class JuliaUnavailableError(BridgeError):
    """No Julia is set up on this machine, or the one that was set up does not start."""


class KernelError(BridgeError):
    """A kernel refused its arguments or failed.

    Attributes:
        kernel: name of the kernel.
        argument: name of the argument at fault, or None where the failure has no single cause.
    """

    def __init__(self, kernel: str, message: str, argument: str | None = None) -> None:
        where = f"{kernel}({argument})" if argument else kernel
        super().__init__(f"{where}: {message}")
        self.kernel = kernel
        self.argument = argument


class KernelCancelled(BridgeError):  # noqa: N818  (a request that was met, not an error of the kernel)
    """A running kernel was asked to stop, and did."""
