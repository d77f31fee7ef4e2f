"""Split MNIST and split Fashion-MNIST: two classes after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..experiment import Experiment
from .config import ContinualConfig
from .learning import learn

if TYPE_CHECKING:
    from ...data import ImageDataset
    from ...replay import Stream
    from ...replay.streams import Scenario

# Accuracies in percent: van de Ven and others, Nature Machine Intelligence 4, 2022.
_NAMES = (
    "none", "joint", "EWC", "SI", "LwF", "generative replay", "brain-inspired replay", "experience replay", "A-GEM",
)  # fmt: skip
_SHOWN = ("none", "experience replay", "brain-inspired replay", "joint")
_PUBLISHED = {
    "task": dict(zip(_NAMES, (84.3, 99.7, 99.1, 99.2, 99.6, 99.5, 99.6, 99.0, 98.6), strict=True)),
    "domain": dict(zip(_NAMES, (60.1, 98.6, 63.0, 66.9, 71.2, 95.6, 97.3, 93.8, 87.7), strict=True)),
    "class": {
        **dict(zip(_NAMES, (19.9, 98.2, 20.6, 21.2, 21.9, 90.4, 94.4, 88.8, 65.1), strict=True)),
        "iCaRL": 92.5,
    },
}


@dataclass(frozen=True)
class SplitMnistConfig(ContinualConfig):
    """Five tasks of two digits; the protocol of van de Ven and others, 2022.

    Which digits make a task is drawn from the seed of each network, as there, and all outputs compete from the start.
    There, networks are 20 of a kind.
    """

    data_set: str = "mnist"
    """What is learned; see `sharpwave.data`."""

    def stream(self, scenario: Scenario, seed: int) -> Stream:
        """See `ContinualConfig`."""
        from ...replay import split_stream

        data = self.data()
        draw = np.random.Generator(np.random.Philox(key=seed))
        order = draw.permutation(int(data.train_labels.max()) + 1).tolist()
        return replace(split_stream(data, scenario, order=order), active="all")

    def data(self) -> ImageDataset:
        """Images of all tasks."""
        from ...data import load

        return load(self.data_set).first(self.train_images, self.test_images)

    def published(self, scenario: str) -> dict[str, float]:
        """See `ContinualConfig`."""
        return _PUBLISHED[scenario] if self.data_set == "mnist" else {}


EXPERIMENT = Experiment(
    name="split-mnist",
    title="Ten digits, two at a time",
    summary="A network learns two digits, then two others, until it has seen all ten, and is asked for all of them. "
    "Strategies that keep it from forgetting are compared at equal bytes of stored images.",
    source="van de Ven and others, Three types of incremental learning, Nature Machine Intelligence 4, 2022; Replay in "
    "Deep Learning, arXiv 2104.04132",
    config=SplitMnistConfig,
    quick={
        "seeds": 1, "scenarios": ("class",), "strategies": ("none", "experience replay", "iCaRL"), "iterations": 40,
        "hidden": (60, 60), "train_images": 4000, "test_images": 1000, "memory": 20,
    },
    steps=(learn,),
    headline=tuple(f"class, {name}: accuracy" for name in _SHOWN),
    expected="within 2 points of the published accuracies; brain-inspired replay at least 93 % where classes are added",
    tables=("Strategies",),
)  # fmt: skip
