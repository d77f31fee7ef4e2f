"""Calls in a running Julia: results, errors, threads, cancellation, interruption."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import sharpwave_bridge as bridge
from sharpwave_bridge import KernelError, call
from sharpwave_bridge.julia import Session

pytestmark = pytest.mark.usefixtures("julia")


def test_a_kernel_writes_into_the_callers_memory() -> None:
    x = np.array([1.0, -2.5, np.inf])
    call("increment", x)
    assert x.tolist() == [2.0, -1.5, np.inf]


def test_empty_arrays_pass() -> None:
    call("increment", np.zeros(0))


def test_an_unknown_kernel_names_those_there_are() -> None:
    with pytest.raises(KernelError, match=r"there is no such kernel; there are .*increment"):
        call("incremental", np.zeros(1))


def test_two_threads_call_at_once_and_none_is_lost(julia: Session) -> None:
    counters = [np.zeros(3), np.zeros(3)]

    def work(counter: np.ndarray) -> None:
        for _ in range(500):
            call("increment", counter)

    threads = [threading.Thread(target=work, args=(counter,)) for counter in counters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [c.tolist() for c in counters] == [[500.0] * 3] * 2


def test_a_call_from_the_thread_that_owns_julia_runs_at_once(julia: Session) -> None:
    x = np.zeros(2)
    julia.worker.run(lambda: call("increment", x))
    assert x.tolist() == [1.0, 1.0]


def test_a_job_that_is_submitted_can_be_waited_for_later() -> None:
    arrays = [np.full(2, float(i)) for i in range(20)]
    jobs = [bridge.submit("increment", array) for array in arrays]
    for job in jobs:
        job.result()
    assert [a[0] for a in arrays] == [i + 1.0 for i in range(20)]


def test_a_job_may_be_asked_for_its_result_again_and_from_elsewhere() -> None:
    job = bridge.submit("increment", np.zeros(1))
    threads = [threading.Thread(target=job.result) for _ in range(3)]
    for thread in threads:
        thread.start()
    job.result()
    job.result()
    for thread in threads:
        thread.join(timeout=10)
    assert not any(thread.is_alive() for thread in threads)


def test_large_numbers_do_not_trip_numpys_error_state() -> None:
    x = np.array([1e300, 1e-300, np.inf])
    with np.errstate(all="raise"):
        call("increment", x)
    assert x.tolist() == [1e300, 1.0, np.inf]


def test_ten_thousand_random_bad_calls_raise_and_never_crash(julia: Session) -> None:
    rng = np.random.default_rng(0)
    names = sorted(julia.table)
    refused = 0
    for _ in range(10_000):
        name = names[rng.integers(len(names))]
        values = [_random_value(rng) for _ in range(len(julia.table[name].arguments) - rng.integers(-1, 2))]
        try:
            call(name, *values)
        except KernelError:
            refused += 1
    assert refused > 9_000  # a few calls fit by chance
    x = np.zeros(1)
    call("increment", x)
    assert x[0] == 1.0


def _random_value(rng: np.random.Generator) -> object:
    shape = tuple(rng.integers(0, 4, size=rng.integers(0, 4)))
    array = rng.standard_normal(shape)
    choices = (
        lambda: array,
        lambda: array.astype([np.float32, np.int64, np.int32, np.uint8, np.complex128][rng.integers(5)]),
        lambda: array.T,
        lambda: array[..., ::-1] if array.ndim else array,
        lambda: np.where(rng.random(shape) < 0.5, np.nan, array),
        lambda: np.broadcast_to(array, (2, *shape)),
        lambda: _SHARED[: rng.integers(8)],
        lambda: int(rng.integers(-(2**62), 2**62)),
        lambda: int(rng.integers(-3, 4)),
        lambda: float(rng.standard_normal()),
        lambda: [None, "x", b"x", float("nan"), float("inf"), 10**30, {}, object(), array.tolist()][rng.integers(9)],
    )
    return choices[rng.integers(len(choices))]()


_SHARED = np.zeros(8)
