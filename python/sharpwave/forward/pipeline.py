"""All blocks of a network at work at once."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from math import isfinite
from queue import Queue
from typing import Any

from torch import Tensor

from .method import DivergedError
from .sigprop import SigProp

_AHEAD = 2  # batches that wait between two blocks


def learn_in_parallel(model: SigProp, batches: Iterable[tuple[Tensor, Tensor]]) -> list[list[float]]:
    """Learn batches by signal propagation, with a thread for each block: while one learns a batch, the block before it
    learns the next. Numbers are those of `SigProp.learn`, batch by batch.

    Args:
        model: whose targets are not `"loop"`, which come from the end of the network, and whose prediction is not
            `"neutral"`, whose classifier learns of blocks that have all learned the batch, and no more.
        batches: examples (examples, ...) and their classes (examples,).

    Returns:
        Losses of each batch, by block.

    Raises:
        ValueError: blocks must wait for each other.
        DivergedError: a loss is not finite; it names the block.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> x, y = torch.rand(64, 4), torch.arange(64) % 2
        >>> model = SigProp(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU()), 2, x[0])
        >>> losses = learn_in_parallel(model, [(x[:32], y[:32]), (x[32:], y[32:])])
        >>> len(losses), len(losses[0])
        (2, 2)
    """
    if model.rule.targets == "loop":
        raise ValueError("targets 'loop' need what the network says of a batch before it is learned: use SigProp.learn")
    if model.rule.prediction == "neutral":
        raise ValueError("prediction 'neutral' needs blocks that have learned the same batches: use SigProp.learn")
    model.train(True)
    blocks = len(model.blocks)
    queues: list[Queue[Any]] = [Queue(_AHEAD) for _ in range(blocks + 1)]
    with ThreadPoolExecutor(blocks + 1) as pool:
        works = [pool.submit(_block, model, place, *queues[place : place + 2]) for place in range(blocks)]
        end = pool.submit(_end, model, queues[-1])
        for x, labels in batches:
            queues[0].put((x, None, labels))
        queues[0].put(None)
        found = [work.result() for work in works]
        last = end.result()
    if last:
        found.append(last)
    return [list(losses) for losses in zip(*found, strict=True)]


def _block(model: SigProp, place: int, before: Queue[Any], after: Queue[Any]) -> list[float]:
    """Learn what comes until nothing does; after a failure let the rest pass, so that no thread waits for ever."""
    losses: list[float] = []
    failure: Exception | None = None
    while (item := before.get()) is not None:
        if failure is not None:
            continue
        try:
            if place == 0:
                model.check(item[2], len(item[0]))
            h, t, loss = model.at_block(place, *item)
            losses.append(float(loss.detach()))
            if not isfinite(losses[-1]):
                raise DivergedError(f"the loss of block {place} is {losses[-1]:g}: lower the learning rate")
            model.updates.take(place, loss)
            after.put((h.detach(), t.detach(), item[2]))
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            failure = error
    after.put(None)
    if failure is not None:
        raise failure
    return losses


def _end(model: SigProp, before: Queue[Any]) -> list[float]:
    """The readout, if there is one."""
    losses: list[float] = []
    while (item := before.get()) is not None:
        if model.rule.prediction == "readout":
            loss = model.read(item[0], item[2])
            model.updates.take(len(model.blocks), loss)
            losses.append(float(loss.detach()))
    return losses
