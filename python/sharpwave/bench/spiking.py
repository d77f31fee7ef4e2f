"""Spiking networks: ours against BindsNET, Brian2, NEST and our torch twin at the same work, and how cost grows."""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from .measure import Say, Series, measure, peer_series
from .ours_spiking import OURS, OURS_TORCH
from .peers.spiking_cases import CUBA, IMAGES
from .record import Cost, Entry, Point
from .worker import Worker

EXAMPLES = {1: 96, 32: 480}  # images of a sample by batch, so that one of ours does not end before it has begun
COMPILING = 120.0  # seconds that a first call may take beyond the limit
REPEATS = 5
BUDGET = 10.0  # seconds of samples of a point
SETTLE = 0.5  # seconds before a sample
SAME_SPIKES = 0.25  # by how much spikes of outputs may differ: encoders and the choice among spikers do
SAME_RATE, SAME_CV = 0.6, 0.03  # Hz, around what CUBA is known for
SIZES = (100, 1_000, 10_000)  # filters of locally connected networks; nine positions each
GROWN = 32  # images that they learn
EQUATIONS_WITHIN = 1.2


def measure_spiking(ours: Worker, peers: Worker | None, limit: float, say: Say) -> tuple[list[Point], list[Entry]]:
    """Measure all workloads.

    Args:
        ours, peers: the workers; without `peers`, ours alone.
        limit: seconds that one sample may take.
        say: takes lines that tell how it goes.

    Returns:
        The points, and each peer beside ours on as many threads; times are those of an example from its rates on, or of
        a second of CUBA.
    """
    points: list[Point] = []
    entries: list[Entry] = []
    with tempfile.TemporaryDirectory() as directory:
        files = {batch: Path(directory) / f"{batch}.npy" for batch in EXAMPLES}
        for batch, file in files.items():
            np.save(file, _training_images(EXAMPLES[batch]))
        for problem in (*IMAGES, *CUBA):
            given = {"images": str(files[IMAGES[problem].batch])} if problem in IMAGES else {}
            own = [*OURS.values(), OURS_TORCH] if problem in IMAGES else [f"{OURS[1]}, CUBA"]
            series = [Series(ours, solver, [(0.0, 0.0)], given) for solver in own]
            series += peer_series(peers, problem, [(0.0, 0.0)], given)
            measured = measure(
                problem,
                series,
                lambda y: 0.0,
                limit,
                say,
                repeats=REPEATS,
                budget=BUDGET,
                compiling=COMPILING,
                settle=SETTLE,
            )
            each = [_for_one_example(point) for point in measured]
            points += each
            entries += compare_work(each)
    return points, entries


def _training_images(count: int) -> Any:
    from ..data import load

    return load("mnist").train_images[:count]


def _for_one_example(point: Point) -> Point:
    """The point with times of a single example, from rates to counts: the drawing of input spikes is part of them."""
    return point.per(point.stats.get("examples", 1), point.stats.get("encoding_seconds", 0.0))


def compare_work(points: Sequence[Point]) -> list[Entry]:
    """Each peer, and our torch twin, beside ours on as many threads, where both have done the same work."""
    ours = {point.solver: point for point in points if point.solver.startswith("sharpwave Julia")}
    if not ours:
        return []
    found = []
    for point in points:
        if point.solver in ours:
            continue
        own = next((p for name, p in ours.items() if "2 threads" in name and "2 threads" in point.solver), None)
        own = own or next(iter(ours.values()))
        reason = _difference(point, own)
        ratio = point.seconds / own.seconds if point.seconds and own.seconds and not reason else None
        said = reason or _work(point, own)
        found.append(
            Entry(
                point.problem, own.solver, point.solver, 0.0, 0.0, point.seconds, None, own.seconds, None, ratio, said
            )
        )
    return found


def _difference(peer: Point, own: Point) -> str:
    """Why the two cannot be compared; empty where they can."""
    for point in (peer, own):
        if point.seconds is None:
            return point.status if point is peer else "ours was not measured"
    if "output_spikes" in own.stats:
        a, b = peer.stats["output_spikes"], own.stats["output_spikes"]
        return f"other work: {a:.3g} spikes, ours {b:.3g}" if abs(a - b) > SAME_SPIKES * b else ""
    far = (
        abs(peer.stats["rate"] - own.stats["rate"]) > SAME_RATE
        or abs(peer.stats["isi_cv"] - own.stats["isi_cv"]) > SAME_CV
    )
    return f"other activity: {_activity(peer)}, ours {_activity(own)}" if far else ""


def _work(peer: Point, own: Point) -> str:
    if "output_spikes" in own.stats:
        sides = [f"{p.stats['input_spikes']:.0f} in, {p.stats['output_spikes']:.3g} out" for p in (peer, own)]
        apart = peer.stats.get("encoding_seconds", 0.0) / peer.stats.get("examples", 1)
        without = f", {1e3 * apart:.2g} ms of the peer's are encoding" if apart else ""
        return f"spikes an example: {sides[0]}; ours {sides[1]}{without}"
    return f"{_activity(peer)}; ours {_activity(own)}"


def _activity(point: Point) -> str:
    return f"{point.stats['rate']:.3g} Hz, CV {point.stats['isi_cv']:.3f}"


def measure_growth(say: Say) -> list[Cost]:
    """What a synaptic event costs as networks grow to 90,000 neurons, a step of neurons that a user has written, and an
    epoch of MNIST."""
    return [*_growth(say), *_written_neurons(say), *_epochs(say)]


def _epochs(say: Say) -> Iterator[Cost]:
    """All of MNIST's training images once, learned by an estimator that also learns to classify them."""
    from ..data import load
    from ..spiking import DiehlCook, LocallyConnected

    mnist = load("mnist")
    models = {
        "Diehl-Cook n=400, online": (DiehlCook(400, duration=250.0, precision="single"), 60.0),
        "Diehl-Cook n=400, B=32": (DiehlCook(400, duration=250.0, precision="single", batch=32), 30.0),
        "LC-SNN F=1000, online": (LocallyConnected(1000, 16, 2, precision="single"), 300.0),
    }
    for name, (model, bound) in models.items():
        model.fit(mnist.train_images[:2], mnist.train_labels[:2])  # compiles
        began = perf_counter()
        model.fit(mnist.train_images, mnist.train_labels)
        seconds = perf_counter() - began
        accuracy = 100 * model.history_["accuracy"][-1]
        note = (
            f"60,000 images, T=250, readout included; {accuracy:.0f} % of the last 250 right before they were learned"
        )
        say(f"an epoch, {name}: {seconds:.3g} s, {note}")
        yield Cost(f"an epoch of MNIST, {name}", seconds, seconds, seconds, 1, bound, note)


def _growth(say: Say) -> Iterator[Cost]:
    from ..spiking import locally_connected_network

    images = _training_images(GROWN)[:, 4:24, 4:24].reshape(GROWN, 400) * 0.5
    reference = None
    for filters in SIZES:
        network = locally_connected_network(filters, 12, 4)
        samples, events = [], 0
        for _ in range(4):
            began = perf_counter()
            result = network.run({"input": images}, 250.0, learning=True, precision="single", threads=1)
            samples.append((perf_counter() - began) / len(images))
            events = result.stats.synaptic_events // len(images)
        units, kept = network.populations["layer"].units, sorted(samples[1:])
        bound = None if reference is None else 2.0 * reference * events
        reference = reference or kept[0] / events
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        note = (
            f"{network.synapses:,} synapses, {events:,} synaptic events an example, {1e9 * kept[0] / events:.2g} ns an "
            f"event, peak memory of the process {peak:,.0f} MB"
        ) + (f"; bound: twice the time of an event at n={9 * SIZES[0]}" if bound else "")
        say(f"LC-SNN n={units}: {1e3 * kept[0]:.3g} ms, {note}")
        yield Cost(f"LC-SNN n={units:,}: an example, 1 thread", kept[1], kept[0], kept[-1], len(kept), bound, note)


def _written_neurons(say: Say) -> Iterator[Cost]:
    """Neurons of a user's text, and those of the library, each without synapses: 10,000 for 1 s."""
    from ..spiking import Network, NeuronModel, Population, lif

    text = NeuronModel(
        "dv/dt = (rest - v)/tau : mV (no input while refractory)",
        "v >= threshold",
        "v = reset",
        5.0,
        {"tau": "100 ms", "rest": "-40 mV", "reset": "-65 mV", "threshold": "-52 mV"},
        {"v": "reset"},
    )
    models = {"lif()": lif(rest=-40.0), "the same LIF from a user's equations": text}
    networks = {name: Network({"layer": Population(10_000, model)}) for name, model in models.items()}
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(6):
        for name, network in networks.items():
            began = perf_counter()
            network.run({}, 1000.0, threads=1)
            seconds[name].append(perf_counter() - began)
    for name, samples in seconds.items():
        kept = sorted(samples[1:])
        bound = None if name == "lif()" else EQUATIONS_WITHIN * sorted(seconds["lif()"][1:])[2]
        say(f"{name}: {1e3 * kept[2]:.3g} ms")
        note = "10,000 neurons, 1 s" + (f", within {EQUATIONS_WITHIN:g} of the built-in one" if bound else "")
        yield Cost(name, kept[2], kept[0], kept[-1], len(kept), bound, note)
