"""Solving in Julia: one call of the kernel `integrate` for all trajectories."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sharpwave_bridge import call, session

from ..equations.compiling import compiled
from .request import Request
from .solution import Array, DenseOutput, Solution

# The numbers by which the kernel knows the methods, and the powers of their dense output.
_METHODS = {"Rodas5P": (1, 5), "Tsit5": (2, 5), "RK4": (3, 4), "ExponentialEuler": (4, 4)}

_keys = count(1)
_NONE = np.empty(0)
_NO_EVENTS = np.empty((0, 2), np.int64)


class _Kept(NamedTuple):
    """What trajectories leave in numbers not known beforehand, one after the other, in the kernel's order."""

    step_t: Array
    step_y: Array
    dense: Array
    event_t: Array
    event_index: NDArray[np.int64]
    event_y: Array


def solve(job: Request, progress: Callable[[int, int], None] | None) -> list[Solution]:
    """Solve every trajectory.

    Raises:
        JuliaUnavailableError: there is no Julia.
        KernelError: the kernel refused an argument.
    """
    batch, n = job.states.shape
    number, powers = _METHODS[job.method]
    times = _NONE if job.t_eval is None else job.t_eval
    events = _NO_EVENTS
    if job.events:
        events = np.array([(event.direction, int(event.terminal)) for event in job.events], np.int64)
    save, key = 2 if job.dense_output else int(job.t_eval is None), next(_keys)
    handle = compiled(job.equations, [event.expression for event in job.events], job.history)
    y, t_end, outcomes = np.empty((batch, len(times), n)), np.empty(batch), np.empty((batch, 8), np.int64)
    call(
        "integrate", handle, number, job.states, job.values, job.start, job.end, times, job.rtol, job.atol,
        job.first_step, job.max_step, job.dt, job.max_steps, events, save, key, y, t_end, outcomes, progress=progress,
    )  # fmt: skip
    backend = f"julia {session().runtime.version}"
    kept, step_at, event_at = None, 0, 0
    if save or job.events:
        *_, steps, found = outcomes.sum(axis=0).tolist()
        kept = _fetch(key, steps, steps - batch if job.dense_output else 0, found, powers, n)
    solutions = []
    for b, (status, accepted, rejected, evaluations, jacobians, decompositions, steps, found) in enumerate(
        outcomes.tolist()
    ):
        taken = slice(step_at, step_at + steps)
        happened = slice(event_at, event_at + found)
        if kept and job.t_eval is None:
            t, course = kept.step_t[taken], kept.step_y[taken]
        else:
            reached = len(times)
            if status != 0:
                direction = -1.0 if job.end < job.start else 1.0
                reached = int((direction * times <= direction * t_end[b]).sum())
            t, course = times[:reached], y[b, :reached]
        sol, t_events, y_events = None, [], []
        if kept and job.dense_output:
            sol = DenseOutput(kept.step_t[taken], kept.dense[step_at - b : step_at - b + steps - 1])
        if kept and job.events:
            which = kept.event_index[happened]
            t_events = [kept.event_t[happened][which == i] for i in range(len(job.events))]
            y_events = [kept.event_y[happened][which == i] for i in range(len(job.events))]
        step_at, event_at = step_at + steps, event_at + found
        solutions.append(
            Solution(
                t=t,
                y=np.ascontiguousarray(course.T),
                sol=sol,
                t_events=t_events,
                y_events=y_events,
                status=status,
                nfev=evaluations,
                njev=jacobians,
                nlu=decompositions,
                stats={
                    "method": job.method,
                    "backend": backend,
                    "rtol": job.rtol,
                    "accepted": accepted,
                    "rejected": rejected,
                },
                variables=job.equations.variables,
            )
        )
    return solutions


def _fetch(key: int, steps: int, pieces: int, events: int, powers: int, n: int) -> _Kept:
    kept = _Kept(
        np.empty(steps),
        np.empty((steps, n)),
        np.empty((pieces, powers, n)),
        np.empty(events),
        np.empty(events, np.int64),
        np.empty((events, n)),
    )
    if steps or events:
        call("fetch_result", key, *kept)
    return kept
