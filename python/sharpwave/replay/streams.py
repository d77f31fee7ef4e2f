"""Streams of tasks that are learned one after the other: what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ..counts import whole_numbers
from ..suggest import unknown

Array = NDArray[np.float32]
Integers = NDArray[np.int64]
Scenario = Literal["task", "domain", "class"]
Active = Literal["known", "all"]
SCENARIOS = ("task", "domain", "class")
_BYTE = 255


@dataclass(frozen=True, eq=False)
class Examples:
    """Images of a data set, some of them, with labels that may not be those of the data set.

    Attributes:
        pixels: of all images, uint8 (images, features); it is shared.
        rows: which ones, (examples,).
        labels: from 0, (examples,).
        largest: the value of a white pixel.
        order: of the pixels, (features,); None: as they are.

    Raises:
        ValueError: pixels that are no uint8 from 0 to `largest`, in which stores keep them, rows that there are not,
            or labels that are no whole numbers from 0, one for each row.
    """

    pixels: NDArray[np.uint8]
    rows: Integers
    labels: Integers
    largest: float
    order: Integers | None = None

    def __post_init__(self) -> None:
        pixels = self.pixels
        if not (isinstance(pixels, np.ndarray) and pixels.ndim == 2 and pixels.dtype == np.uint8 and pixels.size):
            given = f"{pixels.dtype} {pixels.shape}" if isinstance(pixels, np.ndarray) else type(pixels).__name__
            raise ValueError(
                f"pixels must be a uint8 array (images, features), got {given}: bring what is finite to whole numbers "
                "from 0 to 255 first"
            )
        if not 0 < self.largest <= _BYTE:
            raise ValueError(f"largest must be the value of a white pixel, above 0 and at most 255, got {self.largest}")
        if (most := int(pixels.max())) > self.largest:
            raise ValueError(f"pixels must be from 0 to {self.largest:g}, the value of a white one, got {most}")
        for name in ("rows", "labels"):
            object.__setattr__(self, name, whole_numbers(name, getattr(self, name), "(examples,)"))
        if len(self.rows) != len(self.labels):
            raise ValueError(f"there must be a label for each row, got {len(self.labels)} for {len(self.rows)}")
        if len(self.rows) and self.rows.max() >= len(pixels):
            raise ValueError(f"rows must be among the {len(pixels)} images, got {self.rows.max()}")
        if self.order is not None and not np.array_equal(np.sort(self.order), np.arange(pixels.shape[1])):
            raise ValueError(f"order must have each of {pixels.shape[1]} pixels once")

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def marks(self) -> tuple[NDArray[np.generic], ...]:
        """What tells them from others, but for the pixels themselves."""
        order = np.arange(self.pixels.shape[1]) if self.order is None else self.order
        return self.rows, self.labels, order, np.array(self.largest)

    def inputs(self, places: Integers | slice = slice(None)) -> Array:
        """Some examples, pixels from 0 to 1, float32 (examples, features)."""
        found = self.pixels[self.rows[places]]
        if self.order is not None:
            found = found[:, self.order]
        return found * np.float32(1 / self.largest)


@dataclass(frozen=True, eq=False)
class Task:
    """What is learned at a time.

    Attributes:
        name: for tables.
        train, test: examples; labels are numbers of outputs.
        outputs: those that its examples are told apart by, where the task is known.

    Raises:
        ValueError: no examples, or labels that are none of the outputs.
    """

    name: str
    train: Examples
    test: Examples
    outputs: tuple[int, ...]

    def __post_init__(self) -> None:
        for what, examples in (("training", self.train), ("test", self.test)):
            if not len(examples):
                raise ValueError(f"task {self.name} has no {what} examples")
            strange = set(np.unique(examples.labels).tolist()) - set(self.outputs)
            if strange:
                raise ValueError(
                    f"task {self.name} has {what} examples of output {min(strange)}, which is none of its outputs, "
                    f"{', '.join(map(str, self.outputs))}"
                )


@dataclass(frozen=True, eq=False)
class Stream:
    """Tasks, in order.

    Attributes:
        name: for tables.
        scenario: `"task"`: whoever is asked knows the task, and chooses among its outputs; `"domain"`: all tasks have
            the same outputs; `"class"`: the choice is among the outputs of all tasks that there have been.
        tasks: at least one.
        outputs: of the network.
        active: outputs that compete while a task is learned in the scenario "class": `"known"`, those of tasks that
            there have been, or `"all"`, those of tasks to come too, as in van de Ven and others, Nature Machine
            Intelligence 4, 2022. Answers are chosen among those that are known in any case.

    Raises:
        ValueError: no tasks, outputs that there are not, or tasks that do not go together: examples of other sizes or
            with other white pixels, or, where they share outputs, other ones.
    """

    name: str
    scenario: Scenario
    tasks: tuple[Task, ...]
    outputs: int
    active: Active = "known"

    def __post_init__(self) -> None:
        if self.scenario not in SCENARIOS:
            raise ValueError(unknown("scenario", self.scenario, SCENARIOS))
        if self.active not in get_args(Active):
            raise ValueError(unknown("active", self.active, get_args(Active)))
        if not self.tasks:
            raise ValueError("a stream has at least one task")
        for task in self.tasks:
            if max(task.outputs) >= self.outputs:
                raise ValueError(f"{task.name} has output {max(task.outputs)}, but the network has only {self.outputs}")
            for examples in (task.train, task.test):
                if examples.pixels.shape[1] != self.features:
                    raise ValueError(
                        f"examples of all tasks must be of one size, got {examples.pixels.shape[1]} features in "
                        f"{task.name} and {self.features} in {self.tasks[0].name}"
                    )
                if examples.largest != self.tasks[0].train.largest:
                    raise ValueError(
                        f"white pixels of all tasks must have one value, got {examples.largest:g} in {task.name} and "
                        f"{self.tasks[0].train.largest:g} in {self.tasks[0].name}"
                    )
            if self.scenario == "domain" and task.outputs != self.tasks[0].outputs:
                raise ValueError(
                    f"in the scenario 'domain' all tasks have the same outputs, got {task.outputs} in {task.name} and "
                    f"{self.tasks[0].outputs} in {self.tasks[0].name}"
                )

    @property
    def features(self) -> int:
        """Numbers of an example."""
        return int(self.tasks[0].train.pixels.shape[1])

    @property
    def classes(self) -> int:
        """Kinds of examples: the outputs of each task, those of several tasks counted for each."""
        return sum(len(task.outputs) for task in self.tasks)

    def known(self, place: int) -> tuple[int, ...]:
        """Outputs that have been taught once so many tasks after the first have been."""
        return tuple(sorted({output for task in self.tasks[: place + 1] for output in task.outputs}))

    def choices(self, place: int, now: int) -> tuple[int, ...]:
        """Outputs among which an answer is chosen, of examples of a task, while another one is the newest.

        Of a task that is still to come it is those that will be known when it is the newest.
        """
        return self.tasks[place].outputs if self.scenario == "task" else self.known(max(place, now))

    def competing(self, place: int) -> tuple[int, ...]:
        """Outputs that compete while examples of a task are learned that is the newest."""
        return tuple(np.flatnonzero(self.mask(place)[place]).tolist())

    def mask(self, now: int) -> NDArray[np.bool_]:
        """Which outputs compete while examples of each task are learned, of which one is the newest, (tasks, outputs).

        Of tasks that are still to come it is those that will, when each is the newest.
        """
        found = np.zeros((len(self.tasks), self.outputs), dtype=bool)
        if self.scenario == "class" and self.active == "all":
            return ~found
        for own, task in zip(found, self.tasks, strict=True):
            own[list(task.outputs)] = True
        if self.scenario != "task":
            np.logical_or.accumulate(found, out=found)
            found[:now] = found[now]
        return found
