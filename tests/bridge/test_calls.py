"""Calls in a running Julia: results, errors, threads, cancellation, interruption."""

from __future__ import annotations

import itertools
import threading
import time
import weakref

import numpy as np
import pytest

import sharpwave_bridge as bridge
from sharpwave.equations import Equations
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


def _integration(program: int, steps: int) -> bridge.Job:
    """A submitted job of some 100 nanoseconds a step."""
    return bridge.submit(
        "integrate", program, 3, np.ones((1, 1)), np.empty((1, 0)), 0.0, 1.0, np.empty(0), 1e-6, np.zeros(1), 0.0,
        np.inf, 1.0 / steps, 2 * steps, np.empty((0, 2), np.int64), 0, 0, np.empty((1, 0, 1)), np.empty(1),
        np.empty((1, 8), np.int64),
    )  # fmt: skip


def _compilation() -> tuple[np.ndarray, bridge.Job]:
    """A submitted job whose result, the handle, is one more than that of the one before."""
    handle, program = np.zeros(1, np.int64), Equations({"x": f"-{next(_rates)}*x"}).encode()
    return handle, bridge.submit("compile_equations", *program.arrays(), handle)


_rates = itertools.count(2)


@pytest.mark.parametrize("steps", [1, 1_000, 100_000])
def test_jobs_of_one_thread_run_in_the_order_in_which_they_are_submitted(steps: int) -> None:
    first, job = _compilation()
    job.result()
    handles = []
    for _ in range(4):
        jobs = [_integration(int(first[0]), steps)]
        for _ in range(3):
            handle, job = _compilation()
            handles.append(handle)
            jobs.append(job)
        jobs[-1].result()
        assert all(job.ended for job in jobs)
    assert [int(handle[0] - first[0]) for handle in handles] == list(range(1, 13))


def test_short_and_long_jobs_of_many_threads_all_end(julia: Session) -> None:
    """Callers that watch and callers that sleep, on a thread that is now in Julia and now in Python."""
    handle, job = _compilation()
    job.result()
    program, ended = int(handle[0]), []

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(30):
            kind = rng.integers(4)
            if kind == 0:
                for job in [_integration(program, int(rng.choice([1, 100, 3_000, 50_000]))) for _ in range(3)]:
                    job.result(progress=(lambda done, total: None) if rng.random() < 0.3 else None)
            elif kind == 1:
                time.sleep(float(rng.choice([0.0, 1e-4, 3e-4, 1e-3])))
            elif kind == 2:
                assert julia.worker.run(lambda: 7) == 7
            else:
                x = np.zeros(1)
                for _ in range(20):
                    call("increment", x)
                assert x[0] == 20
        ended.append(seed)

    threads = [threading.Thread(target=work, args=(seed,), daemon=True) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(ended) == [0, 1, 2, 3]


def test_what_jobs_held_is_let_go_although_nobody_asks_for_their_results() -> None:
    call("increment", np.zeros(1))
    held: list[weakref.ref[np.ndarray]] = []
    for _ in range(500):
        x = np.zeros(10)
        held.append(weakref.ref(x))
        job = bridge.submit("increment", x)
        while not job.ended:
            pass
        del x, job
    assert sum(array() is not None for array in held) < 50


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
