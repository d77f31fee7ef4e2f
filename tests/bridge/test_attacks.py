"""Hostile calls: right in dtype and shape, wrong in all else. A kernel refuses or ends; it harms no other memory."""

from __future__ import annotations

import faulthandler
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sharpwave_bridge as bridge
from sharpwave_bridge import KernelError
from sharpwave_bridge.table import Argument
from support import run_python

CASES = 150
PATHS = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

SCALARS = [0.0, -0.0, 1.0, -1.0, 1e-3, 1e300, -1e300, 5e-324, np.inf, -np.inf]
INTEGERS = [0, 1, 2, 3, -1, 2**31, 2**32 + 1, 2**62, 2**63 - 1, -(2**63)]

# What gets past the kernels' first checks, by argument; every value is now and then replaced by a hostile one.
PLAUSIBLE: dict[str, list[Any]] = {
    "constants": [1.0, 0.5],
    "activations": [0.0, 2.0],
    "reduced": [0, 1],
    "input_starts": [0.0],
    "t_end": [1.0],
    "t_eval": [0.0],
    "rtol": [1e-3],
    "atol": [1e-3],
    "first_step": [0.0],
    "max_step": [np.inf],
    "dt": [0.0, 0.25],
    "t0": [0.0],
    "t1": [1.0, -1.0],
    "method": [2, 3],
    "handle": [1, 2],
    "max_steps": [1, 50],
    "save": [0, 1, 2],
    "steps": [1, 3],
    "edge_from": [0],
    "edge_to": [0],
    "parameters": [0, 1],
}
GUARD = 16
PATTERN = 0x5A5A5A5A5A5A5A5A


class Guarded:
    """An array of 8-byte elements between two stretches of a known pattern."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        count = int(np.prod(shape))
        self.memory = np.full(count + 2 * GUARD, PATTERN, np.int64)
        self.array = self.memory[GUARD : GUARD + count].view(dtype).reshape(shape)

    def is_intact(self) -> bool:
        return bool((self.memory[:GUARD] == PATTERN).all() and (self.memory[-GUARD:] == PATTERN).all())


def draw(random: np.random.Generator, argument: Argument, hostile: float) -> Any:
    """One number for an argument."""
    floats = argument.dtype.kind == "f"
    if argument.name in PLAUSIBLE and random.random() > hostile:
        value = PLAUSIBLE[argument.name][random.integers(len(PLAUSIBLE[argument.name]))]
        return float(value) if floats else int(value)
    if floats:
        return float(random.normal()) if random.random() > hostile else SCALARS[random.integers(len(SCALARS))]
    return int(random.integers(3)) if random.random() > hostile else INTEGERS[random.integers(len(INTEGERS))]


def arguments_of(random: np.random.Generator, arguments: tuple[Argument, ...]) -> tuple[list[Any], list[Guarded]]:
    """Values for all arguments, sizes in accord with the signature; and those that the kernel writes, guarded."""
    hostile = float(random.choice([0.0, 0.02, 0.3]))
    sizes: dict[str | int, int] = {}
    values, guarded = [], []
    # Half of the calls fit the system with the handle 2, or the reduced form of recall with one memory.
    ordinary = {"rows": 5, "lags": 0, "delays": 0, "history": 0} if random.random() < 0.5 else {}
    for argument in arguments:
        if argument.sizes is None:
            values.append(draw(random, argument, hostile))
            continue
        for size in argument.sizes:
            free = ordinary.get(str(size), 1) if ordinary or random.random() < 0.5 else int(random.integers(4))
            sizes.setdefault(size, size if isinstance(size, int) else free)
        buffer = Guarded(tuple(sizes[size] for size in argument.sizes), argument.dtype)
        if argument.mode != "out":
            buffer.array.flat[:] = [draw(random, argument, hostile) for _ in range(buffer.array.size)]
        values.append(buffer.array)
        guarded.append(buffer)
    return values, guarded


def some_systems() -> None:
    """u' = -u under the handle 1, and u' = p u with an event under 2."""
    none = np.empty(0, np.int64)
    handle = np.empty(1, np.int64)
    for code, rhs, event, parameters in (
        ([[2, 0, 0, 0], [14, 0, 0, 0]], 1, none, 0),
        ([[2, 0, 0, 0], [1, 0, 0, 0], [12, 0, 1, 0]], 2, np.zeros(1, np.int64), 1),
    ):
        outputs = np.array([rhs])
        bridge.call(
            "compile_equations", np.array(code), np.empty(0), outputs, none, none, none, outputs, none, none, none,
            none, event, none, np.array([parameters]), handle,
        )  # fmt: skip


def attack(kernel: str) -> None:
    """Call a kernel with drawn arguments; print how many calls it took to their end."""
    faulthandler.enable()
    some_systems()
    arguments = bridge.session().table[kernel].arguments
    ended = 0
    for seed in range(CASES):
        values, guarded = arguments_of(np.random.default_rng(seed), arguments)
        stop = None
        try:
            with np.errstate(all="ignore"):
                job = bridge.submit(kernel, *values)
            # What asks for years of work is told to stop; if it does not, this process runs into its time limit.
            stop = threading.Timer(0.3, job.cancel)
            stop.start()
            job.result()
            ended += 1
        except (KernelError, bridge.KernelCancelled):
            pass
        finally:
            if stop is not None:
                stop.cancel()
        assert all(buffer.is_intact() for buffer in guarded), f"case {seed} wrote outside its arrays"
    print(ended)


# A program of drawn numbers is nearly always refused.
@pytest.mark.parametrize(
    ("kernel", "least"),
    [
        ("compile_equations", 0),
        ("evaluate_equations", 5),
        ("integrate", 5),
        ("memory_recall", 5),
        ("memory_learn", 5),
    ],
)
def test_a_kernel_withstands_hostile_arguments(kernel: str, least: int) -> None:
    done = run_python(f"import sys; sys.path[:0] = {PATHS}; import test_attacks; test_attacks.attack({kernel!r})")
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) >= least


LONG = """
import numpy as np, sharpwave_bridge as b, sys, time
def long_job():
    K = 4
    return b.submit("memory_recall", np.eye(K), np.eye(K), 1, np.array([[0., 0.], [2., 1.]]), np.arange(K),
                    (np.arange(K) + 1) % K, np.ones(K), np.array([1., 0., 20., 1., 4.9, 7.]), np.zeros(1),
                    np.zeros((1, K)), np.zeros((1, 4 * K)), np.array([1e9]), 1e9, 1e-3, 1e-6, 1e-9, 10**12,
                    np.empty((1, 1, 4 * K)), np.empty(1), np.empty((1, 3), np.int64))
"""


@pytest.mark.parametrize("seconds", ["0", "0.5"])
def test_the_interpreter_may_end_while_a_kernel_runs(seconds: str) -> None:
    done = run_python(f"{LONG}\nlong_job(); time.sleep({seconds}); sys.exit(7)")
    assert (done.returncode, done.stderr) == (7, "")


def test_a_kernel_may_be_called_at_exit() -> None:
    late = "x = np.zeros(2); b.call('increment', x); print(x.sum())"
    done = run_python(f'{LONG}\nimport atexit; atexit.register(lambda: exec("{late}"))')
    assert (done.stdout.strip(), done.returncode) == ("2.0", 0), done.stderr


def test_arrays_of_jobs_that_nobody_waits_for_live_until_they_end() -> None:
    done = run_python(
        f"{LONG}\nimport gc\nfor _ in range(200): b.submit('increment', np.zeros(10**5))\ngc.collect()\n"
        "x = np.zeros(1); b.call('increment', x); print(x[0])"
    )
    assert (done.stdout.strip(), done.returncode) == ("1.0", 0), done.stderr


def test_variables_of_the_users_own_julia_do_no_harm() -> None:
    nowhere = ("JULIA_LOAD_PATH", "JULIA_PROJECT", "JULIA_DEPOT_PATH", "JULIA_CPU_TARGET", "JULIA_BINDIR")
    code = "import numpy as np, sharpwave_bridge as b; x = np.zeros(2); b.call('increment', x); print(x.sum())"
    done = run_python(code, JULIA_NUM_THREADS="many", **dict.fromkeys(nowhere, "/nowhere"))
    assert (done.stdout.strip(), done.returncode) == ("2.0", 0), done.stderr
