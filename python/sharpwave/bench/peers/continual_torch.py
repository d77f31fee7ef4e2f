"""Experience replay as public code has it: a data loader of new images, and another one of stored images."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from .continual_cases import REPLAY, Array, Pictures, accuracy, perceptron, read
from .serve import Solve, Solver


def _loaders(name: str, images: str) -> Solve:
    import torch
    from torch.nn import functional
    from torch.utils.data import DataLoader

    case, (x, y, test_x, test_y) = REPLAY[name], read(images)

    def loader(rows: Array) -> Any:
        return DataLoader(Pictures(x[rows], y[rows]), case.batch, shuffle=True)  # type: ignore[arg-type]

    def again(rows: Array) -> Iterator[Any]:
        while True:
            yield from loader(rows)

    def solve(rtol: float, atol: float) -> tuple[list[float], dict[str, Any]]:
        torch.set_num_threads(case.threads)
        torch.manual_seed(0)
        draw, network = np.random.default_rng(0), perceptron(case)
        optimizer = torch.optim.Adam(network.parameters(), lr=case.learning_rate)
        kept: dict[int, Array] = {}
        batches, began = 0, time.perf_counter()
        for classes in case.classes:
            old = again(np.concatenate(list(kept.values()))) if kept else None
            share = 1 / (1 + len(kept) / len(classes))
            for x_new, y_new in loader(np.flatnonzero(np.isin(y, classes))):
                optimizer.zero_grad()
                loss = functional.cross_entropy(network(x_new), y_new)
                if old is not None:
                    x_old, y_old = next(old)
                    loss = share * loss + (1 - share) * functional.cross_entropy(network(x_old), y_old)
                torch.autograd.backward([loss])
                optimizer.step()
                batches += 1
            for label in classes:
                kept[label] = draw.permutation(np.flatnonzero(y == label))
            kept = {label: rows[: case.memory // len(kept)] for label, rows in kept.items()}
        seconds = time.perf_counter() - began
        return [], {"seconds": seconds, "batches": batches, "accuracy": accuracy(network, test_x, test_y)}

    return solve


SOLVERS = [Solver("torch data loaders, 2 threads", ("torch",), tuple(REPLAY), _loaders)]
