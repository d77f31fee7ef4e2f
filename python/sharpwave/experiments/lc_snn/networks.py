"""What `lc-snn` does with one network: it learns and is tested, loses synapses or neurons, or is watched."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ..sweeping import kept
from ..trained_digits import Lesson, learn_and_test

if TYPE_CHECKING:
    from ...data import ImageDataset
    from ...spiking.classifier import SpikingClassifier

READOUTS = ("all", "proportion", "ngram", "linear")
VOTES = READOUTS[:3]  # those of the paper
PARTS = ("synapses", "neurons")
# Of the learning rate after every 250 images: in file names of the authors' repository,
# github.com/BINDS-LAB-UMASS/bindsnet_experiments.
DECAY = 0.99
_LARGE = 250  # filters from which the paper's windows are larger


@dataclass(frozen=True)
class Plan:
    """A network that is to learn.

    Attributes:
        size: filters, or units of a Diehl-Cook layer.
        seed: of its weights and spikes.
        window: rows (and columns) of a filter, and its stride; None for a Diehl-Cook layer.
        epochs: how often it sees the images; the learning rate falls to the same value in more of them.
        decay: of the learning rate after every 250 images.
    """

    size: int
    seed: int
    window: tuple[int, int] | None = None
    epochs: int = 1
    decay: float = DECAY

    def model(self) -> SpikingClassifier:
        """The estimator, not fitted."""
        from ...spiking import DiehlCook, LocallyConnected

        common: dict[str, Any] = {
            "seed": self.seed, "epochs": self.epochs, "learning_rate_decay": self.decay ** (1 / self.epochs),
            "readout": "ngram", "readouts": READOUTS, "precision": "single", "threads": 1,
        }  # fmt: skip
        if self.window is not None:
            kernel_size, stride = self.window
            return LocallyConnected(filters=self.size, kernel_size=kernel_size, stride=stride, **common)
        # That weights also fall, at presynaptic spikes, is a choice too.
        return DiehlCook(
            units=self.size, duration=250.0, intensity=127.5, inhibition=500.0, nu=(1e-4, 1e-2), min_spikes=5, **common
        )


def window_of(filters: int) -> tuple[int, int]:
    """Rows of a window, and its stride, of the paper's network with so many filters.

    Example:
        >>> window_of(100), window_of(1000)
        ((12, 4), (16, 2))
    """
    return (12, 4) if filters < _LARGE else (16, 2)


def tested(plan: Plan, lesson: Lesson) -> dict[str, Any]:
    """Accuracies of a network that has learned, and more; see `learn_and_test`."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):  # the regressions are too small to be shared out
        return learn_and_test(plan.model(), lesson)


def lesioned(plan: Plan, lesson: Lesson, fractions: tuple[float, ...], draws: int) -> dict[str, Any]:
    """Accuracies, in percent, of a network that has learned and then loses synapses, or else neurons.

    Args:
        plan: the network.
        lesson: what it learns and is tested with; what is found for each draw is kept in its directory too.
        fractions: of what is deleted.
        draws: of what is deleted at each fraction, and of the test's spikes.

    Returns:
        `synapses` and `neurons`: by draw and fraction, accuracy by readout.
    """
    source = _source(lesson)
    images, labels = source.train_images[: lesson.examples], source.train_labels[: lesson.examples]
    checkpoint, model = lesson.home / f"{lesson.name}.npz", plan.model()
    model.set_params(checkpoint=checkpoint, pixel_max=source.pixel_max, readouts=VOTES)
    lesson.home.mkdir(parents=True, exist_ok=True)
    model.fit(images, labels, resume=True)

    def test(what: str, draw: int) -> dict[str, Any]:
        accuracies = []
        for fraction in fractions:
            delete = model.delete_synapses if what == "synapses" else model.delete_neurons
            left = delete(fraction, seed=draw)
            left.seed = plan.seed + 1 + draw  # of the test's spikes
            accuracies.append(_scores(left, source, lesson))
        return {"accuracy": accuracies}

    found: dict[str, Any] = {}
    for what in PARTS:
        files = [lesson.home / f"{lesson.name}-{what}-{draw}.json" for draw in range(draws)]
        found[what] = [kept(file, partial(test, what, draw))["accuracy"] for draw, file in enumerate(files)]
    checkpoint.unlink(missing_ok=True)
    return found


def watched(plan: Plan, lesson: Lesson, points: tuple[int, ...]) -> dict[str, Any]:
    """Accuracies on test images, in percent, of a network that stops to be tested while it learns.

    Args:
        plan: the network; it sees the images once.
        lesson: what it learns and is tested with. It is a minute's work or two, so there is no checkpoint.
        points: numbers of images after which it is tested, rising.

    Returns:
        `accuracy`, for each point, by readout, and `seconds` in all.
    """
    source, model = _source(lesson), plan.model()
    model.set_params(pixel_max=source.pixel_max, readouts=VOTES)
    classes, seen, accuracies, began = np.unique(source.train_labels), 0, [], perf_counter()
    for point in points:
        model.partial_fit(source.train_images[seen:point], source.train_labels[seen:point], classes)
        accuracies.append(_scores(model, source, lesson))
        seen = point
    return {"accuracy": accuracies, "seconds": perf_counter() - began}


def _source(lesson: Lesson) -> ImageDataset:
    from ...data import load

    return load(lesson.data_set)


def _scores(model: SpikingClassifier, source: ImageDataset, lesson: Lesson) -> dict[str, float]:
    scores = model.score_each(source.test_images[: lesson.test_images], source.test_labels[: lesson.test_images])
    return {name: 100 * score for name, score in scores.items()}
