"""The other experiments on sequential memory come out as they should, in small forms on the torch backend."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray

from sharpwave.cli import main
from sharpwave.experiments import find, names
from sharpwave.experiments.dwell_oracle import winner_take_all_dwell
from sharpwave.experiments.options import quick_form
from sharpwave.results import BEGIN, END, export_results
from sharpwave.runs import Run, RunError, start


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    """The products of the capacity sweep are too small to be shared out."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def begun(name: str, root: Path, **changes: Any) -> Run:
    experiment = find(name)
    config = quick_form(experiment, experiment.config())
    if hasattr(config, "backend"):
        changes = {"backend": "torch", **changes}
    return start(experiment, type(config)(**{**vars(config), **changes}), root)


def finished(name: str, root: Path, **changes: Any) -> Run:
    run = begun(name, root, **changes)
    run.execute()
    return run


def metrics(run: Run) -> dict[str, Any]:
    lines = [json.loads(line) for line in (run.directory / "metrics.jsonl").read_text().splitlines()]
    return {line["name"]: line["value"] for line in lines if "value" in line}


def parts(words: str) -> tuple[int, int]:
    """The numbers of "3 of 5"."""
    some, _, total = words.partition(" of ")
    return int(some), int(total)


def test_lisem_goes_in_the_right_order_with_irregular_long_dwells(tmp_path: Path) -> None:
    run = finished("lisem", tmp_path)
    found = metrics(run)
    right, total = parts(found["transitions in the stored order"])
    assert right == total
    assert total >= 8
    assert parts(found["draws that went round the cycle"])[0] >= 1
    assert found["least peak overlap"] > 0.9995  # source: 1.000
    assert found["shortest dwell time"] > 20  # far above the DSEM's 4.4
    assert found["longest dwell time"] > 2 * found["shortest dwell time"]
    result = xarray.load_dataset(run.directory / "results" / "recall.nc")
    assert result.descent.max() <= 1e-12


def test_the_surface_moves_and_without_delayed_coupling_it_stands(tmp_path: Path) -> None:
    run = finished("surface", tmp_path, t_end=60.0, frames=4)
    found = metrics(run)
    assert found["memories visited"] == "3 of 3"
    assert found["movement of the surface"] > 0.2
    assert found["fewest minima"] < found["most minima"] == 3  # at the beginning each memory has its well
    assert found["movement without delayed coupling"] == 0.0
    assert found["memories visited without delayed coupling"] == 1
    assert found["largest energy step without delayed coupling"] <= 1e-12
    moving, standing = (
        xarray.load_dataset(run.directory / "results" / f"{name}.nc") for name in ("moving", "standing")
    )
    # standing features rest in the well of the corner (1, -1), at sqrt(alpha_s) of it
    np.testing.assert_allclose(standing.features.values[-1], np.sqrt(1.2) * np.array([1, -1]), atol=1e-6)
    assert np.ptp(moving.features.values[-200:], axis=0).max() > 1.0


def test_dwell_times_agree_with_the_winner_take_all_limit(tmp_path: Path) -> None:
    run = finished("dwell-oracle", tmp_path)
    found = metrics(run)
    assert found["dwell time in the limit"] == pytest.approx(4.965, rel=1e-3)  # known for the figure's constants
    assert abs(found["deviation"]) < 1.0  # percent
    assert found["largest deviation at any coupling"] < 1.0
    assert found["spread of dwell times in the network"] < 0.01 * found["dwell time in the network"]
    result = xarray.load_dataset(run.directory / "results" / "compare.nc")
    assert (np.diff(result.network.values) < 0).all()  # a stronger coupling moves on sooner


@pytest.mark.parametrize(("alpha_c", "tau_d", "memories"), [(0.5, 20.0, 4), (4.9, 5.0, 3), (2.0, 40.0, 6)])
def test_the_limit_is_a_solution_of_the_winner_take_all_equations(alpha_c: float, tau_d: float, memories: int) -> None:
    """Integrated step by step, the winner changes after the time that the closed form gives."""
    dwell = winner_take_all_dwell(1.0, alpha_c, tau_d, 7.0, memories)
    dt = dwell / 4000
    f, d, k, switches = np.eye(memories)[0], np.zeros(memories), 0, []
    for step in range(round((6 * tau_d / dwell + 10) * dwell / dt)):
        f, d = f + dt * (np.eye(memories)[k] - f), d + dt / tau_d * (7.0 * f - d)
        winner = int((f + alpha_c * np.roll(d, 1)).argmax())
        if winner != k:
            assert winner == (k + 1) % memories
            k = winner
            switches.append(step * dt)
    assert np.diff(switches)[-4:].mean() == pytest.approx(dwell, rel=5e-3)


def test_a_coupling_too_weak_to_move_on_is_told() -> None:
    with pytest.raises(ValueError, match=r"alpha_c=0\.1 is too small"):
        winner_take_all_dwell(1.0, 0.1, 20.0, 7.0, 4)


def test_sequences_are_learned_in_exact_order(tmp_path: Path) -> None:
    found = metrics(finished("learn-sequence", tmp_path, items=6))
    assert found["sequences recalled in exact order"] == "3 of 3"
    assert found["recalled before learning"] == "0 of 3"
    assert found["mean peak overlap"] > 0.95


def test_images_are_learned_in_exact_order(tmp_path: Path) -> None:
    run = finished("learn-images", tmp_path, sets=("digits",))
    found = metrics(run)
    assert found["digits: episodes recalled in exact order"] == "1 of 1"
    assert found["digits: least likeness of recalled images"] > 0.95
    recalled = xarray.load_dataset(run.directory / "results" / "learn.nc").digits_recalled.values
    assert recalled.shape == (10, 8, 8)
    assert np.corrcoef(recalled.reshape(10, -1))[np.triu_indices(10, 1)].max() < 0.9  # ten different images


class Killed(BaseException):
    pass


def interrupted_at(fraction: float) -> Callable[[str, float], None]:
    def watch(step: str, done: float) -> None:
        if fraction <= done < 1.0:
            raise Killed

    return watch


def test_a_capacity_sweep_that_was_killed_ends_in_the_same_numbers(tmp_path: Path) -> None:
    small = {"sizes": (12, 14, 16, 18), "draws": 5, "largest": 16}
    undisturbed = finished("capacity", tmp_path / "one", **small)
    run = begun("capacity", tmp_path / "other", **small)
    with pytest.raises(Killed):
        run.execute(interrupted_at(0.5))
    points = sorted((run.directory / "sweep").rglob("*.json"))
    assert len(points) == 4
    assert not run.finished()
    written = [path.stat().st_mtime_ns for path in points]
    run.execute()
    assert [path.stat().st_mtime_ns for path in points] == written  # what was found is not found again
    assert metrics(run) == metrics(undisturbed)
    results = [xarray.load_dataset(one.directory / "results" / "sweep.nc") for one in (run, undisturbed)]
    xarray.testing.assert_identical(*results)


def test_capacity_grows_exponentially_with_a_softmax_and_more_slowly_with_a_polynomial(tmp_path: Path) -> None:
    found = metrics(finished("capacity", tmp_path))
    assert found["softmax, 80 %: exponential rate"] == pytest.approx(0.25, abs=0.08)  # the source's, about
    assert found["power 2, 80 %: exponential rate"] < 0.8 * found["softmax, 80 %: exponential rate"]
    assert found["power 2, 80 %: capacity at N = 24"] < 0.5 * found["softmax, 80 %: capacity at N = 24"]


def test_results_are_exported_and_shown_in_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = finished("dwell-oracle", tmp_path, others=(), settled=2, visits=2)
    file, readme = tmp_path / "dwell.json", tmp_path / "README.md"
    assert main(["export", str(run.directory), str(file)]) == 0
    assert capsys.readouterr().out.strip() == str(file)
    record = json.loads(file.read_text())
    assert record["experiment"] == "dwell-oracle"
    assert {line["name"]: line["value"] for line in record["metrics"]} == metrics(run)
    assert record["config"]["seed"] == 0
    assert record["tables"][0]["columns"][0] == "alpha_c"

    from sharpwave.results import main as results

    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    assert results([str(readme), str(file)]) == 0
    text = readme.read_text()
    assert text.startswith(f"before\n{BEGIN}\n| experiment |")
    assert text.endswith(f"{END}\nafter\n")
    assert "old" not in text
    assert "dwell time in the limit: 4.967 tau_f" in text
    assert results([str(readme), str(file)]) == 0
    assert readme.read_text() == text  # a second time changes nothing

    readme.write_text("no marks")
    assert results([str(readme), str(file)]) == 1
    assert "must have the lines" in capsys.readouterr().err
    file.write_text("{}")
    assert results([str(readme), str(file)]) == 1
    assert "holds no exported results" in capsys.readouterr().err


def test_an_unfinished_run_is_not_exported(tmp_path: Path) -> None:
    run = begun("surface", tmp_path)
    with pytest.raises(RunError, match="is not finished: moving, standing"):
        export_results(run.directory, tmp_path / "file.json")
    assert not (tmp_path / "file.json").exists()


def test_every_experiment_says_what_must_come_out() -> None:
    assert all(find(name).expected for name in names())
