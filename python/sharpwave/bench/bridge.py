"""What the bridge costs: a call on Julia's own thread, a call through the queue, and the start."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np

from .measure import Say
from .record import Cost

CALLS = 2_000  # in a sample
SAMPLES = 15
STARTS = 5

_START = """
import time
start = time.perf_counter()
import numpy
from sharpwave_bridge import call
call("increment", numpy.zeros(1))
print(time.perf_counter() - start)
"""


def measure_bridge(say: Say) -> list[Cost]:
    """Measure calls of the kernel `increment` on one number, and the start of Julia to its first result.

    Args:
        say: takes lines that tell how it goes.

    Raises:
        JuliaUnavailableError: there is no Julia.
    """
    say("bridge: start")
    starts = [_start_seconds() for _ in range(STARTS)]
    say("bridge: calls")
    alone, queued = _calls()
    target = "the project's target"
    return [
        _cost("call on Julia's thread", alone, 5e-6, target),
        _cost("call through the queue", queued, 50e-6, target),
        _cost("start of a process's Julia to the first result of a kernel", starts, 3.0, target),
    ]


def _start_seconds() -> float:
    done = subprocess.run([sys.executable, "-c", _START], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def _calls() -> tuple[list[float], list[float]]:
    """Seconds of a call, on Julia's thread and queued, sample by sample in turns."""
    from sharpwave_bridge import call, session

    x = np.zeros(1)
    call("increment", x)  # compiles
    worker = session().worker

    def sample() -> float:
        return _seconds_each(lambda: call("increment", x))

    alone, queued = [], []
    for _ in range(SAMPLES):
        alone.append(worker.run(sample))
        queued.append(sample())
    return alone, queued


def _seconds_each(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    for _ in range(CALLS):
        work()
    return (time.perf_counter() - start) / CALLS


def _cost(name: str, samples: Sequence[float], bound: float, note: str) -> Cost:
    return Cost(name, statistics.median(samples), min(samples), max(samples), len(samples), bound, note)
