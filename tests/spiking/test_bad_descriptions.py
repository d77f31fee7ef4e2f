"""Descriptions that are wrong are refused when they are made: the message says what was given and what was expected."""

from __future__ import annotations

import re

import numpy as np
import pytest

from sharpwave.equations.errors import EquationError
from sharpwave.spiking import (
    Convolutional,
    Dense,
    Input,
    LateralInhibition,
    Network,
    NeuronModel,
    OneToOne,
    Plasticity,
    Population,
    Repeat,
    Sparse,
    Trace,
    Windowed,
    lif,
    pair_stdp,
    reward_modulated_stdp,
)


def refuses(error, *parts):
    """The error, whose message has all parts in order."""
    return pytest.raises(error, match="(?s)" + ".*".join(map(re.escape, parts)))


IMAGE = {"image_shape": (5, 5), "kernel_size": 3, "stride": 2}
SHAPES = {
    "dense": (
        lambda: Dense("a", "b", np.ones((4, 25))),
        ("a -> b must be (presynaptic units, postsynaptic units) = (25, 12)", "(4, 25)"),
    ),
    "one to one": (lambda: OneToOne("a", "b", np.ones(25)), ("a -> b: one to one needs equal sizes, got 25 and 12",)),
    "one each": (lambda: OneToOne("a", "a2", np.ones(24)), ("must be (units,) = (25,), got shape (24,)",)),
    "sources": (lambda: Sparse("a", "b", [1.0], [25], [0]), ("sources of a -> b must be from 0 to 24, got 25 to 25",)),
    "targets": (lambda: Sparse("a", "b", [1.0], [0], [12]), ("targets of a -> b must be from 0 to 11, got 12 to 12",)),
    "half a unit": (
        lambda: Sparse("a", "b", [1.0], [0.5], [0]),
        ("sources of a -> b must be whole numbers", "float64"),
    ),
    "order": (
        lambda: Sparse("a", "b", [1.0, 1.0], [0, 0], [1, 0]),
        ("must be sorted by (target, source)", "Sparse.from_matrix"),
    ),
    "windows": (lambda: Windowed("a", "b", np.ones((3, 9, 3)), **IMAGE), ("= (4, 9, 3), got shape (3, 9, 3)",)),
    "filters": (
        lambda: Windowed("a", "b", np.ones((4, 9, 2)), **IMAGE),
        ("b must have 4 positions x 2 filters = 8 units, got 12",),
    ),
    "kernel": (lambda: Convolutional("a", "b", np.ones((8, 3)), **IMAGE), ("= (9, 3), got shape (8, 3)",)),
    "image": (
        lambda: Convolutional("a", "b", np.ones((9, 3)), **{**IMAGE, "image_shape": (5, 6)}),
        ("a has 25 units, which is no image of 5 x 6",),
    ),
    "window": (
        lambda: Convolutional("a", "b", np.ones((36, 3)), **{**IMAGE, "kernel_size": 6}),
        ("a window of 6 pixels in steps of 2 does not fit an image of (5, 5)",),
    ),
    "NaN": (
        lambda: Dense("a", "b", np.where(np.arange(300).reshape(25, 12) == 13, np.nan, 1)),
        ("a -> b must be finite, got nan at (1, 1)",),
    ),
    "bounds": (
        lambda: Dense("a", "b", np.full((25, 12), 1.5), plasticity=pair_stdp()),
        ("within the bounds 0 to 1 of their plasticity, got 1.5 to 1.5",),
    ),
    "norm": (
        lambda: Dense("a", "b", np.ones((25, 12)), norm=0.0),
        ("norm must be a positive sum of weights, got 0.0",),
    ),
    "delay": (
        lambda: Dense("a", "b", np.ones((25, 12)), delay=1.25),
        ("c: a delay must be a multiple of dt = 0.5 ms, and at least that, got 1.25 ms",),
    ),
    "no delay": (
        lambda: Dense("a", "b", np.ones((25, 12)), delay=0.0),
        ("a delay must be a multiple of dt = 0.5 ms, and at least that, got 0 ms",),
    ),
    "delays": (
        lambda: Dense("a", "b", np.ones((25, 12)), delay=np.ones(12)),
        ("one number, (25,) for presynaptic units, or (25, 12) for weights, got shape (12,)",),
    ),
    "endless delay": (
        lambda: Dense("a", "b", np.ones((25, 12)), delay=1e8),
        ("a delay of 1e+08 ms is longer than the buffer", "choose a shorter delay"),
    ),
    "group": (
        lambda: LateralInhibition("b", "b", -1.0, 5),
        ("a multiple of the group, got 12 and 12 units, groups of 5",),
    ),
    "lateral sizes": (lambda: LateralInhibition("a", "b", -1.0), ("populations of one size", "got 25 and 12 units")),
    "lateral weight": (
        lambda: LateralInhibition("b", "b", np.inf),
        ("lateral inhibition of b must be a finite number, got inf",),
    ),
    "population": (
        lambda: Dense("a", "bb", np.ones((25, 12))),
        ("connection 'c': unknown population 'bb': did you mean 'b'?",),
    ),
    "input as target": (
        lambda: Dense("b", "a", np.ones((12, 25))),
        ("'a' is an input, whose spikes come from outside",),
    ),
    "target": (
        lambda: Dense("a", "b", np.ones((25, 12)), target="g_e"),
        ("connection 'c': unknown target 'g_e': expected one of 'v'",),
    ),
}


@pytest.mark.parametrize("what", SHAPES)
def test_connections(what):
    make, parts = SHAPES[what]
    populations = {"a": Input(25), "b": Population(12, lif()), "a2": Population(25, lif())}
    with refuses(ValueError, *parts):
        Network(populations, {"c": make()}, 0.5)


MODELS = {
    "undefined name": (
        {"equations": "dv/dt = (rest - v)/tua : mV"},
        ("dv/dt: unknown name 'tua': did you mean 'tau'?",),
    ),
    "units of a rate": (
        {"equations": "dv/dt = rest - v : mV"},
        ("dv/dt: expected mV/ms, but the expression is in mV",),
    ),
    "units of a sum": ({"equations": "dv/dt = (rest - tau)/tau : mV"}, ("dv/dt: the units of mV - ms do not agree",)),
    "units of a threshold": ({"threshold": "v > 3"}, ("threshold: the units of", "do not agree", "5*mV")),
    "units of a reset": ({"reset": "v = tau"}, ("reset: expected mV, but the expression is in ms",)),
    "reset of a stranger": ({"reset": "u = 0"}, ("reset: unknown variable 'u': expected one of 'v'",)),
    "no statement": ({"reset": "v"}, ("reset: expected statements such as 'v = reset', got 'v'",)),
    "no equation": ({"equations": "v' = -v : mV"}, ("expected 'dv/dt = expression : unit'", "v' = -v : mV")),
    "flag": (
        {"equations": "dv/dt = -v/tau : mV (unless refractry)"},
        ("unknown flag 'unless refractry': did you mean 'unless refractory'?",),
    ),
    "unit": ({"equations": "dv/dt = -v/tau : mVolt"}, ("unknown unit 'mVolt'",)),
    "method": (
        {"method": "rk4"},
        ("unknown method 'rk4': expected one of 'auto', 'euler', 'exact', 'exponential_euler'",),
    ),
    "parameter": (
        {"parameters": {"tau": "ten ms", "rest": "0 mV"}},
        ("tau: expected a number and its unit, such as '-65 mV', got 'ten ms'",),
    ),
    "refractory": ({"refractory": -1.0}, ("refractory: expected a time such as '5 ms', not negative, got -1.0",)),
    "initial": ({"initial": {"w": 0.0}}, ("unknown variable in initial 'w': expected one of 'v'",)),
    "initial unit": ({"initial": {"v": "3 ms"}}, ("initial v: expected mV, got '3 ms'",)),
}


@pytest.mark.parametrize("what", MODELS)
def test_models(what):
    wanted, parts = MODELS[what]
    good = {
        "equations": "dv/dt = (rest - v)/tau : mV",
        "threshold": "v > rest",
        "reset": "v = rest",
        "parameters": {"tau": "10 ms", "rest": "-65 mV"},
    }
    NeuronModel(**good)
    with refuses(EquationError, *parts):
        NeuronModel(**{**good, **wanted})


def test_a_refractory_time_between_steps():
    with refuses(EquationError, "layer: the refractory time of 5 ms is no multiple of dt = 2 ms"):
        Network({"layer": Population(2, lif())}, {}, 2.0)


X, Y = {"x": Trace(20.0)}, {"y": Trace(20.0)}
RULES = {
    "reduction": (lambda: pair_stdp(reduction="median"), ("unknown reduction 'median': did you mean 'mean'?",)),
    "undefined name": (
        lambda: Plasticity(on_post="w += x*z", pre_traces=X),
        ("on_post: unknown name 'z'", "declare it as a trace or a parameter"),
    ),
    "the other side's past": (
        lambda: Plasticity(on_post="w += x_before", pre_traces=X),
        ("on_post: unknown name 'x_before'",),
    ),
    "no statement": (
        lambda: Plasticity(on_pre="w = 0.5"),
        ("on_pre: expected 'w += expression' or 'w -= expression', got 'w = 0.5'",),
    ),
    "same name": (
        lambda: Plasticity("w -= x", None, X, {"x": Trace(10.0)}),
        ("traces of the two sides must have different names",),
    ),
    "bounds": (lambda: pair_stdp(bounds=(1.0, 0.0)), ("bounds must be a smaller and a larger number, got (1.0, 0.0)",)),
    "eligibility": (
        lambda: reward_modulated_stdp(eligibility=-5.0),
        ("eligibility must be a positive time constant in ms, got -5.0",),
    ),
    "trace": (lambda: Trace(0.0), ("tau of a trace must be a positive time in ms, got 0.0",)),
    "kind of trace": (lambda: Trace(20.0, "ad"), ("unknown on_spike 'ad': did you mean 'add'?",)),
    "volts": (
        lambda: Plasticity("w -= a*y", None, {}, Y, {"a": "3 mV"}),
        ("a: a rule's parameters have no unit, got '3 mV'",),
    ),
}


@pytest.mark.parametrize("what", RULES)
def test_rules(what):
    make, parts = RULES[what]
    with refuses((ValueError, EquationError), *parts):
        make()


def test_populations():
    with refuses(ValueError, "unknown source 'poison': did you mean 'poisson'?"):
        Input(3, "poison")
    with refuses(ValueError, "units must be a whole number, at least 1, got 0"):
        Input(0)
    with refuses(ValueError, "unknown parameter 'treshold': did you mean 'threshold'?"):
        Population(2, lif(), {"treshold": np.ones(2)})
    with refuses(ValueError, "threshold must be 2 finite numbers, one for each unit, got (3,)"):
        Population(2, lif(), {"threshold": np.ones(3)})
    with refuses(ValueError, "dt must be a positive time in ms, got 0.0"):
        Network({"layer": Population(2, lif())}, {}, 0.0)
    with refuses(ValueError, "populations: expected at least one"):
        Network({})
    with refuses(ValueError, "expected at least one spike, and positive factors, got 5, (1.0, 0.0)"):
        Repeat("layer", 5, (1.0, 0.0))


def test_a_torch_network_with_two_synapses_between_the_same_units():
    twice = Sparse("input", "layer", [1.0, 2.0], np.array([0, 0]), np.array([1, 1]))
    made = Network({"input": Input(3), "layer": Population(2, lif())}, {"twice": twice})
    with refuses(ValueError, "'twice' has several synapses between the same two units", "add such weights up"):
        made.run({"input": np.ones((1, 3))}, 5.0, backend="torch")
