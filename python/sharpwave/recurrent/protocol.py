"""How networks are trained on a task."""

from __future__ import annotations

from dataclasses import dataclass

DECAYS, EPSILON = (0.9, 0.999), 1e-8  # Adam's, as in torch


@dataclass(frozen=True)
class Protocol:
    """How a network is trained: Adam on the squared error of all outputs that follow the inputs.

    Defaults are those of arXiv 2310.02430; what is not known of it is a choice, and says so.

    Attributes:
        steps: of training, each with new examples.
        examples: of a step.
        learning_rate: of Adam.
        weight_decay: L2, added to gradients.
        clip: largest norm of a network's gradient.
        horizons: outputs that count, one stage after the other.
        promoted_at: share of right signs, on the examples of a check, above which a network goes on to the next stage.
            The paper names .9 and .98. With .9, networks of 128 units stop short on T3, at .94: they go on
            before they have found the slowest of the variables' cycles.
        check_every: steps from one check to the next, a choice.
        check_examples: examples of a check, a choice. The network of the best check is the one that is kept.
        patience: checks in a row, at the last horizon, with a share of right signs of `done_at` at least, after which a
            network has done; 0: none has. A choice.
        done_at: see `patience`.
        spectral_radius: largest modulus of an eigenvalue of an Elman network's recurrent weights; after each step,
            weights with a larger one are scaled down. None: any.
    """

    steps: int = 20_000
    examples: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    clip: float = 1.0
    horizons: tuple[int, ...] = (10, 20, 40, 60, 100)
    promoted_at: float = 0.98
    check_every: int = 100
    check_examples: int = 64
    patience: int = 0
    done_at: float = 1.0
    spectral_radius: float | None = None

    def __post_init__(self) -> None:
        numbers = (self.steps, self.examples, self.check_every, self.check_examples, *self.horizons)
        if not self.horizons or min(numbers) < 1 or list(self.horizons) != sorted(self.horizons):
            raise ValueError(
                f"expected rising horizons, and at least one step and example, got horizons {self.horizons}, "
                f"steps {self.steps}, examples {self.examples}, check_every {self.check_every}"
            )
        if not (self.learning_rate > 0 and self.clip > 0 and self.weight_decay >= 0 and 0 < self.promoted_at < 1):
            raise ValueError(
                "learning_rate and clip must be positive, weight_decay not negative and promoted_at between 0 and 1, "
                f"got {self.learning_rate}, {self.clip}, {self.weight_decay} and {self.promoted_at}"
            )
        if not 0 < self.done_at <= 1:
            raise ValueError(f"done_at must be above 0, up to 1, got {self.done_at}")
        if self.spectral_radius is not None and not self.spectral_radius > 0:
            raise ValueError(f"spectral_radius must be positive, or None, got {self.spectral_radius}")
