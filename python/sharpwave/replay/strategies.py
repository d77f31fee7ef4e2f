"""Strategies by name, each a short composition of parts. A strategy of your own is a function that returns parts."""

from __future__ import annotations

from ..suggest import unknown
from .discriminant import StreamingDiscriminant
from .exemplars import Exemplars
from .generative import BrainInspiredReplay, GenerativeReplay
from .greedy import GreedySampler
from .interfered import InterferedReplay
from .latent import LatentReplay, QuantisedReplay
from .part import Strategy
from .penalties import ElasticWeightConsolidation, LearningWithoutForgetting, SynapticIntelligence
from .replaying import AveragedGradients, DarkReplay, ExperienceReplay
from .stores import ClassBalanced, Reservoir
from .streams import SCENARIOS, Scenario

# of van de Ven and others, 2022, for split MNIST
_LAMBDA = {"task": 1e5, "domain": 1e10, "class": 1e9}
_C = {"task": 10.0, "domain": 5e4, "class": 5e3}
_SHUT = {"task": 0.0, "domain": 0.1, "class": 0.1}


def strategies(scenario: Scenario, budget: int, most: int | None = None) -> dict[str, Strategy]:
    """Strategies for a scenario, each of which keeps no more than so many bytes of examples.

    All but joint learning, which is `learn_offline`, and sleep, which is for networks without biases: `SleepReplay`.
    Penalties and generators keep copies of weights instead; `ContinualResult.bytes` counts them.

    Args:
        scenario: see `Stream`.
        budget: bytes.
        most: examples of each class (of each task, where tasks share classes) that experience replay, loss-scored
            replay, A-GEM and MIR keep; None: as many as there is room for, so that first classes have more of them
            until others come.

    Raises:
        ValueError: there is no such scenario.

    Example:
        >>> parts = strategies("class", 100_000)["experience replay"]()
        >>> [type(part).__name__ for part in parts]
        ['ExperienceReplay']
    """
    if scenario not in SCENARIOS:
        raise ValueError(unknown("scenario", scenario, SCENARIOS))
    found: dict[str, Strategy] = {
        "none": list,
        "EWC": lambda: [ElasticWeightConsolidation(_LAMBDA[scenario])],
        "SI": lambda: [SynapticIntelligence(_C[scenario])],
        "LwF": lambda: [LearningWithoutForgetting()],
        "experience replay": lambda: [ExperienceReplay(budget, ClassBalanced(most))],
        "reservoir replay": lambda: [ExperienceReplay(budget, Reservoir(), "step")],
        "loss-scored replay": lambda: [ExperienceReplay(budget, ClassBalanced(most)).scored("loss")],
        "A-GEM": lambda: [AveragedGradients(budget, ClassBalanced(most))],
        "DER++": lambda: [DarkReplay(budget)],
        "MIR": lambda: [InterferedReplay(budget, ClassBalanced(most))],
        "GDumb": lambda: [GreedySampler(budget)],
        "latent replay": lambda: [LatentReplay(budget)],
        "latent replay, two layers": lambda: [LatentReplay(budget, (1, 2))],
        "quantised latent replay": lambda: [QuantisedReplay(budget)],
        "generative replay": lambda: [GenerativeReplay()],
        "brain-inspired replay": lambda: [BrainInspiredReplay(shut=_SHUT[scenario])],
    }
    if scenario == "class":
        found["iCaRL"] = lambda: [Exemplars(budget)]
        found["streaming LDA"] = lambda: [StreamingDiscriminant()]
    return found
