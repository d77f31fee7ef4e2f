"""What the benchmark measures, and the JSON file that it is kept in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..environment import environment
from ..files import write_json
from .equal_error import seconds_at

SCHEMA = 1


class RecordError(ValueError):
    """A file is not a record of the benchmark."""


@dataclass(frozen=True)
class Point:
    """One solver on one problem at one tolerance.

    Attributes:
        solver, problem: names.
        rtol, atol: tolerances asked for.
        seconds: median time of a solve, or None where it did not succeed.
        fastest, slowest: of the samples whose median `seconds` is.
        samples: number of samples; each is the mean of as many solves as fill a stated time.
        error: the error achieved, or None.
        compile_seconds: first call minus steady call, at the first tolerance of the solver; else None.
        status: "ok", "over N s", or what went wrong.
        stats: what the solver says of its work, such as evaluations.
    """

    solver: str
    problem: str
    rtol: float
    atol: float
    seconds: float | None = None
    fastest: float | None = None
    slowest: float | None = None
    samples: int = 0
    error: float | None = None
    compile_seconds: float | None = None
    status: str = "ok"
    stats: dict[str, Any] = field(default_factory=dict)

    def per(self, parts: float, beside: float = 0.0) -> Point:
        """The point with times of one of so many equal parts, of what was timed and of so many seconds beside it."""
        if self.seconds is None or self.fastest is None or self.slowest is None:
            return self
        seconds, fastest, slowest = ((value + beside) / parts for value in (self.seconds, self.fastest, self.slowest))
        return replace(self, seconds=seconds, fastest=fastest, slowest=slowest)


@dataclass(frozen=True)
class Entry:
    """A peer's point beside our time at the same achieved error.

    Attributes:
        problem, ours, peer: names.
        rtol, atol: the peer's tolerances.
        peer_seconds, peer_error: the peer's time and error, or None where it did not finish.
        ours_seconds, ours_error: our time, and our error in that time; None where our curve does not reach that far.
        ratio: peer_seconds / ours_seconds, above 1 where ours is faster; or None.
        how: how our time was found (see `equal_error.Reading`), or why there is none.
    """

    problem: str
    ours: str
    peer: str
    rtol: float
    atol: float
    peer_seconds: float | None
    peer_error: float | None
    ours_seconds: float | None
    ours_error: float | None
    ratio: float | None
    how: str


def beside(problem: str, peer: str, theirs: float, ours: float, how: str, own: str = "sharpwave Julia") -> Entry:
    """A peer's time in seconds for the same work as ours, which has no tolerances."""
    return Entry(problem, own, peer, 0.0, 0.0, theirs, None, ours, None, theirs / ours, how)


@dataclass(frozen=True)
class Cost:
    """A time that has no peer, beside its target or its bound.

    Attributes:
        name: of what.
        seconds: median.
        fastest, slowest: of the samples.
        samples: number of samples.
        bound: what it should stay under, in seconds, or None.
        note: where the bound comes from.
    """

    name: str
    seconds: float
    fastest: float
    slowest: float
    samples: int
    bound: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Group:
    """One run of one part of the benchmark.

    Attributes:
        context: `environment` (machine, versions, commit, Julia), `peers` (versions), `command`, `time` (UTC).
        points, entries, costs: what was measured and compared.
        missing: peers that were not there, by name, and why.
    """

    context: dict[str, Any]
    points: tuple[Point, ...] = ()
    entries: tuple[Entry, ...] = ()
    costs: tuple[Cost, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)


def context(command: str, peer_versions: Mapping[str, str]) -> dict[str, Any]:
    """What a group was measured with, as JSON can hold it."""
    return {
        "environment": environment(),
        "peers": dict(peer_versions),
        "command": command,
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def compare(points: Iterable[Point], ours: Mapping[str, str]) -> tuple[Entry, ...]:
    """Compare every peer's point with the curve of our solver on the same problem.

    Args:
        points: of one or more problems, ours and the peers' together.
        ours: for each problem the name of our solver.
    """
    points = list(points)
    curves: dict[str, list[tuple[float, float]]] = {}
    for point in points:
        if point.solver == ours[point.problem] and point.error and point.seconds:
            curves.setdefault(point.problem, []).append((point.error, point.seconds))
    return tuple(
        _entry(point, ours[point.problem], curves.get(point.problem, []))
        for point in points
        if point.solver != ours[point.problem]
    )


def _entry(point: Point, ours: str, curve: list[tuple[float, float]]) -> Entry:
    reading = seconds_at(point.error, curve) if point.error else None
    if point.seconds is None or not point.error:
        how = point.status
    elif not curve:
        how = "ours was not measured"
    elif reading is None:
        how = f"our curve ends at an error of {min(curve)[0]:.1e}"
    else:
        how = reading.how
    return Entry(
        problem=point.problem,
        ours=ours,
        peer=point.solver,
        rtol=point.rtol,
        atol=point.atol,
        peer_seconds=point.seconds,
        peer_error=point.error,
        ours_seconds=reading.seconds if reading else None,
        ours_error=reading.error if reading else None,
        ratio=point.seconds / reading.seconds if reading and point.seconds else None,
        how=how,
    )


def save(path: Path, groups: Mapping[str, Group]) -> None:
    """Write groups to a file by atomic rename; groups that the file has and that are not given stay as they are."""
    kept = load(path) if path.exists() else {}
    merged = {**kept, **groups}
    write_json(path, {"schema": SCHEMA, "groups": {name: asdict(group) for name, group in merged.items()}})


def load(path: Path) -> dict[str, Group]:
    """Read a file that `save` wrote.

    Raises:
        RecordError: the file is not such a file, or is of another schema.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["schema"] != SCHEMA:
            raise RecordError(f"{path}: schema {content['schema']}, expected {SCHEMA}: measure again")
        return {name: _group(values) for name, values in content["groups"].items()}
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise RecordError(f"{path} is not a record of the benchmark: {error}") from error


def _group(values: dict[str, Any]) -> Group:
    rows = {name: tuple(_row(kind, row) for row in values[name]) for name, kind in _ROWS.items()}
    return Group(context=values["context"], missing=values["missing"], **rows)


_ROWS = {"points": Point, "entries": Entry, "costs": Cost}


def _row(kind: type[Any], values: dict[str, Any]) -> Any:
    names = {one.name for one in fields(kind)}
    if set(values) != names:
        raise TypeError(f"{kind.__name__} has fields {sorted(names)}, got {sorted(values)}")
    return kind(**values)
