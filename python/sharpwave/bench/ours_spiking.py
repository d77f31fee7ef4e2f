"""Our side of the spiking workloads: the public facade on the same images, rates and equations as the peers."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from .peers.serve import Solve, Solver
from .peers.spiking_cases import CUBA, IMAGES, THREADS, CubaCase, DiehlCookCase, LocallyConnectedCase, drives, firing

OURS = {count: f"sharpwave Julia, {name}" for name, count in THREADS.items()}
OURS_TORCH = "sharpwave torch, 1 thread"
_CUBA = """
dv/dt = (g_e + g_i - (v - rest))/tau_m : mV (unless refractory)
dg_e/dt = -g_e/tau_e : mV
dg_i/dt = -g_i/tau_i : mV
"""


def image_network(case: DiehlCookCase | LocallyConnectedCase) -> Any:
    """The network of a case, untrained."""
    from sharpwave import spiking

    if isinstance(case, DiehlCookCase):
        return spiking.diehl_cook_network(
            case.neurons, pixels=case.side**2, inhibition=case.inhibition, norm=case.norm, nu=case.nu
        )
    return spiking.locally_connected_network(
        case.filters,
        case.kernel,
        case.stride,
        image_shape=(case.side, case.side),
        inhibition=case.inhibition,
        norm=case.norm * case.kernel**2,
        nu=case.nu,
    )


def _images(backend: str, threads: int) -> Callable[..., Solve]:
    def build(name: str, images: str) -> Solve:
        case = IMAGES[name]
        rates = drives(case, np.load(images)).reshape(-1, case.side**2).astype(np.float64)
        network = image_network(case)

        def run(count: int) -> Any:
            return network.run(
                {"input": rates[:count]},
                float(case.t_end),
                learning=True,
                batch=case.batch,
                precision="single",
                threads=threads,
                backend=backend,
            )

        if backend == "julia":
            run(case.batch)  # compiles

        def solve(rtol: float, atol: float) -> tuple[list[float], dict[str, Any]]:
            _set_torch_threads(backend, threads)
            began = perf_counter()
            result = run(len(rates))
            seconds = perf_counter() - began
            spikes = {name: rate * case.t_end * 1e-3 for name, rate in result.stats.rates.items()}
            return [], {
                "seconds": seconds,
                "examples": len(rates),
                "input_spikes": spikes["input"] * case.side**2,
                "output_spikes": spikes["layer"] * case.neurons,
                "reduction": "sum",
            }

        return solve

    return build


def cuba_network(case: CubaCase) -> Any:
    """The network of a case, and the initial potentials of its two populations."""
    from sharpwave import spiking

    model = spiking.NeuronModel(
        _CUBA,
        threshold="v > threshold",
        reset="v = reset",
        refractory=case.refractory,
        parameters={
            "tau_m": f"{case.tau_m} ms",
            "tau_e": f"{case.tau_e} ms",
            "tau_i": f"{case.tau_i} ms",
            "rest": f"{case.rest} mV",
            "reset": f"{case.reset} mV",
            "threshold": f"{case.threshold} mV",
        },
    )
    sizes = {"excitatory": case.excitatory, "inhibitory": case.inhibitory}
    weights = {"excitatory": ("g_e", case.weight_e), "inhibitory": ("g_i", case.weight_i)}
    connections = {
        f"{pre} to {post}": spiking.Sparse.random(
            pre,
            post,
            (sizes[pre], sizes[post]),
            case.probability,
            weights[pre][1],
            seed=2 * n + m,
            target=weights[pre][0],
        )
        for n, pre in enumerate(sizes)
        for m, post in enumerate(sizes)
    }
    populations = {name: spiking.Population(size, model) for name, size in sizes.items()}
    rng = np.random.default_rng(0)
    initial = {(name, "v"): rng.uniform(case.reset, case.threshold, (1, size)) for name, size in sizes.items()}
    return spiking.Network(populations, connections, dt=case.dt), initial


def _cuba(backend: str, threads: int) -> Callable[[str], Solve]:
    def build(name: str) -> Solve:
        case = CUBA[name]
        began = perf_counter()
        network, initial = cuba_network(case)
        connecting = perf_counter() - began

        def run(t_end: float) -> Any:
            return network.run({}, t_end, initial=initial, threads=threads, backend=backend)

        if backend == "julia":
            run(1.0)  # compiles

        def solve(rtol: float, atol: float) -> tuple[list[float], dict[str, Any]]:
            _set_torch_threads(backend, threads)
            began = perf_counter()
            result = run(case.t_end)
            seconds = perf_counter() - began
            both = [result.spikes["excitatory"], result.spikes["inhibitory"]]
            times = np.concatenate([spikes.step * case.dt for spikes in both])
            senders = np.concatenate([both[0].unit, both[1].unit + case.excitatory])
            stats = firing(times, senders, case.neurons, case.t_end)
            return [], {"seconds": seconds, "synapses": network.synapses, "connecting_seconds": connecting, **stats}

        return solve

    return build


def _set_torch_threads(backend: str, threads: int) -> None:
    if backend == "torch":
        import torch

        torch.set_num_threads(threads)


def spiking_solvers() -> list[Solver]:
    """Ours in Julia by number of threads, and the torch twin. A run without batches has no use for a second thread."""
    found = []
    for count, name in OURS.items():
        found.append(Solver(name, ("sharpwave.spiking",), tuple(IMAGES), _images("julia", count)))
    one = Solver(f"{OURS[1]}, CUBA", ("sharpwave.spiking",), tuple(CUBA), _cuba("julia", 1))
    torch = Solver(OURS_TORCH, ("sharpwave.spiking", "torch"), tuple(IMAGES), _images("torch", 1))
    return [*found, one, torch]
