"""Times of several solvers on one problem, taken in turns so that the machine's drift is the same for all."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter, sleep
from types import MappingProxyType
from typing import Any

from .record import Point
from .worker import Worker, WorkerError, WorkerTimeoutError

REPEATS = 7
AT_LEAST = 0.05  # seconds of solving in a sample
BUDGET = 2.0  # seconds of samples after which a point gets no further ones
COMPILING = 30.0  # seconds that a first call may take beyond the limit

Say = Callable[[str], None]


@dataclass(frozen=True)
class Series:
    """One solver of one worker: the tolerances (rtol, atol) to run it at, loosest first, and what it is built with."""

    worker: Worker
    solver: str
    tolerances: Sequence[tuple[float, float]]
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class _Trial:
    """The measurement of one point as it grows."""

    series: Series
    rtol: float
    atol: float
    samples: list[float] = field(default_factory=list)
    spent: float = 0.0
    error: float | None = None
    compile_seconds: float | None = None
    status: str = "ok"
    ended: bool = False
    stats: dict[str, Any] = field(default_factory=dict)

    def end(self, status: str) -> None:
        """Take no further samples. A point that has samples from earlier rounds keeps them, and stays ok."""
        self.ended = True
        if not self.samples:
            self.status = status

    def point(self, problem: str) -> Point:
        ok = self.status == "ok"
        return Point(
            solver=self.series.solver,
            problem=problem,
            rtol=self.rtol,
            atol=self.atol,
            seconds=statistics.median(self.samples) if ok else None,
            fastest=min(self.samples) if ok else None,
            slowest=max(self.samples) if ok else None,
            samples=len(self.samples),
            error=self.error if ok else None,
            compile_seconds=self.compile_seconds,
            status=self.status,
            stats=self.stats,
        )


def samples(work: Callable[[], Any], count: int) -> list[float]:
    """Seconds of each call but the first, in order of size."""
    found = []
    for _ in range(count + 1):
        began = perf_counter()
        work()
        found.append(perf_counter() - began)
    return sorted(found[1:])


def peer_series(
    peers: Worker | None,
    problem: str,
    tolerances: Sequence[tuple[float, float]],
    given: Mapping[str, Any] = MappingProxyType({}),
) -> list[Series]:
    """All solvers of the peers that know a problem; none where there is no worker."""
    known = peers.describe()["solvers"] if peers else {}
    return [
        Series(peers, solver, tolerances, given) for solver, problems in known.items() if peers and problem in problems
    ]


def measure(
    problem: str,
    series: Sequence[Series],
    error_of: Callable[[Sequence[float]], float],
    limit: float,
    say: Say = lambda line: None,
    repeats: int = REPEATS,
    at_least: float = AT_LEAST,
    budget: float = BUDGET,
    compiling: float = COMPILING,
    settle: float = 0.0,
) -> list[Point]:
    """Measure every solver at every tolerance.

    The first round goes through all points and finds what compiles, fails or takes too long; each further round
    takes one sample of every point in the same order, solver by solver at each tolerance in turn. A point whose
    samples have taken `budget` seconds together gets no further ones. Once a solver is over the limit, its tighter
    tolerances are not tried.

    Args:
        problem: the problem's name, as the workers know it.
        series: the solvers.
        error_of: the error of a final state.
        limit: seconds that one sample may take, without compiling; the worker is killed then.
        say: takes lines that tell how it goes.
        repeats: number of rounds.
        at_least: seconds that a sample is filled with solves for.
        budget: seconds of samples after which a point gets no further ones.
        settle: seconds to wait before each sample: threads of OpenMP spin on for .2 s after a peer's last loop.
        compiling: seconds that a first call may take beyond the limit.
    """
    trials = _in_turns(series)
    built: set[tuple[str, int]] = set()
    over: set[str] = set()
    for turn in range(repeats):
        for trial in trials:
            name = trial.series.solver
            if trial.ended or trial.spent > budget:
                continue
            if turn == 0 and name in over:
                trial.end(f"not tried: over {limit:g} s at a looser tolerance")
                continue
            sleep(settle)
            try:
                _sample(trial, problem, limit, compiling, at_least, error_of, built)
            except WorkerTimeoutError:
                trial.end(f"over {limit:g} s")
                over.add(name)
            except WorkerError as error:
                trial.end(f"failed: {error}")
            if turn == 0:
                say(f"{problem}: {name}, rtol {trial.rtol:.0e}: {_result(trial)}")
    return [trial.point(problem) for trial in trials]


def _in_turns(series: Sequence[Series]) -> list[_Trial]:
    """Trials by place in their series, then by series."""
    longest = max((len(one.tolerances) for one in series), default=0)
    return [
        _Trial(one, *one.tolerances[place]) for place in range(longest) for one in series if place < len(one.tolerances)
    ]


def _sample(
    trial: _Trial,
    problem: str,
    limit: float,
    compiling: float,
    at_least: float,
    error_of: Callable[[Sequence[float]], float],
    built: set[tuple[str, int]],
) -> None:
    worker, name = trial.series.worker, trial.series.solver
    request = {
        "do": "solve",
        "solver": name,
        "problem": problem,
        "rtol": trial.rtol,
        "atol": trial.atol,
        "at_least": at_least,
        "given": dict(trial.series.given),
    }
    this = (name, worker.generation())
    if this not in built:
        first = worker.ask(request, limit + compiling)
        answer = worker.ask(request, limit)
        if not any(name == known for known, _ in built):
            timed_by_itself = "seconds" in answer["stats"]  # and so compiled before
            compiling_too = first["seconds"] - answer["seconds"]
            trial.compile_seconds = first["building"] if timed_by_itself else max(0.0, compiling_too)
        built.add(this)
    else:
        answer = worker.ask(request, limit)
    trial.samples.append(answer["seconds"])
    trial.spent += answer["seconds"] * answer["solves"]
    trial.error = error_of(answer["y"]) if answer["y"] else None
    trial.stats = answer["stats"]


def _result(trial: _Trial) -> str:
    if trial.status != "ok":
        return trial.status
    return f"{trial.samples[-1] * 1e3:.3g} ms" + (f", error {trial.error:.1e}" if trial.error is not None else "")
