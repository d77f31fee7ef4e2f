from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import sharpwave.bench
from sharpwave.bench.install import PACKAGES, install_peers, peers_python
from sharpwave.bench.measure import Series, measure
from sharpwave.bench.worker import Worker, WorkerError, WorkerTimeoutError, peers

# Solvers that behave well or badly; the final state is the tolerance, which the tests take for the error.
PEER = """
import os, time
from sharpwave.bench.peers.serve import Solver, serve

def well(problem):
    return lambda rtol, atol: ([rtol], {"evaluations": 7})

def crash(problem):
    def solve(rtol, atol):
        os.write(2, b"first words\\nlast words\\n")
        os._exit(3)
    return solve

def hang(problem):
    return lambda rtol, atol: time.sleep(60)

def fail(problem):
    def solve(rtol, atol):
        raise ValueError("step too small")
    return solve

def noisy(problem):
    def solve(rtol, atol):
        os.write(1, b"lsoda-- warning\\n")
        print("more words")
        return [0.5], {}
    return solve

def slow_if_tight(problem):
    return lambda rtol, atol: ([rtol], {}) if rtol > 1e-3 else time.sleep(60)

def infinite(problem):
    return lambda rtol, atol: ([float("inf")], {})

serve([
    Solver(f.__name__, ("math",), ("decay",), f) for f in (well, crash, hang, fail, noisy, slow_if_tight, infinite)
] + [Solver("absent", ("no_such_package",), ("decay",), well)])
"""


@pytest.fixture
def worker():
    with Worker([sys.executable, "-c", PEER]) as started:
        yield started


def request(solver, **more):
    return {"do": "solve", "solver": solver, "problem": "decay", "rtol": 0.25, "atol": 0.0, "at_least": 0.0, **more}


def test_a_solver_whose_package_is_not_there_is_missing_by_name(worker):
    described = worker.describe()
    assert list(described["missing"]) == ["absent"]
    assert "no_such_package" in described["missing"]["absent"]
    assert "absent" not in described["solvers"]


def test_the_first_solve_builds_and_the_next_fill_the_time_asked_for(worker):
    first, second = worker.ask(request("well"), 30), worker.ask(request("well", at_least=0.02), 30)
    assert (first["built"], first["solves"], first["y"]) == (True, 1, [0.25])
    assert not second["built"]
    assert second["solves"] * second["seconds"] >= 0.02


def test_another_problem_is_built_for_anew(worker):
    worker.ask(request("well"), 30)
    assert worker.ask(request("well", problem="other"), 30)["built"]
    assert worker.ask(request("well"), 30)["built"]


def test_what_a_solver_prints_does_not_disturb_the_answers(worker):
    assert worker.ask(request("noisy"), 30)["y"] == [0.5]
    assert worker.ask(request("well"), 30)["y"] == [0.25]


@pytest.mark.parametrize(("solver", "message"), [("fail", "ValueError: step too small"), ("infinite", "not finite")])
def test_an_exception_is_an_answer(worker, solver, message):
    with pytest.raises(WorkerError, match=message):
        worker.ask(request(solver), 30)
    assert worker.ask(request("well"), 30)["y"] == [0.25]


def test_a_crash_is_told_with_its_last_words_and_survived(worker):
    with pytest.raises(WorkerError, match="code 3: last words"):
        worker.ask(request("crash"), 30)
    assert worker.ask(request("well"), 30)["built"]


def test_a_process_that_does_not_start_is_an_error():
    command = [sys.executable, "-c", "raise SystemExit('no licence')"]
    with Worker(command) as broken, pytest.raises(WorkerError, match="no licence"):
        broken.describe()


def test_a_hang_is_killed_at_the_limit_and_survived(worker):
    worker.ask(request("well"), 30)
    process = worker._process
    with pytest.raises(WorkerTimeoutError, match=r"over 0\.2 s"):
        worker.ask(request("hang"), 0.2)
    assert process.returncode == -9
    assert worker.ask(request("well"), 30)["built"]


def test_measuring_goes_on_past_crashes_hangs_and_failures(worker):
    tolerances = [(1e-2, 0.0), (1e-4, 0.0)]
    series = [Series(worker, name, tolerances) for name in ("hang", "crash", "fail", "well")]
    measured = measure("decay", series, lambda y: y[0], limit=0.5, repeats=2, at_least=0.0, compiling=0.0)
    status = {(point.solver, point.rtol): point.status for point in measured}
    assert status["hang", 1e-2] == "over 0.5 s"
    assert status["hang", 1e-4].startswith("not tried")
    assert status["crash", 1e-4].startswith("failed: the process ended with code 3")
    assert status["fail", 1e-2] == "failed: ValueError: step too small"
    good = [point for point in measured if point.solver == "well"]
    assert [point.error for point in good] == [1e-2, 1e-4]
    assert [point.samples for point in good] == [2, 2]
    assert all(point.fastest <= point.seconds <= point.slowest for point in good)
    assert good[0].compile_seconds is not None
    assert good[1].compile_seconds is None
    assert good[0].stats == {"evaluations": 7}


def test_what_was_measured_before_a_hang_is_kept_and_measured_on(worker):
    series = [Series(worker, "slow_if_tight", [(1e-2, 0.0), (1e-4, 0.0), (1e-6, 0.0)])]
    measured = measure("decay", series, lambda y: y[0], limit=0.3, repeats=3, at_least=0.0, compiling=0.0)
    assert [point.status for point in measured] == ["ok", "over 0.3 s", "not tried: over 0.3 s at a looser tolerance"]
    assert measured[0].samples == 3


def test_a_slow_point_gets_no_more_samples_than_its_budget(worker):
    series = [Series(worker, "well", [(1e-2, 0.0)])]
    measured = measure("decay", series, lambda y: y[0], limit=9.0, repeats=50, at_least=0.01, budget=0.025)
    assert measured[0].samples <= 3


def test_the_peers_see_nothing_of_this_library():
    """They are loaded by an interpreter that has no sharpwave, and must not reach for it."""
    code = "import sys; sys.path.append(sys.argv[1]); import peers.__main__; sys.exit('sharpwave' in sys.modules)"
    subprocess.run(
        [sys.executable, "-I", "-c", code, str(Path(sharpwave.bench.__file__).parent)],
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=True,
    )


def test_every_peer_that_is_not_installed_here_is_named():
    """This environment has torch and SciPy but neither torchdiffeq nor diffrax, as a user's may."""
    with peers(Path(sys.executable)) as worker:
        described = worker.describe()
    assert "SciPy BDF" in described["solvers"]
    for name, reason in described["missing"].items():
        assert "No module named" in reason, name
    assert not set(described["missing"]) & set(described["solvers"])


def test_a_peer_that_cannot_be_installed_is_named_with_the_reason_and_the_rest_is_installed(tmp_path):
    python = peers_python(tmp_path)
    python.parent.mkdir(parents=True)
    log = tmp_path / "log"
    python.write_text(f"""#!/bin/sh
echo "$@" >>{log}
case "$*" in *numbalsoda*) echo "ERROR: no Fortran" >&2; exit 1 ;; esac
""")
    python.chmod(0o755)
    failed = install_peers(tmp_path)
    assert list(failed) == ["numbalsoda"]
    assert failed["numbalsoda"].startswith("ERROR: no Fortran; ")
    tried = [line.split()[-1] for line in log.read_text().splitlines()]
    assert tried == list(PACKAGES)
    assert tried[0].startswith("torch==")
