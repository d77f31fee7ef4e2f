"""Tables of a record, as Markdown: `python -m sharpwave.bench.table FILE [README]`."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..files import write_text
from .record import Cost, Entry, Group, Point, RecordError, load

BEGIN, END = "<!-- benchmark: begin -->", "<!-- benchmark: end -->"
_TITLES = {
    "ode": "Stiff and delay equations",
    "recall": "Recall in a DSEM",
    "bridge": "The bridge",
    "spiking": "Spiking networks",
    "waves": "Wave lattices and trained RNNs",
    "dynamics": "What is inside networks",
    "forward": "Learning without a backward pass",
    "replay": "Replay",
}
_WORK = {  # groups in which the work is the same, and what their times are
    "spiking": "Times of an example of 250 ms, or of a second of CUBA; ours as a whole call.",
    "waves": "Times of a step.",
    "dynamics": "Times of all starts of a network.",
    "forward": "Times of a batch, or of an epoch.",
    "replay": "Times of a batch.",
}


def summary(groups: dict[str, Group]) -> str:
    """One row for each problem and peer: the ratios of times at equal error, and the compile times."""
    return "\n".join(
        _section(name, group, _work_rows(group, _WORK[name]) if name in _WORK else _summary_rows(group))
        for name, group in groups.items()
    )


def brief(groups: dict[str, Group]) -> str:
    """A row for each problem and a column for each peer, and the times that have a bound."""
    return "\n".join(
        _section(name, group, _work_rows(group, _WORK[name]) if name in _WORK else _ratio_matrix(group))
        for name, group in groups.items()
    )


def details(groups: dict[str, Group]) -> str:
    """One row for each point of each peer, and our own curve."""
    return "\n".join(
        f"### {_TITLES.get(name, name)}: all points\n\n{_entry_rows(group.entries)}\n{_curve_rows(group)}"
        for name, group in groups.items()
        if group.points and name not in _WORK
    )


def put_into(path: Path, tables: str) -> None:
    """Replace what stands between the two marks in a Markdown file.

    Raises:
        RecordError: the file does not have the marks, in order.
    """
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise RecordError(f"{path} must have the lines {BEGIN} and {END}, in this order")
    write_text(path, f"{before}{BEGIN}\n\n{tables.strip()}\n\n{END}{after}")


def seconds(value: float | None) -> str:
    """A time for people.

    Example:
        >>> seconds(1.234e-3), seconds(3.6e-6), seconds(25.0), seconds(None)
        ('1.23 ms', '3.6 us', '25 s', '-')
    """
    if value is None:
        return "-"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def _section(name: str, group: Group, ratios: str) -> str:
    parts = [f"### {_TITLES.get(name, name)}\n", ratios, _cost_rows(group.costs), _provenance(group)]
    if group.missing:
        missing = "; ".join(f"{peer} ({reason})" for peer, reason in group.missing.items())
        parts.append(f"Skipped, because not there: {missing}.\n")
    return "\n".join(part for part in parts if part)


def _provenance(group: Group) -> str:
    environment = group.context["environment"]
    machine, julia = environment["machine"], environment["julia"]
    versions = {**environment["versions"], **group.context["peers"]}
    named = ", ".join(f"{package} {number}" for package, number in versions.items())
    return (
        f"Measured {group.context['time']} by `{group.context['command']}` at commit {environment['commit'][:12]}, on "
        f"{machine['processor']}, {machine['cores']} cores; Julia {julia['version']} ({julia['runtime']}, "
        f"{julia['threads']} threads); {named}.\n"
    )


def _summary_rows(group: Group) -> str:
    if not group.entries:
        return ""
    compiled = {
        (point.problem, point.solver): point.compile_seconds
        for point in group.points
        if point.compile_seconds is not None
    }
    rows = []
    for problem, peer in dict.fromkeys((entry.problem, entry.peer) for entry in group.entries):
        entries = [entry for entry in group.entries if (entry.problem, entry.peer) == (problem, peer)]
        ratios = [entry.ratio for entry in entries if entry.ratio is not None]
        errors = [entry.peer_error for entry in entries if entry.ratio is not None and entry.peer_error]
        rows.append(
            [
                problem,
                peer,
                f"{_geometric_mean(ratios):.3g}" if ratios else "-",
                f"{min(ratios):.3g} to {max(ratios):.3g}" if ratios else entries[0].how,
                f"{len(ratios)} of {len(entries)}",
                f"{max(errors):.0e} to {min(errors):.0e}" if errors else "-",
                seconds(compiled.get((problem, peer))),
                seconds(compiled.get((problem, entries[0].ours))),
            ]
        )
    head = [
        "problem",
        "peer",
        "peer's time / ours, mean",
        "range",
        "compared",
        "errors",
        "peer compiles",
        "ours compiles",
    ]
    return _markdown(head, rows)


def _ratio_matrix(group: Group) -> str:
    if not group.entries:
        return ""
    peers = list(dict.fromkeys(entry.peer for entry in group.entries))
    rows = []
    for problem in dict.fromkeys(entry.problem for entry in group.entries):
        cells = []
        for peer in peers:
            entries = [entry for entry in group.entries if (entry.problem, entry.peer) == (problem, peer)]
            ratios = [entry.ratio for entry in entries if entry.ratio is not None]
            found = ""
            if ratios:
                found = f"{_ratio(_geometric_mean(ratios))} ({_ratio(min(ratios))} to {_ratio(max(ratios))})"
            cells.append(found or (entries[0].how if entries else ""))
        rows.append([problem, *cells])
    what = "The peer's time over ours at equal error, above 1 where ours is faster: mean over tolerances (range).\n\n"
    return what + _markdown(["problem", *peers], rows)


def _work_rows(group: Group, times: str) -> str:
    """Where there are no tolerances, but the same work: a row for each problem and peer."""
    if not group.entries:
        return ""
    compiled = {(p.problem, p.solver): p.compile_seconds for p in group.points}
    rows = [
        [
            entry.problem,
            entry.peer,
            seconds(entry.peer_seconds),
            seconds(entry.ours_seconds),
            "-" if entry.ratio is None else _ratio(entry.ratio),
            seconds(compiled.get((entry.problem, entry.peer))),
            seconds(compiled.get((entry.problem, entry.ours))),
            entry.how,
        ]
        for entry in group.entries
    ]
    head = ["problem", "peer", "peer's time", "ours", "ratio", "peer compiles", "ours compiles", "work"]
    return f"{times}\n\n{_markdown(head, rows)}"


def _ratio(value: float) -> str:
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


def _entry_rows(entries: Sequence[Entry]) -> str:
    rows = [
        [
            entry.problem,
            entry.peer,
            f"{entry.rtol:.0e}",
            _error(entry.peer_error),
            seconds(entry.peer_seconds),
            seconds(entry.ours_seconds),
            _error(entry.ours_error),
            "-" if entry.ratio is None else f"{entry.ratio:.3g}",
            entry.how,
        ]
        for entry in entries
    ]
    head = ["problem", "peer", "rtol", "error", "time", "ours", "our error", "ratio", "how"]
    return _markdown(head, rows)


def _curve_rows(group: Group) -> str:
    ours = {entry.ours for entry in group.entries}
    rows = [_own(point) for point in group.points if point.solver in ours]
    return _markdown(["problem", "solver", "rtol", "error", "time", "status"], rows)


def _own(point: Point) -> list[str]:
    return [
        point.problem,
        point.solver,
        f"{point.rtol:.0e}",
        _error(point.error),
        seconds(point.seconds),
        point.status,
    ]


def _cost_rows(costs: Sequence[Cost]) -> str:
    if not costs:
        return ""
    rows = [[cost.name, seconds(cost.seconds), seconds(cost.bound), _within(cost), cost.note] for cost in costs]
    return _markdown(["what", "time", "bound", "within", "note"], rows)


def _within(cost: Cost) -> str:
    return "-" if cost.bound is None else "yes" if cost.seconds <= cost.bound else "no"


def _error(value: float | None) -> str:
    return "-" if value is None else f"{value:.1e}"


def _geometric_mean(values: Iterable[float]) -> float:
    logs = [math.log(value) for value in values]
    return math.exp(sum(logs) / len(logs))


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |\n" for line in lines)


def main(words: Sequence[str]) -> int:
    """Print the tables of the file named first, or put them in brief into the Markdown file named second."""
    if len(words) not in (1, 2):
        print("usage: python -m sharpwave.bench.table FILE [README]", file=sys.stderr)
        return 2
    groups = load(Path(words[0]))
    if len(words) == 2:
        put_into(Path(words[1]), brief(groups))
    else:
        print(summary(groups) + "\n" + details(groups))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
