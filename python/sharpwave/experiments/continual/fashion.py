"""Split Fashion-MNIST."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .split import EXPERIMENT as SPLIT_MNIST
from .split import SplitMnistConfig


@dataclass(frozen=True)
class SplitFashionConfig(SplitMnistConfig):
    """Five tasks of two kinds of clothes; the protocol of split MNIST."""

    data_set: str = "fashion-mnist"
    """What is learned; see `sharpwave.data`."""


EXPERIMENT = replace(
    SPLIT_MNIST,
    name="split-fashion",
    title="Ten kinds of clothes, two at a time",
    summary="The strategies of split-mnist, with its settings, on Fashion-MNIST.",
    source="protocol: van de Ven and others, Nature Machine Intelligence 4, 2022; Replay in Deep Learning, arXiv "
    "2104.04132",
    config=SplitFashionConfig,
    expected="replay keeps what nothing and penalties lose; no published numbers",
)
