"""The experiments on sequential memory come out as they should, here on the torch backend and the smallest images."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
import xarray

from sharpwave import data
from sharpwave.experiments import find
from sharpwave.experiments.options import quick_form
from sharpwave.runs import Run, start


@pytest.fixture(autouse=True)
def digits_only(monkeypatch: pytest.MonkeyPatch) -> None:
    load = data.load

    def offline(name: str) -> data.ImageDataset:
        if name != "digits":
            raise data.DataUnavailableError(f"{name} cannot be had")
        return load(name)

    monkeypatch.setattr(data, "load", offline)


def finished(name: str, root: Path, **fields: Any) -> Run:
    experiment = find(name)
    config = quick_form(experiment, experiment.config(backend="torch", **fields))
    run = start(experiment, config, root)
    run.execute()
    return run


def metrics(run: Run) -> dict[str, Any]:
    lines = [json.loads(line) for line in (run.directory / "metrics.jsonl").read_text().splitlines()]
    return {line["name"]: line["value"] for line in lines if "value" in line}


@pytest.mark.parametrize("seed", range(2))
def test_the_demo_completes_the_cue_and_recalls_in_order(tmp_path: Path, seed: int) -> None:
    found = metrics(finished("demo", tmp_path, seed=seed))
    assert found["images of the stored episode"] == "digits"
    right, _, total = found["transitions in the stored order"].partition(" of ")
    assert right == total
    assert int(total) >= 3
    assert found["overlap of the cue with its memory"] < 0.75
    assert found["mean peak overlap in recall"] > 0.95
    assert found["learned images recalled in order"] == "10 of 10"


def test_the_demo_resumes_to_the_same_numbers(tmp_path: Path) -> None:
    run = finished("demo", tmp_path)
    before, last = metrics(run), run.experiment.steps[-1].__name__
    result = run.directory / "results" / f"{last}.nc"
    recalled = xarray.load_dataset(result)
    result.unlink()
    run.execute()
    assert metrics(run) == before
    xarray.testing.assert_identical(xarray.load_dataset(result), recalled)


def test_the_demo_shows_a_recall_without_transitions(tmp_path: Path) -> None:
    found = metrics(finished("demo", tmp_path, alpha_c=0.0))
    assert found["transitions in the stored order"] == "0 of 0"


def test_the_dsem_figure_goes_round_the_cued_cycle(tmp_path: Path) -> None:
    found = metrics(finished("dsem-figure", tmp_path))
    assert found["memories visited"].startswith("5 6 7 4")  # the paper's sequence
    right, _, total = found["transitions along the graph"].partition(" of ")
    assert right == total


def test_no_figure_of_the_demo_is_squeezed(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="constrained_layout not applied")
        finished("demo", tmp_path, corruption=0.9)
