"""Learning without a backward pass, in the quick form of the experiments."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray

from sharpwave.experiments import find
from sharpwave.experiments.options import quick_form
from sharpwave.runs import start


@pytest.mark.usefixtures("julia")
@pytest.mark.parametrize(("name", "most"), [("efp-mnist", 25.0), ("efp-fashion", 35.0)])
def test_networks_that_settle_learn_images(name: str, most: float, tmp_path: Path) -> None:
    experiment = find(name)
    run = start(experiment, quick_form(experiment, experiment.config()), tmp_path)
    run.execute()
    lines = [json.loads(line) for line in (run.directory / "metrics.jsonl").read_text().splitlines()]
    errors = {line["name"]: line["value"] for line in lines if line.get("unit") == "%"}
    # 90 % is chance; 2000 images, four epochs
    assert all(errors[f"{kind} hidden layers: test error"] < most for kind in ("two", "three"))
    assert errors["equilibrium propagation: test error"] < most
    assert all(errors[f"{kind} hidden layers, inputs left out: test error"] < most for kind in ("two", "three"))
    found = xarray.load_dataset(run.directory / "results" / "learn.nc")
    assert len(found.kind) == 15
    falling = found.train.sel(kind=["two hidden layers", "loop fixed", "states kept"]).isel(seed=0)
    assert (np.diff(falling.values, axis=1) < 0).all()
    assert not list(run.directory.rglob("*.npz"))


@pytest.mark.usefixtures("julia")
def test_signals_go_forward_in_continuous_time(tmp_path: Path) -> None:
    experiment = find("sigprop-continuous")
    run = start(experiment, quick_form(experiment, experiment.config()), tmp_path)
    run.execute()
    found = xarray.load_dataset(run.directory / "results" / "learn.nc")
    assert len(found.kind) == 8
    assert (found.test.isel(seed=0) < 40).all()  # 90 % is chance; 2000 images, six epochs


@pytest.mark.parametrize("name", ["sigprop-mnist", "sigprop-fashion"])
def test_signals_go_forward_and_memory_does_not_grow(name: str, tmp_path: Path) -> None:
    experiment = find(name)
    run = start(experiment, quick_form(experiment, experiment.config()), tmp_path)
    run.execute()
    lines = [json.loads(line) for line in (run.directory / "metrics.jsonl").read_text().splitlines()]
    values = {line["name"]: line["value"] for line in lines if "value" in line}
    assert values["memory of sigprop, growth with depth"] == 1.0
    assert values["memory of backpropagation, growth with depth"] > 2.0
    # 90 % is chance; 1500 images, three epochs
    for layers in ("dense", "convolutional"):
        plain = values[f"{layers}, backpropagation: test error"]
        assert plain < 75
        assert values[f"{layers}, sigprop, class targets, classes: test error"] < plain + 10
    found = xarray.load_dataset(run.directory / "results" / "learn.nc")
    assert found.error.shape == (7 + 14 + 1 + 5 + 8 + 1, 1)
    cost = xarray.load_dataset(run.directory / "results" / "cost.nc")
    assert (cost.bytes > 0).all()
    assert (cost.seconds > 0).all()
    assert list(cost.kind.values) == list(found.kind.values)


def test_neurons_that_spike_are_taught_in_four_ways(tmp_path: Path) -> None:
    experiment = find("sigprop-spiking")
    run = start(experiment, quick_form(experiment, experiment.config()), tmp_path)
    run.execute()
    found = xarray.load_dataset(run.directory / "results" / "learn.nc")
    assert found.error.shape == (4, 1)
    assert ((found.error > 0) & (found.error < 95)).all()
    assert float(found.error.sel(kind="mnist, backpropagation").squeeze()) < 80


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rates": (0.01,)}, "rates must be 4 positive numbers, shallow, backpropagation, surrogate, voltage"),
        ({"rates": (0.01, 0.01, 0.0, 0.01)}, "rates must be 4 positive numbers"),
        ({"rates": (0.01, float("nan"), 0.01, 0.01)}, "rates must be 4 positive numbers"),
        ({"data_sets": ("letters",)}, "data_sets among mnist, fashion-mnist"),
        ({"channels": (0, 4)}, "all numbers must be at least 1"),
    ],
)
def test_spiking_networks_that_could_not_learn_are_refused_before(given: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find("sigprop-spiking").config(**given)
