"""Ten images, one of each class, learned online and recalled in order, for each of two data sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .experiment import Context, Experiment
from .pictures import class_names, one_of_each


@dataclass(frozen=True)
class LearnImagesConfig:
    """What is learned, and how often."""

    seed: int = 0
    """Chooses the images and the random weights that learning starts from."""
    sets: tuple[str, ...] = ("mnist", "fashion-mnist")
    """Data sets that the images are taken from."""
    episodes: int = 12
    """Episodes for each data set, each of other images and weights; the figures show the first."""
    epochs: int = 40
    """How often an episode is shown."""
    backend: Literal["auto", "julia", "torch"] = "auto"
    """Who computes recalls: auto is Julia, or torch where there is no Julia."""

    def __post_init__(self) -> None:
        if not self.sets or self.episodes < 1 or self.epochs < 1:
            raise ValueError(
                f"expected at least one data set, episode and epoch, got {self.sets}, {self.episodes}, {self.epochs}"
            )


def learn(context: Context) -> dict[str, Any]:
    """Learn the episodes of each data set, and recall each from its first image."""
    from ..data import load
    from .learned_pictures import fitted, learn_pictures

    config, rng = context.config, context.rng()
    found: dict[str, Any] = {}
    for place, name in enumerate(config.sets):
        source = load(name)
        decorrelation = fitted(source)
        learned = []
        for episode in range(config.episodes):
            shown = one_of_each(source, rng.permutation(10), rng)
            seed = int(rng.integers(2**31))
            pictures = learn_pictures(shown, decorrelation, epochs=config.epochs, seed=seed, backend=config.backend)
            learned.append(pictures)
            if episode == 0:
                _show(context, name, class_names(source), shown, pictures)
                found[f"{name}_recalled"] = ((f"{name}_place", f"{name}_row", f"{name}_column"), pictures.recalled)
            context.progress(place * config.episodes + episode + 1, len(config.sets) * config.episodes)
        exact = sum(one.in_order for one in learned)
        context.metric(f"{name}: episodes recalled in exact order", f"{exact} of {len(learned)}")
        likeness = np.concatenate([one.likeness for one in learned])
        note = "cosine of a recalled image and the shown one, without the mean image"
        context.metric(f"{name}: mean likeness of recalled images", float(likeness.mean()), note=note)
        context.metric(f"{name}: least likeness of recalled images", float(likeness.min()), note=note)
    return found


def _show(context: Context, name: str, classes: Any, shown: Any, pictures: Any) -> None:
    from ..plots import image_grid
    from .drawing import overlaps_over_time, surprise_over_epochs

    wanted = shown[pictures.nearest]
    context.figure(
        f"{name}_images",
        image_grid([("recalled", pictures.recalled), ("shown", wanted)], [f"{t:.0f}" for t in pictures.moments]),
        title=f"A learned episode of {name}",
        alt="Above, the images that the network recalls one after the other; below each, the image that was shown.",
        caption="Recalled from the first image. The time of each recalled image is below it, in units of tau_f.",
    )
    last = 1.2 * pictures.moments[-1]
    context.figure(
        f"{name}_overlaps",
        overlaps_over_time(pictures.overlaps.sel(time=slice(0.0, last)), pictures.visits, list(map(str, range(1, 11)))),
        title=f"Overlaps with the learned images of {name}",
        alt="The overlaps of the ten learned images over time rise and fall one after the other.",
        caption="Images are counted in the order in which they were shown.",
    )
    context.figure(
        f"{name}_surprise",
        surprise_over_epochs(pictures.memory.surprise),
        title=f"Learning {name}",
        alt="Surprise over the epochs of learning.",
        caption="How much the hidden activity that the image calls for differs from that of the free network.",
    )


EXPERIMENT = Experiment(
    name="learn-images",
    title="Ten images learned online and recalled in order",
    summary="A network with random weights is shown ten images, one of each class, one after the other, a few times "
    "over. It changes its patterns and transitions while it watches. Then it is given the first image, and recalls the "
    "others in the order in which they were shown. The pixels' correlations are taken out before learning and put back "
    "for the pictures.",
    source="General Sequential Episodic Memory Model, ICML 2023, arXiv 2212.05563, learning of images",
    config=LearnImagesConfig,
    quick={"sets": ("mnist",), "episodes": 1},
    steps=(learn,),
    headline=(
        "mnist: episodes recalled in exact order",
        "mnist: mean likeness of recalled images",
        "fashion-mnist: episodes recalled in exact order",
        "fashion-mnist: mean likeness of recalled images",
    ),
    expected="ten images of each data set recalled in exact order",
)
