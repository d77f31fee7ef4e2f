"""A run, on one of the backends, from what was asked for to what is returned."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from time import perf_counter
from typing import Any

from ..backends import in_julia
from .network import Network
from .preparing import prepare
from .request import Outcome, Request
from .result import Result, Stats


def run(
    network: Network, inputs: Mapping[str, Any], duration: float, *, backend: str = "auto", **settings: Any
) -> Result:
    """See `Network.run`."""
    request = prepare(network, inputs, duration, **settings)
    julia = in_julia(backend)
    began = perf_counter()
    outcome = _simulate(request, julia)
    seconds = perf_counter() - began
    stats = Stats.of(request, outcome, seconds)
    for message in stats.problems:
        warnings.warn(message, RuntimeWarning, stacklevel=4)
    return Result.of(request, outcome, stats)


def _simulate(request: Request, julia: bool) -> Outcome:
    if julia:
        from . import julia_backend

        return julia_backend.simulate(request)
    from . import torch_backend

    return torch_backend.simulate(request)
