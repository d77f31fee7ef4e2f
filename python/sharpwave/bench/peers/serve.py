"""A process that solves what it is asked to, one JSON object per line in, one per line out.

    {"do": "describe"}
        -> {"solvers": {name: [problem, ...]}, "missing": {name: why}, "versions": {...}}
    {"do": "solve", "solver": ..., "problem": ..., "rtol": ..., "atol": ..., "at_least": seconds, "given": {...}}
        -> {"seconds": per solve, "solves": number, "built": bool, "building": seconds, "y": [...], "stats": {...}}

An exception is answered with {"error": message}. A solver that has not met the problem yet is built first: `built` is
then true and `seconds` includes the building (compiling) and exactly one solve. Building for another problem drops what
was built, so that memory does not pile up.

`given` may be left out: it is what building takes beside the problem, such as the path of a file. A solver that does
more than what is to be measured has `seconds` among its statistics, which stand for the time of the solve.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any, TextIO

Solve = Callable[[float, float], tuple[Sequence[float], dict[str, Any]]]  # rtol, atol -> final state, statistics

_DISTRIBUTIONS = {"sksundae": "scikit-sundae", "nest": "nest-simulator"}  # where not named as the module


@dataclass(frozen=True)
class Solver:
    """One way of solving some problems.

    Args:
        name: what tables call it.
        modules: what it imports; all must be there, or the solver is missing.
        problems: names of the problems that it solves.
        build: gives the function that solves a problem by name (and what is given, by keyword); what it compiles is
            counted as compile time.
        apart: it imports its modules in processes that it starts, and they are only looked for in this one.
    """

    name: str
    modules: tuple[str, ...]
    problems: tuple[str, ...]
    build: Callable[..., Solve]
    apart: bool = False


def serve(solvers: Iterable[Solver], start: Callable[[], None] = lambda: None) -> None:
    """Answer requests on standard input until it closes, on standard output.

    Both are first taken away from everything else in the process: descriptor 0 becomes empty and descriptor 1 becomes
    standard error, because Fortran and C solvers print there, and because Julia makes the pipes that it finds on 0, 1
    and 2 non-blocking, which Python's files do not expect.

    Args:
        solvers: what to solve with.
        start: called before anything is answered.
    """
    with (
        os.fdopen(os.dup(0), encoding="utf-8") as requests,
        os.fdopen(os.dup(1), "w", encoding="utf-8") as answers,
        open(os.devnull) as nothing,
    ):
        os.dup2(nothing.fileno(), 0)
        os.dup2(2, 1)
        start()
        _answer_all(requests, answers, list(solvers))


def _answer_all(requests: TextIO, answers: TextIO, solvers: list[Solver]) -> None:
    missing = _missing(solvers)
    known = {solver.name: solver for solver in solvers if solver.name not in missing}
    bench = _Bench(known)
    for line in requests:
        request = json.loads(line)
        try:
            if request["do"] == "describe":
                answer = {
                    "solvers": {name: list(solver.problems) for name, solver in known.items()},
                    "missing": missing,
                    "versions": _versions(known.values()),
                }
            else:
                answer = bench.solve(request)
        except Exception as error:  # noqa: BLE001  (whatever a peer raises is its answer; the next request must be served)
            answer = {"error": f"{type(error).__name__}: {str(error) or 'no message'}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _missing(solvers: Iterable[Solver]) -> dict[str, str]:
    missing = {}
    for solver in solvers:
        for module in solver.modules:
            try:
                if not solver.apart:
                    import_module(module)
                elif find_spec(module) is None:
                    raise ModuleNotFoundError(f"No module named {module!r}")
            except Exception as error:  # noqa: BLE001  (there but broken is missing too)
                missing[solver.name] = f"{type(error).__name__}: {error}"
                break
    return missing


def _versions(solvers: Iterable[Solver]) -> dict[str, str]:
    versions = {"python": ".".join(map(str, sys.version_info[:3]))}
    for module in sorted({module.partition(".")[0] for solver in solvers for module in solver.modules}):
        try:
            versions[module] = version(_DISTRIBUTIONS.get(module, module))
        except PackageNotFoundError:
            continue
    return versions


class _Bench:
    """Keeps what was built for the problem at hand."""

    def __init__(self, solvers: Mapping[str, Solver]) -> None:
        self._solvers = solvers
        self._problem: tuple[str, dict[str, Any]] = ("", {})
        self._built: dict[str, Solve] = {}

    def solve(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name, given = request["solver"], request.get("given", {})
        problem = request["problem"], given
        if problem != self._problem:
            self._problem, self._built = problem, {}
        rtol, atol = float(request["rtol"]), float(request["atol"])
        start = time.perf_counter()
        built = name not in self._built
        solve = self._solvers[name].build(problem[0], **given) if built else self._built[name]
        building, solves, alone = time.perf_counter() - start, 0, 0.0
        while True:
            y, stats = solve(rtol, atol)
            solves += 1
            alone += stats.get("seconds", 0.0)
            seconds = time.perf_counter() - start
            if built or seconds >= request["at_least"]:
                break
        if "seconds" in stats:
            seconds = building + alone
        self._built[name] = solve
        if not all(map(math.isfinite, y)):
            raise ArithmeticError("the solution is not finite")
        return {
            "seconds": seconds / solves,
            "solves": solves,
            "built": built,
            "building": building,
            "y": [float(value) for value in y],
            "stats": stats,
        }
