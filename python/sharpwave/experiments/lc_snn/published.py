"""Accuracies that arXiv 1904.06269 gives, in percent: means with standard deviations."""

from __future__ import annotations

from typing import NamedTuple


class Published(NamedTuple):
    """A published accuracy, and its standard deviation over seeds, in percent."""

    mean: float
    sd: float


# By filters, after one epoch on MNIST.
LOCALLY_CONNECTED = {
    25: Published(84.01, 2.28),
    50: Published(88.21, 1.79),
    100: Published(91.68, 1.31),
    150: Published(92.71, 1.25),
    250: Published(93.71, 0.68),
    500: Published(94.59, 0.61),
    1000: Published(95.07, 0.63),
}

# By units; sd: experiments/analysis/plot_lcsnn_dac_performance_comp.py in the authors' repository,
# github.com/BINDS-LAB-UMASS/bindsnet_experiments.
DIEHL_COOK = {
    100: Published(87.71, 0.52),
    225: Published(90.76, 0.45),
    400: Published(91.83, 0.46),
}

# By share deleted: experiments/analysis/plot_lcsnn_robustness.py there.
LESIONED = {
    ("LC-SNN", "synapses"): {
        0.0: Published(93.38, 0.12), 0.1: Published(92.45, 0.12), 0.3: Published(89.96, 0.46),
        0.5: Published(86.51, 0.41), 0.7: Published(77.57, 0.67), 0.9: Published(56.09, 2.10),
    },
    ("LC-SNN", "neurons"): {
        0.0: Published(93.42, 0.14), 0.1: Published(93.12, 0.13), 0.3: Published(92.66, 0.08),
        0.5: Published(91.59, 0.17), 0.7: Published(88.69, 0.66), 0.9: Published(77.04, 2.94),
    },
    ("Diehl-Cook", "synapses"): {
        0.0: Published(93.46, 1.07), 0.1: Published(91.73, 1.59), 0.3: Published(87.62, 1.73),
        0.5: Published(82.49, 2.42), 0.7: Published(72.21, 5.51), 0.9: Published(48.77, 5.91),
    },
    ("Diehl-Cook", "neurons"): {
        0.0: Published(93.44, 1.10), 0.1: Published(92.98, 1.30), 0.3: Published(91.94, 1.30),
        0.5: Published(89.79, 1.65), 0.7: Published(84.74, 2.16), 0.9: Published(66.77, 5.03),
    },
}  # fmt: skip
LESIONED_SIZES = (250, 400)  # filters and units: file names in experiments/robustness/mnist there

# (images learned, accuracy), about.
CONVERGING = {"LC-SNN": (2500, 86.0), "Diehl-Cook": (15_000, 80.0)}
CONVERGING_UNITS = 400
