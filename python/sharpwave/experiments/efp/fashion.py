"""Error forward-propagation on Fashion-MNIST."""

from __future__ import annotations

from ..experiment import Experiment
from .config import EfpFashionConfig
from .learning import learn
from .mnist import HEADLINE, QUICK, SOURCE, SUMMARY

EXPERIMENT = Experiment(
    name="efp-fashion",
    title="Error forward-propagation learns clothes",
    summary=SUMMARY,
    source=SOURCE,
    config=EfpFashionConfig,
    quick=QUICK | {"epochs": 8, "deep_epochs": 8},
    steps=(learn,),
    headline=HEADLINE,
    expected="test errors of at most 10.5 % with two hidden layers, 11 % as published with three",
    tables=("Errors / %",),
)
