"""A trained network of rectifiers as a network of integrate-and-fire neurons."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .affine import Affine, affine_stages
from .connections import Connection, Dense, Sparse
from .models import NeuronModel
from .network import Network
from .populations import Population
from .request import Monitor

if TYPE_CHECKING:
    import torch

    from .result import Result

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Backend = Literal["auto", "julia", "torch"]

OUTPUT = "output"
_DT = 1.0  # ms; nothing but the names of times depends on it


def convert(
    model: torch.nn.Sequential, data: ArrayLike, *, percentile: float = 99.9, initial_potential: float = 0.5
) -> ConvertedNetwork:
    """Turn a trained network of rectifiers into a spiking one that computes the same, the better the longer it runs.

    Every rectifier becomes an integrate-and-fire neuron without leak that spikes, at most once in a step, when it
    reaches the threshold 1, which is then subtracted from its potential. Weights and biases are scaled so that one
    spike in every step stands for a high percentile of the layer's activations; what is above is cut off. Examples
    are constant currents into the first layer, not spikes. The output neurons have no threshold: they only integrate,
    and the scores are their membrane potentials, which, unlike counts of spikes, are neither rounded nor cut off at 0.

    Layers between two rectifiers are merged into one map, so that there is no population for an average pooling.
    Convolutions are written out as synapses of their own for each position (`Sparse`): for small networks.

    Args:
        model: a `Sequential` of Linear, Conv2d, AvgPool2d, ReLU, Flatten, Dropout (which is left out) and Identity,
            ReLUs not at its end.
        data: training examples that activations are taken from, (examples, ...), as the model takes them; some
            thousands are enough.
        percentile: of the activations of all units of a layer over all examples, above 0 up to 100. Default: of
            Rueckauer et al. A lower one makes few steps go further, and cuts off more.
        initial_potential: of hidden neurons at the beginning, as a share of the threshold, from 0 to below 1.
            Default: a half, with which numbers of spikes are rounded to the nearest and not down (Deng and Gu).

    Raises:
        ConversionError: a layer that has no counterpart, or does not fit.
        ValueError: examples that are not finite, a percentile or potential out of range, or a layer that is silent.

    Source:
        Diehl et al., IJCNN 2015 (scaling by data); Rueckauer et al., Frontiers in Neuroscience 11 (2017) 682
        (percentile, reset by subtraction, analog input, biases, scores from potentials); Deng and Gu, ICLR 2021 (half a
        threshold).

    Example:
        >>> import torch
        >>> layers = torch.nn.Linear(2, 1), torch.nn.ReLU(), torch.nn.Linear(1, 1)
        >>> model = torch.nn.Sequential(*layers).requires_grad_(False)
        >>> for k, (weight, bias) in {0: ([[1.0, -1.0]], 0.0), 2: ([[2.0]], 1.0)}.items():
        ...     _ = layers[k].weight.copy_(torch.tensor(weight)), layers[k].bias.fill_(bias)
        >>> spiking = convert(model, [[1.0, 0.0]], percentile=100.0)
        >>> spiking.scores([[0.75, 0.0], [0.0, 0.75]], steps=4).tolist()  # the model's are 2 * 0.75 + 1, and 1
        [[2.5], [1.0]]
    """
    if not 0 < percentile <= 100:
        raise ValueError(f"percentile must be above 0, up to 100, got {percentile}")
    if not 0 <= initial_potential < 1:
        raise ValueError(f"initial_potential must be from 0 to below the threshold, 1, got {initial_potential}")
    examples = np.asarray(data)
    flat = _checked("data", examples, examples.shape[1:])
    if not len(flat):
        raise ValueError("data has no examples: expected some of the training set")
    shape = examples.shape[1:]
    stages = affine_stages(model, shape)
    return network_of_stages(stages, _scales(stages, flat, percentile), initial_potential, shape)


@dataclass(frozen=True, eq=False)
class ConvertedNetwork:
    """A spiking network made by `convert`, or from one that was trained as such.

    T steps means that every layer integrates T steps. Spikes take a step from one layer to the next, so that layer l,
    1 being the first, is at work in the steps l to l + T - 1, its bias too, and a network of L layers runs T + L - 1
    steps. (Layers before the last go on to the end, but what they send then arrives too late to count.)

    Attributes:
        network: populations `hidden_1`, `hidden_2`, ... and `output`.
        encoder: from examples to the constant currents of the first population, in thresholds per step.
        scales: for each hidden population the activation that one spike in every step stands for.
        shape: of an example.
    """

    network: Network
    encoder: Affine
    scales: tuple[float, ...]
    shape: tuple[int, ...]

    @property
    def layers(self) -> int:
        """Number of populations, the output among them."""
        return len(self.network.populations)

    def predict(
        self,
        examples: ArrayLike,
        steps: int,
        *,
        batch: int = 1024,
        backend: Backend = "auto",
        threads: int | None = None,
    ) -> Integers:
        """The output with the largest score of each example, (examples,).

        Args:
            examples, steps, batch, backend, threads: as in `scores`.

        Raises:
            ValueError: as in `scores`.
        """
        scores = self.scores(examples, steps, batch=batch, backend=backend, threads=threads)
        best: Integers = scores.argmax(axis=1)
        return best

    def scores(
        self,
        examples: ArrayLike,
        steps: int,
        *,
        batch: int = 1024,
        backend: Backend = "auto",
        threads: int | None = None,
    ) -> Array:
        """What the model would return, approximately: mean input of each output neuron in a step, (examples, outputs).

        Args:
            examples: (examples, ...), as the model takes them.
            steps: T, that every layer integrates.
            batch: examples that are simulated at a time. It bounds the memory; scores do not depend on it in Julia,
                where each example is computed on its own, and up to rounding in torch.
            backend, threads: see `Network.run`.

        Raises:
            ValueError: examples that do not fit or are not finite; steps or batch that are not positive.
        """
        if not isinstance(batch, (int, np.integer)) or batch < 1:
            raise ValueError(f"batch must be a whole number of examples, at least 1, got {batch!r}")
        flat = _checked("examples", np.asarray(examples), self.shape)
        found = [np.zeros((0, self.network.populations[OUTPUT].units))]
        for first in range(0, len(flat), batch):
            part = flat[first : first + batch].reshape(-1, *self.shape)
            result = self.simulate(part, steps, record=(), backend=backend, threads=threads)
            found.append(result.traces[OUTPUT, "v"].values[:, -1] / steps)
        return np.concatenate(found)

    def simulate(
        self,
        examples: ArrayLike,
        steps: int,
        *,
        record: Sequence[str] | None = None,
        backend: Backend = "auto",
        threads: int | None = None,
    ) -> Result:
        """Run some examples, all at once, for their spikes and counts.

        Args:
            examples: (examples, ...), at least one, as the model takes them.
            steps: T, that every layer integrates.
            record: populations whose spikes are kept; None: all.
            backend, threads: see `Network.run`.

        Returns:
            The result of T + L - 1 steps, with the outputs' potentials at their end as the trace `("output", "v")`.

        Raises:
            ValueError: as in `scores`, or no examples.
        """
        if not isinstance(steps, (int, np.integer)) or steps < 1:
            raise ValueError(f"steps must be a whole number, at least 1, got {steps!r}")
        flat = _checked("examples", np.asarray(examples), self.shape)
        if not len(flat):
            raise ValueError("there are no examples: expected at least one")
        total = int(steps) + self.layers - 1
        first = next(iter(self.network.populations))
        with warnings.catch_warnings():  # a rate of one spike in each step is all right here, and outputs never spike
            warnings.filterwarnings("ignore", r"\w+ (explodes|is dead):", RuntimeWarning)
            return self.network.run(
                {},
                total * self.network.dt,
                batch=len(flat),
                record=record,
                monitors=[Monitor(OUTPUT, "v", every=total)],
                initial={(first, "current"): self.encoder(flat)},
                threads=threads,
                backend=backend,
            )


def _checked(name: str, examples: NDArray[np.generic], shape: tuple[int, ...]) -> Array:
    """Examples as float64 (examples, values)."""
    if examples.dtype.kind not in "fiub" or examples.ndim < 2 or examples.shape[1:] != shape:
        expected = f"(examples, {', '.join(map(str, shape))})" if shape else "(examples, ...)"
        raise ValueError(f"{name} must be numbers {expected}, got {examples.dtype} of shape {examples.shape}")
    flat = examples.reshape(len(examples), math.prod(shape)).astype(np.float64)
    if not np.isfinite(flat).all():
        example, value = (int(k) for k in np.argwhere(~np.isfinite(flat))[0])
        raise ValueError(f"{name} must be finite, got {flat[example, value]} for example {example}, value {value}")
    return flat


def _scales(stages: Sequence[Affine], flat: Array, percentile: float) -> list[float]:
    """The percentile of the activations of each hidden layer."""
    scales = []
    for number, stage in enumerate(stages[:-1], 1):
        flat = np.maximum(stage(flat), 0.0)
        scale = float(np.percentile(flat, percentile))
        if scale <= 0:
            raise ValueError(
                f"hidden layer {number} is silent: the {percentile:g}th percentile of its activations on data is 0; "
                "give more or other examples, or a higher percentile"
            )
        scales.append(scale)
    return scales


def network_of_stages(
    stages: Sequence[Affine], scales: Sequence[float], initial_potential: float, shape: tuple[int, ...]
) -> ConvertedNetwork:
    """Integrate-and-fire neurons between one affine map and the next.

    Args:
        stages: maps, one more than there are layers of neurons that spike.
        scales: of each such layer, what one spike in every step stands for.
        initial_potential: of these neurons, as a share of the threshold.
        shape: of an example.
    """
    scaled = [stage.scaled(*ends) for stage, ends in zip(stages, _ends(scales), strict=True)]
    return ConvertedNetwork(_network(scaled, initial_potential), scaled[0], tuple(scales), shape)


def _ends(scales: Sequence[float]) -> list[tuple[float, float]]:
    """The scale of the inputs and of the outputs of each stage; those of the network are left."""
    return list(zip([1.0, *scales], [*scales, 1.0], strict=True))


def _network(stages: Sequence[Affine], initial_potential: float) -> Network:
    names = [*(f"hidden_{k}" for k in range(1, len(stages))), OUTPUT]
    populations, connections = {}, {}
    for k, (name, stage) in enumerate(zip(names, stages, strict=True)):
        varied = {"bias": stage.bias} if k else {}
        populations[name] = Population(len(stage.bias), _neuron(k, name == OUTPUT, initial_potential), varied)
        if k:
            connections[f"{names[k - 1]} to {name}"] = _connection(names[k - 1], name, stage)
    return Network(populations, connections, dt=_DT)


def _neuron(arrival: int, output: bool, initial_potential: float) -> NeuronModel:
    """The neuron of a layer whose first input arrives so many steps after the first layer's."""
    threshold, reset, initial = ("0 > 1", "", 0.0) if output else ("v >= 1", "v -= 1", initial_potential)
    if not arrival:
        equations = "dv/dt = current/ms : 1\ndcurrent/dt = 0/ms : 1"
        return NeuronModel(equations, threshold, reset, initial={"v": initial}, method="euler")
    return NeuronModel(
        "dv/dt = where(t > begin, bias, 0)/ms : 1",  # t is k dt in step k, k = 1, 2, ...
        threshold, reset, parameters={"bias": 0.0, "begin": f"{(arrival + 0.5) * _DT!r} ms"},
        initial={"v": initial}, method="euler",
    )  # fmt: skip


def _connection(pre: str, post: str, stage: Affine) -> Connection:
    if isinstance(stage.matrix, np.ndarray):
        return Dense(pre, post, stage.matrix)
    return Sparse.from_matrix(pre, post, stage.matrix)
