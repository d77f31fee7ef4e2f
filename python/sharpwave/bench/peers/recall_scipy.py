# mypy: disable-error-code="import-not-found,import-untyped"
"""Recall with SciPy: LSODA, and BDF with the analytic Jacobian, one trajectory after the other.

Each in two forms: over features, as the model is written, and over overlaps, which an expert would take where K < N.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .recall_cases import CASES, Array, RecallCase
from .serve import Solve, Solver

System = tuple[Callable[[float, Array], Array], Callable[[float, Array], Array], Array, Callable[[Array], Array]]


def _softmax(x: Array) -> Array:
    x = np.exp(x - x.max())
    x /= x.sum()
    return x


def _over_features(case: RecallCase) -> System:
    """Right-hand side and Jacobian over (v, d), initial states (batch, 2N), and the overlaps of a state."""
    P, before, N = case.patterns(), case.before(), case.features
    root = np.sqrt(case.alpha_s)
    P_transposed = np.ascontiguousarray(P.T)

    def activity(y: Array) -> Array:
        overlaps = P @ y.reshape(2, N).T
        return _softmax(case.gain * (root * overlaps[:, 0] + case.alpha_c * overlaps[before, 1]))

    def rhs(t: float, y: Array) -> Array:
        v, d = y[:N], y[N:]
        out = np.empty_like(y)
        out[:N] = (root * (P_transposed @ activity(y)) - v) / case.tau_f
        out[N:] = (case.beta_d * v - d) / case.tau_d
        return out

    def jacobian(t: float, y: Array) -> Array:
        s = activity(y)
        back = (P_transposed * s - np.outer(P_transposed @ s, s)) * (root * case.gain / case.tau_f)
        out = np.zeros((2 * N, 2 * N))
        out[:N, :N] = root * (back @ P)
        out[:N, N:] = case.alpha_c * (back @ P[before])
        i = np.arange(N)
        out[i, i] -= 1.0 / case.tau_f
        out[N + i, i] = case.beta_d / case.tau_d
        out[N + i, N + i] = -1.0 / case.tau_d
        return out

    cues = case.cues()
    return rhs, jacobian, np.hstack([cues, np.zeros_like(cues)]), lambda y: P @ y[:N]


def _over_overlaps(case: RecallCase) -> System:
    """The same over (m, q), initial states (batch, 2K)."""
    P, before, K = case.patterns(), case.before(), case.memories
    root, G = np.sqrt(case.alpha_s), P @ P.T

    def activity(y: Array) -> Array:
        return _softmax(case.gain * (root * y[:K] + case.alpha_c * y[K:][before]))

    def rhs(t: float, y: Array) -> Array:
        out = np.empty_like(y)
        out[:K] = (root * (G @ activity(y)) - y[:K]) / case.tau_f
        out[K:] = (case.beta_d * y[:K] - y[K:]) / case.tau_d
        return out

    def jacobian(t: float, y: Array) -> Array:
        s = activity(y)
        back = (G * s - np.outer(G @ s, s)) * (root * case.gain / case.tau_f)
        out = np.zeros((2 * K, 2 * K))
        out[:K, :K] = root * back
        out[:K, K + before] = case.alpha_c * back
        i = np.arange(K)
        out[i, i] -= 1.0 / case.tau_f
        out[K + i, i] = case.beta_d / case.tau_d
        out[K + i, K + i] = -1.0 / case.tau_d
        return out

    overlaps = case.cues() @ P.T
    return rhs, jacobian, np.hstack([overlaps, np.zeros_like(overlaps)]), lambda y: y[:K]


FORMS = {"features": _over_features, "overlaps": _over_overlaps}


def solve_recall(
    case: RecallCase, form: str, method: str, rtol: float, atol: float, trajectories: int | None = None
) -> Array:
    """Solve a case with `scipy.integrate.solve_ivp`.

    Args:
        case: what to solve.
        form: "features" or "overlaps".
        method: SciPy's name of the method.
        rtol, atol: tolerances; atol is in units of a feature, which are those of overlap/N.
        trajectories: how many of the batch, from the first; all if None.

    Returns:
        The overlaps divided by N at the end, shape (trajectories, memories).
    """
    return _solver(case, form, method)(rtol, atol, trajectories)[0]


def _solver(case: RecallCase, form: str, method: str) -> Callable[..., tuple[Array, int]]:
    from scipy.integrate import solve_ivp

    rhs, jacobian, starts, overlaps = FORMS[form](case)
    options: dict[str, Any] = {"jac": jacobian} if method in ("BDF", "LSODA") else {}
    unit = case.features if form == "overlaps" else 1

    def solve(rtol: float, atol: float, trajectories: int | None = None) -> tuple[Array, int]:
        ends, evaluations = [], 0
        for start in starts[:trajectories]:
            done = solve_ivp(
                rhs, (0.0, case.t_end), start, method, [case.t_end], rtol=rtol, atol=atol * unit, **options
            )
            if not done.success:
                raise RuntimeError(done.message)
            ends.append(overlaps(done.y[:, -1]) / case.features)
            evaluations += int(done.nfev)
        return np.array(ends), evaluations

    return solve


def _build(form: str, method: str) -> Callable[[str], Solve]:
    def build(name: str) -> Solve:
        solver = _solver(CASES[name], form, method)

        def solve(rtol: float, atol: float) -> tuple[list[float], dict[str, Any]]:
            ends, evaluations = solver(rtol, atol)
            return ends.ravel().tolist(), {"evaluations": evaluations}

        return solve

    return build


SOLVERS = [
    Solver(f"SciPy {method} over {form}", ("scipy.integrate",), tuple(CASES), _build(form, method))
    for method in ("LSODA", "BDF")
    for form in FORMS
]
