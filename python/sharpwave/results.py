"""Results of finished runs as small JSON files, and the table of them: `python -m sharpwave.results README FILE...`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from .experiments import find, names
from .files import write_json, write_text
from .report import read_run, show
from .runs import RunError

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
_SCHEMA = 1


def export_results(run_directory: Path, path: Path) -> dict[str, Any]:
    """Write what a finished run found to a JSON file, by atomic rename.

    Args:
        run_directory: the run's directory, runs/<experiment>/<id>.
        path: the file.

    Returns:
        What was written: experiment, command, configuration (the seed in it), commit, versions, machine, Julia, when it
        was started, the seconds of each step, metrics and tables.

    Raises:
        RunError: the directory holds no run, or the run is not finished.
    """
    found = read_run(run_directory)
    if found["missing"]:
        raise RunError(
            f"{run_directory} is not finished: {', '.join(found['missing'])} to be done; finish it with --resume"
        )
    about, made_on = found["about"], found["environment"]
    steps = found["steps"]
    record = {
        "schema": _SCHEMA,
        **{name: about[name] for name in ("experiment", "title", "source", "command", "started", "config")},
        **{name: made_on.get(name) for name in ("commit", "versions", "machine", "julia")},
        "seconds": {step["step"]: step["seconds"] for step in steps},
        "metrics": [
            {name: line[name] for name in ("step", "name", "value", "unit", "note") if line[name] != ""}
            for step in steps
            for line in step["metrics"]
        ],
        "tables": [table for step in steps for table in step["tables"]],
    }
    write_json(path, record)
    return record


def table(records: Iterable[dict[str, Any]]) -> str:
    """The results as a Markdown table: experiment, what must come out, what came out, seed; then the experiments' own.

    Args:
        records: what `export_results` wrote, in any order.

    Raises:
        UnknownExperimentError: a record is of an experiment that there is not.
    """
    order = names()
    rows = [
        "| experiment | what must come out | what came out | seed |",
        "|---|---|---|---|",
    ]
    ordered = sorted(records, key=lambda record: order.index(find(record["experiment"]).name))
    for record in ordered:
        experiment = find(record["experiment"])
        first = [line for line in record["metrics"] if line["name"] in experiment.headline] or record["metrics"]
        came_out = "; ".join(f"{line['name']}: {_value(line)}" for line in first)
        cells = [f"`{experiment.name}`: {experiment.title}", experiment.expected, came_out, record["config"]["seed"]]
        rows.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*rows, *(part for record in ordered for part in _own_tables(record))])


def _own_tables(record: dict[str, Any]) -> Iterator[str]:
    """The tables that an experiment wants to be shown, with what made them."""
    experiment = find(record["experiment"])
    for table in record["tables"]:
        if table["title"] not in experiment.tables:
            continue
        commit = (record["commit"] or "unknown")[:12]
        yield f"\n**{table['title']}** (`{record['command']}`, commit {commit}, {record['started'][:10]})\n"
        lines = [table["columns"], ["---"] * len(table["columns"]), *table["rows"]]
        yield "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def put_into(path: Path, content: str) -> None:
    """Replace what stands between the two marks of a Markdown file.

    Raises:
        RunError: the file does not have the marks, in order.
    """
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise RunError(f"{path} must have the lines {BEGIN} and {END}, in this order: add them where the table belongs")
    write_text(path, f"{before}{BEGIN}\n{content}\n{END}{after}")


def read_results(path: Path) -> dict[str, Any]:
    """Read a file that `export_results` wrote.

    Raises:
        RunError: it is no such file.
    """
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunError(f"{path} is no JSON file: {error}") from error
    if not isinstance(record, dict) or record.get("schema") != _SCHEMA or "experiment" not in record:
        raise RunError(f"{path} holds no exported results: write it with `sharpwave export RUN FILE`")
    return record


def _value(line: dict[str, Any]) -> str:
    return f"{show(line['value'])} {line.get('unit', '')}".strip()


def main(words: Sequence[str]) -> int:
    """Write the table of result files into a Markdown file.

    Args:
        words: the Markdown file, then the result files.
    """
    if len(words) < 2:
        print("usage: python -m sharpwave.results README FILE ...", file=sys.stderr)
        return 2
    try:
        put_into(Path(words[0]), table(map(read_results, map(Path, words[1:]))))
    except (ValueError, OSError) as error:
        print(f"sharpwave: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
