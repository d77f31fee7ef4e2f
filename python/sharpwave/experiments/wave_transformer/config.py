"""What the experiment trains."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WaveTransformerConfig:
    """Lattices and how they are trained; nothing of it is in the paper: all are choices made here."""

    seed: int = 0
    """Of the first lattice of each kind; others have the seeds that follow."""
    seeds: int = 3
    """Lattices of each kind."""
    tasks: tuple[str, ...] = ("T1", "T2", "T3", "T4")
    """Tasks of arXiv 2310.02430."""
    rows: int = 16
    """Rows of the lattices for tasks, which have as many columns as the tasks' windows."""
    heads: int = 8
    """Heads of attention."""
    steps: int = 4000
    """Steps of training on tasks at most."""
    learning_rate: float = 0.003
    """Of Adam, for tasks and text."""
    horizons: tuple[int, ...] = (10, 20, 40, 60, 100)
    """Outputs that count, one stage after the other."""
    documents: int = 500
    """Of the Brown corpus; every tenth is for testing."""
    text_columns: int = 16
    """Characters in sight."""
    text_rows: int = 64
    """Rows of the lattices for text."""
    text_layers: tuple[int, ...] = (1, 2)
    """Layers of attention."""
    text_steps: int = 6000
    """Steps of training on text, of 64 sequences as long as the window."""
    tested: int = 50_000
    """Characters of a test."""
    written: int = 200
    """Characters that lattices go on to write."""
    jobs: int = 2
    """Processes."""

    def __post_init__(self) -> None:
        from ...recurrent import Protocol

        known = WaveTransformerConfig.tasks
        for name, values in (("tasks", self.tasks), ("text_layers", self.text_layers)):
            if not values or len(set(values)) < len(values):
                raise ValueError(f"{name} must be different, and at least one, got {values}")
        if not set(self.tasks) <= set(known):
            raise ValueError(f"tasks must be among {', '.join(known)}, got {', '.join(self.tasks)}")
        Protocol(steps=self.steps, learning_rate=self.learning_rate, horizons=self.horizons)  # says what is wrong
        numbers = (self.seeds, self.rows, self.heads, self.text_columns, self.text_rows)
        others = (*self.text_layers, self.text_steps, self.written, self.jobs)
        if min(*numbers, *others) < 1 or self.documents < 10:
            raise ValueError("all numbers must be at least 1, and documents at least 10")
        if self.tested <= self.text_columns:
            raise ValueError(f"tested must be more than the {self.text_columns} characters in sight, got {self.tested}")
