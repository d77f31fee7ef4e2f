"""What an experiment is: a configuration, and steps that are done in order."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..files import finite

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure

Step = Callable[["Context"], "Mapping[str, Any] | None"]


@dataclass(frozen=True)
class Experiment:
    """A named computation that `sharpwave run` can do.

    Attributes:
        name: what it is called on the command line.
        title: a line for people.
        summary: what is computed and what to look at, a few sentences.
        source: the paper, table or figure that it reproduces.
        config: a frozen dataclass whose fields all have defaults, `seed` among them.
        quick: values of fields that make it a matter of seconds.
        steps: functions `step(context)`, done in order; each is done once, whatever kills the run.
        headline: names of the metrics that the report shows first.
        expected: what must come out, in a few words, for the table of results.
        tables: titles of the report's tables that stand below the table of results.
    """

    name: str
    title: str
    summary: str
    source: str
    config: type[Any]
    quick: Mapping[str, Any]
    steps: tuple[Step, ...]
    headline: tuple[str, ...] = ()
    expected: str = ""
    tables: tuple[str, ...] = ()


@dataclass
class Context:
    """What a step is given: the configuration, what earlier steps found, a seed of its own, places for what it finds.

    A step returns a mapping from names to scalars, xarray.DataArray or `(dimensions, array)`; it becomes one
    xarray.Dataset and is stored as netCDF. Later steps are given what was read back from the file, so that a run that
    was resumed and one that was not compute with the same numbers.

    Attributes:
        config: the experiment's configuration.
        step: name of this step.
        directory: the run's directory.
        watch: called with the step's name and the fraction that is done.
    """

    config: Any
    step: str
    directory: Path
    watch: Callable[[str, float], None]
    results: Mapping[str, xarray.Dataset]
    figures: list[dict[str, Any]] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)

    @property
    def seed(self) -> int:
        """A seed below 2**63 that depends on the configuration's seed and the step's name only."""
        words = np.random.SeedSequence(self.config.seed, spawn_key=(zlib.crc32(self.step.encode()),))
        return int(words.generate_state(1, np.uint64)[0] >> np.uint64(1))

    def rng(self) -> np.random.Generator:
        """A new generator of random numbers with this step's seed."""
        return np.random.default_rng(self.seed)

    def __getitem__(self, step: str) -> xarray.Dataset:
        """What an earlier step returned."""
        return self.results[step]

    def progress(self, done: float, total: float) -> None:
        """Tell whoever watches how far this step is."""
        self.watch(self.step, min(done / total, 1.0) if total > 0 else 1.0)

    def metric(self, name: str, value: float | str, *, unit: str = "", at: float | None = None, note: str = "") -> None:
        """Record a number (or a word) at once in metrics.jsonl.

        Args:
            name: what it is, in the field's words.
            value: a number that depends on configuration and seed only; wall-clock times belong to `timing`.
            unit: its unit, `""` for none.
            at: place in a series, such as the epoch.
            note: what it is to be compared with, or how it was obtained.
        """
        line = {"step": self.step, "name": name, "value": value, "unit": unit, "at": at, "note": note}
        self._append({key: item for key, item in line.items() if item not in ("", None) or key == "value"})

    def timing(self, name: str, seconds: float) -> None:
        """Record how long something took, in seconds."""
        self._append({"step": self.step, "name": name, "seconds": seconds})

    def figure(self, name: str, figure: Figure, *, title: str, alt: str, caption: str = "") -> None:
        """Save a figure and put it into the report.

        Args:
            name: file name without a suffix.
            figure: a matplotlib figure (see `sharpwave.plots`); it is saved as SVG.
            title: the heading above it.
            alt: what is to be seen, in words, for readers who do not see it.
            caption: a sentence or two below it.
        """
        from ..plots import save_figure

        file = f"figures/{name}.svg"
        save_figure(figure, self.directory / file)
        self.figures.append({"file": file, "title": title, "alt": alt, "caption": caption})

    def animation(
        self, name: str, figure: Figure, draw: Callable[[int], None], frames: int, *, title: str, alt: str,
        caption: str = "",
    ) -> None:  # fmt: skip
        """Save a figure that moves, as a GIF, and put it into the report; `draw` makes it the frame of a number."""
        from ..plots import save_animation

        file = f"figures/{name}.gif"
        save_animation(figure, draw, frames, self.directory / file)
        self.figures.append({"file": file, "title": title, "alt": alt, "caption": caption})

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], caption: str = "") -> None:
        """Put a table into the report."""
        for row in rows:
            if len(row) != len(columns):
                raise ValueError(f"table {title!r}: a row of {len(columns)} cells was expected, got {len(row)}")
        entry = {"title": title, "columns": list(columns), "rows": [list(row) for row in rows], "caption": caption}
        self.tables.append(entry)

    def _append(self, line: dict[str, Any]) -> None:
        with (self.directory / "metrics.jsonl").open("a", encoding="utf-8") as metrics:
            metrics.write(json.dumps(finite(line), ensure_ascii=False, allow_nan=False) + "\n")
