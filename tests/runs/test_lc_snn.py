"""The experiment on locally connected networks learns in its quick form, and resumes to the same numbers."""

from __future__ import annotations

import doctest
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray

from sharpwave.data import DataUnavailableError, load
from sharpwave.experiments import find
from sharpwave.experiments.lc_snn import networks
from sharpwave.experiments.options import command, parse, quick_form
from sharpwave.runs import Run, start

TINY = {
    "examples": 300,
    "test_images": 100,
    "filters": (9, 16),
    "units": (20,),
    "lesioned": (9, 20),
    "stops": (100, 300),
}
TINY |= {
    "watched": (9, 20),
    "best_filters": (9,),
    "best_windows": (16,),
    "fashion_filters": (9,),
    "seeds": 2,
    "draws": 2,
}


@pytest.fixture(autouse=True)
def images() -> None:
    for name in ("mnist", "fashion-mnist"):
        try:
            load(name)
        except DataUnavailableError as error:
            pytest.skip(f"{name} cannot be had here: {error}")


def begun(root: Path, **fields: Any) -> Run:
    experiment = find("lc-snn")
    config = quick_form(experiment, experiment.config())
    return start(experiment, type(config)(**{**vars(config), **fields}), root)


def finished(root: Path, **fields: Any) -> Run:
    run = begun(root, **fields)
    run.execute()
    return run


def metrics(run: Run) -> dict[str, Any]:
    lines = [json.loads(line) for line in (run.directory / "metrics.jsonl").read_text().splitlines()]
    return {line["name"]: line["value"] for line in lines if "value" in line}


def results(run: Run) -> dict[str, xarray.Dataset]:
    return {path.stem: xarray.load_dataset(path) for path in (run.directory / "results").glob("*.nc")}


class Killed(BaseException):
    pass


def at(step: str, fraction: float) -> Callable[[str, float], None]:
    def watch(name: str, done: float) -> None:
        if name == step and fraction <= done < 1.0:
            raise Killed

    return watch


@pytest.mark.usefixtures("julia")
def test_the_quick_form_learns(tmp_path: Path) -> None:
    run = finished(tmp_path)
    found = metrics(run)
    # Measured with seeds 0 to 4; and what weights come to that stay as they were drawn. Chance is 10.
    assert found["LC-SNN, 25 filters: 2-gram"] > 61  # 68 to 73; 51
    assert found["LC-SNN, 25 filters: linear readout"] > 68  # 76 to 80; 56
    assert found["LC-SNN, 25 filters, k = 12, epochs: 2: linear readout"] > 73  # 77 to 82; 69
    assert found["Diehl-Cook, 100 units: 2-gram"] > 42  # 48 to 56; 26
    assert found["Fashion-MNIST, 25 filters: 2-gram"] > 53  # 58 to 61; 47
    assert found["LC-SNN, after 250 images"] > found["Diehl-Cook, after 250 images"] + 10
    for part in ("synapses", "neurons"):
        left = [found[f"LC-SNN, {share} of {part} deleted"] for share in ("0%", "50%", "90%")]
        assert left[0] > left[2] + 10
        assert left[1] > left[2]
    accuracy = results(run)["sizes"].accuracy
    assert accuracy.dims == ("F", "seed", "readout")
    assert accuracy.sel(F=25, readout="2-gram").item() == found["LC-SNN, 25 filters: 2-gram"]
    assert not list((run.directory / "points").rglob("*-0.npz"))  # no checkpoint is left


@pytest.mark.usefixtures("julia")
def test_a_run_that_was_killed_ends_in_the_same_numbers(tmp_path: Path) -> None:
    undisturbed, run = finished(tmp_path / "one", **TINY), begun(tmp_path / "other", **TINY)
    with pytest.raises(Killed):
        run.execute(at("sizes", 0.5))
    points = sorted((run.directory / "points" / "sizes").glob("*.json"))
    assert len(points) == 2
    written = [path.stat().st_mtime_ns for path in points]
    for step, fraction in (("baseline", 0.5), ("robustness", 0.5), ("convergence", 0.5), ("best", 0.0)):
        with pytest.raises(Killed):
            run.execute(at(step, fraction))
    run.execute()
    assert [path.stat().st_mtime_ns for path in points] == written  # what was found is not found again
    assert metrics(run) == metrics(undisturbed)
    for name, result in results(undisturbed).items():
        xarray.testing.assert_identical(result, results(run)[name])
    accuracy = results(run)["sizes"].accuracy.values
    assert not np.array_equal(accuracy[:, 0], accuracy[:, 1])  # seeds differ


def test_configurations_that_do_not_fit_are_refused() -> None:
    config = find("lc-snn").config
    for fields, message in (
        ({"filters": ()}, "at least one number of filters"),
        ({"best_epochs": (1,)}, "best_filters, best_windows and best_epochs must be as many, got 4, 4 and 1"),
        ({"examples": 1000}, r"stops must rise to at most 1000, the number of examples"),
        ({"fractions": (0.5, 1.5)}, "fractions must be from 0 to 1"),
    ):
        with pytest.raises(ValueError, match=message):
            config(**fields)


def test_the_command_of_a_run_gives_its_configuration_back() -> None:
    experiment = find("lc-snn")
    config = quick_form(experiment, experiment.config())
    words = command(experiment, config).split()[3:]
    assert parse(experiment, words, experiment.config()) == config


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(networks) == (0, 1)
