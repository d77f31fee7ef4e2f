"""Recall and learning in Julia: one call of a kernel for a whole batch, or for all epochs."""

from __future__ import annotations

import numpy as np

from sharpwave_bridge import call, session

from .model import GSEMM
from .problem import Array, Integration, Problem

# The numbers by which the kernel knows the activations.
_KINDS = {"identity": 0, "tanh": 1, "softmax": 2, "rectified-polynomial": 3, "relu": 4}


def integrate(problem: Problem) -> Integration:
    """Integrate a problem: classical Runge-Kutta steps where `dt` is set, else Tsit5, each network at its own step.

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
    states = np.full((problem.batch, len(problem.t_eval), problem.rows), np.nan)
    reached, counts = np.empty(problem.batch), np.empty((problem.batch, 3), np.int64)
    call(
        "memory_recall",
        matrix,
        matrix if problem.reduced else np.ascontiguousarray(matrix.T),
        int(problem.reduced),
        _activations(model),
        *model.edges,
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
    return Integration(states, reached, accepted, rejected, evaluations, _name())


def learn_epochs(
    model: GSEMM, items: Array, rates: tuple[float, float, float, float], steps: int, epochs: int
) -> tuple[Array, Array, Array]:
    """Learn from the model's patterns and transitions; see `sharpwave.memory.learning`, whose steps these are.

    Args:
        model: the network.
        items: what is shown, (K, N).
        rates: tau_patterns, tau_transitions, input_strength, dt.
        steps: how many steps each item is shown for.
        epochs: how often all are shown.

    Returns:
        Patterns (hidden units, N), transitions (hidden units, hidden units), surprise (epochs,).
    """
    patterns, transitions, surprise = model.patterns.copy(), model.transitions.copy(), np.empty(epochs)
    constants = [model.tau_f, model.tau_d, model.alpha_s, model.alpha_c, model.beta_d, *rates]
    call("memory_learn", items, _activations(model), np.array(constants), steps, patterns, transitions, surprise)
    return patterns, transitions, surprise


def _activations(model: GSEMM) -> Array:
    layers = (model.feature_activation, model.hidden_activation)
    return np.array([[_KINDS[layer.name], layer.parameter] for layer in layers])


def _name() -> str:
    runtime = session().runtime
    return f"julia {runtime.version} ({runtime.name})"
