"""The `libjulia` runtime: any Julia from 1.5 on, embedded through its C API."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import paths
from .errors import JuliaUnavailableError
from .signals import process_kept
from .sources import LINGER, TABLE, address_expression, load_expression

_MISSING = re.compile(r"^(lib[^:/]+): cannot open shared object file")


@dataclass(frozen=True)
class JuliaInstall:
    """A Julia on this machine.

    Attributes:
        executable: the `julia` program.
        library: libjulia.
        bindir: the directory that Julia takes as its own, `Sys.BINDIR`.
        image: the system image.
        version: as `VERSION` prints it.
        private: directories with libraries that the system's loader does not know; empty for an ordinary Julia.
    """

    executable: str
    library: str
    bindir: str
    image: str
    version: str
    private: tuple[str, ...] = ()

    @property
    def release(self) -> tuple[int, int]:
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)


class EmbeddedJulia:
    """A Julia that was started inside this process, on the thread that made this object."""

    name = "libjulia"

    def __init__(self, install: JuliaInstall, threads: int) -> None:
        with process_kept(), _environment(install):
            self._library = _open(install)
            _parse_options(self._library, threads)
            _initialise(self._library, install)
            self.version = self._text("string(VERSION)")
            self.threads = int(self._text("string(Threads.nthreads())"))
            self._text(load_expression())
            self.table = self._text(TABLE)
            self.linger = int(self._text(LINGER))

    def address(self, kernel: str) -> int:
        """Compile a kernel and give the address of its C function."""
        return int(self._text(address_expression(kernel)))

    def _text(self, expression: str) -> str:
        """Evaluate one of this package's own expressions, which gives a string."""
        guarded = f'try; "+" * begin; {expression}; end; catch e; "-" * sprint(showerror, e); end'
        value = self._library.jl_eval_string(guarded.encode())
        if not value:
            raise JuliaUnavailableError(f"Julia could not evaluate: {expression}")
        text: str = self._library.jl_string_ptr(value).decode("utf-8", "replace")
        if text.startswith("-"):
            raise JuliaUnavailableError(f"Julia failed while starting: {text[1:]}")
        return text[1:]


@contextmanager
def _environment(install: JuliaInstall) -> Iterator[None]:
    """Environment variables that Julia and its BLAS read while they start; put back after."""
    wanted = {"JULIA_DEPOT_PATH": str(paths.cache_dir() / "julia-depot")}
    if install.release < (1, 7) and "OPENBLAS_CORETYPE" not in os.environ and _has_avx2():
        # OpenBLAS of that age takes younger processors for ones without AVX (measured: products 2 to 4 times slower).
        wanted["OPENBLAS_CORETYPE"] = "Haswell"
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _has_avx2() -> bool:
    try:
        return " avx2 " in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


def _open(install: JuliaInstall) -> ctypes.CDLL:
    """Open libjulia, and first the libraries of a private prefix that it will want by name."""
    # libjulia is opened for all to see, and with it libunwind, which also has the names by which C++ unwinds its stack:
    # an extension that is loaded later and throws (matplotlib's fonts) would end the process, unless these come first.
    with contextlib.suppress(OSError):
        ctypes.CDLL("libgcc_s.so.1", mode=ctypes.RTLD_GLOBAL)
    if install.private:
        for name in (
            "libopenblas64_.so",
            "libpcre2-8.so",
            "libgmp.so",
            "libmpfr.so",
            "libdSFMT.so",
            "libopenlibm.so",
        ):
            for directory in install.private:
                if (Path(directory) / name).exists():
                    _preload(str(Path(directory) / name), install.private)
    return _preload(install.library, install.private)


def _preload(library: str, directories: tuple[str, ...]) -> ctypes.CDLL:
    """Open a library; where the loader misses one that it needs, open that from the prefix and try again."""
    while True:
        try:
            return ctypes.CDLL(library, mode=ctypes.RTLD_GLOBAL if "libjulia" in library else ctypes.RTLD_LOCAL)
        except OSError as error:
            match = _MISSING.match(str(error))
            found = [d for d in directories if match and (Path(d) / match[1]).exists()]
            if match is None or not found or str(Path(found[0]) / match[1]) == library:
                raise JuliaUnavailableError(
                    f"{library} does not load: {error}. Run `sharpwave setup --again`, "
                    "or set SHARPWAVE_JULIA to a working julia"
                ) from error
            _preload(str(Path(found[0]) / match[1]), directories)


def _parse_options(library: ctypes.CDLL, threads: int) -> None:
    # handle-signals=yes: with more than one thread Julia's garbage collector needs SIGSEGV.
    options = ["julia", "--handle-signals=yes", f"--threads={threads}", "--startup-file=no"]
    if not paths.can_write(paths.cache_dir() / "julia-depot"):
        options.append("--compiled-modules=no")
    encoded = [option.encode() for option in options]
    arguments = (ctypes.c_char_p * (len(encoded) + 1))(*encoded, None)
    count = ctypes.c_int(len(encoded))
    pointer = ctypes.cast(arguments, ctypes.POINTER(ctypes.c_char_p))
    library.jl_parse_opts.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    library.jl_parse_opts.restype = None
    library.jl_parse_opts(ctypes.byref(count), ctypes.byref(pointer))


def _initialise(library: ctypes.CDLL, install: JuliaInstall) -> None:
    # The name changed in 1.6, and again in 1.12.
    for name in ("jl_init_with_image__threading", "jl_init_with_image", "jl_init_with_image_file"):
        if hasattr(library, name):
            start = getattr(library, name)
            break
    else:
        raise JuliaUnavailableError(f"{install.library} has no jl_init_with_image: is it a libjulia from 1.5 on?")
    start.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    start.restype = None
    start(install.bindir.encode(), install.image.encode())
    library.jl_eval_string.argtypes = [ctypes.c_char_p]
    library.jl_eval_string.restype = ctypes.c_void_p
    library.jl_string_ptr.argtypes = [ctypes.c_void_p]
    library.jl_string_ptr.restype = ctypes.c_char_p
