"""A trained classifier of digits as a spiking network: accuracy against time, for every size of batch."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..torch_threads import torch_threads
from .experiment import Context, Experiment

if TYPE_CHECKING:
    import torch
    from matplotlib.figure import Figure

    from ..data import ImageDataset
    from ..spiking.conversion import ConvertedNetwork

Array = NDArray[np.float64]

_PUBLISHED: dict[str | int, float] = {
    "ANN": 98.31,
    3: 97.30,
    10: 97.86,
}  # accuracy on MNIST in %, by T: arXiv 1909.02549
_BATCH = 128  # images of a training step
_COUNTED = 1000  # images whose spikes are counted


@dataclass(frozen=True)
class MinibatchConversionConfig:
    """What is trained, and how it is converted and tested."""

    seed: int = 0
    """Of initial weights, dropout and the order of training images."""
    data_set: str = "mnist"
    """What is classified; see `sharpwave.data`."""
    hidden: tuple[int, ...] = (256, 128)
    """Units of the hidden layers."""
    epochs: int = 10
    """How often the training images are gone through."""
    learning_rate: float = 2e-3
    """Of Adam, at its highest: it rises at first and falls to 0."""
    dropout: float = 0.2
    """Share of hidden units that are left out of a training step."""
    percentile: float = 99.9
    """Of activations, that one spike in each step stands for; default of Rueckauer et al. (2017)."""
    calibration: int = 10_000
    """Training images, the first ones, that activations are taken from."""
    test_images: int = 10_000
    """Test images, the first ones, that are classified."""
    steps: tuple[int, ...] = (3, 5, 10, 20, 50)
    """Times T: steps that each layer integrates."""
    batches: tuple[int, ...] = (1, 8, 64, 512)
    """Numbers of images simulated at a time, besides all of them."""
    torch_images: int = 1000
    """Test images that torch simulates too, to see whether it depends on the size of a batch."""
    backend: Literal["auto", "julia", "torch"] = "auto"
    """Who simulates: auto is Julia, or torch where there is no Julia."""

    def __post_init__(self) -> None:
        numbers = [
            *self.hidden,
            *self.steps,
            *self.batches,
            self.epochs,
            self.calibration,
            self.test_images,
            self.torch_images,
        ]
        if not (self.hidden and self.steps) or min(numbers) < 1:
            raise ValueError("expected at least one hidden layer and number of steps, and all numbers at least 1")


def train(context: Context) -> dict[str, Any]:
    """Train the network of rectifiers."""
    import torch
    from torch.nn.functional import cross_entropy

    from ..data import load

    config, source = context.config, load(context.config.data_set)
    images = torch.tensor(_pixels(source, "train"), dtype=torch.float32)
    labels = torch.tensor(source.train_labels)
    with torch.random.fork_rng(devices=[]), torch_threads():
        torch.manual_seed(context.seed)
        model = _model(config, source)
        optimizer = torch.optim.Adam(model.parameters())
        total = config.epochs * -(-len(images) // _BATCH)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, total)
        for epoch in range(config.epochs):
            losses = []
            for chosen in torch.split(torch.randperm(len(images)), _BATCH):
                loss = cross_entropy(model(images[chosen]), labels[chosen])
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                optimizer.step()
                schedule.step()
                losses.append(loss.item())
            context.metric("training loss", float(np.mean(losses)), at=epoch + 1)
            context.progress(epoch + 1, config.epochs)
    return {
        _stored(name): ([f"{_stored(name)}_axis_{axis}" for axis in range(values.ndim)], values.numpy())
        for name, values in model.state_dict().items()
    }


def evaluate(context: Context) -> dict[str, Any]:
    """Convert the network, and classify the test images with each number of steps and each size of batch."""
    import torch

    from ..data import load
    from ..spiking.conversion import convert

    config, source = context.config, load(context.config.data_set)
    model = _model(config, source).eval()
    trained = context["train"]
    model.load_state_dict({name: torch.tensor(trained[_stored(name)].values) for name in model.state_dict()})
    images, labels = _pixels(source, "test")[: config.test_images], source.test_labels[: config.test_images]
    with torch.no_grad():
        decided = model(torch.tensor(images, dtype=torch.float32)).argmax(dim=1).numpy()
    ann = 100 * float((decided == labels).mean())
    context.metric("accuracy of the ANN", ann, unit="%", note=_published(config, "ANN"))
    spiking = convert(model, _pixels(source, "train")[: config.calibration], percentile=config.percentile)
    # a Julia that is missing is looked for, and warned of, once
    backend = spiking.simulate(images[:1], 1, backend=config.backend).stats.backend.split()[0]
    batches = (*(size for size in dict.fromkeys(config.batches) if size < len(images)), len(images))
    scores = _scores(context, spiking, images, config.steps, batches, backend)
    predicted = scores.argmax(axis=3)  # (steps, batches, images)
    accuracy = 100 * (predicted == labels).mean(axis=2)
    same = 100 * (predicted[:, -1] == decided).mean(axis=1)
    for place, steps in enumerate(config.steps):
        note = _published(config, steps)
        context.metric(f"accuracy at T = {steps}", float(accuracy[place, -1]), unit="%", note=note)
    _compare(context, scores, "")
    if backend != "torch":
        with torch_threads():
            few = _scores(context, spiking, images[: config.torch_images], config.steps[-1:], batches, "torch", 0.97)
        _compare(context, few, ", in torch")
    _tables(context, spiking, images[:_COUNTED], backend, batches, accuracy, same)
    context.figure(
        "accuracy",
        _figure(config, accuracy[:, -1], ann),
        title="Accuracy against time",
        alt="Accuracy on test images against the number of steps T, on a logarithmic axis: the points rise to the line "
        "of the ANN.",
        caption=f"T is the number of steps that each layer integrates; the network runs {spiking.layers - 1} more, as "
        "spikes take one from layer to layer. Crosses are published values; how they count T is not known here.",
    )
    return {
        "accuracy": (("T", "batch"), accuracy),
        "same_decision": ("T", same),
        "T": np.array(config.steps),
        "batch": np.array(batches),
        "ann_accuracy": ann,
    }


def _published(config: MinibatchConversionConfig, what: str | int) -> str:
    return f"published: {_PUBLISHED[what]:.2f} %" if config.data_set == "mnist" and what in _PUBLISHED else ""


def _scores(
    context: Context,
    spiking: ConvertedNetwork,
    images: Array,
    times: tuple[int, ...],
    batches: tuple[int, ...],
    backend: Any,
    done: float = 0.0,
) -> Array:
    """Scores of images for each number of steps and size of batch, (steps, batches, images, classes)."""
    found: list[Array] = []
    for steps in times:
        for batch in batches:
            began = perf_counter()
            found.append(spiking.scores(images, steps, batch=batch, backend=backend))
            context.timing(f"{len(images)} images, T = {steps}, B = {batch}, {backend}", perf_counter() - began)
            context.progress(done + (1 - done) * len(found) / (len(times) * len(batches) + 1), 1.0)
    return np.array(found).reshape(len(times), len(batches), len(images), -1)


def _compare(context: Context, scores: Array, where: str) -> None:
    """Record how much scores (steps, batches, images, classes) depend on the size of a batch."""
    predicted = scores.argmax(axis=3)
    different = int((predicted != predicted[:, -1:]).any(axis=(0, 1)).sum())
    context.metric(f"images classified otherwise in another batch{where}", different)
    note = f"the largest between sizes of batch, in {scores.shape[2]} images; 0: equal to the last bit"
    context.metric(f"difference of scores{where}", float(np.abs(scores - scores[:, -1:]).max()), note=note)


def _tables(
    context: Context,
    spiking: ConvertedNetwork,
    images: Array,
    backend: Any,
    batches: tuple[int, ...],
    accuracy: Array,
    same: Array,
) -> None:
    config, rows = context.config, []
    for steps, right, alike in zip(config.steps, accuracy[:, -1], same, strict=True):
        result = spiking.simulate(images, steps, record=(), backend=backend)
        spikes = sum(int(counts.sum()) for counts in result.counts.values()) / len(images)
        events = result.stats.synaptic_events / len(images)
        rows.append([steps, result.stats.steps, f"{right:.2f}", f"{alike:.2f}", f"{spikes:.0f}", f"{events:.0f}"])
    context.table(
        "Accuracy by time",
        ["T", "steps in all", "accuracy / %", "decides as the ANN / %", "spikes", "synaptic events"],
        rows,
        f"Spikes, and weights that they add, are those of one image, the mean of {len(images)}. The ANN multiplies the "
        f"same {spiking.network.synapses} weights once each. The first layer's currents are computed once, in both.",
    )
    context.table(
        "Accuracy by batch",
        ["T", *(f"B = {batch}" for batch in batches)],
        [[steps, *(f"{value:.2f}" for value in row)] for steps, row in zip(config.steps, accuracy, strict=True)],
        "Accuracy in % on the test images, B of them simulated at a time.",
    )


def _figure(config: MinibatchConversionConfig, accuracy: Array, ann: float) -> Figure:
    from matplotlib.figure import Figure

    from ..plots import COLORS, style

    with style():
        figure = Figure(figsize=(4.8, 3.4), layout="constrained")
        axes = figure.add_subplot()
        axes.axhline(ann, color=COLORS[-1], linestyle=(0, (4, 1)), label="ANN")
        axes.plot(config.steps, accuracy, color=COLORS[0], marker="o", markersize=4, label="spiking")
        if config.data_set == "mnist":
            known = [steps for steps in config.steps if steps in _PUBLISHED]
            axes.plot(known, [_PUBLISHED[steps] for steps in known], "x", color=COLORS[1], label="spiking, published")
        axes.set(xlabel="steps T", ylabel="accuracy / %", xscale="log", xticks=config.steps, xticklabels=config.steps)
        axes.minorticks_off()
        axes.legend(loc="lower right")
        return figure


def _model(config: MinibatchConversionConfig, source: ImageDataset) -> torch.nn.Sequential:
    """The network of rectifiers, not trained."""
    from torch import nn

    sizes = (source.train_images[0].size, *config.hidden, int(source.train_labels.max()) + 1)
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes[:-1]):
        layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(config.dropout)]
    return nn.Sequential(*layers, nn.Linear(*sizes[-2:]))


def _stored(parameter: str) -> str:
    """The name of a parameter in the results, such as layer_0_weight."""
    return f"layer_{parameter.replace('.', '_')}"


def _pixels(source: ImageDataset, part: Literal["train", "test"]) -> Array:
    """Images as values from 0 to 1, (images, pixels)."""
    images = source.train_images if part == "train" else source.test_images
    return images.reshape(len(images), -1) / source.pixel_max


EXPERIMENT = Experiment(
    name="minibatch-conversion",
    title="A trained classifier as a spiking network",
    summary="A network of rectifiers is trained to classify images, and converted: every rectifier becomes an "
    "integrate-and-fire neuron whose rate stands for the activation. The longer the network runs, the closer it comes "
    "to the accuracy of the original. How many images are simulated at a time makes no difference.",
    source="Minibatch Processing in Spiking Neural Networks, arXiv 1909.02549, conversion of a 784-256-128-10 network",
    config=MinibatchConversionConfig,
    quick={
        "epochs": 1,
        "calibration": 2000,
        "test_images": 2000,
        "steps": (3, 10),
        "batches": (1, 64),
        "torch_images": 200,
    },
    steps=(train, evaluate),
    headline=(
        "accuracy of the ANN",
        "accuracy at T = 3",
        "accuracy at T = 10",
        "accuracy at T = 50",
        "images classified otherwise in another batch",
    ),
    expected="98.31 % as an ANN; spiking 97.30 % at T = 3 and 97.86 % at T = 10, the same for every batch size",
    tables=("Accuracy by time", "Accuracy by batch"),
)
