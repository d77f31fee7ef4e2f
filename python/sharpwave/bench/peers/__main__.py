"""Serve all peers."""

from __future__ import annotations

from . import (
    compiled_ode,
    continual_avalanche,
    continual_torch,
    delay,
    recall_scipy,
    recall_torch,
    scipy_ode,
    spiking_bindsnet,
    spiking_brian,
    spiking_nest,
    torch_ode,
)
from .serve import serve

SOLVERS = [
    *compiled_ode.SOLVERS,
    *scipy_ode.SOLVERS,
    *torch_ode.SOLVERS,
    *delay.SOLVERS,
    *recall_scipy.SOLVERS,
    *recall_torch.SOLVERS,
    *spiking_bindsnet.SOLVERS,
    *spiking_brian.SOLVERS,
    *spiking_nest.SOLVERS,
    *continual_torch.SOLVERS,
    *continual_avalanche.SOLVERS,
]

if __name__ == "__main__":
    serve(SOLVERS)
