"""Streams of tasks that are learned one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..counts import count, whole_numbers
from ..data import ImageDataset
from ..suggest import unknown

Array = NDArray[np.float32]
Integers = NDArray[np.int64]
Scenario = Literal["task", "domain", "class"]
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

    Raises:
        ValueError: no tasks, outputs that there are not, or tasks that do not go together: examples of other sizes or
            with other white pixels, or, where they share outputs, other ones.
    """

    name: str
    scenario: Scenario
    tasks: tuple[Task, ...]
    outputs: int

    def __post_init__(self) -> None:
        if self.scenario not in SCENARIOS:
            raise ValueError(unknown("scenario", self.scenario, SCENARIOS))
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

    def competing(self, place: int, now: int) -> tuple[int, ...]:
        """Outputs among which an answer is chosen, of examples of a task, while another one is the newest."""
        return self.tasks[place].outputs if self.scenario == "task" else self.known(now)

    def mask(self, now: int) -> NDArray[np.bool_]:
        """Which outputs compete for examples of each task while one is the newest, (tasks, outputs).

        Of tasks that are still to come it is those that will, when each is the newest.
        """
        found = np.zeros((len(self.tasks), self.outputs), dtype=bool)
        for own, task in zip(found, self.tasks, strict=True):
            own[list(task.outputs)] = True
        if self.scenario != "task":
            np.logical_or.accumulate(found, out=found)
            found[:now] = found[now]
        return found


def split_stream(
    data: ImageDataset, scenario: Scenario = "class", per_task: int = 2, order: Sequence[int] | None = None
) -> Stream:
    """Some classes of a data set after the others.

    Args:
        data: see `sharpwave.data.load`.
        scenario: see `Stream`; with `"domain"` a label is the place of a class within its task.
        per_task: classes of a task.
        order: of classes; None: as they are numbered.

    Raises:
        ValueError: classes do not come in tasks of this size, the order has not each of them once, or a class has no
            images.

    Example:
        >>> from sharpwave.data import load
        >>> stream = split_stream(load("digits"))
        >>> [task.name for task in stream.tasks], stream.outputs
        (['0, 1', '2, 3', '4, 5', '6, 7', '8, 9'], 10)
    """
    classes = int(data.train_labels.max()) + 1
    per_task = count("per_task", per_task)
    chosen = list(range(classes)) if order is None else [int(one) for one in order]
    if classes % per_task or sorted(chosen) != list(range(classes)):
        raise ValueError(
            f"expected an order of the {classes} classes and a number of them that divides it, got {chosen} and "
            f"{per_task} a task"
        )
    tasks, (train, test) = [], _parts(data)
    if (most := int(test.labels.max())) >= classes:
        raise ValueError(f"{data.name} has test images of class {most}, of which there are none for training")
    for what, part in (("training", train), ("test", test)):
        if missing := set(range(classes)) - set(part.labels.tolist()):
            raise ValueError(f"{data.name} has no {what} images of class {min(missing)}: there must be some of each")
    for first in range(0, classes, per_task):
        own = chosen[first : first + per_task]
        labels = np.full(classes, -1)
        labels[own] = range(per_task) if scenario == "domain" else own
        outputs = tuple(range(per_task)) if scenario == "domain" else tuple(sorted(own))
        tasks.append(Task(", ".join(map(str, own)), _chosen(train, labels), _chosen(test, labels), outputs))
    return Stream(f"split {data.name}", scenario, tuple(tasks), per_task if scenario == "domain" else classes)


def permuted_stream(data: ImageDataset, scenario: Scenario = "domain", tasks: int = 10, seed: int = 0) -> Stream:
    """The whole data set again and again, each time with pixels in another order; the first time as they are.

    Args:
        data: see `sharpwave.data.load`.
        scenario: see `Stream`; but for `"domain"` each task has outputs of its own.
        tasks: how often.
        seed: of the orders.
    """
    draw = np.random.Generator(np.random.Philox(key=count("seed", seed, 0)))
    features = data.train_images[0].size
    orders = [None, *(draw.permutation(features) for _ in range(count("tasks", tasks) - 1))]
    changed = [[replace(part, order=order) for part in _parts(data)] for order in orders]
    return _repeated(f"permuted {data.name}", scenario, changed, [f"order {k}" for k in range(tasks)])


def rotated_stream(
    data: ImageDataset, scenario: Scenario = "domain", angles: Sequence[float] = (0, 20, 40, 60, 80)
) -> Stream:
    """The whole data set again and again, turned by other angles.

    Args:
        data: see `sharpwave.data.load`.
        scenario: see `Stream`; but for `"domain"` each task has outputs of its own.
        angles: in degrees, of each task.

    Raises:
        ValueError: an angle that is not finite, or none.
    """
    from scipy.ndimage import rotate

    if not len(angles) or not np.isfinite(angles).all():
        raise ValueError(f"angles must be finite, and at least one, got {angles}")

    def turned(images: NDArray[np.uint8], angle: float) -> NDArray[np.uint8]:
        found = rotate(images, angle, axes=(1, 2), reshape=False, order=1).reshape(len(images), -1)
        return np.ascontiguousarray(found)

    changed = []
    for angle in angles:
        images = (turned(data.train_images, angle), turned(data.test_images, angle))
        parts = zip(_parts(data), images, strict=True)
        changed.append([replace(part, pixels=pixels) for part, pixels in parts])
    return _repeated(f"rotated {data.name}", scenario, changed, [f"{angle:g} degrees" for angle in angles])


def one_after_another(streams: Sequence[Stream], scenario: Scenario = "class") -> Stream:
    """Streams in a row, each with outputs of its own unless the scenario is `"domain"`.

    Raises:
        ValueError: no streams, examples of different sizes, or tasks that share outputs in some streams only.
    """
    if not streams:
        raise ValueError("expected at least one stream")
    if any((stream.scenario == "domain") != (scenario == "domain") for stream in streams):
        given = ", ".join(stream.scenario for stream in streams)
        raise ValueError(
            f"streams of the scenarios {given} cannot be one of the scenario {scenario!r}: tasks share "
            "their outputs in 'domain' alone"
        )
    if len({stream.features for stream in streams}) != 1:
        raise ValueError("streams must have examples of one size, got " + ", ".join(f"{s.features}" for s in streams))
    tasks, outputs = list[Task](), 0
    for stream in streams:
        first = 0 if scenario == "domain" else outputs
        tasks += [_moved(task, first, f"{stream.name}: ") for task in stream.tasks]
        outputs = max(outputs, first + stream.outputs)
    return Stream(" then ".join(s.name for s in streams), scenario, tuple(tasks), outputs)


def batches(examples: int, batch: int, iterations: int, seed: int, place: int) -> Iterator[Integers]:
    """Places of the examples of each batch of a task: those of an order of all, then of another one.

    What is left at the end of an order and makes no whole batch is left out.

    Args:
        examples: how many there are.
        batch: how many at a time, or all where there are fewer.
        iterations: batches.
        seed, place: of what is drawn: of the experiment, and the number of the task.
    """
    draw = np.random.Generator(np.random.Philox(key=[seed, place]))
    batch, left = min(batch, examples), np.zeros(0, dtype=np.int64)
    for _ in range(iterations):
        if len(left) < batch:
            left = draw.permutation(examples)
        yield left[:batch]
        left = left[batch:]


def single_pass(stream: Stream, batch: int, fuzzy: float, seed: int) -> Iterator[tuple[Integers, Integers]]:
    """Each example of all tasks once; near a border, examples of tasks are mixed.

    Args:
        stream: of tasks.
        batch: examples at a time.
        fuzzy: how far the places of examples in the stream are scattered: two standard deviations, as a share of a
            task's length; 0: tasks end where others begin.
        seed: of their order.

    Raises:
        ValueError: no such share, or batches of nothing.

    Yields:
        Of each batch, the tasks that examples are of, and their places there.
    """
    if not 0 <= fuzzy <= 1:
        raise ValueError(f"fuzzy must be from 0 to 1, got {fuzzy}")
    batch = count("batch", batch)
    draw = np.random.Generator(np.random.Philox(key=[seed, len(stream.tasks)]))
    lengths = [len(task.train) for task in stream.tasks]
    task = np.repeat(np.arange(len(lengths)), lengths)
    place = np.concatenate([draw.permutation(length) for length in lengths])
    when = np.arange(len(task)) + fuzzy * np.repeat(lengths, lengths) * draw.normal(size=len(task)) / 2
    order = np.argsort(when, kind="stable")
    for first in range(0, len(order), batch):
        some = order[first : first + batch]
        yield task[some], place[some]


def _parts(data: ImageDataset) -> tuple[Examples, Examples]:
    """All images, for training and for tests."""
    parts = (data.train_images, data.train_labels), (data.test_images, data.test_labels)
    one, other = (
        Examples(images.reshape(len(images), -1), np.arange(len(images)), labels, data.pixel_max)
        for images, labels in parts
    )
    return one, other


def _chosen(part: Examples, labels: Integers) -> Examples:
    """Examples whose class has a label that is not -1."""
    given = labels[part.labels]
    return replace(part, rows=np.flatnonzero(given >= 0), labels=given[given >= 0])


def _repeated(name: str, scenario: Scenario, changed: list[list[Examples]], names: list[str]) -> Stream:
    classes = int(changed[0][0].labels.max()) + 1
    tasks = [
        Task(label, train, test, tuple(range(classes)))
        for label, (train, test) in zip(names, changed, strict=True)
    ]  # fmt: skip
    if scenario == "domain":
        return Stream(name, scenario, tuple(tasks), classes)
    moved = tuple(_moved(task, classes * place, "") for place, task in enumerate(tasks))
    return Stream(name, scenario, moved, classes * len(tasks))


def _moved(task: Task, by: int, prefix: str) -> Task:
    """With outputs that begin at another one."""
    train, test = (replace(part, labels=part.labels + by) for part in (task.train, task.test))
    return Task(prefix + task.name, train, test, tuple(output + by for output in task.outputs))
