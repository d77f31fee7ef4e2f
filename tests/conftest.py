"""What all tests share: which Julia this run uses, and a word in the summary on those it lacks."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import settings

import sharpwave_bridge as bridge

# How long an example may take depends on what else the machine does: it is not what these tests are about.
settings.register_profile("sharpwave", deadline=None)
settings.load_profile("sharpwave")


def pytest_configure() -> None:
    # In the background job of a script SIGINT is ignored, and so it would be in all processes that tests interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    from sharpwave_bridge.install import read_record

    if bridge.is_started():
        runtime = bridge.session().runtime
        terminalreporter.write_line(
            f"runtime of this run: {runtime.name}, Julia {runtime.version}, {runtime.threads} threads"
        )
    record = read_record()
    if not record.juliacall_works and not os.environ.get("PYTHON_JULIACALL_EXE"):
        terminalreporter.write_line(f"runtime lacking: juliacall ({record.juliacall_message or 'not tried'})")
    if record.install is None and not os.environ.get("SHARPWAVE_JULIA"):
        terminalreporter.write_line("runtime lacking: libjulia (no julia was set up)")


@pytest.fixture(scope="session")
def julia() -> bridge.julia.Session:
    """A started Julia; the tests that need one fail, and do not skip, where it does not start."""
    return bridge.session()
