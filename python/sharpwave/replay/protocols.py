"""Streams of tasks made of data sets: classes in turn, pixels in other orders, images turned, streams in a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..counts import count
from ..data import ImageDataset
from .streams import Examples, Integers, Scenario, Stream, Task


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
