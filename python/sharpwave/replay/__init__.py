"""Tasks that are learned one after the other, and replay of what was learned before."""

from __future__ import annotations

from .classifier import ContinualClassifier
from .continual import ContinualExperiment, ContinualResult
from .discriminant import StreamingDiscriminant
from .elements import Homeostasis, LeastWorth, NearestAnswers, NoveltyPaced
from .episodes import ORDERS, Episode, EpisodeMemory, EpisodeStore, Transition, learn_values, ordered
from .exemplars import Exemplars
from .forward_learner import ForwardLearner
from .generative import BrainInspiredReplay, GenerativeReplay
from .greedy import GreedySampler
from .herding import Herding, herded
from .interfered import InterferedReplay
from .latent import LatentReplay, QuantisedReplay
from .learner import Learner
from .metrics import METRICS, forward_transfer, metric, omega
from .network import Settings
from .offline import learn_offline, offline_accuracies
from .online import learn_online
from .part import Batch, Part, Strategy
from .passes import single_pass
from .penalties import ElasticWeightConsolidation, LearningWithoutForgetting, SynapticIntelligence
from .protocols import one_after_another, permuted_stream, rotated_stream, split_stream
from .quantising import Quantiser
from .replaying import AveragedGradients, DarkReplay, ExperienceReplay
from .resting import RestingReplay
from .scorers import SCORERS
from .sequence_memory import SequenceMemory
from .sleep import SleepRule, Slept, sleep
from .sleep_replay import RectifiedOutputs, SleepReplay
from .stores import ClassBalanced, Field, Policy, Reservoir, Ring, Store
from .strategies import strategies
from .streams import Stream, Task

__all__ = [
    "METRICS",
    "ORDERS",
    "SCORERS",
    "AveragedGradients",
    "Batch",
    "BrainInspiredReplay",
    "ClassBalanced",
    "ContinualClassifier",
    "ContinualExperiment",
    "ContinualResult",
    "DarkReplay",
    "ElasticWeightConsolidation",
    "Episode",
    "EpisodeMemory",
    "EpisodeStore",
    "Exemplars",
    "ExperienceReplay",
    "Field",
    "ForwardLearner",
    "GenerativeReplay",
    "GreedySampler",
    "Herding",
    "Homeostasis",
    "InterferedReplay",
    "LatentReplay",
    "Learner",
    "LearningWithoutForgetting",
    "LeastWorth",
    "NearestAnswers",
    "NoveltyPaced",
    "Part",
    "Policy",
    "QuantisedReplay",
    "Quantiser",
    "RectifiedOutputs",
    "Reservoir",
    "RestingReplay",
    "Ring",
    "SequenceMemory",
    "Settings",
    "SleepReplay",
    "SleepRule",
    "Slept",
    "Store",
    "Strategy",
    "Stream",
    "StreamingDiscriminant",
    "SynapticIntelligence",
    "Task",
    "Transition",
    "forward_transfer",
    "herded",
    "learn_offline",
    "learn_online",
    "learn_values",
    "metric",
    "offline_accuracies",
    "omega",
    "one_after_another",
    "ordered",
    "permuted_stream",
    "rotated_stream",
    "single_pass",
    "sleep",
    "split_stream",
    "strategies",
]
