"""The command line: `sharpwave demo|run|list|report|export|setup|doctor|bench`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from sharpwave_bridge import BridgeError

from .experiments import UnknownExperimentError, find, names
from .experiments.experiment import Experiment
from .experiments.options import OptionError, command, parse, quick_form
from .runs import Run, RunError, latest, reopen, start
from .suggest import unknown

if TYPE_CHECKING:
    from rich.console import Console

FAILED = 1
MISUSED = 2
INTERRUPTED = 130  # as a shell reports a program that Ctrl-C ended

_USAGE = """usage: sharpwave COMMAND ...

  demo     recall an episode of real images, learn another one, write a report
  run      run an experiment: sharpwave run NAME --field value
  list     name the experiments
  report   write report.html of a run again: sharpwave report DIR
  export   write a finished run's numbers to a JSON file: sharpwave export DIR FILE
  setup    set this machine up: Julia, once
  doctor   say what this machine has and what to do about what it lacks
  bench    measure against other libraries

`sharpwave COMMAND --help` says more; `python -m sharpwave` is the same program."""


def main(words: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        words: the command line without the program's name; `sys.argv[1:]` if None.

    Returns:
        The exit status: 0, 1 (it failed), 2 (the command line or its input is wrong), 130 (Ctrl-C).
    """
    given = list(sys.argv[1:] if words is None else words)
    try:
        return _dispatch(given)
    except (OptionError, RunError, UnknownExperimentError) as error:
        return _complain(str(error), MISUSED)
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)
    except BrokenPipeError:  # the reader of a pipe has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (BridgeError, OSError) as error:  # their messages say what to do
        return _complain(str(error), FAILED)


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(_USAGE)
        return 0 if words else MISUSED
    if words[0] == "--version":
        from importlib.metadata import version

        print(version("sharpwave"))
        return 0
    if words[0] not in _COMMANDS:
        raise OptionError(unknown("command", words[0], _COMMANDS))
    return _COMMANDS[words[0]](words[1:])


class _Parser(argparse.ArgumentParser):
    def __init__(self, command: str, description: str, **options: Any) -> None:
        super().__init__(f"sharpwave {command}", description=description, allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        raise OptionError(message)


def _demo(words: list[str]) -> int:
    return _run(["demo", *words])


def _run(words: list[str]) -> int:
    if not words or words[0].startswith("-"):
        if words[:1] not in (["-h"], ["--help"]):
            raise OptionError(f"run needs the name of an experiment: {', '.join(names())}")
        print("usage: sharpwave run NAME [--field value ...] [--quick] [--resume] [--runs DIR]")
        print(f"\nNAME: {', '.join(names())}")
        return 0
    experiment = find(words[0])
    parser = _Parser(f"run {experiment.name}", experiment.title, add_help=False)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    options, rest = parser.parse_known_args(words[1:])

    def asked(default: Any) -> Any:
        return parse(experiment, rest, quick_form(experiment, default) if options.quick else default)

    from rich.console import Console

    console = Console(highlight=False)
    wanted = asked(experiment.config())
    found = latest(experiment, options.runs) if options.resume else None
    if found is not None:
        run = reopen(found, experiment)
        _check_same(run, asked(run.config))
        console.print(f"resuming {run.directory}", markup=False, soft_wrap=True)
    else:
        if options.resume:
            console.print(f"no run to resume in {options.runs}: starting one", markup=False, soft_wrap=True)
        run = start(experiment, wanted, options.runs, command(experiment, wanted))
    return _execute(run, console)


def _check_same(run: Run, asked: Any) -> None:
    from dataclasses import fields

    for field in fields(asked):
        was, now = getattr(run.config, field.name), getattr(asked, field.name)
        if was != now:
            raise RunError(
                f"{run.directory} was started with {field.name}={was!r}, not {now!r}: leave out what differs to resume "
                "it, or leave out --resume to start a new run"
            )


def _execute(run: Run, console: Console) -> int:
    from .report import read_run
    from .terminal import summary, watching

    try:
        with watching(console, run) as watch, warnings.catch_warnings():
            warnings.showwarning = _warn
            report = run.execute(watch)
    except KeyboardInterrupt:
        return _complain(f"interrupted: the same command with --resume continues {run.directory}", INTERRUPTED)
    summary(console, read_run(run.directory))
    console.print(f"\nreport: {report}", markup=False, soft_wrap=True)
    return 0


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    print(f"sharpwave: warning: {message}", file=sys.stderr)


def _list(words: list[str]) -> int:
    parser = _Parser("list", "Name the experiments.")
    parser.add_argument("--json", action="store_true", help="as JSON")
    options = parser.parse_args(words)
    experiments = [find(name) for name in names()]
    if options.json:
        print(json.dumps([_described(experiment) for experiment in experiments], indent=2))
        return 0
    width = max(len(experiment.name) for experiment in experiments)
    for experiment in experiments:
        print(f"{experiment.name:<{width}}  {experiment.title}")
    print("\n`sharpwave run NAME --help` names the fields of its configuration.")
    return 0


def _described(experiment: Experiment) -> dict[str, str]:
    return {"name": experiment.name, "title": experiment.title, "source": experiment.source}


def _report(words: list[str]) -> int:
    parser = _Parser("report", "Write report.html of a run again, from the run's files.")
    parser.add_argument("directory", type=Path, help="a run's directory, runs/<experiment>/<id>")
    from .report import write_report

    print(write_report(parser.parse_args(words).directory))
    return 0


def _export(words: list[str]) -> int:
    parser = _Parser("export", "Write the numbers of a finished run to a JSON file.")
    parser.add_argument("directory", type=Path, help="a run's directory, runs/<experiment>/<id>")
    parser.add_argument("file", type=Path, help="the file, such as scripts/results/<experiment>.json")
    options = parser.parse_args(words)
    from .results import export_results

    export_results(options.directory, options.file)
    print(options.file)
    return 0


def _setup(words: list[str]) -> int:
    parser = _Parser("setup", "Set this machine up: find or fetch a Julia and prove that it works.")
    parser.add_argument("--again", action="store_true", help="try everything anew, also what failed before")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
    options = parser.parse_args(words)
    from dataclasses import asdict

    from sharpwave_bridge.setup import setup

    outcome = setup(report=lambda line: print(line, file=sys.stderr), again=options.again)
    if options.json:
        print(json.dumps(asdict(outcome), indent=2))
    else:
        print(f"Julia {outcome.julia} on the {outcome.runtime} runtime is ready")
    return 0


def _doctor(words: list[str]) -> int:
    parser = _Parser("doctor", "Say what this machine has, and what to do about what it lacks.")
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    options = parser.parse_args(words)
    from .doctor import diagnose, print_diagnosis

    about = diagnose()
    if options.json:
        print(json.dumps(about, indent=2))
    else:
        from rich.console import Console

        print_diagnosis(about, Console(highlight=False))
    return FAILED if about["problems"] else 0


def _bench(words: list[str]) -> int:
    from .bench.cli import main as bench

    return bench(words)


def _complain(message: str, status: int) -> int:
    print(f"sharpwave: {message}", file=sys.stderr)
    return status


_COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "demo": _demo,
    "run": _run,
    "list": _list,
    "report": _report,
    "export": _export,
    "setup": _setup,
    "doctor": _doctor,
    "bench": _bench,
}
