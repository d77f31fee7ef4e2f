"""Sweeps in processes and on a cluster, of which a worker is killed."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from distributed import LocalCluster

from sharpwave.experiments.experiment import Context
from sharpwave.experiments.sweeping import swept


def context(directory: Path) -> Context:
    return Context(None, "learn", directory, lambda *_: None, {})


def work(value: int, pids: Path, seconds: float = 0.0) -> dict[str, int]:
    """Says who is doing what, and takes its time."""
    (pids / f"{value}-{os.getpid()}-{time.time_ns()}").touch()
    time.sleep(seconds)
    return {"value": value**2}


def who(pids: Path) -> list[tuple[int, int]]:
    """Tasks and processes that began them, in order."""
    names = sorted((path.name.split("-") for path in pids.iterdir()), key=lambda name: int(name[2]))
    return [(int(name[0]), int(name[1])) for name in names]


@pytest.fixture
def pids(tmp_path: Path) -> Path:
    (tmp_path / "pids").mkdir()
    return tmp_path / "pids"


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_sweep_does_each_point_once_and_reads_it_again(tmp_path: Path, pids: Path, jobs: int) -> None:
    tasks = {f"point-{value}": partial(work, value, pids) for value in range(5)}
    first = swept(context(tmp_path), {name: tasks[name] for name in ("point-3", "point-1")}, jobs)
    assert first == {"point-3": {"value": 9}, "point-1": {"value": 1}}
    found = swept(context(tmp_path), tasks, jobs)
    assert found == {f"point-{value}": {"value": value**2} for value in range(5)}
    assert sorted(task for task, _ in who(pids)) == list(range(5))


def test_a_sweep_on_a_dask_cluster_loses_nothing_when_a_worker_is_killed(
    tmp_path: Path, pids: Path, monkeypatch
) -> None:
    tasks = {f"point-{value}": partial(work, value, pids, 0.3) for value in range(10)}
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=str(tmp_path / "dask")
    ) as cluster:
        monkeypatch.setenv("SHARPWAVE_CLUSTER", f"dask:{cluster.scheduler_address}")
        killed: list[int] = []

        def kill() -> None:
            while len(who(pids)) < 4:
                time.sleep(0.02)
            victim = who(pids)[-1][1]
            os.kill(victim, signal.SIGKILL)
            killed.append(victim)

        killer = threading.Thread(target=kill)
        killer.start()
        found = swept(context(tmp_path), tasks, 1)
        killer.join()
    assert found == {f"point-{value}": {"value": value**2} for value in range(10)}
    began = who(pids)
    assert os.getpid() not in {process for _, process in began}
    assert killed[0] in {process for _, process in began}
    lost = [task for task, process in began if process == killed[0]][-1]
    assert [process for task, process in began if task == lost][-1] != killed[0]  # somebody else did it
    for name, values in found.items():
        assert json.loads((tmp_path / "points" / "learn" / f"{name}.json").read_text()) == values


@pytest.mark.parametrize("given", ["dask", "dask:", "slurm:4", "ray:1"])
def test_a_cluster_that_there_is_not_is_refused(tmp_path: Path, monkeypatch, given: str) -> None:
    monkeypatch.setenv("SHARPWAVE_CLUSTER", given)
    with pytest.raises(ValueError, match=r"must be dask:ADDRESS.*or ray, got"):
        swept(context(tmp_path), {"point": dict}, 1)
