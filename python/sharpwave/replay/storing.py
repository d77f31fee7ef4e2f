"""Parts that keep examples in a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ..suggest import unknown
from .herding import Herding, herded
from .learner import Learner
from .part import Arrays, Batch, Part
from .scoring import Scoring
from .stores import Field, Integers, Policy, Store
from .streams import Examples

_OFFERED = 1000  # examples that are offered at a time
_SEEN = 2000  # examples whose activities are found at a time
When = Literal["task", "step"]
Target = Literal["labels", "logits", "features"]


class Stored(Part):
    """Keeps examples in a store.

    Args:
        budget: of the store, bytes.
        policy: of the store; `Herding` chooses among all examples of a task.
        when: examples are offered: `"task"`: all of a task, after it; `"step"`: those of each step.
        target: what is kept of them to be learned: `"labels"`, or also what the network made of them when they came:
            its `"logits"`, or the activities of its last hidden layer, its `"features"`.

    Raises:
        ValueError: a target that there is not, another time, or a policy that goes by priorities where none are given.
    """

    def __init__(self, budget: int, policy: Policy, when: When = "task", target: Target = "labels") -> None:
        if target not in get_args(Target):
            raise ValueError(unknown("target", target, get_args(Target)))
        if when not in get_args(When):
            raise ValueError(unknown("when", when, get_args(When)))
        if isinstance(policy, Herding) and when != "task":
            raise ValueError("Herding chooses among all examples of a task, after it: use when='task'")
        self.budget, self.policy, self.when = budget, policy, when
        self.target = target
        self.scoring: Scoring | None = None

    def start(self, learner: Learner) -> None:
        """See `Part`."""
        super().start(learner)
        self.largest = learner.stream.tasks[0].train.largest
        fields = self.fields() | {"y": Field((), np.int16), "task": Field((), np.int16)}
        if self.target != "labels":
            size = learner.stream.outputs if self.target == "logits" else learner.network.head.in_features
            fields["made"] = Field((size,), np.float32)
        if getattr(self.policy, "needs_priorities", False) and self.scoring is None:
            raise ValueError(
                f"{type(self.policy).__name__} decides by priorities, which a scorer gives: use .scored('loss')"
            )
        if self.scoring:
            fields["best"] = Field((), np.float32)
        shared = learner.stream.scenario == "domain"  # tasks share their classes
        self.store = Store(self.budget, fields, self.policy, learner.seed, by_task=shared)
        kinds = learner.stream.outputs * (len(learner.stream.tasks) if shared else 1)
        self.each = self.store.capacity // kinds  # items that each kind has room for
        if isinstance(self.policy, Herding) and not self.each:
            raise ValueError(
                f"a budget of {self.budget} bytes is for {self.store.capacity} examples: fewer than the {kinds} classes"
            )

    def fields(self) -> dict[str, Field]:
        """What is kept of inputs."""
        return {"x": Field((self.learner.stream.features,), np.uint8)}

    def items(self, x: Tensor) -> dict[str, NDArray[Any]]:
        """What is kept of some inputs, of each field."""
        return {"x": (x * self.largest).round().to(torch.uint8).numpy()}

    def inputs(self, items: Mapping[str, NDArray[Any]]) -> Tensor:
        """Inputs as they were, or as they are remembered."""
        return torch.from_numpy(items["x"]).float().mul_(1 / self.largest)

    def after(self, batch: Batch) -> None:
        """See `Part`."""
        if self.when == "step":
            self.offer(batch.y.numpy(), batch.task.numpy(), batch.some)

    def end(self, place: int, examples: Examples) -> None:
        """See `Part`."""
        if self.when != "task":
            return
        if isinstance(self.policy, Herding):
            self._herd(examples, place)
            return
        order = torch.randperm(len(examples), generator=self.learner.generator).numpy()
        for first in range(0, len(order), _OFFERED):
            self._offer_of_task(examples, order[first : first + _OFFERED], place)

    def _offer_of_task(self, examples: Examples, some: Integers, place: int) -> None:
        self.offer(
            examples.labels[some], np.full(len(some), place),
            lambda kept: self.learner.batch(examples, some[kept], place),
        )  # fmt: skip

    @torch.no_grad()
    def _herd(self, examples: Examples, place: int) -> None:
        """Keep what stands for each class, of new examples and of those of the class that are there."""
        for label in np.unique(examples.labels):
            own, there = np.flatnonzero(examples.labels == label), self.store.places_of(label, place)
            chunks = (torch.from_numpy(examples.inputs(own[k : k + _SEEN])) for k in range(0, len(own), _SEEN))
            new = [self.direction(x) for x in chunks]
            old = functional.normalize(self.features(self.store.take(there)), dim=1)
            chosen = herded(torch.cat([old, *new]).numpy(), self.each)
            left, come = np.delete(there, chosen[chosen < len(there)]), own[chosen[chosen >= len(there)] - len(there)]
            if len(left):
                self._put(left, self.learner.batch(examples, come[: len(left)], place))
            self._offer_of_task(examples, come[len(left) :], place)

    def features(self, items: Mapping[str, NDArray[Any]]) -> Tensor:
        """Activities of the last hidden layer for stored items, (items, units)."""
        return self.learner.network.features(self.inputs(items))

    def direction(self, x: Tensor) -> Tensor:
        """Activities of the last hidden layer for inputs, of length 1."""
        return functional.normalize(self.learner.network.features(x), dim=1)

    @torch.no_grad()
    def offer(self, y: Integers, task: Integers, some: Callable[[Integers], Batch]) -> None:
        """Offer examples of some labels and tasks to the store; those that are kept are fetched."""
        places = self.store.choose(self._labels(y, task))
        kept = np.flatnonzero(places >= 0)
        if len(kept):
            self._put(places[kept], some(kept))

    def _labels(self, y: Integers, task: Integers) -> dict[str, NDArray[np.int16]]:
        told = self.learner.borders or not self.store.by_task
        return {"y": y.astype(np.int16), "task": (task if told else np.zeros_like(task)).astype(np.int16)}

    def _put(self, places: Integers, batch: Batch) -> None:
        items: dict[str, NDArray[Any]] = {**self._labels(batch.y.numpy(), batch.task.numpy())}
        if self.target != "labels":
            items["made"] = self.made(batch.x).numpy()
        if self.scoring:
            items["best"] = np.full(len(places), np.inf, dtype=np.float32)
        self.store.put(places, self.items(batch.x) | items)
        if self.scoring:
            self.scoring.stored(self.store, places)

    def made(self, x: Tensor) -> Tensor:
        """What the network makes of inputs, as far as it is a target: logits, or features."""
        network = self.learner.network
        found: Tensor = network(x) if self.target == "logits" else network.features(x)
        return found

    def read(self, items: Mapping[str, NDArray[Any]]) -> Batch:
        """Stored items as examples."""
        y, task = (torch.from_numpy(items[name].astype(np.int64)) for name in ("y", "task"))
        return Batch(self.inputs(items), y, task)

    def shown(self, items: Mapping[str, NDArray[Any]]) -> Batch:
        """Stored items as examples; they count as replayed."""
        self.learner.replayed += len(items["y"])
        return self.read(items)

    def arrays(self) -> Arrays:
        """See `Part`."""
        return self.store.state()

    def restore(self, arrays: Arrays) -> None:
        """See `Part`."""
        self.store.restore(arrays)
