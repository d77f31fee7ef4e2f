"""Where the Julia sources are, and the Julia expressions that load them and read the table of kernels."""

from __future__ import annotations

from pathlib import Path

from .errors import BridgeError

TABLE = "SharpwaveKernels.abi_table()"
LINGER = "string(SharpwaveKernels.linger_pointer())"  # compiles it and gives its address in decimal


def julia_sources() -> Path:
    """The directory that holds `SharpwaveKernels`: inside an installed package, or beside `bridge/` in a checkout.

    Raises:
        BridgeError: neither is there.
    """
    here = Path(__file__).resolve().parent
    for candidate in (here / "julia", here.parents[1] / "julia"):
        if (candidate / "SharpwaveKernels" / "Project.toml").is_file():
            return candidate
    raise BridgeError(
        "the Julia sources of SharpwaveKernels are not beside this package: reinstall sharpwave, or run from a checkout"
    )


def julia_string(text: str) -> str:
    """A Julia expression for a string, made of its bytes, so that nothing in it can be read as code."""
    return "String(UInt8[" + ",".join(str(byte) for byte in text.encode()) + "])"


def load_expression() -> str:
    """The Julia expression that loads the kernels. What they define is there for the next expression, not before."""
    path = julia_string(str(julia_sources()))
    return (
        f"let p = {path}; first(LOAD_PATH) == p || pushfirst!(LOAD_PATH, p); end; "
        'Core.eval(Main, :(import SharpwaveKernels)); ""'
    )


def address_expression(kernel: str) -> str:
    """The Julia expression that compiles a kernel and gives its address in decimal."""
    return f"string(SharpwaveKernels.abi_pointer({julia_string(kernel)}))"
