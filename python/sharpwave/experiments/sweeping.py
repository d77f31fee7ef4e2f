"""Sweeps whose points are kept: each finished one is a small JSON file, so that a run that was killed does the rest."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..files import write_json
from .experiment import Context

Task = Callable[[], Mapping[str, Any]]


def kept(path: Path, task: Task) -> dict[str, Any]:
    """What a task returned, once: it is done where there is no file yet, and read from the file in any case.

    Args:
        path: of the JSON file, written by atomic rename.
        task: returns what JSON can hold; numbers that are not finite come back as None.
    """
    if not path.exists():
        write_json(path, task())
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def swept(context: Context, tasks: Mapping[str, Task], jobs: int) -> dict[str, dict[str, Any]]:
    """Do the tasks of a step that are not done yet, in the order given, and return what all of them found.

    They are done in processes of this machine, or on the cluster that the environment variable `SHARPWAVE_CLUSTER`
    names: `dask:ADDRESS` of a Dask scheduler, or `ray`. All its workers must see the run's directory. What a worker was
    doing when it was lost is done again by another one.

    Args:
        context: of the step. Files are in `points/<step>` of the run's directory.
        tasks: by name; with several jobs, or on a cluster, they are pickled.
        jobs: processes, through joblib; with 1 all is done in this one. A cluster does as many as it has workers.

    Raises:
        ValueError: `SHARPWAVE_CLUSTER` is not of this form.
        ImportError: the cluster's package is not installed.
    """
    from joblib import Parallel, delayed

    home, found = points(context), {}
    with _workers(jobs) as settings:
        work = Parallel(**settings)(delayed(kept)(home / f"{name}.json", task) for name, task in tasks.items())
        for name, values in zip(tasks, work, strict=True):
            found[name] = values
            context.progress(len(found), len(tasks))
    return found


@contextmanager
def _workers(jobs: int) -> Iterator[dict[str, Any]]:
    """Who works for joblib in this block, and how: results come one by one, but from Ray, which returns all at once."""
    from joblib import parallel_config

    kind, _, address = os.environ.get("SHARPWAVE_CLUSTER", "").partition(":")
    if not kind:
        yield {"n_jobs": jobs, "return_as": "generator"}
    elif kind == "dask" and address:
        from distributed import Client

        client: Any = Client  # untyped
        with client(address), parallel_config("dask"):
            yield {"n_jobs": -1, "return_as": "generator"}
    elif kind == "ray" and not address:
        from ray.util.joblib import register_ray

        register_ray()
        with parallel_config("ray"):
            yield {"n_jobs": -1}
    else:
        raise ValueError(
            "SHARPWAVE_CLUSTER must be dask:ADDRESS, such as dask:tcp://10.0.0.1:8786, or ray, got "
            f"{os.environ['SHARPWAVE_CLUSTER']!r}"
        )


def points(context: Context) -> Path:
    """The directory in which a step keeps its points, and what belongs to them."""
    return context.directory / "points" / context.step


def mean_and_sd(values: Iterable[float]) -> tuple[float, float]:
    """Mean and standard deviation over seeds; of a single one the deviation is NaN.

    Example:
        >>> mean_and_sd([1.0, 3.0])
        (2.0, 1.4142135623730951)
    """
    array = np.array(list(values), dtype=np.float64)
    return float(array.mean()), float(array.std(ddof=1)) if len(array) > 1 else float("nan")


def shown(mean: float, sd: float, digits: int = 2) -> str:
    """A mean with its standard deviation, if there is one, for a table.

    Example:
        >>> shown(84.183, 0.257), shown(84.183, float("nan"))
        ('84.18 ± 0.26', '84.18')
    """
    return f"{mean:.{digits}f}" + ("" if np.isnan(sd) else f" ± {sd:.{digits}f}")
