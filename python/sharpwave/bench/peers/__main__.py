"""Serve all peers."""

from __future__ import annotations

from . import compiled_ode, delay, recall_scipy, recall_torch, scipy_ode, torch_ode
from .serve import serve

SOLVERS = [
    *compiled_ode.SOLVERS,
    *scipy_ode.SOLVERS,
    *torch_ode.SOLVERS,
    *delay.SOLVERS,
    *recall_scipy.SOLVERS,
    *recall_torch.SOLVERS,
]

if __name__ == "__main__":
    serve(SOLVERS)
