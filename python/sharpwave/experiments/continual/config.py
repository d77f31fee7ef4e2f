"""Which tasks are learned, how, and by which strategies."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...replay import Settings, Strategy, Stream
    from ...replay.streams import Scenario

_BYTES = 2 + 2 + 8  # of a stored image besides its pixels: label, task and priority


@dataclass(frozen=True)
class ContinualConfig:
    """What all of these experiments have."""

    seed: int = 0
    """Of the first network of each kind; others have the seeds that follow."""
    seeds: int = 5
    """Networks of each kind."""
    scenarios: tuple[str, ...] = ("task", "domain", "class")
    """What is known of a task; see `sharpwave.replay.Stream`."""
    strategies: tuple[str, ...] = ()
    """Names of strategies, joint among them; none: all."""
    iterations: int = 2000
    """Batches of each task."""
    batch: int = 128
    """New examples at a time."""
    hidden: tuple[int, ...] = (400, 400)
    """Units of the hidden layers."""
    learning_rate: float = 1e-3
    """Of Adam."""
    memory: int = 100
    """Images that the store is for, of each class; in bytes it is the same for all strategies."""
    train_images: int = 60_000
    """Training images, the first ones."""
    test_images: int = 10_000
    """Test images, the first ones."""
    jobs: int = 1
    """Processes."""

    def __post_init__(self) -> None:
        numbers = (self.seeds, self.iterations, self.batch, self.memory, self.train_images, self.test_images, self.jobs)
        if min(numbers) < 1 or not self.learning_rate > 0:
            raise ValueError("all numbers must be at least 1, the learning rate positive")
        if not self.scenarios or not set(self.scenarios) <= {"task", "domain", "class"}:
            raise ValueError(f"expected scenarios among task, domain and class, got {self.scenarios}")

    @property
    def settings(self) -> Settings:
        """How each task is learned."""
        from ...replay import Settings

        return Settings(self.hidden, self.learning_rate, self.batch, self.iterations)

    @abstractmethod
    def stream(self, scenario: Scenario, seed: int) -> Stream:
        """The tasks of a network."""

    def compared(self, scenario: Scenario, stream: Stream) -> dict[str, Strategy]:
        """All strategies for a scenario, by name, with stores of as many bytes."""
        from ...replay import strategies

        return strategies(scenario, budget(self.memory * stream.classes, stream), self.memory)

    def published(self, scenario: str) -> dict[str, float]:
        """Accuracies in percent that are known, by strategy."""
        return {}


def budget(images: int, stream: Stream) -> int:
    """Bytes of a store for so many images, with label, task and priority."""
    return images * (stream.features + _BYTES)
