"""Wall time of a spiking layer against the size of the batch, in Julia and in torch, with and without plasticity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import product
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ..suggest import unknown
from ..torch_threads import torch_threads
from .experiment import Context, Experiment
from .sweeping import kept, points

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..spiking import Network

_INPUTS = 100
_LARGEST_RATE = 120.0  # Hz, of an input: arXiv 1909.02549
_LARGEST_WEIGHT = 0.12  # mV: the layer fires at about 20 Hz, and learning hardly changes that
_NU = (1e-4, 2e-4)  # mV, at presynaptic and at postsynaptic spikes
_BACKENDS = ("julia", "torch")
_RULES = ("without STDP", "with STDP")
_WARM = 100.0  # ms of one example that are run before, and compile
_REPEATS, _SHORT = 3, 1.0  # a run of less than so many seconds is done so often, and the fastest counts


@dataclass(frozen=True)
class MinibatchScalingConfig:
    """The layers and batches that are run."""

    seed: int = 0
    """Of rates, weights and input spikes."""
    batches: tuple[int, ...] = (1, 4, 16, 64, 256, 1024)
    """Numbers B of examples that are simulated, and learned, together."""
    neurons: tuple[int, ...] = (10, 100, 1000, 10_000)
    """Numbers n of neurons of the layer."""
    duration: float = 1000.0
    """Of an example, ms."""
    backends: tuple[str, ...] = ("julia", "torch")
    """Who simulates."""
    limit: float = 20.0
    """Seconds: larger batches than the first that takes longer are left out, for each backend and layer."""
    threads: int = 1
    """Of either backend, at most."""

    def __post_init__(self) -> None:
        for backend in self.backends:
            if backend not in _BACKENDS:
                raise ValueError(unknown("backend", backend, _BACKENDS))
        if not (self.batches and self.neurons and self.backends) or min(*self.batches, *self.neurons, self.threads) < 1:
            raise ValueError("expected at least one batch, number of neurons and backend, and all numbers at least 1")


def measure(context: Context) -> dict[str, Any]:
    """Run every layer with every batch, the smallest batch first."""
    config = context.config
    sizes, batches = sorted(set(config.neurons)), sorted(set(config.batches))
    shape = (len(config.backends), len(_RULES), len(sizes), len(batches))
    seconds, spikes, done = np.full(shape, np.nan), np.full(shape, np.nan), 0
    for (b, backend), (r, rule), (k, n) in product(*map(enumerate, (config.backends, _RULES, sizes))):
        for place, batch in enumerate(batches):
            name = f"{backend}-{'stdp' if r else 'fixed'}-{n}-{batch}"
            found = kept(points(context) / f"{name}.json", partial(_time, config, backend, bool(r), n, batch))
            seconds[b, r, k, place], spikes[b, r, k, place] = found["seconds"], found["spikes"]
            context.timing(f"{backend}, {rule}, n = {n}, B = {batch}", found["seconds"])
            done += 1
            context.progress(done, float(np.prod(shape)))
            if found["seconds"] > config.limit:
                done += len(batches) - place - 1
                break
    rates = spikes / (1e-3 * config.duration * np.array(sizes)[:, None] * np.array(batches))
    _metrics(context, sizes, spikes, rates)
    _tables(context, sizes, batches, seconds)
    context.figure(
        "wall_time",
        _figure(config, sizes, batches, seconds),
        title="Wall time against the size of the batch",
        alt="Two panels with logarithmic axes: seconds to simulate a batch against its size B, a line for each number "
        "of neurons. Lines rise slowly at first, where a step costs the same for any batch, then in proportion to B.",
        caption=f"One batch of B examples of {config.duration:g} ms in steps of 1 ms; {_INPUTS} Poisson inputs drive n "
        f"neurons. Lines end with the first batch that takes more than {config.limit:g} s.",
    )
    axes = ("backend", "rule", "n", "B")
    return {
        "seconds": (axes, seconds),
        "rate": (axes, rates),
        "backend": list(config.backends),
        "rule": list(_RULES),
        "n": np.array(sizes),
        "B": np.array(batches),
    }


def _time(config: MinibatchScalingConfig, backend: str, plastic: bool, n: int, batch: int) -> dict[str, Any]:
    _run(config, backend, plastic, n, 1, min(_WARM, config.duration))
    taken: list[float] = []
    while not taken or (taken[0] < _SHORT and len(taken) < _REPEATS):
        began = perf_counter()
        spikes = _run(config, backend, plastic, n, batch, config.duration)
        taken.append(perf_counter() - began)
    return {"seconds": min(taken), "runs": len(taken), "spikes": spikes}


def _run(config: MinibatchScalingConfig, backend: Any, plastic: bool, n: int, batch: int, duration: float) -> int:
    """Number of spikes of the layer."""
    rates = _LARGEST_RATE * np.random.default_rng([config.seed, 1]).random((batch, _INPUTS))
    with torch_threads(config.threads):
        result = _network(config.seed, n).run(
            {"input": rates},
            duration,
            learning=plastic,
            batch=batch,
            seed=config.seed,
            record=(),
            threads=config.threads,
            backend=backend,
        )
    return int(result.counts["layer"].sum(dtype=np.int64))


def _network(seed: int, n: int) -> Network:
    from ..spiking import Dense, Input, Network, Population, lif, pair_stdp

    weights = _LARGEST_WEIGHT * np.random.default_rng([seed, 2]).random((_INPUTS, n))
    rule = pair_stdp(*_NU, bounds=(0.0, _LARGEST_WEIGHT), reduction="mean")
    populations: dict[str, Input | Population] = {"input": Input(_INPUTS), "layer": Population(n, lif())}
    return Network(populations, {"input": Dense("input", "layer", weights, plasticity=rule)})


def _metrics(context: Context, sizes: list[int], spikes: Any, rates: Any) -> None:
    for k, n in enumerate(sizes):
        known = rates[:, :, k][~np.isnan(rates[:, :, k])]
        note = f"mean over backends, batches, with and without STDP; {known.min():.3g} to {known.max():.3g}"
        context.metric(f"rate of {n} neurons", float(known.mean()), unit="Hz", note=note)
    if len(context.config.backends) > 1:
        apart = np.abs(spikes[0] - spikes[1]) / spikes[0]
        both = apart[~np.isnan(apart)]
        note = f"relative, the largest of {len(both)} runs that both did; with the same input spikes"
        context.metric("difference of spikes between backends", float(both.max(initial=0.0)), note=note)


def _tables(context: Context, sizes: list[int], batches: list[int], seconds: Any) -> None:
    config, rows, gains = context.config, [], []
    for (b, backend), (r, rule), (k, n) in product(*map(enumerate, (config.backends, _RULES, sizes))):
        line = seconds[b, r, k]
        rows.append([rule, n, backend, *(_short(value) for value in line)])
        last = int(np.flatnonzero(~np.isnan(line))[-1])
        batch, gain = batches[last], batches[last] * line[0] / (batches[0] * line[last])
        gains.append([rule, n, backend, batch, f"{1e3 * line[last] / batch:.3g}", f"{gain:.3g}"])
    who = f"{config.threads} thread{'s' * (config.threads > 1)}"
    context.table(
        "Wall time of a batch",
        ["", "n", "backend", *(f"B = {batch}" for batch in batches)],
        rows,
        f"Seconds, the least of {_REPEATS} runs (one where it takes more than {_SHORT:g} s); {who}. Dashes: left out, "
        f"as the batch before took more than {config.limit:g} s.",
    )
    context.table(
        "What a batch spares",
        ["", "n", "backend", "B", "ms an example", f"times faster than with B = {batches[0]}"],
        gains,
        f"At the largest batch that was run: wall time of an example, and how much longer its examples would take with "
        f"B = {batches[0]}.",
    )


def _short(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3g}"


def _figure(config: MinibatchScalingConfig, sizes: list[int], batches: list[int], seconds: Any) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from ..plots import COLORS, style

    dashes: dict[str, Any] = {"julia": "solid", "torch": (0, (4, 1.5))}
    with style():
        figure = Figure(figsize=(7.5, 3.8), layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        for (r, axes), (b, backend), (k, _) in product(*map(enumerate, (panels, config.backends, sizes))):
            line = {"color": COLORS[k % len(COLORS)], "linestyle": dashes[backend]}
            axes.plot(batches, seconds[b, r, k], marker="o", markersize=3.5, **line)
            axes.set(title=_RULES[r], xlabel="batch B", xscale="log", yscale="log", xticks=batches, xticklabels=batches)
            axes.minorticks_off()
        panels[0].set_ylabel("wall time / s")
        known = [Line2D([], [], color=COLORS[k % len(COLORS)], label=f"n = {n}") for k, n in enumerate(sizes)]
        known += [Line2D([], [], color=COLORS[-1], linestyle=dashes[name], label=name) for name in config.backends]
        figure.legend(handles=known, loc="outside right center")
        return figure


EXPERIMENT = Experiment(
    name="minibatch-scaling",
    title="Wall time of a spiking layer against the size of the batch",
    summary=f"{_INPUTS} Poisson inputs of 0 to {_LARGEST_RATE:g} Hz drive a layer of leaky integrate-and-fire neurons. "
    "Batches of examples are simulated together, in Julia and in torch, with and without STDP, and timed. Both draw "
    "the same input spikes, and learn from the mean over the batch, so that the layer fires alike in every run.",
    source="Minibatch Processing in Spiking Neural Networks, arXiv 1909.02549, scaling experiment",
    config=MinibatchScalingConfig,
    quick={"batches": (1, 16, 64), "neurons": (10, 100), "duration": 200.0, "limit": 5.0},
    steps=(measure,),
    headline=("rate of 1000 neurons", "difference of spikes between backends"),
    expected="wall time grows far more slowly than B while layers are small; Julia faster than torch; the same spikes",
    tables=("Wall time of a batch",),
)
