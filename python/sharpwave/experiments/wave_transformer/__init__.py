"""The attention boundary, trained: on the tasks of variable binding, and on English text, character by character."""

from __future__ import annotations

from ..experiment import Experiment
from .config import WaveTransformerConfig
from .tasks import tasks
from .text import text

EXPERIMENT = Experiment(
    name="wave-transformer",
    title="Attention as the boundary of waves",
    summary="A wave lattice whose start attends to all of its columns is the autoregressive loop of a transformer "
    "with attention alone; the columns are its context window. Such lattices are trained on tasks of variable binding "
    "and on text, and compared with the transformers that they are, step for step.",
    source="arXiv 2402.10163, self-attention boundary; training it is ours",
    config=WaveTransformerConfig,
    quick={
        "seeds": 1, "tasks": ("T4",), "steps": 300, "horizons": (10,), "text_steps": 60, "text_layers": (1,),
        "documents": 40, "tested": 2000, "written": 60, "jobs": 1,
    },
    steps=(tasks, text),
    headline=(
        *(f"{task}: accuracy" for task in WaveTransformerConfig.tasks),
        "largest difference of lattice and transformer, tasks",
        *(f"text, layers {layers}: bits a character" for layers in WaveTransformerConfig.text_layers),
        "largest difference of lattice and transformer, text",
    ),
    expected="an accuracy near 1 on all tasks; fewer bits a character than pairs of characters need; no difference "
    "beyond rounding",
    tables=("Tasks", "Text"),
)  # fmt: skip
