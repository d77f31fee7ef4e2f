"""Serve all peers."""

from __future__ import annotations

from . import compiled_ode, delay, recall_scipy, recall_torch, scipy_ode, torch_ode
from .serve import serve

serve(
    compiled_ode.SOLVERS
    + scipy_ode.SOLVERS
    + torch_ode.SOLVERS
    + delay.SOLVERS
    + recall_scipy.SOLVERS
    + recall_torch.SOLVERS
)
