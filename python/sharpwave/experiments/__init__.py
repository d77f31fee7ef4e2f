"""Experiments that `sharpwave run` can do, by name.

Each is a module with an `EXPERIMENT`, quick to import: what computes is imported by the steps.
"""

from __future__ import annotations

from importlib import import_module

from ..suggest import unknown
from .experiment import Context, Experiment

__all__ = ["Context", "Experiment", "UnknownExperimentError", "find", "names"]

_MODULES = {
    "demo": "demo",
    "dsem-figure": "dsem_figure",
    "lisem": "lisem",
    "surface": "surface",
    "dwell-oracle": "dwell_oracle",
    "learn-sequence": "learn_sequence",
    "learn-images": "learn_images",
    "capacity": "capacity",
    "minibatch-conversion": "minibatch_conversion",
    "lc-snn": "lc_snn",
    "minibatch-scaling": "minibatch_scaling",
    "minibatch-stdp": "minibatch_stdp",
    "c-snn": "c_snn",
    "diehl-cook-2015": "diehl_cook_2015",
    "variable-binding-table": "variable_binding_table",
    "privileged-basis": "privileged_basis",
    "intervention": "intervention",
    "wave-gradient": "wave_gradient",
    "wave-init": "wave_init",
    "wave-transformer": "wave_transformer",
    "known-dynamics": "known_dynamics",
    "flipflop-periodic": "flipflops.periodic",
    "flipflop-relative": "flipflops.relative",
    "flipflop-retrain": "flipflops.retrain",
    "flipflop-causal": "flipflops.causal",
    "efp-mnist": "efp.mnist",
    "efp-fashion": "efp.fashion",
    "sigprop-mnist": "sigprop.mnist",
    "sigprop-fashion": "sigprop.fashion",
    "sigprop-spiking": "sigprop.spiking",
    "sigprop-continuous": "efp.continuous",
    "split-mnist": "continual.split",
    "split-fashion": "continual.fashion",
    "permuted-mnist": "continual.permuted",
    "online": "continual.online",
    "biological-elements": "continual.elements",
    "sleep-replay": "sleep_replay",
    "episode-replay": "episode_replay",
}


class UnknownExperimentError(ValueError):
    """There is no experiment of this name; the message suggests one."""


def names() -> list[str]:
    """Names of all experiments."""
    return list(_MODULES)


def find(name: str) -> Experiment:
    """The experiment of this name.

    Raises:
        UnknownExperimentError: there is none.

    Example:
        >>> find("dmo")
        Traceback (most recent call last):
        ...
        sharpwave.experiments.UnknownExperimentError: unknown experiment 'dmo': did you mean 'demo'?
    """
    if name not in _MODULES:
        raise UnknownExperimentError(unknown("experiment", name, _MODULES))
    experiment: Experiment = import_module(f"{__name__}.{_MODULES[name]}").EXPERIMENT
    return experiment
