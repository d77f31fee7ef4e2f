"""The command line: what it prints, what it refuses, how it exits."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

import sharpwave.cli as cli
from sharpwave.experiments import Experiment, find, names
from sharpwave.experiments.options import OptionError, command, parse, quick_form


@dataclass(frozen=True)
class CountConfig:
    """Counting."""

    seed: int = 0
    """Seed of all random numbers."""
    tau_f: float = 1.0
    """Time constant, in seconds."""
    backend: Literal["auto", "julia", "torch"] = "auto"
    """Who computes."""
    sizes: tuple[int, ...] = (1, 2)
    """Sizes."""
    verbose: bool = False
    """Say more."""

    def __post_init__(self) -> None:
        if self.tau_f <= 0:
            raise ValueError(f"tau_f must be positive, got {self.tau_f}")


def count(context: Any) -> None:
    context.metric("count", sum(context.config.sizes) + context.config.seed, unit="items")


def wait(context: Any) -> None:
    warnings.warn("that was quick", RuntimeWarning, stacklevel=1)
    marker = os.environ.get("SHARPWAVE_TEST_MARKER")
    if marker:
        Path(marker).touch()
        time.sleep(60)


COUNT = Experiment("count", "Counting", "It counts.", "", CountConfig, {"sizes": (1,)}, (count, wait), ("count",))


@pytest.fixture(autouse=True)
def counting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cli, "find", lambda name: COUNT if name == "count" else find(name))
    monkeypatch.setattr(cli, "names", lambda: [*names(), "count"])
    monkeypatch.chdir(tmp_path)


def only_run() -> Path:
    (run,) = Path("runs/count").iterdir()
    return run


def stored_config() -> dict[str, Any]:
    config: dict[str, Any] = json.loads((only_run() / "config.json").read_text())["config"]
    return config


def test_a_run_takes_fields_and_prints_numbers_and_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "count", "--seed", "5", "--tau_f=2.5", "--sizes", "3", "4", "--verbose", "--backend", "torch"]
    assert cli.main(words) == 0
    expected = {"seed": 5, "tau_f": 2.5, "sizes": [3, 4], "verbose": True, "backend": "torch"}
    assert stored_config() == expected
    out, err = capsys.readouterr()
    assert err == "sharpwave: warning: that was quick\n"
    assert re.search(r"count +12 items", out)
    assert f"report: {only_run()}/report.html" in out
    assert max(map(len, out.splitlines())) <= 80


def test_quick_is_a_default_that_fields_override() -> None:
    assert cli.main(["run", "count", "--quick", "--seed", "2"]) == 0
    assert stored_config()["sizes"] == [1]


def test_the_command_in_the_report_gives_the_same_configuration() -> None:
    config = CountConfig(seed=5, tau_f=1e-7, sizes=(7, 8, 9), verbose=True, backend="julia")
    words = command(COUNT, config).split()
    assert words[:3] == ["sharpwave", "run", "count"]
    assert parse(COUNT, words[3:], CountConfig()) == config
    assert command(COUNT, CountConfig()) == "sharpwave run count"
    assert parse(COUNT, command(COUNT, quick_form(COUNT, CountConfig())).split()[3:], CountConfig()).sizes == (1,)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["rnu"], "unknown command 'rnu': did you mean 'run'?"),
        (["run", "dmo"], "unknown experiment 'dmo': did you mean 'demo'?"),
        (["run", "count", "--tau", "3"], "unknown field 'tau': did you mean 'tau_f'?"),
        (["run", "count", "--sede=3"], "unknown field 'sede': did you mean 'seed'?"),
        (["run", "count", "--seed", "abc"], "--seed.*'abc'"),
        (["run", "count", "--seed"], "--seed"),
        (["run", "count", "--backend", "jula"], "'jula'.*'julia'"),
        (["run", "count", "--tau-f", "-20"], r"tau_f must be positive, got -20\.0"),
        (["run", "count", "stray"], "stray"),
        (["run", "count", "--runs"], "--runs: expected one argument"),
        (["report", "nowhere"], "nowhere is no run"),
        (["report"], "directory"),
        (["list", "--jsno"], "--jsno"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == cli.MISUSED
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert re.search(message, captured.err)
    assert not Path("runs").exists()


def test_resume_continues_the_newest_run_and_refuses_another_configuration(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["run", "count", "--seed", "5", "--resume"]) == 0  # there is none yet: one is started
    first = only_run()
    (first / "state" / "02-wait.json").unlink()
    assert cli.main(["run", "count", "--resume"]) == 0
    assert cli.main(["run", "count", "--resume", "--seed", "5"]) == 0
    assert only_run() == first
    assert "resuming" in capsys.readouterr().out
    assert cli.main(["run", "count", "--resume", "--seed", "6"]) == cli.MISUSED
    assert "was started with seed=5, not 6" in capsys.readouterr().err
    assert cli.main(["run", "count", "--resume", "--quick"]) == cli.MISUSED
    assert "was started with sizes=(1, 2), not (1,)" in capsys.readouterr().err
    assert only_run() == first


def test_report_makes_the_page_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", "count"]) == 0
    page = only_run() / "report.html"
    before = page.read_text()
    page.unlink()
    capsys.readouterr()
    assert cli.main(["report", str(only_run())]) == 0
    assert capsys.readouterr().out.strip() == str(page)
    assert page.read_text() == before


def test_list_names_every_experiment(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list"]) == 0
    out = capsys.readouterr().out
    assert all(re.search(rf"^{name} +\S", out, re.MULTILINE) for name in names())
    assert cli.main(["list", "--json"]) == 0
    assert {entry["name"] for entry in json.loads(capsys.readouterr().out)} == {*names(), "count"}


def test_every_experiment_can_be_asked_for_by_default_and_in_its_quick_form() -> None:
    for name in names():
        experiment = find(name)
        assert experiment.name == name
        default = experiment.config()
        assert parse(experiment, shlex.split(command(experiment, default))[3:], default) == default
        quick = quick_form(experiment, default)
        assert quick != default
        assert parse(experiment, shlex.split(command(experiment, quick))[3:], default) == quick


def test_help_names_the_fields_with_their_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", "count", "--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    for expected in ("--tau-f", "Time constant, in seconds.", "--quick", "--resume", "--runs"):
        assert expected in out
    assert cli.main(["--help"]) == 0
    assert all(name in capsys.readouterr().out for name in ("demo",))
    assert cli.main([]) == cli.MISUSED


def test_an_option_error_is_one_sentence_even_when_the_box_is_wrapped() -> None:
    with pytest.raises(OptionError) as refused:
        parse(COUNT, ["--backend", "x" * 200], CountConfig())
    assert "\n" not in str(refused.value)


def test_ctrl_c_exits_130_and_the_run_resumes(tmp_path: Path) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import test_cli, sharpwave.cli as cli; "
        "cli.find = lambda name: test_cli.COUNT; sys.exit(cli.main(['run', 'count']))"
    )
    marker = tmp_path / "marker"
    environment = {**os.environ, "SHARPWAVE_TEST_MARKER": str(marker)}
    with subprocess.Popen([sys.executable, "-c", program], env=environment, stderr=subprocess.PIPE, text=True) as child:
        while not marker.exists():
            assert child.poll() is None
            time.sleep(0.02)
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=10)
    assert child.returncode == cli.INTERRUPTED
    assert said.splitlines()[-1].startswith("sharpwave: interrupted: the same command with --resume continues")
    assert "Traceback" not in said
    assert cli.main(["run", "count", "--resume"]) == 0


@pytest.mark.parametrize("words", [["list"], ["run", "demo", "--tau", "1"]])
def test_the_command_line_imports_neither_torch_nor_julia_nor_plots(words: list[str]) -> None:
    program = (
        f"import sys; from sharpwave.cli import main; main({words!r}); "
        "heavy = {'torch', 'juliacall', 'matplotlib', 'xarray', 'scipy', 'sklearn', 'pandas'} & set(sys.modules); "
        "import sharpwave_bridge; assert not heavy and not sharpwave_bridge.is_started(), heavy"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_doctor_says_what_is_there(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARPWAVE_RUNTIME", "nonsense")  # a problem of which the remedy is to be told
    status = cli.main(["doctor", "--json"])
    about = json.loads(capsys.readouterr().out)
    assert status == cli.FAILED
    assert any("SHARPWAVE_RUNTIME" in problem["what"] for problem in about["problems"])
    assert all(problem["remedy"] for problem in about["problems"])
    assert about["torch"]["version"]
    assert {"digits", "mnist", "fashion-mnist"} <= {entry["name"] for entry in about["data"]}
    assert cli.main(["doctor"]) == cli.FAILED
    text = capsys.readouterr().out
    assert "SHARPWAVE_RUNTIME" in text
    assert "digits" in text
