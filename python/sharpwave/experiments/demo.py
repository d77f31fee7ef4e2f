"""The demo."""

from __future__ import annotations
from dataclasses import dataclass
from .experiment import Experiment


@dataclass(frozen=True)
class DemoConfig:
    """The demo."""

    seed: int = 0
    classes: int = 8


EXPERIMENT = Experiment("demo", "Demo", "s", "", DemoConfig, {"classes": 3}, ())
