"""What replay costs besides learning, experience replay against the reference procedure, and a phase of sleep."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from .measure import Say, samples
from .record import Cost, Entry, beside

if TYPE_CHECKING:
    from ..replay import ExperienceReplay, Learner, Stream

ITEMS, STEPS, BATCH = 100_000, 50, 128
OVERHEAD_BOUND = 0.05  # of a step of training
SLEEP_BOUND = 10.0  # seconds


def measure_replay(say: Say) -> tuple[list[Entry], list[Cost]]:
    """Measure a step of replay and its parts that are no learning, a task against the reference, and sleep.

    Args:
        say: takes lines that tell how it goes.

    Raises:
        JuliaUnavailableError: there is no Julia.
    """
    import torch

    torch.set_num_threads(2)
    return [_task(say)], [*_overhead(say), *_sleep(say)]


def _images(number: int) -> Stream:
    """Two tasks of images at random."""
    from ..data import ImageDataset
    from ..replay import split_stream

    draw = np.random.default_rng(0)
    images, labels = draw.integers(0, 256, (number, 28, 28), dtype=np.uint8), np.arange(number) % 4
    return split_stream(ImageDataset("at random", images, labels, images[:100], labels[:100], "made here"))


def _overhead(say: Say) -> Iterator[Cost]:
    """Choosing, fetching and putting together stored examples, and scoring them, for each scorer."""
    from ..replay import SCORERS, ExperienceReplay, Learner, ScoredReplay, Settings

    stream, each = _images(2 * ITEMS), 784 + 4 + 2 + 2 + 8
    for name in ("no scorer", *SCORERS):
        part = ExperienceReplay(ITEMS * each) if name == "no scorer" else ScoredReplay(ITEMS * each, name)
        learner = Learner(stream, Settings(), [part], 0)
        part.end(0, stream.tasks[0].train)
        learner.finished = learner.place = 1
        part.begin(1)
        assert part.store.size >= ITEMS * 99 // 100
        whole = samples(_steps(learner), 5)[2] / STEPS
        found = [seconds / STEPS for seconds in samples(_choosing(learner, part), 5)]
        say(f"{name}: {1e6 * found[2]:.3g} us beside a step of {1e3 * whole:.3g} ms")
        note = f"bound: {OVERHEAD_BOUND:.0%} of a step of training with replay, {1e3 * whole:.3g} ms"
        yield Cost(
            f"replay from {ITEMS:,} items, {name}", found[2], found[0], found[-1], 5, OVERHEAD_BOUND * whole, note
        )


def _steps(learner: Learner) -> Callable[[], None]:
    batch = learner.batch(learner.stream.tasks[1].train, np.arange(BATCH), 1)

    def work() -> None:
        for _ in range(STEPS):
            learner.step(batch)

    return work


def _choosing(learner: Learner, part: ExperienceReplay) -> Callable[[], None]:
    import torch

    from ..replay import ScoredReplay
    from ..replay.scorers import Shown

    store, outputs, units = part.store, learner.stream.outputs, learner.network.head.in_features
    said, features = torch.full((BATCH, outputs), -np.log(outputs)), torch.rand(BATCH, units)

    def work() -> None:
        for _ in range(STEPS):
            if isinstance(part, ScoredReplay):
                places = store.sample(BATCH, by_priority=True)
                shown = part.shown(store.take(places))
                part.score(places, Shown(said, shown.y, features, torch.from_numpy(store.arrays["best"][places])))
            else:
                part.shown(store.draw(BATCH))

    return work


def _task(say: Say) -> Entry:
    """Batches of the second of two tasks with experience replay: ours, and the reference's data loaders."""
    from ..replay import ExperienceReplay, Learner, Settings

    stream = _images(24_000)
    learner = Learner(stream, Settings(iterations=200), [ExperienceReplay(1000 * 796)], 0)
    learner.learn(0)

    def ours() -> None:
        learner.finished, learner.iteration = 1, 0
        learner.learn(1)

    mine, theirs = samples(ours, 3)[1] / 200, samples(_reference(stream, 200), 3)[1] / 200
    say(f"a step of experience replay: {1e3 * mine:.3g} ms, the reference procedure {1e3 * theirs:.3g} ms")
    how = (
        "784-400-400-4, batches of 128 new and 128 stored images, Adam; the reference: a torch DataLoader over images "
        "that a transform turns to tensors one by one, and another one over the stored ones"
    )
    return beside(
        "experience replay, a batch", "the reference procedure, 2 threads", theirs, mine, how, "sharpwave torch"
    )


def _reference(stream: Stream, iterations: int) -> Callable[[], None]:
    """The procedure of public code for continual learning: data sets of images with transforms, and data loaders."""
    import torch
    from torch import nn
    from torch.nn import functional
    from torch.utils.data import DataLoader, Dataset

    class Pictures(Dataset[Any]):
        def __init__(self, pixels: np.ndarray, labels: np.ndarray) -> None:
            self.pixels, self.labels = pixels, labels

        def __len__(self) -> int:
            return len(self.labels)

        def __getitem__(self, k: int) -> tuple[Any, int]:
            picture = torch.from_numpy(self.pixels[k].reshape(28, 28, 1)).permute(2, 0, 1).contiguous()
            return picture.float().div(255), int(self.labels[k])

    old, new = (task.train for task in stream.tasks)
    layers = [layer for a, b in pairwise((784, 400, 400)) for layer in (nn.Linear(a, b), nn.ReLU())]
    network = nn.Sequential(nn.Flatten(), *layers, nn.Linear(400, 4))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    pictures = [Pictures(old.pixels[old.rows[:1000]], old.labels[:1000]), Pictures(new.pixels[new.rows], new.labels)]

    def batches(data: Dataset[Any]) -> Iterator[Any]:
        while True:
            yield from DataLoader(data, batch_size=BATCH, shuffle=True, drop_last=True)

    def work() -> None:
        stored, fresh = (batches(data) for data in pictures)
        for _ in range(iterations):
            (x, y), (x_old, y_old) = next(fresh), next(stored)
            optimizer.zero_grad()
            loss = functional.cross_entropy(network(x), y) / 2 + functional.cross_entropy(network(x_old), y_old) / 2
            torch.autograd.backward([loss])
            optimizer.step()

    return work


def _sleep(say: Say) -> Iterator[Cost]:
    from ..replay import SleepRule, sleep

    draw, sizes, steps = np.random.default_rng(0), (784, 1200, 1200, 10), 15_000
    weights = [
        (draw.uniform(-0.01, 0.01, (after, before)) + 0.002).astype(np.float32) for before, after in pairwise(sizes)
    ]
    spikes = SleepRule().noise(np.clip(draw.normal(0.13, 0.15, 784), 0, 1), steps, 0)
    fired = sleep(weights, spikes).fired
    found = samples(lambda: sleep(weights, spikes), 3)
    say(f"a phase of sleep: {found[1]:.3g} s, {fired.tolist()} spikes")
    note = f"784-1200-1200-10, {steps:,} steps, {int(fired.sum()):,} spikes"
    yield Cost("a phase of sleep", found[1], found[0], found[-1], 3, SLEEP_BOUND, note)
