"""Tasks one after the other, in the quick form of the experiments."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import xarray

from sharpwave.experiments import find
from sharpwave.experiments.options import quick_form
from sharpwave.runs import start


def test_strategies_are_compared_on_split_mnist(tmp_path: Path) -> None:
    experiment = find("split-mnist")
    run = start(experiment, replace(quick_form(experiment, experiment.config()), iterations=80), tmp_path)
    run.execute()
    lines = [json.loads(line) for line in (run.directory / "metrics.jsonl").read_text().splitlines()]
    accuracy = {line["name"]: line["value"] for line in lines if line.get("unit") == "%"}
    # 80 batches a task: nothing but the last two digits is known, or most
    assert accuracy["class, none: accuracy"] < 25
    assert accuracy["class, experience replay: accuracy"] > 60
    assert accuracy["class, iCaRL: accuracy"] > 60
    found = xarray.load_dataset(run.directory / "results" / "learn.nc")
    assert found.accuracy.dims == ("kind", "seed", "after", "task")
    assert found.accuracy.shape == (3, 1, 5, 5)
    assert not list(run.directory.rglob("*.npz"))


@pytest.mark.parametrize(
    ("name", "asked", "meant"),
    [
        ("split-mnist", "experience reply", "experience replay"),
        ("biological-elements", "partial reply", "partial replay"),
    ],
)
def test_a_strategy_that_there_is_not_is_named(name: str, asked: str, meant: str, tmp_path: Path) -> None:
    experiment = find(name)
    config = replace(quick_form(experiment, experiment.config()), strategies=(asked,))
    with pytest.raises(ValueError, match=f"unknown strategy '{asked}': did you mean '{meant}'"):
        start(experiment, config, tmp_path).execute()


@pytest.mark.usefixtures("julia")
def test_reverse_replay_needs_the_fewest_transitions_and_a_sequence_memory_is_as_good_as_a_list(tmp_path: Path) -> None:
    experiment = find("episode-replay")
    run = start(experiment, quick_form(experiment, experiment.config()), tmp_path)
    run.execute()
    lines = [json.loads(line) for line in (run.directory / "metrics.jsonl").read_text().splitlines()]
    found = {line["name"]: line["value"] for line in lines if "value" in line}
    needed = {name.removesuffix(": transitions until values are learned"): value for name, value in found.items()}
    assert needed["reverse, list"] < needed["shuffled, list"] < needed["forward, list"]
    assert needed["reverse, DSEM"] == needed["reverse, list"]
    assert found["speed 1: episodes replayed right, in reverse"] == 100
    assert found["speed 2: time at a place"] < found["speed 1: time at a place"]


def test_one_pass_is_enough_where_something_is_replayed(tmp_path: Path) -> None:
    experiment = find("online")
    run = start(experiment, quick_form(experiment, experiment.config()), tmp_path)
    run.execute()
    lines = [json.loads(line) for line in (run.directory / "metrics.jsonl").read_text().splitlines()]
    found = {line["name"].removesuffix(": accuracy"): line["value"] for line in lines if line.get("unit") == "%"}
    assert found.pop("none") < 40
    assert found.pop("A-GEM") < 60  # forgets less, but does forget
    assert len(found) == 6
    assert all(value > 60 for value in found.values())


def test_pixels_in_other_orders_push_out_those_before(tmp_path: Path) -> None:
    experiment = find("permuted-mnist")
    run = start(experiment, replace(quick_form(experiment, experiment.config()), iterations=240), tmp_path)
    run.execute()
    lines = [json.loads(line) for line in (run.directory / "metrics.jsonl").read_text().splitlines()]
    found = {line["name"]: line["value"] for line in lines if line.get("unit") == "%"}
    assert found["domain, experience replay: accuracy"] > found["domain, none: accuracy"] + 3


def test_elements_are_compared_with_replay_without_them(tmp_path: Path) -> None:
    experiment = find("biological-elements")
    config = replace(quick_form(experiment, experiment.config()), strategies=("partial replay", "spontaneous replay"))
    run = start(experiment, config, tmp_path)
    run.execute()
    lines = [json.loads(line) for line in (run.directory / "metrics.jsonl").read_text().splitlines()]
    found = {line["name"]: line["value"] for line in lines if "value" in line}
    assert found["replay: accuracy"] > 50
    gain = found["partial replay: accuracy"] - found["replay: accuracy"]
    assert found["partial replay: gain"] == pytest.approx(gain)
    data = xarray.load_dataset(run.directory / "results" / "learn.nc")
    assert data.accuracy.shape == (4, 2)
    points = run.directory / "points" / "learn"
    kept = {path.name: json.loads(path.read_text())["bytes"] for path in points.glob("*-seed-0.json")}
    assert kept["partial-replay-seed-0.json"] == kept["replay-seed-0.json"]
    dreams = kept["spontaneous-replay-seed-0.json"]
    assert kept["replay-of-as-many-bytes-as-dreams-take-seed-0.json"] == pytest.approx(dreams, rel=0.01)
    assert dreams > 3 * kept["replay-seed-0.json"]


@pytest.mark.usefixtures("julia")
def test_sleep_brings_back_what_was_forgotten(tmp_path: Path) -> None:
    experiment = find("sleep-replay")
    run = start(experiment, quick_form(experiment, experiment.config()), tmp_path)
    run.execute()
    lines = [json.loads(line) for line in (run.directory / "metrics.jsonl").read_text().splitlines()]
    found = {line["name"]: line["value"] for line in lines if "value" in line}
    earlier = "accuracy of earlier ones"
    assert (
        found[f"chosen rule, 2 tasks, after sleep: {earlier}"]
        > found[f"chosen rule, 2 tasks, before sleep: {earlier}"] + 20
    )
    everything = "accuracy of all so far"
    assert (
        found[f"chosen rule, 2 tasks, after sleep: {everything}"]
        > found[f"chosen rule, 2 tasks, before sleep: {everything}"] + 10
    )
