"""A run survives kills, and says what it cannot do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray
from hypothesis import given
from hypothesis import strategies as st

import walks
from sharpwave.experiments import Experiment
from sharpwave.runs import Run, RunError, config_from, latest, read_about, reopen, start
from walks import EXPERIMENT, WalkConfig

KILL_POINTS = [
    "draw: begin",
    "draw: end",
    "watch: walk 0.0",
    "walk: 0",
    "walk: 13",
    "watch: walk 1.0",
    "draw_figure: begin",
    "draw_figure: end",
    "watch: draw_figure 1.0",
]


def numbers(run: Path) -> tuple[list[str], dict[str, xarray.Dataset], dict[str, bytes]]:
    """What a run found: lines of metrics without times, arrays, and figures."""
    lines = []
    for line in (run / "metrics.jsonl").read_text().splitlines():
        fields = json.loads(line)
        fields.pop("seconds", None)
        lines.append(json.dumps(fields))
    results = {path.name: xarray.load_dataset(path) for path in sorted((run / "results").iterdir())}
    return lines, results, {path.name: path.read_bytes() for path in (run / "figures").iterdir()}


def same(one: Path, other: Path) -> bool:
    (lines, results, figures), (other_lines, other_results, other_figures) = numbers(one), numbers(other)
    assert lines == other_lines
    assert figures == other_figures
    assert results.keys() == other_results.keys()
    return all(results[name].identical(other_results[name]) for name in results)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = start(EXPERIMENT, WalkConfig(seed=3), tmp_path_factory.mktemp("undisturbed"))
    run.execute()
    return run.directory


def killed_at(*moments: tuple[Path, str]) -> list[bool]:
    """Start or resume the run in each directory; whether it was killed at the moment, or else came to its end."""
    command = [sys.executable, walks.__file__, json.dumps(moments, default=str)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=120, check=True)
    answer: list[bool] = json.loads(done.stdout)
    return answer


def test_a_run_killed_at_every_moment_resumes_to_the_same_numbers(tmp_path: Path, undisturbed: Path) -> None:
    assert all(killed_at(*((tmp_path, point) for point in KILL_POINTS)))
    assert killed_at((tmp_path, "nowhere")) == [False]
    (run,) = (tmp_path / "walk").iterdir()
    assert same(run, undisturbed)
    assert "not finished" not in (run / "report.html").read_text()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_run_killed_at_any_rename_resumes_to_the_same_numbers(tmp_path: Path, undisturbed: Path, moment: str) -> None:
    roots = [tmp_path / str(number) for number in range(1, 14)]  # more than a run renames
    killed = killed_at(*((root, f"{moment} rename {root.name}") for root in roots))
    assert 8 < sum(killed) < len(roots)
    assert not any(killed_at(*((root, "nowhere") for root in roots)))
    for root in roots:
        (run,) = [path for path in (root / "walk").iterdir() if not path.name.startswith(".")]
        assert same(run, undisturbed)


def test_finished_steps_are_not_done_again(tmp_path: Path) -> None:
    run = start(EXPERIMENT, WalkConfig(), tmp_path)
    run.execute()
    seen: list[tuple[str, float]] = []
    again = reopen(run.directory, EXPERIMENT)
    assert again.finished() == ["draw", "walk", "draw_figure"]
    again.execute(lambda step, fraction: seen.append((step, fraction)))
    assert seen == [("draw", 1.0), ("walk", 1.0), ("draw_figure", 1.0)]


def test_a_step_whose_result_is_gone_is_done_again_with_all_after_it(tmp_path: Path, undisturbed: Path) -> None:
    run = start(EXPERIMENT, WalkConfig(seed=3), tmp_path)
    run.execute()
    (run.directory / "results" / "walk.nc").unlink()
    assert run.finished() == ["draw"]
    run.execute()
    assert same(run.directory, undisturbed)


def test_a_torn_line_of_metrics_is_dropped(tmp_path: Path, undisturbed: Path) -> None:
    run = start(EXPERIMENT, WalkConfig(seed=3), tmp_path)
    run.execute()
    with (run.directory / "metrics.jsonl").open("a") as metrics:
        metrics.write('{"step": "walk", "name": "en')
    run.execute()
    assert same(run.directory, undisturbed)


def test_a_failing_step_leaves_a_run_that_resumes(tmp_path: Path) -> None:
    fail = True

    def flaky(context: Any) -> dict[str, Any]:
        context.metric("attempt", 1)
        if fail:
            raise RuntimeError("no luck")
        return {"luck": 1}

    experiment = replace(EXPERIMENT, steps=(walks.draw, flaky))
    run = start(experiment, WalkConfig(), tmp_path)
    with pytest.raises(RuntimeError, match="no luck"):
        run.execute()
    assert run.finished() == ["draw"]
    fail = False
    run.execute()
    assert run.finished() == ["draw", "flaky"]
    assert (run.directory / "metrics.jsonl").read_text().count("attempt") == 1


def test_two_processes_do_not_work_on_one_run(tmp_path: Path) -> None:
    errors: list[RunError] = []

    def meddle(context: Any) -> None:
        try:
            Run(context.directory, EXPERIMENT, WalkConfig()).execute()
        except RunError as error:
            errors.append(error)

    run = start(replace(EXPERIMENT, steps=(meddle,), headline=()), WalkConfig(), tmp_path)
    run.execute()
    assert "another process works on" in str(errors[0])


def test_each_step_has_a_seed_of_its_own_that_depends_on_the_seed(tmp_path: Path) -> None:
    seeds: dict[tuple[int, str], int] = {}

    def one(context: Any) -> None:
        seeds[context.config.seed, "one"] = context.seed
        assert context.rng().random() == context.rng().random()

    def two(context: Any) -> None:
        seeds[context.config.seed, "two"] = context.seed

    for seed in (0, 1):
        for steps in ((one, two), (two,)):
            start(replace(EXPERIMENT, steps=steps, headline=()), WalkConfig(seed=seed), tmp_path).execute()
            assert seeds.setdefault((seed, "alone"), seeds[seed, "two"]) == seeds[seed, "two"]
    assert len({seeds[0, "one"], seeds[0, "two"], seeds[1, "one"], seeds[1, "two"]}) == 4
    assert all(0 <= seed < 2**63 for seed in seeds.values())


def test_runs_of_one_second_have_directories_of_their_own(tmp_path: Path) -> None:
    runs = [start(EXPERIMENT, WalkConfig(), tmp_path).directory for _ in range(4)]
    assert len(set(runs)) == 4
    assert latest(EXPERIMENT, tmp_path) == runs[-1]
    assert latest(EXPERIMENT, tmp_path / "elsewhere") is None


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no run: it has no config\.json"):
        read_about(tmp_path)
    (tmp_path / "config.json").write_text('{"experiment": ')
    with pytest.raises(RunError, match="damaged"):
        reopen(tmp_path, EXPERIMENT)


def test_a_run_of_another_experiment_or_version_is_refused(tmp_path: Path) -> None:
    run = start(EXPERIMENT, WalkConfig(), tmp_path)
    other = replace(EXPERIMENT, name="run")
    with pytest.raises(RunError, match="a run of 'walk', not of 'run'"):
        reopen(run.directory, other)
    newer: Experiment = replace(EXPERIMENT, steps=(walks.draw,))
    with pytest.raises(RunError, match="another version"):
        reopen(run.directory, newer)


@given(
    seed=st.integers(0, 2**63 - 1),
    tau_f=st.floats(min_value=1e-300, allow_nan=False, allow_infinity=False),
    sizes=st.lists(st.integers(1, 10**6), min_size=2, max_size=2).map(tuple),
    backend=st.text(),
    centered=st.booleans(),
)
def test_a_configuration_survives_its_file(**values: Any) -> None:
    config = WalkConfig(**values)
    stored = json.loads(json.dumps({**values, "sizes": list(values["sizes"])}))
    assert config_from(WalkConfig, stored) == config


def test_config_json_holds_the_configuration(tmp_path: Path) -> None:
    config = WalkConfig(seed=7, tau_f=0.1, sizes=(3, 4), backend="ä", centered=True)
    run = start(EXPERIMENT, config, tmp_path)
    assert reopen(run.directory, EXPERIMENT).config == config


def test_an_unknown_field_in_config_json_gets_a_suggestion() -> None:
    with pytest.raises(RunError, match="unknown field 'tau': did you mean 'tau_f'"):
        config_from(WalkConfig, {"tau": 1.0})


def test_environment_names_versions_machine_and_julia(undisturbed: Path) -> None:
    described = json.loads((undisturbed / "environment.json").read_text())
    assert described["versions"]["numpy"] == np.__version__
    assert described["seed"] == 3
    assert described["machine"]["cores"] == os.cpu_count()
    assert {"runtime", "version", "threads"} == described["julia"].keys()
