"""A run: an experiment's steps, done one after the other into a directory that survives a kill at any moment.

    runs/<experiment>/<id>/
        config.json        the experiment and its configuration; never changes
        environment.json   versions, machine, threads, Julia
        metrics.jsonl      numbers, as they come
        results/           what each step returned, netCDF
        figures/           SVG
        state/             one JSON file for each finished step, written last: it is there only if the step is done
        report.html        one self-contained page

Files appear by atomic rename. A step that was killed is done again from its beginning, with the same seed, on the
results of the finished steps as they were read back from their files; its lines in metrics.jsonl are dropped first. So
a run that was killed and resumed ends in the same numbers as one that was not.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .environment import environment
from .experiments.experiment import Context, Experiment, Step
from .files import sweep, whole, write_json, write_text
from .suggest import unknown

if TYPE_CHECKING:
    import xarray

Watch = Callable[[str, float], None]


class RunError(ValueError):
    """A run cannot be started, resumed or read. The message says why and what to do."""


@dataclass(frozen=True)
class Run:
    """A run's directory with its experiment and configuration; `start` and `reopen` make it."""

    directory: Path
    experiment: Experiment
    config: Any

    def finished(self) -> list[str]:
        """Names of the steps that are done, in order."""
        names = []
        for place, step in enumerate(self.experiment.steps):
            if not (self._record(place, step).exists() and self._result(step).exists()):
                break
            names.append(step.__name__)
        return names

    def execute(self, watch: Watch = lambda step, fraction: None) -> Path:
        """Do the steps that are not done, then write the report.

        Args:
            watch: called with a step's name and the fraction of it that is done: 0.0 when it starts, 1.0 when it is
                done (at once for a step that was done before).

        Returns:
            The path of the report.

        Raises:
            RunError: another process works on this run.
        """
        from .report import write_report

        with self._locked():
            sweep(self.directory)
            self._describe()
            done = self.finished()
            self._keep_metrics_of(done)
            results: dict[str, xarray.Dataset] = {}
            for place, step in enumerate(self.experiment.steps):
                name = step.__name__
                if name not in done:
                    watch(name, 0.0)
                    self._do(place, step, results, watch)
                results[name] = self._load(step)
                watch(name, 1.0)
            self._describe()
            return write_report(self.directory)

    def _do(self, place: int, step: Step, results: dict[str, xarray.Dataset], watch: Watch) -> None:
        import xarray

        context = Context(self.config, step.__name__, self.directory, watch, results)
        began = time.perf_counter()
        dataset = xarray.Dataset(dict(step(context) or {}))
        with whole(self._result(step)) as beside:
            dataset.to_netcdf(beside, engine="h5netcdf")
        record = {
            "step": context.step,
            "seconds": round(time.perf_counter() - began, 3),
            "figures": context.figures,
            "tables": context.tables,
        }
        write_json(self._record(place, step), record)

    def _load(self, step: Step) -> xarray.Dataset:
        import xarray

        return xarray.load_dataset(self._result(step), engine="h5netcdf")

    def _result(self, step: Step) -> Path:
        return self.directory / "results" / f"{step.__name__}.nc"

    def _record(self, place: int, step: Step) -> Path:
        return self.directory / "state" / f"{place + 1:02d}-{step.__name__}.json"

    def _describe(self) -> None:
        described = {"seed": self.config.seed, "backend": getattr(self.config, "backend", None), **environment()}
        write_json(self.directory / "environment.json", described)

    def _keep_metrics_of(self, steps: list[str]) -> None:
        """Drop what a killed step has left in metrics.jsonl, a torn last line included."""
        path = self.directory / "metrics.jsonl"
        if not path.exists():
            return
        kept = []
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
            try:
                if line.endswith("\n") and json.loads(line)["step"] in steps:
                    kept.append(line)
            except ValueError:
                continue
        write_text(path, "".join(kept))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.directory / ".lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RunError(f"another process works on {self.directory}: wait for it, or start a new run") from None
            yield


def start(experiment: Experiment, config: Any, root: Path = Path("runs"), command: str = "") -> Run:
    """Make the directory of a new run.

    Args:
        experiment: what is to be done.
        config: an instance of `experiment.config`.
        root: where runs are kept.
        command: the command that does the same run again, for the report.

    Returns:
        A run none of whose steps is done.
    """
    home = root / experiment.name
    home.mkdir(parents=True, exist_ok=True)
    beside = home / f".new-{os.getpid()}"
    shutil.rmtree(beside, ignore_errors=True)
    about = {
        "experiment": experiment.name,
        "title": experiment.title,
        "summary": experiment.summary,
        "source": experiment.source,
        "headline": experiment.headline,
        "steps": [step.__name__ for step in experiment.steps],
        "command": command,
        "started": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "config": asdict(config),
    }
    write_json(beside / "config.json", about)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    attempt = 1
    while True:
        directory = home / (stamp if attempt == 1 else f"{stamp}-{attempt}")
        try:
            os.rename(beside, directory)  # refused where a run of this second is there already
            return Run(directory, experiment, config)
        except OSError:
            if not directory.exists():
                raise
            attempt += 1


def reopen(directory: Path, experiment: Experiment) -> Run:
    """Open the directory of a run that was started before.

    Raises:
        RunError: it is no run of this experiment, or its configuration does not fit this version.
    """
    about = read_about(directory)
    if about["experiment"] != experiment.name:
        raise RunError(f"{directory} is a run of {about['experiment']!r}, not of {experiment.name!r}")
    steps = [step.__name__ for step in experiment.steps]
    if about["steps"] != steps:
        raise RunError(f"{directory} was started by another version of {experiment.name!r}: start a new run")
    return Run(directory, experiment, config_from(experiment.config, about["config"]))


def latest(experiment: Experiment, root: Path = Path("runs")) -> Path | None:
    """The directory of the newest run of an experiment, or None if there is none."""
    configs = (root / experiment.name).glob("[!.]*/config.json")
    newest = max(configs, key=lambda config: (config.stat().st_mtime_ns, config.parent.name), default=None)
    return newest.parent if newest else None


def read_about(directory: Path) -> dict[str, Any]:
    """What config.json of a run says: experiment, title, configuration and so on.

    Raises:
        RunError: the directory holds no run.
    """
    try:
        about: dict[str, Any] = json.loads((directory / "config.json").read_text(encoding="utf-8"))
        return about
    except FileNotFoundError:
        raise RunError(f"{directory} is no run: it has no config.json") from None
    except ValueError as error:
        raise RunError(f"{directory}/config.json is damaged ({error}): start a new run") from None


def config_from(kind: type[Any], values: dict[str, Any]) -> Any:
    """A configuration from the values that its config.json holds.

    Raises:
        RunError: a field is not known.
    """
    names = [field.name for field in fields(kind)]
    for name in values:
        if name not in names:
            raise RunError(unknown("field", name, names))
    return kind(**{name: _as_tuple(value) for name, value in values.items()})


def _as_tuple(value: Any) -> Any:
    return tuple(map(_as_tuple, value)) if isinstance(value, list) else value
