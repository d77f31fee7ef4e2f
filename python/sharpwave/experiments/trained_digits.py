"""A spiking classifier that learns images, is labelled and tested: what experiments keep of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..files import whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..spiking.classifier import SpikingClassifier
    from ..spiking.events import Spikes

Array = NDArray[np.float64]
_QUANTILES = (0.01, 0.5, 0.99, 1.0)
_FEW = 1e-3  # a weight below is as good as none
CHUNK, LEARNED = 250, 2500  # images of a chunk of learning, and those that a point of a curve is the mean of


@dataclass(frozen=True)
class Lesson:
    """What is learned and what is tested.

    Attributes:
        data_set: name of the images; see `sharpwave.data`.
        examples: training images, the first ones.
        labelled: training images, the last ones of these, that readouts learn anew from once weights do not change.
        test_images: test images, the first ones.
        home: directory of the checkpoint, and of weights that are shown.
        name: of these files.
        shown: units or filters whose weights are kept; 0 for none.
    """

    data_set: str
    examples: int
    labelled: int
    test_images: int
    home: Path
    name: str
    shown: int = 0

    @property
    def weights(self) -> Path:
        """File of the weights that are shown."""
        return self.home / f"{self.name}-weights.npz"


def learn_and_test(model: SpikingClassifier, lesson: Lesson) -> dict[str, Any]:
    """Let a classifier learn, from its checkpoint on if there is one, and test it.

    Accuracies are in percent, `beside` with the labels that units were given while they learned, and `afterwards` with
    those of one more presentation, of the images `labelled`, with weights and thresholds held.

    Args:
        model: not fitted.
        lesson: what it learns.

    Returns:
        `accuracy` (by `beside` and `afterwards`, by readout), `history` (of learning, by chunk), `seconds` (learning
        and test, of an image), `activity` (numbers that tell whether the network is well), all as JSON has it.
    """
    from ..data import load

    source = load(lesson.data_set)
    images, labels = source.train_images[: lesson.examples], source.train_labels[: lesson.examples]
    wanted = source.test_labels[: lesson.test_images]
    model.checkpoint, model.pixel_max = lesson.home / f"{lesson.name}.npz", source.pixel_max
    lesson.home.mkdir(parents=True, exist_ok=True)
    model.fit(images, labels, resume=True)
    began = perf_counter()
    spikes = model.respond(source.test_images[: lesson.test_images])
    test = (perf_counter() - began) / len(wanted)
    beside = _accuracies(model, spikes, wanted)
    model.relabel(images[-lesson.labelled :], labels[-lesson.labelled :])
    if lesson.shown:
        with whole(lesson.weights) as path, path.open("wb") as file:
            np.savez(file, weights=model.state_.weights["input"][..., : lesson.shown].astype(np.float32))
    history = {name: model.history_[name] for name in ("examples", "accuracy", "spikes", "presentations")}
    model.checkpoint.unlink(missing_ok=True)
    return {
        "accuracy": {"beside": beside, "afterwards": _accuracies(model, spikes, wanted)},
        "history": history,
        "seconds": {"learning": model.history_["seconds"][-1] / model.examples_seen_, "test": test},
        "activity": _activity(model, spikes),
    }


def _accuracies(model: SpikingClassifier, spikes: Spikes, wanted: NDArray[Any]) -> dict[str, float]:
    return {
        name: 100 * float((model.classes_[readout.predict(spikes)] == wanted).mean())
        for name, readout in model.readouts_.items()
    }


def _activity(model: SpikingClassifier, spikes: Spikes) -> dict[str, float]:
    counts = spikes.sparse_counts()
    fired = np.asarray(counts.sum(axis=0)).ravel() > 0
    weights, theta = model.state_.weights["input"], next(iter(model.state_.shared.values()))
    quantiles = dict(zip(map(str, _QUANTILES), np.quantile(weights, _QUANTILES).tolist(), strict=True))
    return {
        "spikes of a test image": len(spikes) / spikes.examples,
        "units that fire for a test image": counts.nnz / spikes.examples,
        "silent units": float(1 - fired.mean()),
        "theta": float(theta.mean()),
        "largest theta": float(theta.max()),
        "weights that are none": float((weights < _FEW).mean()),
        **{f"weight, quantile {name}": value for name, value in quantiles.items()},
    }


def learning_curve(found: Sequence[Mapping[str, Any]]) -> tuple[Array, Array]:
    """Numbers of images learned, and accuracy in % on those around: averages over `LEARNED` images and all trainings.

    Args:
        found: what `learn_and_test` returned, for each training.
    """
    accuracy = 100 * np.array([one["history"]["accuracy"][1:] for one in found], dtype=np.float64).mean(axis=0)
    seen = np.array(found[0]["history"]["examples"][1:], dtype=np.float64)
    parts = np.array_split(np.arange(len(seen)), max(1, len(seen) * CHUNK // LEARNED))
    parts = [part for part in parts if len(part)]
    return np.array([seen[part].mean() for part in parts]), np.array([accuracy[part].mean() for part in parts])


def activity_row(found: list[dict[str, Any]]) -> list[str]:
    """Cells of a table under `ACTIVITY`: means over trainings."""

    def mean(name: str) -> float:
        return float(np.mean([one["activity"][name] for one in found]))

    last = float(np.mean([one["history"]["presentations"][-1] for one in found]))
    return [
        f"{mean('spikes of a test image'):.1f}",
        f"{mean('units that fire for a test image'):.1f}",
        f"{100 * mean('silent units'):.1f}",
        f"{last:.2f}",
        f"{mean('theta'):.1f}",
        f"{100 * mean('weights that are none'):.0f}",
        f"{mean('weight, quantile 0.99'):.2f}",
    ]


ACTIVITY = (
    "spikes of an image", "units that fire for it", "silent units / %", "presentations", "theta / mV",
    "weights of 0 / %", "99 % of weights below",
)  # fmt: skip
ACTIVITY_CAPTION = (
    "Means over seeds. Spikes, and units that fire, of a test image; units that fire for none of them; how often an "
    "image is presented, at the end of learning; mean adaptive threshold; weights after learning."
)
