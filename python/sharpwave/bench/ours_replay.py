"""Our side of the workload of continual learning."""

from __future__ import annotations

import time
from typing import Any

from .peers.continual_cases import REPLAY, read
from .peers.serve import Solve, Solver

OURS = "sharpwave torch, 2 threads"


def _replay(name: str, images: str) -> Solve:
    import numpy as np
    import torch

    from sharpwave.data import ImageDataset
    from sharpwave.experiments.continual.config import budget
    from sharpwave.replay import ExperienceReplay, Learner, Settings, split_stream

    case, found = REPLAY[name], read(images)
    stream = split_stream(ImageDataset("a file", *found, "given"), "class", len(case.classes[0]))
    settings = Settings(case.hidden, case.learning_rate, case.batch, len(found[0]) // len(case.classes) // case.batch)

    def solve(rtol: float, atol: float) -> tuple[list[float], dict[str, Any]]:
        torch.set_num_threads(case.threads)
        learner = Learner(stream, settings, [ExperienceReplay(budget(case.memory, stream))], 0)
        began = time.perf_counter()
        for place in range(len(stream.tasks)):
            learner.learn(place)
        seconds = time.perf_counter() - began
        batches = len(stream.tasks) * settings.iterations
        accuracy = float(np.mean([learner.accuracy(place) for place in range(len(stream.tasks))]))
        return [], {"seconds": seconds, "batches": batches, "accuracy": accuracy}

    return solve


SOLVERS = [Solver(OURS, ("sharpwave.replay", "torch"), tuple(REPLAY), _replay)]
