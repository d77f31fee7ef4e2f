"""The order in which examples come: task after task, or all of them once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..counts import count
from .draws import draws
from .streams import Integers, Stream


def batches(examples: int, batch: int, iterations: int, seed: int, place: int) -> Iterator[Integers]:
    """Places of the examples of each batch of a task: those of an order of all, then of another one.

    What is left at the end of an order and makes no whole batch is left out.

    Args:
        examples: how many there are.
        batch: how many at a time, or all where there are fewer.
        iterations: batches.
        seed, place: of what is drawn: of the experiment, and the number of the task.
    """
    draw = draws(seed, "batches", place)
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

    Returns:
        Of each batch, the tasks that examples are of, and their places there.

    Raises:
        ValueError: no such share, or batches of nothing.
    """
    if not 0 <= fuzzy <= 1:
        raise ValueError(f"fuzzy must be from 0 to 1, got {fuzzy}")
    batch = count("batch", batch)
    draw = draws(seed, "single pass")
    lengths = [len(task.train) for task in stream.tasks]
    task = np.repeat(np.arange(len(lengths)), lengths)
    place = np.concatenate([draw.permutation(length) for length in lengths])
    when = np.arange(len(task)) + fuzzy * np.repeat(lengths, lengths) * draw.normal(size=len(task)) / 2
    order = np.argsort(when, kind="stable")
    chosen = (order[first : first + batch] for first in range(0, len(order), batch))
    return ((task[some], place[some]) for some in chosen)
