"""Locally connected spiking networks that learn images by plasticity alone, beside Diehl-Cook layers."""

from __future__ import annotations

from ..experiment import Experiment
from .config import LcSnnConfig
from .convergence import convergence
from .robustness import robustness
from .trainings import baseline, best, fashion, sizes

EXPERIMENT = Experiment(
    name="lc-snn",
    title="Locally connected spiking networks that learn images without labels",
    summary="Filters see windows of an image, and learn by STDP and competition alone, on their own at each position; "
    "labels only tell which spikes go with which class. Networks of several sizes are trained for one epoch and "
    "compared with Diehl-Cook layers, whose neurons see the whole image: how well they classify, how fast they learn, "
    "and what is left of it without some of their synapses or neurons. Larger ones show how far it goes.",
    source="Locally Connected Spiking Neural Networks for Unsupervised Feature Learning, arXiv 1904.06269, accuracy by "
    "number of filters, robustness and convergence",
    config=LcSnnConfig,
    quick={
        "examples": 1500,
        "test_images": 500,
        "filters": (25,),
        "units": (100,),
        "baseline_decay": 0.99,
        "seeds": 1,
        "large_seeds": 1,
        "lesioned": (25, 100),
        "fractions": (0.0, 0.5, 0.9),
        "draws": 1,
        "watched": (25, 100),
        "stops": (250, 500, 1500),
        "best_filters": (25,),
        "best_windows": (12,),
        "best_epochs": (2,),
        "best_seeds": 1,
        "fashion_filters": (25,),
        "jobs": 1,
    },
    steps=(sizes, baseline, robustness, convergence, best, fashion),
    headline=(
        "sizes within one sd of the paper or above, best vote",
        "LC-SNN, 25 filters: best vote",
        "LC-SNN, 100 filters: best vote",
        "LC-SNN, 1000 filters: best vote",
        "Diehl-Cook, 400 units: best vote",
        "best accuracy, any readout",
        "LC-SNN, 50% of synapses deleted",
        "Diehl-Cook, 50% of synapses deleted",
        "LC-SNN, after 2500 images",
        "Diehl-Cook, after 15000 images",
        "Fashion-MNIST, 250 filters: linear readout",
    ),
    expected="84.0, 88.2, 91.7, 93.7 and 95.1 % with 25, 50, 100, 250 and 1000 filters, within one sd or above; 96.5 % "
    "or more at best; Diehl-Cook 91.8 % with 400 units, slower to learn and harmed more by deletion",
    tables=(
        "Accuracy, LC-SNN",
        "Accuracy, Diehl-Cook",
        "Accuracy without some of the synapses",
        "Accuracy while learning",
        "Accuracy, more filters, positions or epochs",
        "Accuracy, LC-SNN on Fashion-MNIST",
    ),
)
