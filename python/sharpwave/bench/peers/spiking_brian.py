# mypy: disable-error-code="import-not-found,import-untyped"
"""Brian2, compiled to a C++ program (cpp_standalone): the CUBA network."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np

from .serve import Solve, Solver
from .spiking_cases import CUBA, THREADS, firing

EQUATIONS = """
dv/dt = (g_e + g_i - (v - rest)) / tau_m : volt (unless refractory)
dg_e/dt = -g_e / tau_e : volt
dg_i/dt = -g_i / tau_i : volt
"""


def _brian(threads: int) -> Callable[[str], Solve]:
    def build(name: str) -> Solve:
        import brian2 as b2
        from brian2.devices.cpp_standalone.device import CPPStandaloneDevice

        case, ms, mV = CUBA[name], b2.ms, b2.mV
        constants = {
            "tau_m": case.tau_m * ms,
            "tau_e": case.tau_e * ms,
            "tau_i": case.tau_i * ms,
            "rest": case.rest * mV,
            "reset_to": case.reset * mV,
            "threshold": case.threshold * mV,
            "weight_e": case.weight_e * mV,
            "weight_i": case.weight_i * mV,
        }
        device = CPPStandaloneDevice()  # one for each program, so that several can be built and run in turns
        b2.set_device(device, build_on_run=False)
        b2.prefs.devices.cpp_standalone.openmp_threads = threads if threads > 1 else 0
        b2.defaultclock.dt = case.dt * ms
        b2.seed(1)
        cells = b2.NeuronGroup(
            case.neurons,
            EQUATIONS,
            threshold="v > threshold",
            reset="v = reset_to",
            refractory=case.refractory * ms,
            method="exact",
            namespace=constants,
        )
        cells.v = "reset_to + rand() * (threshold - reset_to)"
        excitation = b2.Synapses(cells, cells, on_pre="g_e += weight_e", namespace=constants)
        inhibition = b2.Synapses(cells, cells, on_pre="g_i += weight_i", namespace=constants)
        excitation.connect(f"i < {case.excitatory}", p=case.probability)
        inhibition.connect(f"i >= {case.excitatory}", p=case.probability)
        raster = b2.SpikeMonitor(cells)
        b2.Network(cells, excitation, inhibition, raster).run(case.t_end * ms)
        directory = tempfile.mkdtemp(dir=os.getcwd())  # the worker's, which goes with it
        device.build(directory=directory, compile=True, run=False)

        def solve(rtol: float, atol: float) -> tuple[list[float], dict[str, Any]]:
            device.run(directory, with_output=False)
            times, senders = np.asarray(raster.t / ms), np.asarray(raster.i)
            return [], {
                "seconds": device._last_run_time,  # what the program says of its time steps alone
                "make_seconds": device.timers["compile"]["make"],
                "synapses": len(excitation) + len(inhibition),
                **firing(times, senders, case.neurons, case.t_end),
            }

        return solve

    return build


SOLVERS = [
    Solver(f"Brian2 C++, {name}", ("brian2",), tuple(CUBA), _brian(threads)) for name, threads in THREADS.items()
]
