"""What a run shows in the terminal: steps as they go, then the numbers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from .report import show
from .runs import Run, Watch


@contextmanager
def watching(console: Console, run: Run) -> Iterator[Watch]:
    """Show the steps of a run: bars on a terminal, a line for each finished step elsewhere.

    Yields:
        The function to give to `Run.execute`.
    """
    if not console.is_terminal:
        yield _lines(console, run)
        return
    columns = (SpinnerColumn(finished_text="✓"), TextColumn("{task.description:<12}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, TaskID] = {}

        def watch(step: str, fraction: float) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(_words(step), total=1.0)
            progress.update(tasks[step], completed=fraction)

        yield watch


def _lines(console: Console, run: Run) -> Watch:
    before = set(run.finished())
    began: dict[str, float] = {}

    def watch(step: str, fraction: float) -> None:
        if step in before and fraction == 1.0:
            console.print(f"{_words(step):<12} done before", markup=False)
        elif fraction == 0.0:
            began[step] = time.perf_counter()
        elif fraction == 1.0 and step in began:
            console.print(f"{_words(step):<12} {time.perf_counter() - began.pop(step):.1f} s", markup=False)

    return watch


def summary(console: Console, about: dict[str, Any]) -> None:
    """Print the numbers of a run, those that the experiment names first if it names any.

    Args:
        console: where.
        about: what `sharpwave.report.read_run` found.
    """
    lines = about["headline"] or [line for step in about["steps"] for line in step["metrics"]]
    if not lines:
        return
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(overflow="fold")
    table.add_column(overflow="fold", style="bold")
    for line in lines:
        table.add_row(line["name"], f"{show(line['value'])} {line['unit']}".strip())
    console.print()
    console.print(table)


def _words(step: str) -> str:
    return step.replace("_", " ")
