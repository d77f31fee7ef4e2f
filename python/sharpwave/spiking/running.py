"""A run, on one of the backends, from what was asked for to what is returned."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from time import perf_counter
from typing import Any

from sharpwave.suggest import unknown

from .network import Network
from .preparing import prepare
from .request import Outcome, Request
from .result import Result, Stats


def run(
    network: Network, inputs: Mapping[str, Any], duration: float, *, backend: str = "auto", **settings: Any
) -> Result:
    """See `Network.run`."""
    if backend not in ("auto", "julia", "torch"):
        raise ValueError(unknown("backend", backend, ("auto", "julia", "torch")))
    request = prepare(network, inputs, duration, **settings)
    began = perf_counter()
    outcome = _simulate(request, backend)
    seconds = perf_counter() - began
    stats = Stats.of(request, outcome, seconds)
    for message in stats.problems:
        warnings.warn(message, RuntimeWarning, stacklevel=4)
    return Result.of(request, outcome, stats)


def _simulate(request: Request, backend: str) -> Outcome:
    if backend != "torch":
        from sharpwave_bridge import JuliaUnavailableError

        from . import julia_backend

        try:
            return julia_backend.simulate(request)
        except JuliaUnavailableError as error:
            if backend == "julia":
                raise
            warnings.warn(f"spiking networks run on torch, slowly: {error}", RuntimeWarning, stacklevel=5)
    from . import torch_backend

    return torch_backend.simulate(request)
