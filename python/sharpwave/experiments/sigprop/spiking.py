"""Signal propagation through integrate-and-fire neurons."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..experiment import Context, Experiment
from ..fitting import Amounts, Images, fit_and_test
from ..sweeping import mean_and_sd, points, shown, swept

# Errors in percent: arXiv 2204.01723.
_PUBLISHED = {
    "mnist": {"shallow": 7.24, "backpropagation": 0.84, "surrogate": 1.01, "voltage": 2.63},
    "fashion-mnist": {"shallow": 16.42, "backpropagation": 6.70, "surrogate": 9.51, "voltage": 10.68},
}
_WAYS = tuple(_PUBLISHED["mnist"])


@dataclass(frozen=True)
class SigPropSpikingConfig(Amounts):
    """What learns; the network is that of the paper, the number of epochs a choice."""

    seed: int = 0
    """Of the first network of each kind; others have the seeds that follow."""
    seeds: int = 2
    """Networks of each kind."""
    data_sets: tuple[str, ...] = tuple(_PUBLISHED)
    """What is learned; see `sharpwave.data`."""
    epochs: int = 10
    """Of all kinds."""
    channels: tuple[int, ...] = (20, 40)
    """Of the convolutions."""
    dense: int = 128
    """Units of the last layer."""
    rates: tuple[float, ...] = (1e-2, 1e-2, 5e-3, 2.5e-3)
    """Learning rates: shallow, backpropagation, surrogate, voltage; chosen on left-out images of MNIST, the last one of
    Fashion-MNIST."""
    jobs: int = 1
    """Processes."""

    def __post_init__(self) -> None:
        numbers = (self.seeds, self.examples, self.test_images, self.epochs, self.dense, self.jobs, *self.channels)
        if min(numbers) < 1 or not set(self.data_sets) <= set(_PUBLISHED) or not self.data_sets:
            raise ValueError(f"all numbers must be at least 1, data_sets among {', '.join(_PUBLISHED)}")
        if len(self.rates) != len(_WAYS) or not all(rate > 0 for rate in self.rates):
            raise ValueError(f"rates must be {len(_WAYS)} positive numbers, {', '.join(_WAYS)}, got {self.rates}")


def learn(context: Context) -> dict[str, Any]:
    """Teach all networks, and test them."""
    config, home = context.config, points(context)
    kinds = [(data_set, way) for data_set in config.data_sets for way in _WAYS]
    seeds = range(config.seed, config.seed + config.seeds)
    labels = {(*kind, seed): f"{kind[0]}-{kind[1]}-seed-{seed}" for seed in seeds for kind in kinds}
    tasks = {label: partial(_train, config, *key, home / f"{label}.npz") for key, label in labels.items()}
    done = swept(context, tasks, config.jobs)
    errors, rows = [], []
    for data_set, way in kinds:
        its = [done[labels[data_set, way, seed]] for seed in seeds]
        errors.append([one["error"] for one in its])
        published = _PUBLISHED[data_set][way]
        context.metric(
            f"{data_set}, {way}: test error", float(np.mean(errors[-1])), unit="%", note=f"published: {published:g} %"
        )
        seconds = float(np.median([one["seconds"] for one in its]))
        rows.append([data_set, way, shown(*mean_and_sd(errors[-1]), 2), f"{published:g}", f"{seconds:.0f}"])
    context.table(
        "Spiking networks", ["data", "way", "error / %", "published", "s an epoch"], rows,
        f"Test error after {config.epochs} epochs, mean ± sd over networks. Published: arXiv 2204.01723. "
        "Seconds: what ran beside is in them.",
    )  # fmt: skip
    return {
        "error": (("kind", "seed"), np.array(errors)),
        "kind": [f"{data_set}, {way}" for data_set, way in kinds],
        "seed": np.array(seeds),
    }


def _train(config: SigPropSpikingConfig, data_set: str, way: Any, seed: int, path: Path) -> dict[str, Any]:
    from ...forward import SpikingSignalPropagation

    rate = config.rates[_WAYS.index(way)]
    method = SpikingSignalPropagation(way, config.channels, config.dense, learning_rate=rate)
    images = Images(config.examples, config.test_images, data_set)
    return fit_and_test(images, method, config.epochs, seed, path)[1]


EXPERIMENT = Experiment(
    name="sigprop-spiking",
    title="Signal propagation through neurons that spike",
    summary="Layers of integrate-and-fire neurons learn from their potentials, or from a smooth function beside the "
    "spikes, as images and targets pass; beside them networks of which only the classifier learns, and such as learn "
    "by backpropagation with a surrogate gradient.",
    source="Signal Propagation: The Framework for Learning and Inference in a Forward Pass, arXiv 2204.01723",
    config=SigPropSpikingConfig,
    quick={
        "seeds": 1, "data_sets": ("mnist",), "examples": 3000, "test_images": 500, "epochs": 4, "channels": (4, 8),
        "dense": 32,
    },
    steps=(learn,),
    headline=tuple(f"{data_set}, {way}: test error" for data_set in _PUBLISHED for way in _WAYS),
    expected="MNIST 7.24, .84, 1.01 and 2.63 %, Fashion-MNIST 16.42, 6.70, 9.51 and 10.68 %, or less",
    tables=("Spiking networks",),
)  # fmt: skip
