"""Solving in Julia: one call of the kernel `integrate` for all trajectories."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sharpwave_bridge import call, session

from ..equations import Equations
from .request import Request
from .solution import Array, DenseOutput, Solution

# The numbers by which the kernel knows the methods, and the powers of their dense output.
_METHODS = {"Rodas5P": (1, 5), "Tsit5": (2, 5), "RK4": (3, 4), "ExponentialEuler": (4, 4)}
# Room for steps and events of each trajectory; what needs more is fetched by a second call.
_STEPS, _EVENTS = 256, 64

# Compiled systems: for each Equations, by events and history, the kernel's handle.
_handles: weakref.WeakKeyDictionary[Equations, dict[Any, int]] = weakref.WeakKeyDictionary()


class _Buffers(NamedTuple):
    """What trajectories leave in numbers not known beforehand, one after the other, in the kernel's order."""

    step_t: Array
    step_y: Array
    dense: Array
    event_t: Array
    event_index: NDArray[np.int64]
    event_y: Array

    @classmethod
    def room(cls, steps: int, pieces: int, events: int, powers: int, n: int) -> _Buffers:
        return cls(
            np.empty(steps),
            np.empty((steps, n)),
            np.empty((pieces, powers, n)),
            np.empty(events),
            np.empty(events, np.int64),
            np.empty((events, n)),
        )


def solve(job: Request, progress: Callable[[int, int], None] | None) -> list[Solution]:
    """Solve every trajectory.

    Raises:
        JuliaUnavailableError: there is no Julia.
        KernelError: the kernel refused an argument.
    """
    batch, n = job.states.shape
    handle = compiled(job)
    number, powers = _METHODS[job.method]
    steps_kept = job.dense_output or job.t_eval is None
    save = 2 if job.dense_output else int(steps_kept)
    times = np.empty(0) if job.t_eval is None else job.t_eval
    y = np.empty((batch, len(times), n))
    status, statistics = np.empty(batch, np.int64), np.empty((batch, 5), np.int64)
    t_end, y_end = np.empty(batch), np.empty((batch, n))
    step_counts, event_counts, kept = np.empty(batch, np.int64), np.empty(batch, np.int64), np.empty(1, np.int64)
    buffers = _Buffers.room(
        _STEPS * batch * steps_kept, _STEPS * batch * job.dense_output, _EVENTS * len(job.events), powers, n
    )
    directions = np.array([event.direction for event in job.events], np.int64)
    terminal = np.array([int(event.terminal) for event in job.events], np.int64)
    call(
        "integrate", handle, number, job.states, job.values, job.start, job.end, times, job.rtol, job.atol,
        job.first_step, job.max_step, job.dt, job.max_steps, directions, terminal, save, y, status, statistics, t_end,
        y_end, step_counts, *buffers[:3], event_counts, *buffers[3:], kept, progress=progress,
    )  # fmt: skip
    if kept[0]:
        steps = int(step_counts.sum())
        pieces = max(0, steps - batch) if job.dense_output else 0
        buffers = _Buffers.room(steps, pieces, int(event_counts.sum()), powers, n)
        call("fetch_result", int(kept[0]), *buffers)
    stats = {"method": job.method, "backend": f"julia {session().runtime.version}", "rtol": job.rtol}
    step_at, event_at = [0, *accumulate(step_counts.tolist())], [0, *accumulate(event_counts.tolist())]
    direction = -1.0 if job.end < job.start else 1.0
    solutions = []
    for b in range(batch):
        taken = slice(step_at[b], step_at[b + 1])
        pieces_taken = slice(step_at[b] - b, step_at[b + 1] - b - 1)
        if job.t_eval is None:
            t, course = buffers.step_t[taken], buffers.step_y[taken]
        else:
            whole = status[b] == 0
            reached = len(times) if whole else int((direction * times <= direction * t_end[b]).sum())
            t, course = times[:reached], y[b, :reached]
        happened = slice(event_at[b], event_at[b + 1])
        which, event_t, event_y = buffers.event_index[happened], buffers.event_t[happened], buffers.event_y[happened]
        accepted, rejected, evaluations, jacobians, decompositions = statistics[b].tolist()
        solutions.append(
            Solution(
                t=t,
                y=np.ascontiguousarray(course.T),
                sol=DenseOutput(buffers.step_t[taken], buffers.dense[pieces_taken]) if job.dense_output else None,
                t_events=[event_t[which == i] for i in range(len(job.events))],
                y_events=[event_y[which == i] for i in range(len(job.events))],
                status=int(status[b]),
                nfev=evaluations,
                njev=jacobians,
                nlu=decompositions,
                stats={**stats, "accepted": accepted, "rejected": rejected},
                variables=job.equations.variables,
            )
        )
    return solutions


def compiled(job: Request) -> int:
    """The kernel's handle of the job's system with its events and history; compiles it the first time."""
    texts = tuple(event.expression for event in job.events)
    past = None if job.history is None else tuple(sorted((name, str(text)) for name, text in job.history.items()))
    known = _handles.setdefault(job.equations, {})
    if (texts, past) not in known:
        program = job.equations.encode(texts, job.history)
        if job.history is None and len(program.lag_variables):
            raise ValueError("an event looks back in time: use solve_dde, with a history")
        handle = np.empty(1, np.int64)
        call("compile_equations", *program.arrays(), handle)
        known[texts, past] = int(handle[0])
    return known[texts, past]
