"""Recurrent networks and the tasks of variable binding: exact circuits, and training of many networks side by side.

Source: "Episodic Memory Theory for the Mechanistic Interpretation of RNNs", arXiv 2310.02430.
"""

from __future__ import annotations

from .circuits import Circuit, circuit, companion, kept_variables
from .elman import Elman
from .gated import GRU, LSTM
from .generators import (
    Source,
    binding_task,
    compose_copy,
    linear_task,
    parity_task,
    published_tasks,
    repeat_copy,
)
from .network import RNN
from .protocol import Protocol
from .replicas import Architecture, new_networks
from .tasks import HistoryTask
from .training import Trained, train

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Architecture",
    "Circuit",
    "Elman",
    "HistoryTask",
    "Protocol",
    "Source",
    "Trained",
    "binding_task",
    "circuit",
    "companion",
    "compose_copy",
    "kept_variables",
    "linear_task",
    "new_networks",
    "parity_task",
    "published_tasks",
    "repeat_copy",
    "train",
]
