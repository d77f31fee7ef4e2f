"""Wave lattices and trained RNNs: ours in Julia against torch at the same work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .measure import Say, samples
from .record import Cost, Entry, beside

COLUMNS = (8, 64, 512, 8192)
ROWS, STEPS = 64, 400_000  # of the lattices of these lengths
LARGE, LARGE_STEPS = 2_000_000, 400  # rows, beyond any cache, and steps
ROLLED = ((8, 4096), (64, 4096), (512, 512))  # columns and rows of lattices that torch.roll moves
NETWORKS, HIDDEN, HORIZON, TRAINED = 20, (64, 128), 100, 20  # the last are steps of training
SAMPLES = 7


def measure_waves(say: Say) -> tuple[list[Entry], list[Cost]]:
    """Measure steps of lattices and of training.

    Args:
        say: takes lines that tell how it goes.

    Raises:
        JuliaUnavailableError: there is no Julia.
    """
    return [*_rolled(say), *_trained(say)], [*_lengths(say), *_large(say)]


def _steps(columns: int, rows: int, steps: int, count: int = SAMPLES) -> list[float]:
    """Seconds of a step of a lattice whose oldest column starts again, setting up not counted."""
    from ..waves import LinearBoundary, WaveLattice
    from ..waves.julia_backend import roll

    lattice = WaveLattice(columns, rows, LinearBoundary({1: 0.99}))
    start, nothing = np.random.default_rng(0).normal(size=(1, columns, rows)), np.zeros((1, 0, rows))
    setting_up = samples(lambda: roll(lattice, start, nothing, 0, None, keep=False), count)[0]
    work = samples(lambda: roll(lattice, start, nothing, steps, None, keep=False), count)
    return [(seconds - setting_up) / steps for seconds in work]


def _lengths(say: Say) -> Iterator[Cost]:
    first = None
    for columns in COLUMNS:
        found = _steps(columns, ROWS, STEPS)
        first = first or found[len(found) // 2]
        bound = None if columns == COLUMNS[0] else 1.5 * first
        note = f"{ROWS} rows, one example" + (f"; bound: 1.5 times that of s={COLUMNS[0]}" if bound else "")
        say(f"a lattice's step, s={columns}: {1e9 * found[len(found) // 2]:.3g} ns")
        yield Cost(
            f"a lattice's step, s={columns:,}", found[len(found) // 2], found[0], found[-1], SAMPLES, bound, note
        )


def _large(say: Say) -> Iterator[Cost]:
    source = np.random.default_rng(0).normal(size=LARGE)
    target = np.empty_like(source)
    copied = samples(lambda: np.copyto(target, source), SAMPLES)
    found = _steps(8, LARGE, LARGE_STEPS, 3)
    say(f"a step of {LARGE:,} rows: {1e3 * found[1]:.3g} ms, a copy of as many numbers {1e3 * copied[0]:.3g} ms")
    note = f"s=8; bound: 1.5 times what a copy of as many numbers takes, {1e3 * copied[0]:.3g} ms"
    yield Cost(f"a lattice's step, {LARGE:,} rows", found[1], found[0], found[-1], 3, 1.5 * copied[0], note)


def _rolled(say: Say) -> Iterator[Entry]:
    """The same steps with the substrate moved in memory."""
    import torch

    torch.set_num_threads(2)
    for columns, rows in ROLLED:
        h = torch.from_numpy(np.random.default_rng(0).normal(size=(columns, rows)))

        def step(h: Any = h) -> None:
            moved = h.roll(-1, 0)
            moved[-1] = 0.99 * h[0]

        def many(step: Callable[[], None] = step) -> None:
            for _ in range(50):
                step()

        peer = samples(many, SAMPLES)[SAMPLES // 2] / 50
        ours = _steps(columns, rows, 50_000)[SAMPLES // 2]
        problem = f"a lattice's step, s={columns}, {rows} rows"
        say(f"{problem}: {1e6 * ours:.3g} us, torch.roll {1e6 * peer:.3g} us")
        yield beside(problem, "torch.roll, 2 threads", peer, ours, "the oldest column, times .99, starts again")


def _trained(say: Say) -> Iterator[Entry]:
    """Steps of training of many networks at once, against torch.nn.RNN and Adam, one network after the other."""
    from ..recurrent import Elman, Protocol, new_networks, published_tasks
    from ..recurrent.julia_learning import learn
    from ..recurrent.training_state import TrainingState

    task, protocol = published_tasks()["T2"], Protocol(horizons=(HORIZON,))
    for hidden in HIDDEN:
        elman, seeds = Elman(hidden), tuple(range(NETWORKS))
        state = TrainingState.new(new_networks(elman, 8, 8, seeds))

        def ours(elman: Any = elman, seeds: Any = seeds, state: Any = state) -> None:
            learn(elman, task, protocol, seeds, state, state.step + TRAINED, None)

        mine = samples(ours, 3)[1] / TRAINED / NETWORKS
        theirs = samples(_torchs_own(task, protocol, hidden), 3)[1] / TRAINED
        problem = f"a step of training, {hidden} units, horizon {HORIZON}"
        say(f"{problem}: {1e3 * mine:.3g} ms a network, torch.nn.RNN {1e3 * theirs:.3g} ms")
        how = f"{protocol.examples} examples drawn, squared error, clipping, Adam; ours {NETWORKS} networks at once"
        yield beside(problem, "torch.nn.RNN, 2 threads", theirs, mine, how)


def _torchs_own(task: Any, protocol: Any, hidden: int) -> Callable[[], None]:
    import torch

    torch.set_num_threads(2)
    rnn = torch.nn.RNN(task.dimensions, hidden, bias=False, batch_first=True)
    readout = torch.nn.Linear(hidden, task.dimensions, bias=False)
    parameters = [*rnn.parameters(), *readout.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=protocol.learning_rate)

    def steps() -> None:
        for step in range(TRAINED):
            inputs, targets = task.batch(0, step, protocol.examples, HORIZON)
            shown = torch.cat([inputs, torch.zeros_like(targets)], dim=1)
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(readout(rnn(shown)[0])[:, task.window :], targets)
            torch.autograd.backward([loss])
            torch.nn.utils.clip_grad_norm_(parameters, protocol.clip)
            optimizer.step()

    return steps
