"""Recall in Julia: one call of the kernel `memory_recall` for a whole batch."""

from __future__ import annotations

import numpy as np

from sharpwave_bridge import call, session

from .problem import Integration, Problem

# The numbers by which the kernel knows the activations.
_KINDS = {"identity": 0, "tanh": 1, "softmax": 2, "rectified-polynomial": 3, "relu": 4}


def integrate(problem: Problem) -> Integration:
    """Integrate a problem: with classical Runge-Kutta steps where `dt` is set, else with Tsit5, each network at its own step.

    The numbers depend neither on the number of threads nor on what else is in the batch.

    Args:
        problem: see `Problem`.

    Returns:
        The states at the output times.

    Raises:
        KernelError: the kernel refused an argument.
        JuliaUnavailableError: there is no Julia.
    """
    model = problem.model
    matrix = problem.matrix()
    activations = (model.feature_activation, model.hidden_activation)
    edge_from, edge_to = (np.ascontiguousarray(ends) for ends in np.nonzero(model.transitions))
    states = np.full((problem.batch, len(problem.t_eval), problem.rows), np.nan)
    reached, counts = np.empty(problem.batch), np.empty((problem.batch, 3), np.int64)
    call(
        "memory_recall",
        matrix,
        matrix if problem.reduced else np.ascontiguousarray(matrix.T),
        int(problem.reduced),
        np.array([[_KINDS[a.name], a.parameter] for a in activations]),
        edge_from,
        edge_to,
        model.transitions[edge_from, edge_to],
        np.array([model.tau_f, model.tau_h, model.tau_d, model.alpha_s, model.alpha_c, model.beta_d]),
        problem.input.starts,
        problem.drive(),
        problem.initial(),
        problem.t_eval,
        problem.t_end,
        problem.dt,
        problem.rtol,
        problem.atol,
        problem.max_steps,
        states,
        reached,
        counts,
    )
    accepted, rejected, evaluations = counts.T
    runtime = session().runtime
    return Integration(states, reached, accepted, rejected, evaluations, f"julia {runtime.version} ({runtime.name})")
