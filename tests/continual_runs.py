"""Small experiments of continual learning."""

from __future__ import annotations

from sharpwave.data import load
from sharpwave.replay import ContinualExperiment, Settings, split_stream, strategies

DIGITS = load("digits")
BUDGET = 300 * (64 + 2 + 2 + 8)
QUICK = Settings(hidden=(80, 60), learning_rate=3e-3, batch=32, iterations=100)


def experiment(name: str, scenario="class", settings=QUICK, budget=BUDGET, **options) -> ContinualExperiment:
    stream = split_stream(DIGITS, scenario)
    return ContinualExperiment(stream=stream, strategy=strategies(scenario, budget)[name], settings=settings, **options)
