"""Recalls as netCDF files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..files import whole
from .activations import Activation, activation
from .model import CONSTANTS, GSEMM
from .problem import Input, Integration, Problem
from .result import Recall
from .trajectory import Trajectory

if TYPE_CHECKING:
    import xarray

_FORMAT = "sharpwave recall 1"
_NO_PARAMETER = ("identity", "relu")


def save_recall(recall: Recall, path: Path) -> None:
    """Write a recall to a netCDF file by atomic rename: model, cues, states; for other readers overlaps and energy."""
    with whole(path) as beside:
        _dataset(recall).to_netcdf(beside, engine="h5netcdf")


def load_recall(path: str | Path) -> Recall:
    """Read a recall that `Recall.save` wrote.

    Args:
        path: the netCDF file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no recall.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from sharpwave.memory import GAMM
        >>> recall = GAMM(np.eye(3), hidden_activation="softmax").recall(np.ones(3), 1.0, backend="torch")
        >>> with TemporaryDirectory() as directory:
        ...     recall.save(Path(directory) / "recall.nc")
        ...     again = load_recall(Path(directory) / "recall.nc")
        >>> bool((again.features == recall.features).all())
        True
    """
    import xarray

    if not Path(path).exists():
        raise FileNotFoundError(f"there is no file {path}")
    dataset = xarray.load_dataset(path, engine="h5netcdf")
    if dataset.attrs.get("format") != _FORMAT:
        raise ValueError(f"{path} is no recall: expected the format {_FORMAT!r}, got {dataset.attrs.get('format')!r}")
    a, v = dataset.attrs, {str(name): variable.values for name, variable in dataset.variables.items()}
    constants = {name: float(a[name]) for name in CONSTANTS}
    model = GSEMM(v["patterns"], v["transitions"], _activation(a, "feature"), _activation(a, "hidden"), **constants)
    problem = Problem(
        model=model,
        features=v["cue_features"],
        delayed=v["cue_delayed"],
        hidden=v.get("cue_hidden", np.zeros((len(v["cue_features"]), 0))),
        input=Input(v["input_start"], v["input_drive"]),
        t_eval=v["time"],
        t_end=float(a["t_end"]),
        dt=float(a["dt"]),
        rtol=float(a["rtol"]),
        atol=float(a["atol"]),
        max_steps=int(a["max_steps"]),
        reduced=bool(a["reduced"]),
    )
    done = Integration(
        v["states"], v["reached"], v["accepted"], v["rejected"], v["evaluations"], backend=str(a["backend"])
    )
    return Recall(Trajectory(problem, done), bool(a["single"]), float(a["seconds"]))


def _dataset(recall: Recall) -> xarray.Dataset:
    import xarray

    problem, done, model = recall.trajectory.problem, recall.trajectory.integration, recall.model
    energies = recall.trajectory.energies()
    variables = {
        "patterns": (("memory", "feature"), model.patterns),
        "transitions": (("memory", "next_memory"), model.transitions),
        "cue_features": (("cue", "feature"), problem.features),
        "cue_delayed": (("cue", "feature"), problem.delayed),
        "input_start": (("piece",), problem.input.starts),
        "input_drive": (("piece", "feature"), problem.input.drive),
        "states": (("cue", "time", "row"), done.states),
        "reached": (("cue",), done.reached),
        "accepted": (("cue",), done.accepted),
        "rejected": (("cue",), done.rejected),
        "evaluations": (("cue",), done.evaluations),
        "overlaps": (("cue", "time", "memory"), recall.trajectory.overlaps()),
        **{name: (("cue", "time"), energies[..., k]) for k, name in enumerate(("energy", "descent", "drift"))},
    }
    if problem.hidden.size:
        variables["cue_hidden"] = (("cue", "memory"), problem.hidden)
    layers = {"feature": model.feature_activation, "hidden": model.hidden_activation}
    attributes = {
        "format": _FORMAT,
        **{f"{layer}_activation": kind.name for layer, kind in layers.items()},
        **{f"{layer}_parameter": kind.parameter for layer, kind in layers.items()},
        **{name: getattr(model, name) for name in CONSTANTS},
        **{name: getattr(problem, name) for name in ("t_end", "dt", "rtol", "atol", "max_steps")},
        "reduced": int(problem.reduced),
        "single": int(recall.single),
        "seconds": recall.seconds,
        "backend": done.backend,
    }
    return xarray.Dataset(variables, coords={"time": problem.t_eval}, attrs=attributes)


def _activation(attributes: dict[str, Any], layer: str) -> Activation:
    name = attributes[f"{layer}_activation"]
    return activation(name, None if name in _NO_PARAMETER else float(attributes[f"{layer}_parameter"]))
