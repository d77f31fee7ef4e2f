"""What can only be seen from outside: import order, Ctrl-C, fork and spawn, no Julia, an unwritable cache."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support import ROOT, run_python

CALL = "import numpy as np, sharpwave_bridge as b; x = np.zeros(2); b.call('increment', x); print(x.sum())"

# A recall of about a minute, so that there is something to interrupt.
LONG = """
import numpy as np, sharpwave_bridge as b, sys, time
def long_call(progress=None, t_end=1e9):
    K, steps = 40, 10**9
    states = np.empty((1, 1, 4 * K))
    b.call("memory_recall", np.eye(K), np.eye(K), 1, np.array([[0., 0.], [2., 1.]]),
           np.arange(K), (np.arange(K) + 1) % K, np.ones(K), np.array([1., 0., 20., 1., 4.9, 7.]),
           np.zeros(1), np.zeros((1, K)), np.zeros((1, 4 * K)),
           np.array([t_end]), t_end, 1e-3, 1e-6, 1e-9, steps, states, np.empty(1), np.empty((1, 3), np.int64),
           progress=progress)
"""


@pytest.mark.parametrize(
    "code", [f"import torch; {CALL}", f"{CALL}; import torch; {CALL}; torch.ones(2) @ torch.ones(2)"]
)
def test_torch_may_be_imported_before_or_after(code: str) -> None:
    done = run_python(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] == "2.0"


def test_importing_sharpwave_starts_no_julia_and_imports_no_torch() -> None:
    done = run_python(
        "import sys, sharpwave, sharpwave_bridge as b; print(b.is_started(), [m for m in "
        "('torch', 'juliacall', 'matplotlib', 'xarray', 'scipy', 'sklearn') if m in sys.modules])"
    )
    assert done.stdout.strip() == "False []", done.stderr


def interrupt(code: str, number: int = signal.SIGINT) -> tuple[int, str, float]:
    """Run code that prints `ready` and enters a kernel; signal it; give status, output, seconds to its next output."""
    process = subprocess.Popen(
        [sys.executable, "-c", LONG + code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"
    time.sleep(0.5)
    began = time.monotonic()
    process.send_signal(number)
    first = process.stdout.readline()
    seconds = time.monotonic() - began
    output = first + process.stdout.read()
    return process.wait(timeout=60), output, seconds


def test_ctrl_c_stops_a_running_kernel_within_a_second_and_julia_lives_on() -> None:
    status, output, seconds = interrupt(
        f"""
{CALL}
long_call(t_end=1.0)  # compiles; that cannot be interrupted
print("ready", flush=True)
try:
    long_call()
except KeyboardInterrupt:
    print("interrupted", flush=True)
{CALL}
""".replace("print(x.sum())", "", 1)
    )
    assert status == 0, output
    assert output.split() == ["interrupted", "2.0"]
    assert seconds < 1.0


def test_an_interrupt_that_nobody_catches_ends_the_process_as_python_does() -> None:
    status, output, _ = interrupt(f"{CALL.replace('print(x.sum())', '')}\nprint('ready', flush=True)\nlong_call()")
    assert status == -signal.SIGINT
    assert "KeyboardInterrupt" in output


def test_termination_is_not_swallowed() -> None:
    status, _, _ = interrupt(
        f"{CALL.replace('print(x.sum())', '')}\nprint('ready', flush=True)\nlong_call()", signal.SIGTERM
    )
    assert status == -signal.SIGTERM


def test_a_job_is_cancelled_from_another_thread_and_reports_progress() -> None:
    done = run_python(
        LONG
        + """
import threading
jobs, seen, cancelling = [], [], threading.Event()
session = b.session()
make = session.job
def remember(*values):
    jobs.append(make(*values)); return jobs[-1]
session.job = remember
def cancel():
    cancelling.wait(); jobs[0].cancel()
threading.Thread(target=cancel).start()
def watch(done, total):
    seen.append(total)
    if len(seen) > 5:
        cancelling.set()
try:
    long_call(progress=watch)
except b.KernelCancelled as error:
    print(error, len(seen) > 3, max(seen))
"""
    )
    assert done.stdout.strip() == "memory_recall: cancelled True 1000", done.stderr


def test_a_forked_child_is_told_to_use_spawn() -> None:
    done = run_python(f"""
import os
{CALL}
if os.fork() == 0:
    try:
        b.call("increment", x)
    except b.BridgeError as error:
        print(error, flush=True)
    os._exit(0)
os.wait()
""")
    assert "'spawn'" in done.stdout


def test_a_pool_of_spawned_processes_starts_a_julia_each(tmp_path: Path) -> None:
    script = tmp_path / "pool.py"
    script.write_text("""
import multiprocessing, numpy as np, sharpwave_bridge as b
def work(i):
    x = np.full(3, float(i)); b.call("increment", x); return x.tolist()[0]
if __name__ == "__main__":
    work(0)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        print(pool.map(work, range(4)))
""")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip() == "[1.0, 2.0, 3.0, 4.0]", done.stderr


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"SHARPWAVE_RUNTIME": "none"}, "unset it to use Julia"),
        ({"SHARPWAVE_RUNTIME": "jula"}, "must be one of juliacall, libjulia, none, got 'jula'"),
        ({"SHARPWAVE_THREADS": "0"}, "must be an integer from 1 to 1024, got '0'"),
        ({"SHARPWAVE_THREADS": "two"}, "must be an integer from 1 to 1024, got 'two'"),
        (
            {"SHARPWAVE_RUNTIME": "libjulia", "SHARPWAVE_JULIA": "/no/julia"},
            "'/no/julia' is not an executable",
        ),
        ({"SHARPWAVE_RUNTIME": "libjulia", "SHARPWAVE_JULIA": "/bin/true"}, "does not answer as a julia"),
    ],
)
def test_a_wrong_setting_is_explained(environment: dict[str, str], message: str) -> None:
    done = run_python(CALL, **environment)
    assert done.returncode == 1
    assert message in done.stderr.splitlines()[-1]


def test_without_a_julia_the_error_says_how_to_get_one(tmp_path: Path) -> None:
    done = run_python(
        CALL,
        SHARPWAVE_CACHE=str(tmp_path),
        SHARPWAVE_JULIA=None,
        PATH=os.defpath,
        SHARPWAVE_RUNTIME="libjulia",
    )
    assert "run `sharpwave setup`" in done.stderr.splitlines()[-1]


def test_extensions_that_throw_work_after_julia_has_started() -> None:
    """Julia brings libunwind into the process, whose names for unwinding must not replace those of C++."""
    done = run_python(f"{CALL}; import matplotlib.ft2font as fonts; print(getattr(fonts, 'nothing', 'caught'))")
    assert done.stdout.split() == ["2.0", "caught"], (done.returncode, done.stderr)


def test_standard_streams_block_as_before() -> None:
    """Julia's event loop makes pipes non-blocking; a long print into a slow one would then fail."""
    done = run_python(f"import os; {CALL}; print([os.get_blocking(i) for i in range(3)]); print('x' * 1_000_000)")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1] == "[True, True, True]"


def test_a_failed_start_is_kept_and_leaves_no_threads_behind() -> None:
    done = run_python(
        """
import threading, sharpwave_bridge as b
for _ in range(5):
    try:
        b.session()
    except b.JuliaUnavailableError:
        pass
print(sum(thread.name == "sharpwave-julia" for thread in threading.enumerate()))
""",
        SHARPWAVE_RUNTIME="none",
    )
    assert done.stdout.strip() == "1", done.stderr


@pytest.mark.parametrize("threads", ["1", "2"])  # an old Julia takes no more than there are cores
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core")
def test_the_number_of_threads_is_what_was_asked_for(threads: str) -> None:
    done = run_python(f"{CALL}; print(b.session().runtime.threads)", SHARPWAVE_THREADS=threads)
    assert done.stdout.split() == ["2.0", threads], done.stderr


def test_setup_is_idempotent_and_the_doctor_finds_nothing_wrong() -> None:
    done = run_python(
        "import json, sharpwave_bridge as b; b.setup(report=lambda s: None); print(json.dumps(b.doctor()))"
    )
    about = json.loads(done.stdout)
    assert about["problems"] == []
    assert about["runtime"] in ("libjulia", "juliacall")
    assert about["kernels"] > 0


def test_an_unwritable_cache_is_a_problem_with_a_remedy_and_not_a_failure(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        blocked = tmp_path / "file"
        blocked.write_text("")  # root may write anywhere, but not below a file
    else:
        blocked = tmp_path / "closed"
        blocked.mkdir(mode=0o500)
    from sharpwave_bridge.install import find_install

    install = find_install()
    assert install is not None
    done = run_python(
        f"{CALL}; import json; print(json.dumps(b.doctor()['problems']))",
        SHARPWAVE_CACHE=str(blocked / "cache"),
        SHARPWAVE_JULIA=install.executable,
        SHARPWAVE_RUNTIME="libjulia",
    )
    assert done.returncode == 0, done.stderr
    total, problems = done.stdout.splitlines()
    assert total == "2.0"
    assert "SHARPWAVE_CACHE" in json.loads(problems)[0]["remedy"]


def test_a_wheel_works_elsewhere(tmp_path: Path) -> None:
    """Built, installed into an environment of its own, used from another directory."""
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("sharpwave-*.whl")
    home = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True, timeout=120)
    (site,) = home.glob("lib/python*/site-packages")
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(install, check=True, capture_output=True, timeout=120)
    import numpy

    # its dependencies are those of this environment; .pth files in there, which lead to the checkout, are not read
    (site / "dependencies.pth").write_text(str(Path(numpy.__file__).parents[1]))
    code = "import sharpwave; from sharpwave_bridge.sources import julia_sources; print(julia_sources()); "
    done = subprocess.run(
        [str(home / "bin" / "python"), "-c", code + CALL],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    sources, total = done.stdout.splitlines()
    assert Path(sources).is_relative_to(site)
    assert total == "2.0"


def test_an_interrupt_while_julia_starts_does_not_start_it_twice() -> None:
    done = run_python(f"""
import signal, threading, time, os
{CALL.split("; ", 1)[0]}
interrupted = threading.Event()
def interrupt():  # one that Julia's own handler gets while it starts is lost, as `process_kept` says
    while not interrupted.wait(0.15):
        os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
try:
    x = np.zeros(2)
    b.call("increment", x)
    time.sleep(5)
except KeyboardInterrupt:
    interrupted.set()
    print("interrupted")
y = np.zeros(2)
b.call("increment", y)
print(y.sum())
""")
    assert done.stdout.split() == ["interrupted", "2.0"], (done.returncode, done.stderr)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"install": 3}', '{"install": null, "juliacall_works": "no"}', "[" * 100_000]
)
def test_a_damaged_record_counts_as_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "runtime.json").write_text(text)
    done = run_python(
        "from sharpwave_bridge.install import Record, read_record; print(read_record() == Record())",
        SHARPWAVE_CACHE=str(tmp_path),
    )
    assert done.stdout.strip() == "True", done.stderr
