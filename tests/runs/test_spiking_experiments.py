"""The experiments on spiking networks come out as they should, in small forms on the smallest images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray

from sharpwave.experiments import find
from sharpwave.experiments.options import quick_form
from sharpwave.runs import Run, start

DIGITS = {
    "data_set": "digits",
    "hidden": (64, 32),
    "epochs": 80,
    "steps": (1, 4, 16, 64),
    "batches": (1, 50),
    "torch_images": 50,
}


def finished(root: Path, **fields: Any) -> Run:
    experiment = find("minibatch-conversion")
    config = quick_form(experiment, experiment.config())
    run = start(experiment, type(config)(**{**vars(config), **fields}), root)
    run.execute()
    return run


def metrics(run: Run) -> dict[str, Any]:
    lines = [json.loads(line) for line in (run.directory / "metrics.jsonl").read_text().splitlines()]
    return {line["name"]: line["value"] for line in lines if "value" in line}


@pytest.mark.usefixtures("julia")
def test_a_converted_classifier_is_as_good_as_the_original_in_every_batch(tmp_path: Path) -> None:
    run = finished(tmp_path, **DIGITS)
    found = metrics(run)
    assert found["accuracy of the ANN"] > 85  # 91 to 92 with seeds 0 to 2; chance is 10
    assert found["accuracy at T = 16"] > 85  # 91.5 to 92
    assert abs(found["accuracy at T = 64"] - found["accuracy of the ANN"]) < 1.5
    assert found["images classified otherwise in another batch"] == found["difference of scores"] == 0
    assert found["difference of scores, in torch"] < 1e-9
    result = xarray.load_dataset(run.directory / "results" / "evaluate.nc")
    assert result.accuracy.dims == ("T", "batch")
    assert result.batch.values.tolist() == [1, 50, 899]  # and all of them
    assert (result.accuracy == result.accuracy[:, :1]).all()
    same = result.same_decision.values
    assert same[0] < same[-1]
    assert same[-1] > 98


@pytest.mark.usefixtures("julia")
def test_a_conversion_that_was_killed_ends_in_the_same_numbers(tmp_path: Path) -> None:
    small = {**DIGITS, "epochs": 3, "steps": (8,), "batches": (100,), "torch_images": 20}
    run, other = finished(tmp_path / "one", **small), finished(tmp_path / "other", **small)
    assert metrics(run) == metrics(other)
    before = metrics(run)
    for step in ("evaluate", "train"):  # done again with what was stored, and from the beginning
        result = run.directory / "results" / f"{step}.nc"
        stored = xarray.load_dataset(result)
        result.unlink()
        run.execute()
        assert metrics(run) == before
        xarray.testing.assert_identical(xarray.load_dataset(result), stored)
    assert not np.isclose(
        metrics(finished(tmp_path / "third", **{**small, "seed": 1}))["training loss"], before["training loss"]
    )


def test_torch_alone_does_it_too(tmp_path: Path) -> None:
    small = {**DIGITS, "steps": (32,), "batches": (200,), "backend": "torch"}
    found = metrics(finished(tmp_path, **small))
    assert found["accuracy at T = 32"] > 85
    assert found["difference of scores"] < 1e-9


def test_a_configuration_without_steps_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one hidden layer and number of steps"):
        find("minibatch-conversion").config(steps=())
