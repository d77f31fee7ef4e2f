"""RNNs that learn to bind variables, in the quick form of the experiment."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray
from PIL import Image

from sharpwave.data import DataUnavailableError, load_text
from sharpwave.experiments import find, variable_binding_table
from sharpwave.experiments.options import quick_form
from sharpwave.runs import reopen, start
from sharpwave_bridge import paths


@pytest.mark.usefixtures("julia")
def test_networks_learn_the_rule_and_a_run_that_was_killed_ends_in_the_same(tmp_path: Path, monkeypatch) -> None:
    experiment = find("variable-binding-table")
    config = quick_form(experiment, experiment.config(backend="julia"))
    runs = [start(experiment, config, tmp_path / name) for name in ("whole", "killed")]
    runs[0].execute()
    found = xarray.load_dataset(runs[0].directory / "results" / "learn.nc")
    # .5 is chance; the horizon of the test is twenty times that of the training
    assert (found.accuracy > 0.62).all()
    assert (found.steps == config.steps).all()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(variable_binding_table, "_measured", killed)
        with pytest.raises(KeyboardInterrupt):
            runs[1].execute()
    reopen(runs[1].directory, experiment).execute()
    again = xarray.load_dataset(runs[1].directory / "results" / "learn.nc")
    xarray.testing.assert_identical(found, again)
    assert not list(tmp_path.rglob("T2-64-0.npz"))
    networks = np.load(next(runs[1].directory.rglob("T2-64-0-networks.npz")))
    assert networks["recurrent"].shape == (2, 64, 64)


def test_the_published_table_has_every_cell() -> None:
    config = variable_binding_table.VariableBindingConfig()
    assert {tuple(cell) for cell in config.cells()} == set(variable_binding_table._PUBLISHED)


def test_a_task_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="expected tasks among T1, T2, T3, T4"):
        variable_binding_table.VariableBindingConfig(tasks=("T5",))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tested": 16}, "tested must be more than the 16 characters in sight, got 16"),
        ({"horizons": ()}, "expected rising horizons"),
        ({"horizons": (20, 10)}, "expected rising horizons"),
        ({"learning_rate": -1.0}, "learning_rate and clip must be positive"),
        ({"text_layers": ()}, "text_layers must be different, and at least one"),
        ({"tasks": ("T1", "T1")}, "tasks must be different, and at least one"),
        ({"tasks": ("T5",)}, "tasks must be among T1, T2, T3, T4"),
        ({"rows": 0}, "all numbers must be at least 1"),
    ],
)
def test_what_would_fail_after_training_is_refused_before(given: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find("wave-transformer").config(**given)


def quickly(name: str, root: Path) -> dict[str, float]:
    experiment = find(name)
    run = start(experiment, quick_form(experiment, experiment.config()), root)
    run.execute()
    lines = [json.loads(line) for line in (run.directory / "metrics.jsonl").read_text().splitlines()]
    return {line["name"]: line["value"] for line in lines if "value" in line}


@pytest.mark.usefixtures("julia")
def test_the_variables_of_exact_and_of_trained_networks_are_found(tmp_path: Path) -> None:
    found = quickly("privileged-basis", tmp_path)
    assert found["largest error in exact networks, regression"] < 1e-8
    assert found["largest error in exact networks, powers from the input"] < 1e-8
    # 1.4 for the operator of a network that does nothing of the kind, at random
    assert found["T2: error of the operator, regression"] < 0.25
    (moving,) = tmp_path.rglob("waves.gif")
    with Image.open(moving) as picture:
        assert picture.n_frames == 24
    assert "data:image/gif;base64," in (moving.parents[1] / "report.html").read_text()


@pytest.mark.usefixtures("julia")
def test_outputs_follow_a_variable_that_is_overwritten(tmp_path: Path) -> None:
    assert quickly("intervention", tmp_path)["T2: outputs follow the rule, basis by regression"] >= 95


@pytest.mark.usefixtures("julia")
def test_gradients_reach_further_after_training(tmp_path: Path) -> None:
    found = quickly("wave-gradient", tmp_path)
    before, after = (found[f"T2: gradient at distance 7, {when} training"] for when in ("before", "after"))
    assert before < 0.1
    assert after > 2 * before


@pytest.mark.usefixtures("julia")
def test_networks_that_begin_as_waves_learn_sooner(tmp_path: Path) -> None:
    found = quickly("wave-init", tmp_path)
    assert found["s = 4, wave: networks that solved it"] == found["s = 4, uniform: networks that solved it"] == 2
    assert found["s = 4, wave: steps to solution, median"] < 0.8 * found["s = 4, uniform: steps to solution, median"]


@pytest.mark.usefixtures("julia")
def test_attention_lattices_learn_and_are_the_transformers_that_they_say(tmp_path: Path) -> None:
    try:
        load_text("brown")
    except (DataUnavailableError, paths.CacheError) as error:
        pytest.skip(f"the Brown corpus cannot be had here: {error}")
    found = quickly("wave-transformer", tmp_path)
    assert found["T4: accuracy"] > 0.55  # .5 is chance; the horizon of the test is twenty times that of the training
    assert found["text, layers 1: bits a character"] < 3.9  # 4.17 by counts of single characters
    for what in ("tasks", "text"):
        assert found[f"largest difference of lattice and transformer, {what}"] < 1e-12
