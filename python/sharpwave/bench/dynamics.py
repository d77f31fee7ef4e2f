"""What is inside networks through training, all of it; and fixed points beside the procedure of FixedPointFinder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from .measure import Say, samples
from .record import Cost, Entry, beside

if TYPE_CHECKING:
    from ..dynamics import NetworkMap
    from ..recurrent import Trained

PERIOD, UNITS, HORIZON, SEEDS = 10, 32, 60, 20
CHECKPOINTS, EVERY = 100, 10  # steps of training from one to the next
STARTS, STEPS = 64, 1000  # at random, and of a trajectory whose exponents are found
BOUND = 120.0  # seconds of all of it
COMPARED = 40  # networks, each under one symbol, whose fixed points are found by Adam too
RESIDUAL, ITERATIONS = 1e-12, 5000


def measure_dynamics(say: Say) -> tuple[list[Entry], list[Cost]]:
    """Train networks on a flipflop and look into them.

    Args:
        say: takes lines that tell how it goes.

    Raises:
        JuliaUnavailableError: there is no Julia.
    """
    from ..recurrent import Elman, train
    from ..recurrent.automata import AutomatonTask, temporal_flipflop
    from ..recurrent.protocol import Protocol

    say(f"training {SEEDS} networks of {UNITS} units")
    steps = CHECKPOINTS * EVERY
    trained = train(
        Elman(UNITS, bias=True), AutomatonTask(temporal_flipflop(period=PERIOD)), range(SEEDS),
        Protocol(steps=steps, horizons=(HORIZON,), learning_rate=2e-3), keep=range(EVERY, steps + 1, EVERY),
        backend="torch",
    )  # fmt: skip
    maps = _maps(trained)
    return [_beside_adam(say, maps[:: len(maps) // COMPARED])], list(_all_of_it(say, maps))


def _maps(trained: Trained) -> list[NetworkMap]:
    """Each network at each checkpoint under each symbol, the symbol changing first."""
    from ..dynamics import NetworkMap
    from ..recurrent import RNN

    names = ("recurrent", "input", "readout", "bias", "readout_bias")
    parts = [np.asarray(trained.kept[name]) for name in names]
    found = []
    for place in product(range(CHECKPOINTS), range(SEEDS)):
        w, u, v, b, c = (part[place] for part in parts)
        found += [NetworkMap(RNN(w, u, v, "tanh", b, c), symbol) for symbol in np.eye(2)]
    return found


def _all_of_it(say: Say, maps: Sequence[NetworkMap]) -> list[Cost]:
    from ..dynamics import cycles, fixed_points, lyapunov_spectrum

    found, total = [], 0.0
    works: dict[str, Callable[[], Any]] = {
        f"fixed points and their eigenvalues, {STARTS} starts": lambda: fixed_points(maps, STARTS),
        f"cycles of {PERIOD} steps and their multipliers, {STARTS} starts": lambda: cycles(maps, PERIOD, STARTS),
        f"Lyapunov spectra, {STEPS} steps, all exponents": lambda: lyapunov_spectrum(
            maps, np.zeros((len(maps), UNITS)), STEPS
        ),
    }
    for name, work in works.items():
        began = perf_counter()
        work()
        seconds = perf_counter() - began
        total += seconds
        say(f"{name}: {seconds:.3g} s")
        found.append(Cost(name, seconds, seconds, seconds, 1))
    note = f"{CHECKPOINTS} checkpoints of {SEEDS} networks of {UNITS} units, each under both symbols"
    return [*found, Cost("all three", total, total, total, 1, BOUND, note)]


def _beside_adam(say: Say, maps: Sequence[NetworkMap]) -> Entry:
    """All starts of a network to the same residual; points that only one of the two finds are counted."""
    import torch

    from ..dynamics import fixed_points
    from .peers.recall_torch import best_threads

    starts = np.random.default_rng(0).uniform(-1, 1, (STARTS, UNITS))
    threads = best_threads(lambda: _adam(maps[0], starts, 100))
    torch.set_num_threads(threads)
    began = perf_counter()
    theirs = [_adam(map, starts, ITERATIONS) for map in maps]
    peer = (perf_counter() - began) / len(maps)
    mine = samples(lambda: fixed_points(maps, starts), 5)[2] / len(maps)
    ours = fixed_points(maps, starts)
    came = np.mean([(residuals <= RESIDUAL).mean() for _, residuals in theirs])
    found = [states[residuals <= RESIDUAL] for states, residuals in theirs]
    alone = sum(_missed(one.states, states) for one, states in zip(ours, found, strict=True))
    missed = sum(_missed(states, one.states) for one, states in zip(ours, found, strict=True))
    say(f"fixed points: {1e3 * mine:.3g} ms a network, Adam {1e3 * peer:.3g} ms")
    how = (
        f"{STARTS} starts of {len(maps)} networks to a residual of {RESIDUAL:g}: {100 * came:.1f} % of theirs come "
        f"there in {ITERATIONS} iterations, {100 * np.mean([one.reached for one in ours]):.1f} % of ours; of "
        f"{sum(len(one.states) for one in ours)} points it misses {missed}, and finds {alone} that we miss"
    )
    name = f"Adam on the speed, {threads} thread{'s' if threads > 1 else ''}"
    return beside(f"fixed points of a network of {UNITS} units", name, peer, mine, how)


def _adam(map: NetworkMap, starts: Any, iterations: int) -> tuple[Any, Any]:
    """The procedure of FixedPointFinder: Adam on the mean of half the squared speed of all starts together, at a
    rate of .05 that falls to .7 of it every 500 iterations; float64 in place of its float32, and until all residuals
    are small enough in place of a speed of 1e-12, or the iterations are over."""
    import torch

    weights = torch.tensor(map.network.recurrent)
    drive = torch.from_numpy(map.network.bias + map.network.input @ np.asarray(map.input))
    h = torch.tensor(starts, requires_grad=True)
    optimizer = torch.optim.Adam([h], lr=0.05)
    falling = torch.optim.lr_scheduler.StepLR(optimizer, 500, 0.7)
    for _ in range(iterations):
        optimizer.zero_grad()
        speed = torch.tanh(h @ weights.T + drive) - h
        torch.autograd.backward([(0.5 * speed.square().sum(1)).mean()])
        largest = speed.detach().abs().amax(1)
        if largest.max() <= RESIDUAL:
            break
        optimizer.step()
        falling.step()
    return h.detach().numpy(), largest.numpy()


def _missed(some: Any, others: Any) -> int:
    """Points of the others that are none of some."""
    from ..dynamics.newton import different

    distinct = different(others, distance=1e-5)
    return sum(not (np.abs(some - point).max(axis=1, initial=0.0) < 1e-5).any() for point in distinct)
