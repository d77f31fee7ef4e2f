"""Variables that were found in trained networks are overwritten, and outputs follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .experiment import Context, Experiment
from .sweeping import mean_and_sd, shown
from .trained_rnns import TrainedRnnConfig, trained_rnns


@dataclass(frozen=True)
class InterventionConfig(TrainedRnnConfig):
    """Networks that are trained, and how often each is intervened with."""

    trials: int = 500
    """Interventions on each network."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.trials < 1:
            raise ValueError("all numbers must be at least 1")


_WAYS = {"powers": {"method": "powers", "ground": "readout"}, "regression": {"method": "regression"}}
_KINDS = {"flip": "sign turned", "swap": "two swapped", "ablate": "set to 0"}


def overwrite(context: Context) -> dict[str, Any]:
    """Change variables in each trial, and compare outputs with the rule."""
    from ..dynamics import intervene, privileged_basis
    from ..recurrent import published_tasks

    config, networks, rows = context.config, trained_rnns(context), []
    followed = np.zeros((len(config.tasks), len(_WAYS), len(_KINDS), config.seeds))
    undisturbed = np.zeros((len(config.tasks), config.seeds))
    for i, (name, ones) in enumerate(networks.items()):
        task = published_tasks()[name]
        for seed, network in enumerate(ones):
            for j, way in enumerate(_WAYS.values()):
                found = privileged_basis(network, task, **way)  # type: ignore[arg-type]
                for k, kind in enumerate(_KINDS):
                    outcome = intervene(network, task, found, kind, trials=config.trials, seed=config.seed)  # type: ignore[arg-type]
                    followed[i, j, k, seed] = 100 * outcome.followed.mean()
            undisturbed[i, seed] = 100 * float(outcome.undisturbed.mean())
        for j, label in enumerate(_WAYS):
            mean = float(followed[i, j, 0].mean())
            context.metric(f"{name}: outputs follow the rule, basis by {label}", mean, unit="%")
            cells = [shown(*mean_and_sd(shares), 1) for shares in followed[i, j]]
            rows.append([name, label, *cells, f"{undisturbed[i].mean():.1f}", len(ones)])
    context.table(
        "Trials in which all outputs follow the rule / %",
        ["task", "basis by", *_KINDS.values(), "nothing changed", "networks"],
        rows,
        f"Mean ± sd over networks of {config.hidden} units, {config.trials} trials each: a network has run on for two "
        "windows when the sign of one of its variables, drawn at random, is turned, or two of opposite sign are "
        "swapped, or one is set to 0; then all signs of the outputs of two more windows must be those that the rule "
        "gives the changed window (of a 0, those that do not depend on it).",
    )
    return {
        "followed": (("task", "way", "kind", "seed"), followed), "undisturbed": (("task", "seed"), undisturbed),
        "task": list(config.tasks), "way": list(_WAYS), "kind": list(_KINDS),
        "seed": np.arange(config.seed, config.seed + config.seeds),
    }  # fmt: skip


EXPERIMENT = Experiment(
    name="intervention",
    title="Overwriting a variable in a trained network",
    summary="If directions that were found in a trained RNN are its variables, then another value in one of them must "
    "change those outputs which the task's rule computes from it, and no others.",
    source="beyond arXiv 2310.02430, whose variables these are",
    config=InterventionConfig,
    quick={"seeds": 1, "tasks": ("T2",), "hidden": 64, "steps": 6000, "horizons": (20,), "trials": 100},
    steps=(overwrite,),
    headline=tuple(f"{task}: outputs follow the rule, basis by regression" for task in TrainedRnnConfig.tasks),
    expected="in 95 % of the trials or more, outputs are those that the rule says",
    tables=("Trials in which all outputs follow the rule / %",),
)
