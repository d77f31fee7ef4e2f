"""Our side of the benchmark: the public facade, served as the peers are (`python -m sharpwave.bench.ours`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .ode import OURS as OUR_ODE_SOLVERS
from .ours_replay import SOLVERS as REPLAY_SOLVERS
from .ours_spiking import spiking_solvers
from .peers.recall_cases import CASES, RecallCase
from .peers.recall_torch import best_threads
from .peers.serve import Solve, Solver, serve
from .recall import OURS, OURS_TORCH, PRODUCTS

MOST_STEPS = 10_000_000


def _ode(name: str) -> Solve:
    from sharpwave import solve_ivp
    from sharpwave.equations.problems import problem

    given = problem(name)
    ends = [given.t_span[1]]

    def solve(rtol: float, atol: float) -> tuple[list[float], dict[str, Any]]:
        return _end(
            solve_ivp(
                given.equations,
                given.t_span,
                given.y0,
                method="Rodas5P",
                rtol=rtol,
                atol=atol,
                t_eval=ends,
                max_steps=MOST_STEPS,
            )
        )

    return solve


def _dde(name: str) -> Solve:
    from sharpwave import solve_dde
    from sharpwave.equations.problems import problem

    given = problem(name)
    ends = [given.t_span[1]]

    def solve(rtol: float, atol: float) -> tuple[list[float], dict[str, Any]]:
        return _end(
            solve_dde(
                given.equations,
                given.t_span,
                given.history or {},
                method="Tsit5",
                rtol=rtol,
                atol=atol,
                t_eval=ends,
                max_steps=MOST_STEPS,
            )
        )

    return solve


def _end(done: Any) -> tuple[list[float], dict[str, Any]]:
    if not done.success:
        raise RuntimeError(done.message)
    return done.y[:, -1].tolist(), {"evaluations": done.nfev, "jacobians": done.njev}


def _recall(backend: str) -> Callable[[str], Solve]:
    def build(name: str) -> Solve:
        from sharpwave import memory
        from sharpwave.memory.products import product

        case = CASES[name]
        model = memory.DSEM(
            case.patterns(),
            memory.cycle(case.memories),
            alpha_s=case.alpha_s,
            alpha_c=case.alpha_c,
            tau_f=case.tau_f,
            tau_d=case.tau_d,
            beta_d=case.beta_d,
            gain=case.gain,
        )
        patterns, cues = case.patterns(), case.cues()

        def run(rtol: float, atol: float, t_end: float = case.t_end) -> Any:
            return model.recall(
                cues, t_end, t_eval=[t_end], rtol=rtol, atol=atol, backend=backend, max_steps=MOST_STEPS
            )

        threads = best_threads(lambda: run(1e-3, 1e-3, case.tau_f)) if backend == "torch" else None

        def solve(rtol: float, atol: float) -> tuple[list[float], dict[str, Any]]:
            if threads is not None:
                import torch

                torch.set_num_threads(threads)
            done = run(rtol, atol)
            if not done.success:
                raise RuntimeError(done.message)
            overlaps = product(done.trajectory.features()[:, -1], patterns.T) / case.features
            return overlaps.ravel().tolist(), {"evaluations": float(done.trajectory.integration.evaluations.mean())}

        return solve

    return build


def _products(library: str) -> Callable[[str], Solve]:
    """Solves nothing: does the matrix products that one evaluation of a recall cannot do without."""

    def build(name: str) -> Solve:
        case = CASES[name]
        pairs = _operands(case)
        shapes = ", ".join(f"({len(a)}x{a.shape[1]})({len(b)}x{b.shape[1]})" for a, b in pairs)
        if library == "numpy":
            into = [(a, b, np.empty((len(a), b.shape[1]))) for a, b in pairs]
            threads = 0

            def work() -> None:
                for a, b, out in into:
                    np.matmul(a, b, out=out)
        else:
            import torch

            tensors = [(torch.from_numpy(a), torch.from_numpy(b)) for a, b in pairs]
            outs = [torch.empty(len(a), b.shape[1], dtype=torch.float64) for a, b in pairs]

            def work() -> None:
                for (a, b), out in zip(tensors, outs, strict=True):
                    torch.mm(a, b, out=out)

            threads = best_threads(work)

        def solve(rtol: float, atol: float) -> tuple[list[float], dict[str, Any]]:
            if threads:
                torch.set_num_threads(threads)
            work()
            return [], {"products": shapes}

        return solve

    return build


def _operands(case: RecallCase) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(0)
    K, N, batch = case.memories, case.features, case.batch
    if K <= N:  # the Gram matrix times the activities of the batch
        return [(rng.random((K, K)), rng.random((K, batch)))]
    return [(rng.random((K, N)), rng.random((N, 2 * batch))), (rng.random((N, K)), rng.random((K, batch)))]


def solvers() -> list[Solver]:
    """Ours, and the products."""
    stiff = tuple(name for name, solver in OUR_ODE_SOLVERS.items() if solver == "sharpwave Rodas5P")
    delayed = tuple(name for name in OUR_ODE_SOLVERS if name not in stiff)
    return [
        Solver("sharpwave Rodas5P", ("sharpwave.ode",), stiff, _ode),
        Solver("sharpwave Tsit5", ("sharpwave.ode",), delayed, _dde),
        Solver(OURS, ("sharpwave.memory",), tuple(CASES), _recall("julia")),
        Solver(OURS_TORCH, ("sharpwave.memory", "torch"), tuple(CASES), _recall("torch")),
        Solver(PRODUCTS[0], ("numpy",), tuple(CASES), _products("numpy")),
        Solver(PRODUCTS[1], ("torch",), tuple(CASES), _products("torch")),
        *spiking_solvers(),
        *REPLAY_SOLVERS,
    ]


def start_julia() -> None:
    """Start Julia now, so that no solver's compile time includes it; where there is none, our solvers say so."""
    from sharpwave_bridge import JuliaUnavailableError, session

    try:
        session()
    except JuliaUnavailableError:
        return


if __name__ == "__main__":
    serve(solvers(), start_julia)
