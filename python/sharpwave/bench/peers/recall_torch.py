# mypy: disable-error-code="import-not-found,import-untyped"
"""Recall with torchdiffeq's dopri5, the whole batch as one state."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from .recall_cases import CASES, RecallCase
from .serve import Solve, Solver


def _over_features(case: RecallCase) -> tuple[Callable[..., Any], Any, Callable[[Any], Any]]:
    """Right-hand side over (2, batch, features), initial state, and the overlaps (batch, memories) of a state."""
    import torch

    P, before = torch.from_numpy(case.patterns()), torch.from_numpy(case.before())
    root = case.alpha_s**0.5

    def rhs(t: Any, y: Any) -> Any:
        overlaps = y @ P.T
        s = torch.softmax(case.gain * (root * overlaps[0] + case.alpha_c * overlaps[1][:, before]), -1)
        return torch.stack([(root * (s @ P) - y[0]) / case.tau_f, (case.beta_d * y[0] - y[1]) / case.tau_d])

    cues = torch.from_numpy(case.cues())
    return rhs, torch.stack([cues, torch.zeros_like(cues)]), lambda y: y[0] @ P.T


def _over_overlaps(case: RecallCase) -> tuple[Callable[..., Any], Any, Callable[[Any], Any]]:
    """The same over (2, batch, memories)."""
    import torch

    P, before = torch.from_numpy(case.patterns()), torch.from_numpy(case.before())
    root, G = case.alpha_s**0.5, P @ P.T

    def rhs(t: Any, y: Any) -> Any:
        s = torch.softmax(case.gain * (root * y[0] + case.alpha_c * y[1][:, before]), -1)
        return torch.stack([(root * (s @ G) - y[0]) / case.tau_f, (case.beta_d * y[0] - y[1]) / case.tau_d])

    overlaps = torch.from_numpy(case.cues()) @ P.T
    return rhs, torch.stack([overlaps, torch.zeros_like(overlaps)]), lambda y: y[0]


FORMS = {"features": _over_features, "overlaps": _over_overlaps}


def best_threads(work: Callable[[], Any]) -> int:
    """The number of torch threads, one or all cores, that does some work faster: small products are faster on one."""
    import torch

    seconds = {}
    for threads in sorted({os.cpu_count() or 1, 1}):
        torch.set_num_threads(threads)
        work()
        start = time.perf_counter()
        for _ in range(5):
            work()
        seconds[threads] = time.perf_counter() - start
    return min(seconds, key=seconds.__getitem__)


def _dopri5(form: str) -> Callable[[str], Solve]:
    def build(name: str) -> Solve:
        import torch
        from torchdiffeq import odeint

        case = CASES[name]
        rhs, start, overlaps = FORMS[form](case)
        times, unit = torch.tensor([0.0, case.t_end]).double(), case.features if form == "overlaps" else 1
        evaluations = 0

        def counted(t: Any, y: Any) -> Any:
            nonlocal evaluations
            evaluations += 1
            return rhs(t, y)

        threads = best_threads(lambda: rhs(times[0], start))

        def solve(rtol: float, atol: float) -> tuple[list[float], dict[str, Any]]:
            nonlocal evaluations
            evaluations = 0
            torch.set_num_threads(threads)
            with torch.inference_mode():
                end = odeint(counted, start, times, rtol=rtol, atol=atol * unit, method="dopri5")[-1]
                return (overlaps(end) / case.features).ravel().tolist(), {
                    "evaluations": evaluations,
                    "threads": threads,
                }

        return solve

    return build


SOLVERS = [
    Solver(f"torchdiffeq dopri5 over {form}", ("torch", "torchdiffeq"), tuple(CASES), _dopri5(form)) for form in FORMS
]
