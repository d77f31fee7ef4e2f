"""How layers learn by signal propagation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ..suggest import unknown
from .losses import LOSSES
from .targets import TargetKind

Prediction = Literal["classes", "closest", "readout", "neutral"]


@dataclass(frozen=True)
class SigPropRule:
    """How layers learn, and how the network decides.

    Attributes:
        targets: where targets come from, see `TargetGenerator`.
        learned_targets: whether their generator learns.
        loss: of each layer: `"classes"`, `"batch"`, `"random"`, `"top"`, `"hebbian"` or `"distance"`; see `losses`.
        prediction: `"classes"`: the class whose target goes best with the last layer's activities; `"closest"`: that
            among those few that go best with the first layer's; `"readout"`: a linear classifier of the last layer's,
            which does not teach the layers; `"neutral"`: one of what a target that is all classes alike evokes in the
            last layer, beside the example, with targets `"input"`.
        scaled: whether losses divide inner products by the square root of the number of units, or channels.
        learning_rate: see `Updates`.

    Source:
        arXiv 2204.01723.
    """

    targets: TargetKind = "class"
    learned_targets: bool = True
    loss: str = "classes"
    prediction: Prediction = "classes"
    scaled: bool = False
    learning_rate: float = 5e-4

    def __post_init__(self) -> None:
        for name, value, known in (
            ("targets", self.targets, get_args(TargetKind)),
            ("loss", self.loss, tuple(LOSSES)),
            ("prediction", self.prediction, get_args(Prediction)),
        ):
            if value not in known:
                raise ValueError(unknown(name, value, known))
        if self.loss == "classes" and self.targets != "class":
            raise ValueError(f"the loss 'classes' needs the targets of all classes: use 'batch' with {self.targets!r}")
        if self.targets == "loop" and self.prediction != "readout":
            raise ValueError("targets 'loop' come from what a readout says: use prediction='readout'")
        if self.prediction == "neutral" and self.targets != "input":
            raise ValueError(f"a neutral target says nothing of examples with targets {self.targets!r}: use 'input'")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be positive, got {self.learning_rate}")

    @property
    def reads(self) -> bool:
        """Whether a classifier learns to predict."""
        return self.prediction in ("readout", "neutral")

    @property
    def compares(self) -> bool:
        """Whether the loss compares the targets of a batch's examples, and not those of all classes."""
        return self.loss in ("batch", "random", "top") or (self.loss == "hebbian" and self.targets != "class")
