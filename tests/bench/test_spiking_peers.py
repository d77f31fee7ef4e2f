"""The spiking workloads, and what is needed to run the peers on them, shown without the peers."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sharpwave.bench
from sharpwave.bench.install import ALONE, PACKAGES, install_peers, peers_python
from sharpwave.bench.measure import Series, measure
from sharpwave.bench.peers.spiking_cases import CUBA, DIEHL_COOK, IMAGES, LOCALLY_CONNECTED, drives, firing
from sharpwave.bench.record import Point
from sharpwave.bench.spiking import _for_one_example
from sharpwave.bench.worker import Worker

# Solvers that say they took 3 ms of what took longer, that are built with what is given, and that import elsewhere.
PEER = """
import sys, time
from sharpwave.bench.peers.serve import Solver, serve

def timed(problem):
    def solve(rtol, atol):
        time.sleep(0.02)
        return [], {"seconds": 0.003}
    return solve

def reader(problem, images):
    with open(images) as file:
        text = file.read()
    return lambda rtol, atol: ([float(text)], {})

def imported(problem):
    return lambda rtol, atol: ([float("this" in sys.modules)], {})

serve([Solver(f.__name__, ("math",), ("spikes",), f) for f in (timed, reader)] + [
    Solver("apart", ("this",), ("spikes",), imported, apart=True),
    Solver("absent", ("no_such_simulator",), ("spikes",), imported, apart=True),
])
"""
rng = np.random.default_rng(3)


@pytest.fixture
def worker():
    with Worker([sys.executable, "-c", PEER]) as started:
        yield started


def test_a_locally_connected_network_sees_the_middle_of_the_image_and_the_other_all_of_it():
    images = np.zeros((2, 28, 28), np.uint8)
    images[1, 4, 5] = 255  # the corner region of the middle 20x20: row 0, column 1
    images[1, 3, 5] = 255  # outside of it
    (local,), (full,) = LOCALLY_CONNECTED.values(), [case for case in DIEHL_COOK.values() if case.batch == 1]
    seen = drives(local, images)
    assert seen.shape == (2, 1, 400)
    assert np.flatnonzero(seen[1, 0]).tolist() == [1]
    assert seen.max() == pytest.approx(127.5)
    whole = drives(full, images)
    assert np.flatnonzero(whole[1, 0]).tolist() == [3 * 28 + 5, 4 * 28 + 5]
    assert whole.max() == pytest.approx(128.0)
    assert drives(replace(full, batch=2), images).shape == (1, 2, 784)


def test_images_that_do_not_fill_the_batches_or_are_no_bytes_are_refused():
    case = DIEHL_COOK["Diehl-Cook n=400 batch=32"]
    with pytest.raises(ValueError, match="33 images do not fill batches of 32"):
        drives(case, np.zeros((33, 28, 28), np.uint8))
    with pytest.raises(ValueError, match="got float64"):
        drives(case, np.zeros((32, 28, 28)))


def test_a_filter_has_a_neuron_at_each_of_nine_places():
    assert [case.neurons for case in IMAGES.values()] == [400, 400, 900]


def test_the_firing_of_clocks_and_of_poisson_processes():
    case = CUBA["CUBA n=4000"]
    clocks = firing(np.tile(np.arange(10.0), 4), np.repeat(np.arange(4), 10), 5, 10.0)
    assert (clocks["spikes"], clocks["rate"], clocks["isi_cv"]) == (40, 800.0, pytest.approx(0.0, abs=1e-7))
    times = rng.uniform(0, case.t_end, 400_000)
    poisson = firing(times, rng.integers(0, 4000, times.size), case.neurons, case.t_end)
    assert poisson["rate"] == pytest.approx(100.0)
    assert poisson["isi_cv"] == pytest.approx(1.0, abs=0.02)  # biased by some .01: about 100 intervals in each window


def test_neurons_with_fewer_than_three_intervals_have_no_part_in_the_cv():
    times, senders = np.array([0.0, 1.0, 5.0, 0.0, 2.0, 4.0, 6.0]), np.array([0, 0, 0, 1, 1, 1, 1])
    assert firing(times, senders, 2, 10.0)["isi_cv"] == 0.0
    assert firing(times[:3], senders[:3], 2, 10.0)["isi_cv"] == 0.0


def test_a_solver_that_times_itself_is_believed(worker):
    request = {"do": "solve", "solver": "timed", "problem": "spikes", "rtol": 0, "atol": 0, "at_least": 0.05}
    first, second = worker.ask(request, 30), worker.ask(request, 30)
    assert first["seconds"] == pytest.approx(0.003, abs=0.002)  # and the building of nothing
    assert second["solves"] >= 2
    assert second["seconds"] == pytest.approx(0.003, abs=1e-4)


def test_a_solver_is_built_with_what_is_given_and_anew_when_that_changes(worker, tmp_path):
    def points(value):
        path = tmp_path / f"{value}.txt"
        path.write_text(str(value))
        series = [Series(worker, "reader", [(0.0, 0.0)], {"images": str(path)})]
        (point,) = measure("spikes", series, lambda y: y[0], limit=30.0, repeats=1, at_least=0.0)
        return point

    assert (points(0.25).error, points(0.5).error) == (0.25, 0.5)


def test_what_lives_in_a_process_apart_is_looked_for_but_not_imported(worker):
    assert worker.describe()["missing"] == {"absent": "ModuleNotFoundError: No module named 'no_such_simulator'"}
    request = {"do": "solve", "solver": "apart", "problem": "spikes", "rtol": 0, "atol": 0, "at_least": 0.0}
    assert worker.ask(request, 30)["y"] == [0.0]


def test_the_compile_time_of_a_solver_that_times_itself_is_that_of_its_building(worker):
    (point,) = measure("spikes", [Series(worker, "timed", [(0.0, 0.0)])], lambda y: 0.0, limit=30.0, at_least=0.0)
    assert point.seconds == pytest.approx(0.003, abs=1e-4)
    assert point.compile_seconds < 0.003


def test_bindsnet_is_entered_past_the_part_that_needs_torchvision(tmp_path):
    package = tmp_path / "bindsnet"
    package.mkdir()
    (package / "__init__.py").write_text("import no_such_torchvision")
    for name in ("network", "models", "encoding"):
        (package / f"{name}.py").write_text("import sys; order = [*sys.modules]")
    code = """
import sys
sys.path[:0] = sys.argv[1:]
import peers.bindsnet_core
import bindsnet.models
assert bindsnet.models.order.index("bindsnet.network") < bindsnet.models.order.index("bindsnet.models")
"""
    folder = Path(sharpwave.bench.__file__).parent
    subprocess.run([sys.executable, "-I", "-c", code, str(tmp_path), str(folder)], timeout=60, check=True)


def test_bindsnet_is_installed_without_the_packages_that_no_simulation_needs(tmp_path):
    python = peers_python(tmp_path)
    python.parent.mkdir(parents=True)
    log = tmp_path / "log"
    python.write_text(f'#!/bin/sh\necho "$@" >>{log}\n')
    python.chmod(0o755)
    assert install_peers(tmp_path) == {}
    bare = [line.split()[-1] for line in log.read_text().splitlines() if "--no-deps" in line]
    assert bare == list(ALONE)
    assert set(ALONE) < set(PACKAGES)


def test_the_time_of_an_example_includes_the_drawing_of_its_input() -> None:
    stats = {"examples": 4, "encoding_seconds": 2.0}
    point = Point("a", "Diehl-Cook", 0.0, 0.0, 8.0, 7.0, 9.0, 3, None, 0.0, "ok", stats)
    each = _for_one_example(point)
    assert (each.seconds, each.fastest, each.slowest) == (2.5, 2.25, 2.75)
