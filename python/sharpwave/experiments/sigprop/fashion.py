"""Signal propagation on Fashion-MNIST."""

from __future__ import annotations

from ..experiment import Experiment
from .config import SigPropFashionConfig
from .learning import depth, learn
from .mnist import HEADLINE, QUICK, SOURCE, SUMMARY, TABLES

EXPERIMENT = Experiment(
    name="sigprop-fashion",
    title="Signal propagation learns clothes",
    summary=SUMMARY,
    source=SOURCE,
    config=SigPropFashionConfig,
    quick=QUICK,
    steps=(learn, depth),
    headline=HEADLINE,
    expected="near backpropagation; memory that does not grow with depth",
    tables=TABLES,
)
