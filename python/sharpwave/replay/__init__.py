"""Tasks that are learned one after the other, and replay of what was learned before."""

from __future__ import annotations

from .learner import Batch, Learner, Part, Settings
from .metrics import METRICS, forward_transfer, metric, omega
from .penalties import ElasticWeightConsolidation, LearningWithoutForgetting, SynapticIntelligence
from .replaying import AveragedGradients, DarkReplay, ExperienceReplay, ScoredReplay
from .scorers import SCORERS
from .stores import ClassBalanced, Field, Policy, Reservoir, Ring, Store
from .streams import Stream, Task, one_after_another, permuted_stream, rotated_stream, single_pass, split_stream

__all__ = [
    "METRICS",
    "SCORERS",
    "AveragedGradients",
    "Batch",
    "ClassBalanced",
    "DarkReplay",
    "ElasticWeightConsolidation",
    "ExperienceReplay",
    "Field",
    "Learner",
    "LearningWithoutForgetting",
    "Part",
    "Policy",
    "Reservoir",
    "Ring",
    "ScoredReplay",
    "Settings",
    "Store",
    "Stream",
    "SynapticIntelligence",
    "Task",
    "forward_transfer",
    "metric",
    "omega",
    "one_after_another",
    "permuted_stream",
    "rotated_stream",
    "single_pass",
    "split_stream",
]
