"""What learning costs: time, and memory that is kept for backward passes."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from time import perf_counter
from typing import NamedTuple

import torch
from torch import Tensor

from .sigprop import SigProp
from .taught import Taught


class _Kept:
    """A tensor that is kept for a backward pass."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


class SavedBytes:
    """How much is kept for backward passes within a `with` block: the most at any moment.

    Args:
        besides: tensors that are there in any case, and do not count.

    Attributes:
        peak: bytes.

    Example:
        >>> x = torch.ones(1000, requires_grad=True)
        >>> with SavedBytes() as saved:
        ...     y = x.exp().sum()
        >>> saved.peak
        4000
    """

    def __init__(self, besides: Iterable[Tensor] = ()) -> None:
        self.peak = self._now = 0
        self._known = {tensor.untyped_storage().data_ptr(): 1 for tensor in besides}
        self._hooks = torch.autograd.graph.saved_tensors_hooks(self._keep, lambda kept: kept.tensor)

    def __enter__(self) -> SavedBytes:
        self._hooks.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._hooks.__exit__(*error)

    def _keep(self, tensor: Tensor) -> _Kept:
        storage = tensor.untyped_storage()
        where, kept = storage.data_ptr(), _Kept(tensor)
        self._known[where] = self._known.get(where, 0) + 1
        if self._known[where] == 1:
            self._now += storage.nbytes()
            self.peak = max(self.peak, self._now)
        weakref.finalize(kept, self._free, where, storage.nbytes())
        return kept

    def _free(self, where: int, size: int) -> None:
        self._known[where] -= 1
        if self._known[where] == 0:
            self._now -= size


class Cost(NamedTuple):
    """What a batch costs.

    Attributes:
        seconds: of it.
        bytes: kept for backward passes, the most at any moment, parameters not counted.
    """

    seconds: float
    bytes: int


def cost_of_a_batch(model: SigProp | Taught, x: Tensor, labels: Tensor, repeats: int = 5) -> Cost:
    """Time, the least of some batches, and memory of learning x (examples, ...) of classes (examples,)."""
    with SavedBytes(one for module in model.modules.values() for one in module.parameters()) as saved:
        model.learn(x, labels)
    seconds = []
    for _ in range(repeats):
        began = perf_counter()
        model.learn(x, labels)
        seconds.append(perf_counter() - began)
    return Cost(min(seconds), saved.peak)


def cost_by_block(model: SigProp, x: Tensor, labels: Tensor) -> list[Cost]:
    """Time and memory of each block while a batch passes."""
    found: list[Cost] = []
    passing = model.passing(x, labels)
    while True:
        began = perf_counter()
        with SavedBytes() as saved:
            step = next(passing, None)
            if step is None:
                return found
            model.updates.take(step[0], step[3])
        found.append(Cost(perf_counter() - began, saved.peak))
