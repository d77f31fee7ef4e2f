# mypy: disable-error-code="import-not-found,import-untyped"
"""BindsNET: Diehl & Cook's one-layer network and the locally connected one, learning on images by STDP."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .serve import Solve, Solver
from .spiking_cases import IMAGES, THREADS, DiehlCookCase, LocallyConnectedCase, drives

MODULES = ("torch", f"{__package__}.bindsnet_core", "bindsnet.models")


def network_of(case: DiehlCookCase | LocallyConnectedCase) -> Any:
    """The network of a case, untrained, its weights normalised, output spikes monitored."""
    from bindsnet import models
    from bindsnet.network.monitors import Monitor

    network: Any
    if isinstance(case, DiehlCookCase):
        network = models.DiehlAndCook2015v2(
            n_inpt=case.side**2, n_neurons=case.neurons, inh=case.inhibition, nu=case.nu, norm=case.norm
        )
    else:
        network = models.LocallyConnectedNetwork(
            n_inpt=case.side**2,
            input_shape=(case.side, case.side),
            kernel_size=case.kernel,
            stride=case.stride,
            n_filters=case.filters,
            inh=case.inhibition,
            nu=case.nu,
            norm=case.norm,
        )
    network.connections["X", "Y"].normalize()
    network.add_monitor(Monitor(network.layers["Y"], ["s"], time=case.t_end), "Y")
    return network


def _bindsnet(threads: int) -> Callable[..., Solve]:
    def build(name: str, images: str) -> Solve:
        import torch
        from bindsnet.encoding import poisson

        case = IMAGES[name]
        rates = torch.from_numpy(drives(case, np.load(images)))
        torch.manual_seed(0)
        np.random.seed(0)  # noqa: NPY002  (BindsNET draws the locally connected weights from NumPy's global generator)
        network = network_of(case)
        weights, theta = network.connections["X", "Y"].w, network.layers["Y"].theta
        untrained = weights.clone()

        def solve(rtol: float, atol: float) -> tuple[list[float], dict[str, Any]]:
            torch.set_num_threads(threads)
            torch.manual_seed(1)
            weights.copy_(untrained)
            theta.zero_()
            wall = cpu = encoding = 0.0
            input_spikes = output_spikes = 0
            with torch.no_grad():
                for drive in rates:
                    start = time.perf_counter()
                    spikes = poisson(drive, time=case.t_end)
                    encoded, cpu_before = time.perf_counter(), time.process_time()
                    network.run({"X": spikes}, time=case.t_end)
                    output_spikes += int(network.monitors["Y"].get("s").sum())
                    network.reset_state_variables()
                    wall += time.perf_counter() - encoded
                    cpu += time.process_time() - cpu_before
                    encoding += encoded - start
                    input_spikes += int(spikes.sum())
            examples = len(rates) * case.batch
            return [], {
                "seconds": wall,
                "cpu_seconds": cpu,
                "encoding_seconds": encoding,
                "examples": examples,
                "input_spikes": input_spikes / examples,
                "output_spikes": output_spikes / examples,
                "output_rate": 1e3 * output_spikes / (examples * case.neurons * case.t_end),
                # Its default, `squeeze`, goes at a dense connection through a product that sums over the batch.
                "reduction": "sum",
            }

        return solve

    return build


SOLVERS = [Solver(f"BindsNET, {name}", MODULES, tuple(IMAGES), _bindsnet(threads)) for name, threads in THREADS.items()]
