"""Replay of activities of hidden layers, as they were or as codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import gcd
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..counts import count, count_or_none
from .learner import Learner
from .part import Arrays, Batch
from .quantising import Quantiser
from .replaying import Recalled, Replaying
from .stores import Field, Policy
from .streams import Examples

_MOST = 40  # bytes of a code, where nothing else is said
_FITTED = 10_000  # examples that centres are learned from


class LatentReplay(Replaying):
    """Activities are stored, of one layer or of several, and go into the network above them again.

    Layers up to the lowest that is stored learn the first task only, so that what is stored of it stays true; what is
    stored of others grows old with the layers between. The loss is the mean over layers.

    Args:
        budget, policy, batch: see `ExperienceReplay`.
        levels: hidden layers whose activities are stored, from 1.

    Raises:
        ValueError: no levels, or one that the network has not.

    Source:
        Pellegrini and others, Latent replay, IROS 2020, where the lower layers were trained on other images before;
        here on the first task, as a choice. Several layers at once are not from there.
    """

    def __init__(
        self, budget: int, levels: Sequence[int] = (1,), policy: Policy | None = None, batch: int | None = None
    ) -> None:
        super().__init__(budget, policy, "task", batch)
        self.levels = sorted({count("a level", level) for level in levels})

    def start(self, learner: Learner) -> None:
        """See `Part`."""
        hidden = learner.settings.hidden
        if not self.levels or self.levels[-1] > len(hidden):
            raise ValueError(f"expected levels from 1 to {len(hidden)}, the hidden layers, got {self.levels}")
        self.units = {f"level {level}": hidden[level - 1] for level in self.levels}
        self.prepare(learner.seed)
        super().start(learner)

    def prepare(self, seed: int) -> None:
        """What codes need, before there is a store."""

    @property
    def freezes(self) -> int:
        """See `Part`."""
        return self.levels[0]

    def fields(self) -> dict[str, Field]:
        """See `Stored`."""
        return {name: Field((units,), np.float16) for name, units in self.units.items()}

    def items(self, x: Tensor) -> dict[str, NDArray[Any]]:
        """See `Stored`."""
        return {name: h.numpy().astype(np.float16) for name, h in self._activities(x)}

    def _activities(self, x: Tensor) -> list[tuple[str, Tensor]]:
        found, before = [], 0
        for level, name in zip(self.levels, self.units, strict=True):
            x = self.learner.network.features(x, before, level)
            found.append((name, x))
            before = level
        return found

    def inputs(self, items: Mapping[str, NDArray[Any]]) -> Tensor:
        """Activities of the lowest level; see `Stored`."""
        return self.remembered(next(iter(self.units)), items)

    def remembered(self, name: str, items: Mapping[str, NDArray[Any]]) -> Tensor:
        """Activities of a level."""
        return torch.from_numpy(items[name].astype(np.float32))

    def loss(self, batch: Batch, loss: Tensor) -> Tensor:
        """See `Part`."""
        if not self.store.size:
            return loss
        number = self.batch or len(batch)
        return self.learner.weighed(loss, self.again(number), number)

    def ways(self, recalled: Recalled) -> list[Tensor]:
        """See `Replaying`; from each level."""
        network, levels = self.learner.network, zip(self.levels, self.units, strict=True)
        return [network.features(self.remembered(name, recalled.items), level) for level, name in levels]

    def features(self, items: Mapping[str, NDArray[Any]]) -> Tensor:
        """See `Stored`."""
        return self.learner.network.features(self.inputs(items), self.levels[0])


class QuantisedReplay(LatentReplay):
    """Activities are stored as codes, of which there are many more in as many bytes (REMIND).

    Centres are learned from the activities of the first task, and are paid for by the budget.

    Args:
        budget, levels, policy, batch: see `LatentReplay`.
        parts: bytes of a code; None: as many of up to 40 as divide the units of all levels.

    Source:
        Hayes and others, REMIND, ECCV 2020; batches instead of single examples, and the product quantiser of
        `Quantiser`.
    """

    def __init__(
        self, budget: int, levels: Sequence[int] = (1,), policy: Policy | None = None, batch: int | None = None,
        parts: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__(budget, levels, policy, batch)
        self.whole, self.parts = budget, count_or_none("parts", parts)

    def prepare(self, seed: int) -> None:
        """See `LatentReplay`."""
        common = gcd(*self.units.values())
        self.code = self.parts or next(parts for parts in range(_MOST, 0, -1) if common % parts == 0)
        self.quantisers = {name: Quantiser(units, self.code, seed) for name, units in self.units.items()}
        centres = sum(one.centres.nbytes for one in self.quantisers.values())
        self.budget = self.whole - centres
        if self.budget < 1:
            raise ValueError(f"a budget of {self.whole} bytes is no larger than the centres, of {centres} bytes")

    def fields(self) -> dict[str, Field]:
        """See `Stored`."""
        return {name: Field((self.code,), np.uint8) for name in self.units}

    def items(self, x: Tensor) -> dict[str, NDArray[Any]]:
        """See `Stored`."""
        return {name: self.quantisers[name].encode(h.numpy()) for name, h in self._activities(x)}

    def remembered(self, name: str, items: Mapping[str, NDArray[Any]]) -> Tensor:
        """See `LatentReplay`."""
        return torch.from_numpy(self.quantisers[name].decode(items[name]))

    @torch.no_grad()
    def end(self, place: int, examples: Examples) -> None:
        """See `Part`."""
        if place == 0:
            drawn = torch.randperm(len(examples), generator=self.learner.generator)[:_FITTED].numpy()
            some: Batch = self.learner.batch(examples, drawn, place)
            for name, h in self._activities(some.x):
                self.quantisers[name].fit(h.numpy())
        super().end(place, examples)

    def arrays(self) -> Arrays:
        """See `Part`."""
        return super().arrays() | {f"centres/{name}": one.centres.copy() for name, one in self.quantisers.items()}

    def restore(self, arrays: Arrays) -> None:
        """See `Part`."""
        super().restore(arrays)
        for name, one in self.quantisers.items():
            one.centres[...] = arrays[f"centres/{name}"]
