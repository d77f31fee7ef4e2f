"""Experiments on spiking networks that learn, in small forms on the smallest images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray

from sharpwave.experiments import c_snn, find, trained_digits
from sharpwave.experiments.options import quick_form
from sharpwave.runs import Run, reopen, start

# With learning rates of 0 the digits are recognised all the same, from spikes of random weights: in 33 to 36 % of the
# images by the network of `STDP`, 44 to 46 by that of `DIEHL_COOK`, 44 to 48 by that of `C_SNN` without shared weights.
STDP = {
    "data_set": "digits",
    "seeds": 3,  # of which the means are 59 % with B = 1, and with B = 16 of max 56, of mean 36
    "batches": (1, 16),
    "units": 100,
    "norm": 14.0,
    "duration": 200.0,
    "examples": 898,
    "test_images": 899,
    "tests": 2,
}
DIEHL_COOK = {
    "data_set": "digits",
    "units": (60,),
    "norm": 30.0,
    "rest": 50.0,
    "nu": (1e-4, 4e-2),
    "epochs": 3,
    "examples": 898,
    "labelled": 898,
    "test_images": 899,
}
C_SNN = {
    "data_set": "digits",
    "kernel_sizes": (6,),
    "patches": 20,
    "norm": 15.0,
    "rest": 50.0,
    "examples": 898,
    "labelled": 898,
    "test_images": 899,
    "cost_sizes": (6,),
    "cost_images": 30,
}
SHORT = {**DIEHL_COOK, "units": (10, 20), "epochs": 1, "examples": 300, "labelled": 100, "test_images": 100}


def begun(name: str, root: Path, **fields: Any) -> Run:
    experiment = find(name)
    config = quick_form(experiment, experiment.config())
    return start(experiment, type(config)(**{**vars(config), **fields}), root)


def finished(name: str, root: Path, **fields: Any) -> Run:
    run = begun(name, root, **fields)
    run.execute()
    return run


def metrics(run: Run) -> dict[str, Any]:
    lines = [json.loads(line) for line in (run.directory / "metrics.jsonl").read_text().splitlines()]
    return {line["name"]: line["value"] for line in lines if "value" in line}


def result(run: Run, step: str) -> xarray.Dataset:
    return xarray.load_dataset(run.directory / "results" / f"{step}.nc")


@pytest.mark.usefixtures("julia")
def test_both_backends_spike_alike_whatever_the_batch(tmp_path: Path) -> None:
    run = finished("minibatch-scaling", tmp_path, batches=(1, 8), neurons=(10, 30), duration=300.0)
    assert metrics(run)["difference of spikes between backends"] == 0
    found = result(run, "measure")
    assert found.seconds.dims == ("backend", "rule", "n", "B")
    assert (found.seconds > 0).all()
    assert ((found.rate > 10) & (found.rate < 25)).all()  # about 18 Hz: neither silent nor exploding
    assert not np.isclose(found.rate.sel(rule="with STDP", B=8), found.rate.sel(rule="without STDP", B=8)).all()


@pytest.mark.usefixtures("julia")
def test_a_series_ends_with_the_first_batch_over_the_limit(tmp_path: Path) -> None:
    small = {"batches": (1, 2, 4), "neurons": (10,), "duration": 100.0, "limit": 0.0, "backends": ("julia",)}
    seconds = result(finished("minibatch-scaling", tmp_path, **small), "measure").seconds
    assert (seconds.sel(B=1) > 0).all()
    assert seconds.sel(B=[2, 4]).isnull().all()


@pytest.mark.usefixtures("julia")
def test_in_batches_the_largest_change_learns_and_the_mean_hardly_does(tmp_path: Path) -> None:
    run = finished("minibatch-stdp", tmp_path, **STDP)
    best = {name.removesuffix(": best accuracy"): value for name, value in metrics(run).items()}
    assert best["max, B = 1"] == best["sum, B = 1"] == best["mean, B = 1"] > 52
    assert best["max, B = 16"] > 50
    assert best["mean, B = 16"] < best["max, B = 16"] - 10
    found = result(run, "learn")
    assert found.accuracy.dims == ("reduction", "B", "seed", "test")
    assert found.seed.values.tolist() == [0, 1, 2]
    assert found.examples.values.tolist() == [449, 898]
    assert (found.best >= found.accuracy).all()


@pytest.mark.usefixtures("julia")
def test_neurons_of_2015_learn_digits(tmp_path: Path) -> None:
    found = result(finished("diehl-cook-2015", tmp_path, **DIEHL_COOK), "learn")
    assert found.accuracy_afterwards.sel(readout="all").item() > 55
    assert found.accuracy_beside.sel(readout="all").item() > 55


@pytest.mark.usefixtures("julia")
def test_convolutional_patches_learn_digits_and_cost_what_the_model_says(tmp_path: Path) -> None:
    run = finished("c-snn", tmp_path, **C_SNN)
    found = result(run, "learn").sel(kernel_size=6).squeeze("seed")
    assert found.accuracy_afterwards.sel(layer="unshared", vote="all") > 60
    assert found.accuracy_beside.sel(layer="unshared", vote="all") > 60
    assert (found.accuracy_afterwards > 25).all()  # any vote of either layer; chance is 10
    assert metrics(run)["layers with another number of weights than the cost model has"] == 0
    cost = result(run, "cost")
    assert cost.weights.values.tolist() == [4 * 20 * 36, 20 * 36]  # unshared and shared
    assert cost.neurons.values.tolist() == [80, 80]
    assert (cost.memory > 0).all()


@pytest.mark.usefixtures("julia")
def test_what_was_learned_before_a_kill_is_not_learned_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed = finished("diehl-cook-2015", tmp_path / "one", **SHORT)
    run = begun("diehl-cook-2015", tmp_path / "other", **SHORT)
    learn = trained_digits.learn_and_test
    learned: list[str] = []

    def killed(model: Any, lesson: Any) -> Any:
        learned.append(lesson.name)
        if len(learned) == 2:
            monkeypatch.setattr(type(model), "relabel", interrupted)
        return learn(model, lesson)

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("sharpwave.experiments.diehl_cook_2015.learn_and_test", killed)
        with pytest.raises(KeyboardInterrupt):
            run.execute()
    monkeypatch.undo()
    home = run.directory / "points" / "learn"
    assert sorted(path.name for path in home.iterdir()) == [
        "10-inhibition-17-seed-0.npz",
        "20-inhibition-17-seed-0-weights.npz",
        "20-inhibition-17-seed-0.json",
    ]
    kept, learned_so_far = (
        (home / "20-inhibition-17-seed-0.json").stat().st_mtime_ns,
        (home / "10-inhibition-17-seed-0.npz").stat().st_size,
    )
    assert learned_so_far > 0
    reopen(run.directory, run.experiment).execute()
    assert metrics(run) == metrics(undisturbed)
    xarray.testing.assert_identical(result(run, "learn"), result(undisturbed, "learn"))
    assert (home / "20-inhibition-17-seed-0.json").stat().st_mtime_ns == kept
    assert not (home / "10-inhibition-17-seed-0.npz").exists()


@pytest.mark.usefixtures("julia")
def test_processes_side_by_side_find_the_same(tmp_path: Path) -> None:
    alone, two = (finished("diehl-cook-2015", tmp_path / str(jobs), **SHORT, jobs=jobs) for jobs in (1, 2))
    assert metrics(alone) == metrics(two)
    assert metrics(finished("diehl-cook-2015", tmp_path / "3", **SHORT, seed=1)) != metrics(alone)


def test_the_published_table_has_every_layer() -> None:
    assert c_snn.LAYERS.keys() == c_snn._DECIDES.keys() == {*c_snn._PUBLISHED, "selective"}


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("minibatch-scaling", {"backends": ("jula",)}, "unknown backend 'jula': did you mean 'julia'"),
        ("minibatch-scaling", {"batches": ()}, "at least one batch"),
        ("minibatch-stdp", {"reductions": ("maximum",)}, "unknown reduction 'maximum'"),
        ("minibatch-stdp", {"batches": (0,)}, "at least one batch"),
        ("c-snn", {"layers": ("share",)}, "unknown layer 'share': did you mean 'shared'"),
        ("c-snn", {"kernel_sizes": ()}, "at least one layer and kernel size"),
        ("diehl-cook-2015", {"units": (0,)}, "at least one number of neurons"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(name: str, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find(name).config(**fields)
