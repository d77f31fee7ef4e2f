"""Learning that is put aside and taken up again: a file with its settings, what was learned, and how far it is."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sharpwave.files import finite, whole

from .state import State

_FORMAT = 1


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds.

    Attributes:
        config: settings that the numbers depend on, by name, as JSON has them.
        state: weights and shared variables.
        readouts: by name, what their `state_dict` returned.
        position: number of examples learned.
        history: see `SpikingClassifier`.
    """

    config: Mapping[str, Any]
    state: State
    readouts: Mapping[str, Mapping[str, NDArray[Any]]]
    position: int
    history: dict[str, list[Any]]

    def save(self, path: Path) -> None:
        """Write it by atomic rename."""
        about = {"format": _FORMAT, "config": self.config, "position": self.position, "history": self.history}
        arrays: dict[str, Any] = {"about": np.array(json.dumps(finite(about)))}
        for kind in ("weights", "shared"):
            arrays |= {f"{kind}/{name}": array for name, array in getattr(self.state, kind).items()}
        for name, learned in self.readouts.items():
            arrays |= {f"readouts/{name}/{key}": array for key, array in learned.items()}
        with whole(path) as beside, beside.open("wb") as file:
            np.savez(file, **arrays)

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Read what `save` wrote.

        Raises:
            ValueError: it is no such file.
        """
        parts: dict[str, Any] = {"weights": {}, "shared": {}, "readouts": {}}
        try:
            with np.load(path, allow_pickle=False) as file:
                about = json.loads(str(file["about"]))
                for key in file.files:
                    kind, _, name = key.partition("/")
                    if kind == "readouts":
                        name, _, key_of_readout = name.partition("/")
                        parts[kind].setdefault(name, {})[key_of_readout] = file[key]
                    elif kind != "about":
                        parts[kind][name] = file[key]
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(f"{path} is no checkpoint of an estimator: {error}") from error
        if about["format"] != _FORMAT:
            raise ValueError(f"{path} is a checkpoint of format {about['format']}, expected {_FORMAT}")
        state = State(parts["weights"], parts["shared"])
        return cls(about["config"], state, parts["readouts"], about["position"], about["history"])

    def check(self, config: Mapping[str, Any], path: Path) -> None:
        """Raise if it is of another configuration.

        Raises:
            ValueError: it is; which settings differ.
        """
        wanted = json.loads(json.dumps(finite(dict(config))))
        differ = [
            f"{name} was {self.config.get(name)!r} and is {wanted.get(name)!r}"
            for name in sorted({*wanted, *self.config})
            if self.config.get(name) != wanted.get(name)
        ]
        if differ:
            raise ValueError(
                f"{path} is a checkpoint of another training: {'; '.join(differ)}. Go on with the same settings and "
                "data, or choose another file"
            )
