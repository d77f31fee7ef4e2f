"""Signal propagation on MNIST."""

from __future__ import annotations

from ..experiment import Experiment
from .config import SigPropConfig
from .cost import cost, depth
from .learning import learn

_SOURCE = "Signal Propagation: The Framework for Learning and Inference in a Forward Pass, arXiv 2204.01723"
_SUMMARY = (
    "Targets go forward through the network beside the images, and each layer learns as they pass. Every source of "
    "targets with every loss, beside other ways of teaching the same layers: what they come to, and what it costs."
)
_HEADLINE = (
    "dense, backpropagation: test error",
    "dense, sigprop, class targets, classes: test error",
    "convolutional, backpropagation: test error",
    "convolutional, sigprop, class targets, classes: test error",
    "memory of sigprop, growth with depth",
    "memory of backpropagation, growth with depth",
)
_QUICK = {
    "seeds": 1, "examples": 1500, "test_images": 1000, "epochs": 3, "hidden": (64, 64), "channels": (4, 8),
    "depths": (2, 4, 8),
}  # fmt: skip
_TABLES = (
    "Dense layers", "Convolutional layers", "Dense layers: what a batch costs",
    "Convolutional layers: what a batch costs",
)  # fmt: skip

EXPERIMENT = Experiment(
    name="sigprop-mnist",
    title="Signal propagation learns digits",
    summary=_SUMMARY,
    source=_SOURCE,
    config=SigPropConfig,
    quick=_QUICK,
    steps=(learn, cost, depth),
    headline=_HEADLINE,
    expected="within one percent of backpropagation; memory that does not grow with depth; the squared distance "
    "collapses, and its layer is named",
    tables=_TABLES,
)
