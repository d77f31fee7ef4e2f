"""The `juliacall` runtime: Julia started or joined through juliacall, which then only hands over pointers."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any

from .errors import JuliaUnavailableError
from .signals import process_kept
from .sources import LINGER, TABLE, address_expression, load_expression


def is_running() -> bool:
    """Whether juliacall has started a Julia in this process already."""
    module: Any = sys.modules.get("juliacall")
    return module is not None and bool(getattr(module, "CONFIG", {}).get("inited"))


class JuliacallJulia:
    """A Julia that juliacall started; made on the thread that is to own it."""

    name = "juliacall"

    def __init__(self, threads: int) -> None:
        joined = is_running()
        os.environ.setdefault("PYTHON_JULIACALL_HANDLE_SIGNALS", "yes")
        os.environ.setdefault("PYTHON_JULIACALL_THREADS", str(threads))
        with process_kept(), warnings.catch_warnings():
            # juliacall warns of torch being there first; on a thread of its own that is harmless (tested).
            warnings.filterwarnings("ignore", message="torch was imported before juliacall")
            try:
                import juliacall
            except Exception as error:
                raise JuliaUnavailableError(
                    f"juliacall did not start Julia: {error}. Set PYTHON_JULIACALL_EXE and PYTHON_JULIACALL_PROJECT "
                    "(both), or run `sharpwave setup`"
                ) from error
            self._main = juliacall.Main
        self.joined = joined
        self.version = str(self._main.seval("string(VERSION)"))
        self.threads = int(self._main.seval("Threads.nthreads()"))
        self._main.seval(f"begin; {load_expression()}; end")
        self.table = str(self._main.seval(TABLE))
        self.linger = int(str(self._main.seval(LINGER)))

    def address(self, kernel: str) -> int:
        """Compile a kernel and give the address of its C function."""
        return int(str(self._main.seval(address_expression(kernel))))
