# mypy: disable-error-code="import-not-found,import-untyped"
"""NEST: the CUBA network as iaf_psc_exp neurons.

Each run has a process of its own: NEST 3.10 crashes (ResetKernel, segmentation fault) where torch has used two threads.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .serve import Solve, Solver
from .spiking_cases import CUBA, THREADS, firing

_RUN = """
import json, sys
*arguments, folder = sys.argv[1:]
del sys.argv[1:]
sys.path.append(folder)
from peers.spiking_nest import simulate
print()
print(json.dumps(simulate(arguments[0], int(arguments[1]))))
"""


def simulate(name: str, threads: int) -> dict[str, Any]:
    """Connect and run a CUBA network, here: the statistics of `firing`, and the seconds of the time steps alone."""
    import nest

    case = CUBA[name]
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.set(local_num_threads=threads, resolution=case.dt, rng_seed=1)
    started = time.perf_counter()
    # A capacitance (pF) of tau_m makes a current in pA what the equation has as a potential in mV.
    neuron = {
        "tau_m": case.tau_m,
        "tau_syn_ex": case.tau_e,
        "tau_syn_in": case.tau_i,
        "C_m": case.tau_m,
        "E_L": case.rest,
        "V_reset": case.reset,
        "V_th": case.threshold,
        "t_ref": case.refractory,
    }
    cells = nest.Create("iaf_psc_exp", case.neurons, params=neuron)
    cells.V_m = nest.random.uniform(case.reset, case.threshold)
    rule = {"rule": "pairwise_bernoulli", "p": case.probability}
    excitatory, inhibitory = cells[: case.excitatory], cells[case.excitatory :]
    for some, weight in ((excitatory, case.weight_e), (inhibitory, case.weight_i)):
        nest.Connect(some, cells, rule, {"weight": weight, "delay": case.dt})
    synapses = nest.num_connections
    recorder = nest.Create("spike_recorder")
    nest.Connect(cells, recorder)
    nest.Prepare()
    ready, cpu = time.perf_counter(), time.process_time()
    nest.Run(case.t_end)
    seconds, cpu = time.perf_counter() - ready, time.process_time() - cpu
    nest.Cleanup()
    events = recorder.events
    return {
        "seconds": seconds,
        "cpu_seconds": cpu,
        "connecting_seconds": ready - started,
        "synapses": synapses,
        **firing(events["times"], events["senders"] - 1, case.neurons, case.t_end),
    }


def _nest(threads: int) -> Callable[[str], Solve]:
    def build(name: str) -> Solve:
        folder = str(Path(__file__).parent.parent)
        command = [sys.executable, "-I", "-c", _RUN, name, str(threads), folder]

        def solve(rtol: float, atol: float) -> tuple[list[float], dict[str, Any]]:
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                lines = done.stderr.strip().splitlines() or ["no message"]
                raise RuntimeError(f"NEST ended with code {done.returncode}: {lines[-1]}")
            return [], json.loads(done.stdout.splitlines()[-1])

        return solve

    return build


SOLVERS = [
    Solver(f"NEST, {name}", ("nest",), tuple(CUBA), _nest(threads), apart=True) for name, threads in THREADS.items()
]
