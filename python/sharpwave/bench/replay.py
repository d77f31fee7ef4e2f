"""What replay costs besides learning, experience replay against peers, and a phase of sleep."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .measure import Say, Series, measure, peer_series, samples
from .ours_replay import OURS
from .peers.continual_cases import REPLAY, ReplayCase
from .record import Cost, Entry, Point
from .worker import Worker

if TYPE_CHECKING:
    from ..replay import ExperienceReplay, Learner, Stream

ITEMS, STEPS, BATCH = 100_000, 50, 128
TURNS = 9  # of steps of training, and of choosing without them
EXAMPLES = 12_800  # training images of split MNIST
SETTLE = 0.5  # seconds before a sample
SAME_ACCURACY = 0.05  # by how much a peer may learn better in as many batches
OVERHEAD_BOUND = 0.05  # of a step of training
SLEEP_BOUND = 10.0  # seconds


def measure_replay(
    ours: Worker, peers: Worker | None, limit: float, say: Say
) -> tuple[list[Point], list[Entry], list[Cost]]:  # fmt: skip
    """Measure split MNIST beside peers, what a step of replay does that is no learning, and sleep.

    Args:
        ours, peers: the workers; without `peers`, ours alone.
        limit: seconds that one sample may take.
        say: takes lines that tell how it goes.

    Raises:
        JuliaUnavailableError: there is no Julia.
    """
    import torch

    torch.set_num_threads(2)
    return *_tasks(ours, peers, limit, say), [*_overhead(say), *_sleep(say)]


def _images(number: int) -> Stream:
    """Two tasks of images at random."""
    from ..data import ImageDataset
    from ..replay import split_stream

    draw = np.random.default_rng(0)
    images, labels = draw.integers(0, 256, (number, 28, 28), dtype=np.uint8), np.arange(number) % 4
    return split_stream(ImageDataset("at random", images, labels, images[:100], labels[:100], "made here"))


def _overhead(say: Say) -> Iterator[Cost]:
    """Choosing, fetching and putting together stored examples, and scoring them, for each scorer."""
    from ..replay import SCORERS, ExperienceReplay, Learner, Settings

    stream, each = _images(2 * ITEMS), 784 + 4 + 2 + 2 + 8
    for name in ("no scorer", *SCORERS):
        part = ExperienceReplay(ITEMS * each)
        if name != "no scorer":
            part.scored(name)
        learner = Learner(stream, Settings(), [part], 0)
        part.end(0, stream.tasks[0].train)
        learner.finished = learner.place = 1
        part.begin(1)
        assert part.store.size >= ITEMS * 99 // 100
        works = _steps(learner), _choosing(learner, part)
        turns = [samples(work, 1)[0] / STEPS for _ in range(TURNS) for work in works]
        steps, found = np.sort(np.reshape(turns, (-1, 2)), axis=0).T
        whole = steps[TURNS // 2]
        say(f"{name}: {1e6 * found[TURNS // 2]:.3g} us beside a step of {1e3 * whole:.3g} ms")
        note = f"bound: {OVERHEAD_BOUND:.0%} of a step of training with replay, {1e3 * whole:.3g} ms"
        least, median, most = (float(found[place]) for place in (0, TURNS // 2, -1))
        yield Cost(f"replay from {ITEMS:,} items, {name}", median, least, most, TURNS, OVERHEAD_BOUND * whole, note)


def _steps(learner: Learner) -> Callable[[], None]:
    batch = learner.batch(learner.stream.tasks[1].train, np.arange(BATCH), 1)

    def work() -> None:
        for _ in range(STEPS):
            learner.step(batch)

    return work


def _choosing(learner: Learner, part: ExperienceReplay) -> Callable[[], None]:
    import torch

    from ..replay.scorers import Shown

    store, outputs, units = part.store, learner.stream.outputs, learner.network.head.in_features
    said, features = torch.full((BATCH, outputs), -np.log(outputs)), torch.rand(BATCH, units)
    losses = -said[:, 0]

    def work() -> None:
        for _ in range(STEPS):
            if part.scoring:
                places = store.sample(BATCH, by_priority=True)
                items = store.take(places)
                shown = part.shown(items)
                known = Shown(said, shown.y, features, losses, torch.from_numpy(items["best"]))
                part.scoring.weighed(store, places, losses, known)
            else:
                part.shown(store.draw(BATCH))

    return work


def _tasks(ours: Worker, peers: Worker | None, limit: float, say: Say) -> tuple[list[Point], list[Entry]]:
    """Split MNIST with experience replay: ours beside peers, by the time of a batch."""
    from ..data import load

    mnist, points, entries = load("mnist"), list[Point](), list[Entry]()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "mnist.npz"
        np.savez(
            path, x=mnist.train_images[:EXAMPLES], y=mnist.train_labels[:EXAMPLES], test_x=mnist.test_images,
            test_y=mnist.test_labels,
        )  # fmt: skip
        for problem in REPLAY:
            given = {"images": str(path)}
            series = [Series(ours, OURS, [(0.0, 0.0)], given), *peer_series(peers, problem, [(0.0, 0.0)], given)]
            found = measure(problem, series, lambda y: 0.0, limit, say, repeats=3, budget=60.0, settle=SETTLE)
            own, *others = (_of_a_batch(point) for point in found)
            points += [own, *others]
            alone = _products(REPLAY[problem])
            say(f"{problem}: matrix products of a batch alone, {1e3 * alone:.3g} ms")
            entries += [_beside(other, own, alone) for other in others]
    return points, entries


def _of_a_batch(point: Point) -> Point:
    """The point with times of a single batch."""
    return point.per(point.stats["batches"]) if point.stats else point


def _products(case: ReplayCase) -> float:
    """Seconds of the matrix products of a batch of new and stored images alone, by torch."""
    import torch

    layers = [torch.rand(2 * case.batch, size) for size in case.sizes]
    weights = [torch.rand(after, before) for before, after in pairwise(case.sizes)]

    def work() -> None:
        for place, (w, (x, y)) in enumerate(zip(weights, pairwise(layers), strict=True)):
            torch.mm(x, w.T)
            torch.mm(y.T, x)
            if place:
                torch.mm(y, w)

    return samples(work, 50)[25]


def _beside(peer: Point, own: Point, alone: float) -> Entry:
    """A peer beside ours, where ours has learned as well, and what the matrix products alone take."""
    how = next((point.status for point in (peer, own) if point.seconds is None), "")
    ratio = None
    if peer.seconds and own.seconds:
        a, b = peer.stats["accuracy"], own.stats["accuracy"]
        how = (
            f"a batch of 128 new and 128 stored images of {EXAMPLES:,}, 784-400-400-10, Adam, one pass; right in the "
            f"end: {a:.1%}, ours {b:.1%}; matrix products alone: {1e3 * alone:.3g} ms"
        )
        ratio = peer.seconds / own.seconds if a <= b + SAME_ACCURACY else None
    return Entry(peer.problem, own.solver, peer.solver, 0.0, 0.0, peer.seconds, None, own.seconds, None, ratio, how)


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
