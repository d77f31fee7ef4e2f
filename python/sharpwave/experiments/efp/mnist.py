"""Error forward-propagation on MNIST."""

from __future__ import annotations

from ..experiment import Experiment
from .config import ENERGY, THREE, THREE_DROPOUT, TWO, TWO_DROPOUT, EfpConfig
from .learning import learn

_SOURCE = (
    "Error Forward-Propagation: Reusing Feedforward Connections to Propagate Errors in Deep Learning, arXiv "
    "1808.03357; Equilibrium Propagation, Frontiers in Computational Neuroscience 11, 2017"
)
_SUMMARY = (
    "Outputs drive the first hidden layer, and there is no other feedback: errors reach all layers going forward. "
    "Networks settle, are nudged towards the target both ways, and learn from the difference."
)
_HEADLINE = tuple(f"{name}: test error" for name in (TWO, THREE, ENERGY, TWO_DROPOUT, THREE_DROPOUT))
_QUICK = {
    "seeds": 1, "compared": 1, "examples": 2000, "test_images": 1000, "hidden": 100, "epochs": 4, "deep_epochs": 4,
    "energy_epochs": 4, "energy_rates": (0.2, 0.05), "dropout_epochs": 4,
}  # fmt: skip

EXPERIMENT = Experiment(
    name="efp-mnist",
    title="Error forward-propagation learns digits",
    summary=_SUMMARY,
    source=_SOURCE,
    config=EfpConfig,
    quick=_QUICK,
    steps=(learn,),
    headline=_HEADLINE,
    expected="test errors of at most 1.6 % with two hidden layers, 1.9 % as published with three; equilibrium "
    "propagation at most 1.9 %",
    tables=("Errors / %",),
)
