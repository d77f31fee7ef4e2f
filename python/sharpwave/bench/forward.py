"""Networks of rates: ours in Julia against torch at the same work; and what signal propagation costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from .measure import Say, samples
from .record import Cost, Entry, beside

if TYPE_CHECKING:
    from ..forward.epoch import Work
    from ..forward.rates import RateNetwork, Weights

SIZES, BATCH, BATCHES = (784, 500, 500, 10), 100, 30
FREE, NUDGED = 20, 10
EPOCH_BOUND = 4.0  # seconds, of MNIST with two hidden layers of 500 units, batches of 20, 9 and twice 5 steps
PRODUCTS_BOUND = 1.5  # times what BLAS takes for the products alone


def measure_forward(say: Say) -> tuple[list[Entry], list[Cost]]:
    """Measure batches of error forward-propagation and equilibrium propagation, and epochs of signal propagation.

    Args:
        say: takes lines that tell how it goes.

    Raises:
        JuliaUnavailableError: there is no Julia.
    """
    import torch

    torch.set_num_threads(2)
    entries, costs = [], []
    for name, work in _works().items():
        ours, twin = _seconds(work)
        entries.append(beside(f"{name}, a batch", "our torch twin, 2 threads", twin, ours[3], _HOW))
        say(f"{name}: {1e3 * ours[3]:.3g} ms a batch, torch {1e3 * twin:.3g} ms")
        if name == "equilibrium propagation":
            public = samples(_by_gradients(work), 3)[1] / BATCHES
            how = f"{_HOW}; states move by the gradient of the energy, taken by autograd in each step"
            peer = "the public PyTorch procedure, 2 threads"
            entries.append(beside(f"{name}, a batch", peer, public, ours[3], how))
        products = _products(work.network, BATCH, FREE + NUDGED)
        costs.append(_cost(f"{name}, a batch", ours, PRODUCTS_BOUND * products, _note(products)))
    return [*entries, _signals(say)], [*costs, *_epoch(say)]


_HOW = f"784-500-500-10, batch {BATCH}, {FREE} free and {NUDGED} nudged steps and the update, float32"


def _note(products: float) -> str:
    return f"bound: {PRODUCTS_BOUND:g} times its matrix products alone in torch, {1e3 * products:.3g} ms"


def _works() -> dict[str, Work]:
    from ..forward import Nudging, Settling, energy_network, error_forward_network
    from ..forward.epoch import Work
    from ..forward.method import shuffled

    draw = np.random.default_rng(0)
    examples = BATCH * BATCHES
    inputs = draw.uniform(size=(examples, SIZES[0])).astype(np.float32)
    targets = np.eye(SIZES[-1], dtype=np.float32)[draw.integers(0, SIZES[-1], examples)]
    rates = (0.01, 0.01, 0.01)
    found = {}
    for name, network, settling, nudging in (
        ("error forward-propagation", error_forward_network(SIZES, rates), Settling(FREE, NUDGED),
         Nudging(sides="positive")),
        ("equilibrium propagation", energy_network(SIZES, rates), Settling(FREE, NUDGED, step=0.5, clipped=True),
         Nudging(sides="positive", constant=False, rule="contrastive")),
    ):  # fmt: skip
        order, ones = shuffled(examples, BATCH, 0, 0), np.ones(BATCHES)
        found[name] = Work(network, settling, nudging, order, ones, 0.5 * ones, inputs, targets)
    return found


def _seconds(work: Work) -> tuple[list[float], float]:
    """Of a batch: ours, and the twin's median, taken in turns."""
    from ..forward import julia_backend, torch_backend

    weights, found = work.network.initial(0), []
    for _ in range(7):
        for backend in (julia_backend, torch_backend):
            found.append(samples(partial(_learn, backend, work, weights), 1)[0])
    ours, twin = np.sort(np.reshape(found, (-1, 2)) / BATCHES, axis=0).T
    return ours.tolist(), float(twin[3])


def _learn(backend: Any, work: Work, weights: Weights) -> None:
    backend.learn(work, weights.copy(), None)


def _products(network: RateNetwork, batch: int, steps: int) -> float:
    """Seconds of the matrix products of a batch alone, by torch's BLAS."""
    import torch

    weights = [torch.rand(shape) for shape in network.shapes]
    layers = [torch.rand(batch, size) for size in network.sizes]
    out = [torch.empty(batch, size) for size in network.sizes]

    def work() -> None:
        for link, w in zip(network.links, weights, strict=True):
            for _ in range(steps if link.source else 1):
                torch.mm(layers[link.source], w, out=out[link.target])
            torch.mm(layers[link.source].T, layers[link.target], out=w)

    return samples(work, 20)[10]


def _by_gradients(work: Work) -> Callable[[], None]:
    """Equilibrium propagation as public code in PyTorch has it: states are moved by the gradient of a function."""
    import torch
    from torch import Tensor

    network, weights = work.network, work.network.initial(0)
    forward = [torch.tensor(w, requires_grad=True) for w in weights.links[: len(SIZES) - 1]]
    biases = [torch.tensor(b, requires_grad=True) for b in weights.biases]
    beta, rate = float(work.betas[0]), network.links[0].rate
    optimizer = torch.optim.SGD([*forward, *biases], lr=rate)

    def primitive(x: Tensor, states: list[Tensor]) -> Tensor:
        total, before = torch.zeros(()), x
        for w, b, s in zip(forward, biases, states, strict=True):
            total = total + ((before @ w + b) * s).sum()
            before = s
        return total

    def settled(x: Tensor, d: Tensor, states: list[Tensor], steps: int, nudge: float) -> list[Tensor]:
        for _ in range(steps):
            states = [s.detach().requires_grad_() for s in states]
            value = primitive(x, states) - nudge * (states[-1] - d).square().sum()
            drive = torch.autograd.grad(value, states)
            step = work.settling.step
            states = [((1 - step) * s + step * u).clamp(0, 1) for s, u in zip(states, drive, strict=True)]
        return [s.detach() for s in states]

    def epoch() -> None:
        for order in work.order:
            x, d = torch.from_numpy(work.inputs[order]), torch.from_numpy(work.targets[order])
            free = settled(x, d, [torch.zeros(len(x), size) for size in SIZES[1:]], FREE, 0.0)
            plus = settled(x, d, free, NUDGED, beta)
            optimizer.zero_grad()
            loss = (primitive(x, free) - primitive(x, plus)) / (beta * len(x))
            torch.autograd.backward([loss])
            optimizer.step()

    return epoch


def _epoch(say: Say) -> Iterator[Cost]:
    """Epochs of 60,000 images of as many pixels as MNIST's."""
    from ..forward import ErrorForwardPropagation

    draw = np.random.default_rng(0)
    inputs, labels = draw.uniform(size=(60_000, 784)).astype(np.float32), draw.integers(0, 10, 60_000)
    method = ErrorForwardPropagation(backend="julia")
    learner = method.start(784, 10, len(inputs), 0)
    found = samples(lambda: learner.learn(inputs, labels, 0, 15), 3)
    steps = method.settling.free_steps + 2 * method.settling.nudged_steps
    products = len(inputs) // method.batch * _products(learner.network, method.batch, steps)
    say(f"an epoch of MNIST: {found[1]:.3g} s")
    note = (
        "784-500-500-10, batches of 20, 9 free and twice 5 nudged steps; numbers at random in place of pixels; its "
        f"matrix products alone in torch: {products:.3g} s"
    )
    yield Cost("error forward-propagation, an epoch of MNIST", found[1], found[0], found[-1], 3, EPOCH_BOUND, note)


def _signals(say: Say) -> Entry:
    """An epoch of signal propagation, and of backpropagation of the same layers."""
    from ..forward import Comparison, DenseLayers, SignalPropagation

    draw = np.random.default_rng(0)
    inputs, labels = draw.uniform(size=(12_800, 784)).astype(np.float32), draw.integers(0, 10, 12_800)
    layers = DenseLayers((500, 500, 500), dropout=0.0)
    methods = SignalPropagation(layers=layers), Comparison(layers=layers)
    learners = [method.start(784, 10, len(inputs), 0) for method in methods]
    found = [samples(partial(learner.learn, inputs, labels, 0, 1), 1)[0] for _ in range(9) for learner in learners]
    seconds = np.median(np.reshape(found, (-1, 2)), axis=0).tolist()
    say(f"an epoch of signal propagation: {seconds[0]:.3g} s, of backpropagation {seconds[1]:.3g} s")
    how = "an epoch of 12,800 images, 784-500-500-500, batch 128, Adam"
    return beside("signal propagation, an epoch", "backpropagation", seconds[1], seconds[0], how, "sharpwave torch")


def _cost(name: str, found: list[float], bound: float, note: str) -> Cost:
    return Cost(name, found[len(found) // 2], found[0], found[-1], len(found), bound, note)
