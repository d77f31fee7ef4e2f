"""Permuted MNIST: the same digits again and again, each time with pixels in another order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..experiment import Experiment
from .config import ContinualConfig
from .learning import learn

if TYPE_CHECKING:
    from ...replay import Strategy, Stream
    from ...replay.streams import Scenario

_SHOWN = ("none", "EWC", "experience replay", "joint")


@dataclass(frozen=True)
class PermutedMnistConfig(ContinualConfig):
    """Ten orders of pixels; the protocol of van de Ven and others, 2022.

    The orders are drawn from the seed of each network, as there. Images have 28 x 28 pixels, there a black border too.
    There, networks are 20 of a kind; what is not asked for here, such as gates, is as for split MNIST.
    """

    seeds: int = 3
    """Networks of each kind."""
    scenarios: tuple[str, ...] = ("domain",)
    """What is known of a task; see `sharpwave.replay.Stream`."""
    strategies: tuple[str, ...] = ("none", "joint", "EWC", "SI", "LwF", "experience replay", "A-GEM", "DER++")
    """Names of strategies, joint among them; none: all."""
    tasks: int = 10
    """Orders, the first of which is the order that there is."""
    iterations: int = 5000
    """Batches of each task."""
    hidden: tuple[int, ...] = (1000, 1000)
    """Units of the hidden layers."""
    learning_rate: float = 1e-4
    """Of Adam."""
    memory: int = 10
    """Images that the store is for, of each class of each task; in bytes it is the same for all strategies."""

    def stream(self, scenario: Scenario, seed: int) -> Stream:
        """See `ContinualConfig`."""
        from ...data import load
        from ...replay import permuted_stream

        data = load("mnist").first(self.train_images, self.test_images)
        return permuted_stream(data, scenario, self.tasks, seed)

    def compared(self, scenario: Scenario, stream: Stream) -> dict[str, Strategy]:
        """See `ContinualConfig`; penalties are as strong as there for these tasks, where they share outputs.

        What EWC is to keep is found from 1000 examples of each task, a choice.
        """
        from ...replay import ElasticWeightConsolidation, SynapticIntelligence

        return super().compared(scenario, stream) | {
            "EWC": lambda: [ElasticWeightConsolidation(100.0, examples=1000)],
            "SI": lambda: [SynapticIntelligence(10.0)],
        }


EXPERIMENT = Experiment(
    name="permuted-mnist",
    title="Digits in ten orders of pixels",
    summary="A network learns all digits, then all digits with their pixels in another order, and so on, and is asked "
    "for digits in any of the orders.",
    source="protocol: van de Ven and others, Nature Machine Intelligence 4, 2022; Replay in Deep Learning, arXiv "
    "2104.04132",
    config=PermutedMnistConfig,
    quick={
        "seeds": 1, "strategies": ("none", "experience replay"), "tasks": 3, "iterations": 60, "hidden": (100, 100),
        "learning_rate": 1e-3, "memory": 30, "train_images": 4000, "test_images": 1000,
    },
    steps=(learn,),
    headline=tuple(f"domain, {name}: accuracy" for name in _SHOWN),
    expected="replay and penalties keep what nothing loses",
    tables=("Strategies",),
)  # fmt: skip
