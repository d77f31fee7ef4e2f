# mypy: disable-error-code="import-not-found,import-untyped"
"""Avalanche: its training loop with its replay plugin, without metrics and loggers."""

from __future__ import annotations

import time
import warnings
from typing import Any

from .continual_cases import REPLAY, Pictures, accuracy, perceptron, read
from .serve import Solve, Solver

MODULES = ("torch", f"{__package__}.avalanche_core", "avalanche.training")


def _avalanche(name: str, images: str) -> Solve:
    import torch
    from avalanche.benchmarks import nc_benchmark
    from avalanche.training import Naive
    from avalanche.training.plugins import EvaluationPlugin, ReplayPlugin
    from avalanche.training.storage_policy import ClassBalancedBuffer
    from torch.utils.data import Dataset

    warnings.simplefilter("ignore", DeprecationWarning)  # Avalanche's, of itself
    case, (x, y, test_x, test_y) = REPLAY[name], read(images)

    class Data(Pictures, Dataset[Any]):
        pass

    order = [label for classes in case.classes for label in classes]
    stream = nc_benchmark(
        Data(x, y), Data(test_x, test_y), len(case.classes), task_labels=False, fixed_class_order=order
    ).train_stream

    def solve(rtol: float, atol: float) -> tuple[list[float], dict[str, Any]]:
        torch.set_num_threads(case.threads)
        torch.manual_seed(0)
        network = perceptron(case)
        replay = ReplayPlugin(
            mem_size=case.memory, batch_size=case.batch, batch_size_mem=case.batch,
            storage_policy=ClassBalancedBuffer(max_size=case.memory, adaptive_size=True),
        )  # fmt: skip
        strategy = Naive(
            model=network, optimizer=torch.optim.Adam(network.parameters(), lr=case.learning_rate),
            criterion=torch.nn.CrossEntropyLoss(), train_mb_size=case.batch, train_epochs=1, plugins=[replay],
            evaluator=EvaluationPlugin(),
        )  # fmt: skip
        began = time.perf_counter()
        for experience in stream:
            strategy.train(experience, num_workers=0)
        seconds = time.perf_counter() - began
        batches = strategy.clock.train_iterations
        return [], {"seconds": seconds, "batches": batches, "accuracy": accuracy(network, test_x, test_y)}

    return solve


SOLVERS = [Solver("Avalanche, 2 threads", MODULES, tuple(REPLAY), _avalanche)]
