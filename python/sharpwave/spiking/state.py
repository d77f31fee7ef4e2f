"""What learning changes of a spiking network, and the file that it is kept in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class State:
    """What learning changes: weights by connection, in the connection's shape, and shared variables by population.

    Attributes:
        weights: of each connection with weights.
        shared: the shared variable, such as an adaptive threshold, of each population that has one, (units,).
    """

    weights: Mapping[str, Array]
    shared: Mapping[str, Array]

    def save(self, path: str | Path) -> None:
        """Write it to an .npz file by atomic rename."""
        from ..files import whole

        arrays = {
            f"{kind}/{name}": array for kind in ("weights", "shared") for name, array in getattr(self, kind).items()
        }
        with whole(Path(path)) as beside, beside.open("wb") as file:
            np.savez(file, **arrays)

    @classmethod
    def load(cls, path: str | Path) -> State:
        """Read what `save` wrote."""
        with np.load(Path(path), allow_pickle=False) as file:
            parts: dict[str, dict[str, Array]] = {"weights": {}, "shared": {}}
            for key in file.files:
                kind, _, name = key.partition("/")
                if kind not in parts:
                    raise ValueError(f"{path} is no state of a network: it has {key!r}")
                parts[kind][name] = file[key]
        return cls(parts["weights"], parts["shared"])
