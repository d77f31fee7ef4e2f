"""The report of a run: one HTML page that needs nothing but itself."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from .files import write_text
from .runs import read_about

_MEDIA = {".svg": "image/svg+xml", ".png": "image/png", ".gif": "image/gif"}


def write_report(directory: Path) -> Path:
    """Write report.html of a run from the files that the run has written so far.

    Args:
        directory: the run's directory.

    Returns:
        The path of the report.

    Raises:
        RunError: the directory holds no run.
    """
    import jinja2

    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["show"] = show
    page = templates.get_template("report.html").render(**read_run(directory))
    path = directory / "report.html"
    write_text(path, page)
    return path


def read_run(directory: Path) -> dict[str, Any]:
    """What the files of a run say.

    Returns:
        A dictionary with `about` (config.json), `environment`, `steps` (for each done: name, seconds, figures,
        tables, metrics, timings), `headline` (the metrics shown first), `missing` (names of steps that are not done),
        `files` and `directory`.

    Raises:
        RunError: the directory holds no run.
    """
    about = read_about(directory)
    lines = _metrics(directory)
    steps = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((directory / "state").glob("[!.]*.json"))]
    for step in steps:
        own = [line for line in lines if line["step"] == step["step"]]
        step["metrics"] = _last_of_series([line for line in own if "value" in line])
        step["timings"] = [line for line in own if "seconds" in line]
        for figure in step["figures"]:
            figure["uri"] = _inlined(directory / figure["file"])
    metrics = {line["name"]: line for step in steps for line in step["metrics"]}
    environment_path = directory / "environment.json"
    done = [step["step"] for step in steps]
    return {
        "about": about,
        "environment": json.loads(environment_path.read_text()) if environment_path.exists() else {},
        "steps": steps,
        "headline": [metrics[name] for name in about["headline"] if name in metrics],
        "missing": [name for name in about["steps"] if name not in done],
        "files": sorted(str(path.relative_to(directory)) for path in directory.glob("results/[!.]*.nc")),
        "directory": str(directory),
    }


def show(value: Any) -> str:
    """A value as a reader wants it: four significant digits, words for truth and absence.

    Example:
        >>> show(0.123456), show(12345678), show(True), show(None), show([1, 2.50])
        ('0.1235', '12345678', 'yes', 'none', '1, 2.5')
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(show, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {show(item)}" for key, item in value.items())
    return str(value).replace(" ± ", "\u00a0±\u00a0")  # stays on one line


def _metrics(directory: Path) -> list[dict[str, Any]]:
    path = directory / "metrics.jsonl"
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [{"unit": "", "note": "", **json.loads(line)} for line in lines if line.endswith("\n")]


def _last_of_series(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({line["name"]: line for line in lines}.values())


def _inlined(path: Path) -> str:
    return f"data:{_MEDIA[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}"
