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
            order, at_once = self._herd(examples), self.each
        else:
            order, at_once = torch.randperm(len(examples), generator=self.learner.generator).numpy(), _OFFERED
        for first in range(0, len(order), at_once):
            self._offer_of_task(examples, order[first : first + at_once], place)

    def _offer_of_task(self, examples: Examples, some: Integers, place: int) -> None:
        self.offer(
            examples.labels[some], np.full(len(some), place),
            lambda kept: self.learner.batch(examples, some[kept], place),
        )  # fmt: skip

    @torch.no_grad()
    def _herd(self, examples: Examples) -> NDArray[np.int64]:
        """Places of the examples that stand for their classes, those of each class in a row."""
        found = []
        for label in np.unique(examples.labels):
            own = np.flatnonzero(examples.labels == label)
            chunks = (torch.from_numpy(examples.inputs(own[k : k + _SEEN])) for k in range(0, len(own), _SEEN))
            features = np.concatenate([self.direction(x).numpy() for x in chunks])
            found.append(own[herded(features, self.each)])
        return np.concatenate(found)

    def direction(self, x: Tensor) -> Tensor:
        """Activities of the last hidden layer for inputs, of length 1."""
        return functional.normalize(self.learner.network.features(x), dim=1)

    @torch.no_grad()
    def offer(self, y: Integers, task: Integers, some: Callable[[Integers], Batch]) -> None:
        """Offer examples of some labels and tasks to the store; those that are kept are fetched."""
        labels = {"y": y.astype(np.int16), "task": task.astype(np.int16)}
        places = self.store.choose(labels)
        kept = np.flatnonzero(places >= 0)
        if not len(kept):
            return
        x, places, items = some(kept).x, places[kept], {name: array[kept] for name, array in labels.items()}
        if self.target != "labels":
            items["made"] = self.made(x).numpy()
        if self.scoring:
            items["best"] = np.full(len(kept), np.inf, dtype=np.float32)
        self.store.put(places, self.items(x) | items)
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
