"""Ways of learning to classify in which rates settle and are nudged."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..backends import Backend, in_julia
from ..counts import count
from .epoch import Epoch, Settled, Work
from .method import Array, DivergedError, Integers, UnsettledError, dropped_out, shuffled
from .rates import Nudging, RateNetwork, Settling, Weights, energy_network, error_forward_network, target_loop_network

_CHUNK = 100  # examples that settle together in a test


@dataclass(frozen=True)
class RateMethod:
    """What ways of learning with rates have in common: `ErrorForwardPropagation`, `EquilibriumPropagation` and others.

    Args:
        hidden: units of the hidden layers.
        rates: of learning, of each layer.
        settling, nudging: how states settle and what is learned from it.
        batch: examples.
        last_factor: rates fall linearly, batch by batch, to this share of them.
        persistent: each example begins with the states that it settled to last.
        backend: `"julia"`, `"torch"` or `"auto"`.
        input_dropout: share of inputs that are left out while it learns, drawn anew in each epoch.
    """

    hidden: tuple[int, ...] = (500, 500)
    rates: tuple[float, ...] = (1.0, 0.4, 0.02)
    settling: Settling = Settling(9, 5)
    nudging: Nudging = Nudging(0.5, weight_decay=1e-4)
    batch: int = 20
    last_factor: float = 0.02
    persistent: bool = False
    backend: Backend = "auto"
    input_dropout: float = 0.0

    @abstractmethod
    def network(self, sizes: tuple[int, ...]) -> RateNetwork:
        """Layers of so many units, the input first, and what drives what."""

    def start(self, features: int, classes: int, examples: int, seed: int) -> RateLearner:
        """A network that has learned nothing; see `Method`."""
        return RateLearner(self, self.network((features, *self.hidden, classes)), examples, seed)


@dataclass(frozen=True)
class ErrorForwardPropagation(RateMethod):
    """Outputs drive the first hidden layer; errors reach all layers going forward, with no other feedback.

    Args:
        hidden, rates, settling, nudging, batch, last_factor, persistent, backend, input_dropout: see `RateMethod`.
        loop_rate: of the links from the outputs to the first hidden layer; 0: they are fixed.
        loop_scale: of their initial weights.

    Source:
        arXiv 1808.03357. Sizes and rates of the paper are not known; a centred constant nudge, the decay of weights
        and that of rates are choices.
    """

    loop_rate: float = 0.01
    loop_scale: float = 0.3

    def network(self, sizes: tuple[int, ...]) -> RateNetwork:
        """See `error_forward_network`."""
        return error_forward_network(sizes, self.rates, self.loop_rate, self.loop_scale)


@dataclass(frozen=True)
class ContinuousSignalPropagation(RateMethod):
    """What outputs lack is given to the first hidden layer, and goes forward from there; links learn from activities.

    This is signal propagation with targets from a loop, in continuous time and with Hebbian updates. Without targets
    nothing goes back: after as many whole steps as there are layers, states have settled.

    Args:
        hidden, rates, settling, nudging, batch, last_factor, persistent, backend, input_dropout: see `RateMethod`.
        target_rate: of the links from what outputs lack to the first hidden layer, the target generator; 0: they are
            fixed.
        target_scale: of their initial weights.

    Source:
        arXiv 2204.01723. Sizes and rates are not known; all numbers are choices.
    """

    settling: Settling = Settling(4, 3)
    nudging: Nudging = Nudging(0.5, rule="contrastive", weight_decay=1e-4)
    target_rate: float = 0.0
    target_scale: float = 0.3

    def network(self, sizes: tuple[int, ...]) -> RateNetwork:
        """See `target_loop_network`."""
        return target_loop_network(sizes, self.rates, self.target_rate, self.target_scale)


@dataclass(frozen=True)
class EquilibriumPropagation(RateMethod):
    """Layers that drive each other both ways, and descend an energy.

    Args:
        hidden, rates, settling, nudging, batch, last_factor, persistent, backend, input_dropout: see `RateMethod`.
        tied: links back are those forward; else they have weights of their own, and learn them (vector fields).

    Source:
        B. Scellier and Y. Bengio, Equilibrium propagation, 2017: one hidden layer of 500, 25 epochs.
    """

    hidden: tuple[int, ...] = (500,)
    rates: tuple[float, ...] = (0.1, 0.05)
    settling: Settling = Settling(20, 4, step=0.5, clipped=True)
    nudging: Nudging = Nudging(0.5, sides="random", constant=False, rule="contrastive")
    last_factor: float = 1.0
    persistent: bool = True
    tied: bool = True

    def network(self, sizes: tuple[int, ...]) -> RateNetwork:
        """See `energy_network`."""
        return energy_network(sizes, self.rates, self.tied)


class RateLearner:
    """A network of rates that learns to classify; see `Learner`.

    Attributes:
        network: its layers and links.
        weights: what it has learned.
        kept: states that examples settled to last, (examples, units), or None.
        epoch: what the last epoch was like, or None.
    """

    def __init__(self, method: RateMethod, network: RateNetwork, examples: int, seed: int) -> None:
        if not 0 <= method.last_factor <= 1:
            raise ValueError(f"last_factor must be from 0 to 1, got {method.last_factor}")
        if not 0 <= method.input_dropout < 1:
            raise ValueError(f"input_dropout must be from 0 to below 1, got {method.input_dropout}")
        count("batch", method.batch)
        self.method, self.network, self.seed = method, network, seed
        self.weights = network.initial(seed)
        units = sum(network.sizes[1:])
        self.kept = np.zeros((examples, units), dtype=np.float32) if method.persistent else None
        self.epoch: Epoch | None = None

    def learn(self, inputs: Array, labels: Integers, epoch: int, epochs: int) -> dict[str, float]:
        """Go once through all examples; see `Learner`."""
        method, outputs = self.method, self.network.sizes[-1]
        order = shuffled(len(inputs), method.batch, self.seed, epoch)
        batches = len(order)
        if method.input_dropout:
            inputs = dropped_out(inputs, method.input_dropout, self.seed, epoch)
        done = (np.arange(batches) + epoch * batches) / max(1, epochs * batches - 1)
        work = Work(
            self.network, method.settling, method.nudging, order, 1 + (method.last_factor - 1) * done,
            method.nudging.betas(batches, self.seed, epoch), inputs, np.eye(outputs, dtype=inputs.dtype)[labels],
        )  # fmt: skip
        weights, kept = self.weights.copy(), None if self.kept is None else self.kept.copy()
        self.epoch = found = self._backend().learn(work, weights, kept)
        if found.lost is not None or not weights.finite:
            where = "" if found.lost is None else f": states of layer {found.lost[1] + 1}, in batch {found.lost[0]}"
            raise DivergedError(
                f"numbers ceased to be finite in epoch {epoch}{where}. The network is as before it; lower the rates, "
                "the loop's scale or the step"
            )
        self._check_settled(found.change, f"epoch {epoch}, batch")
        self.weights, self.kept = weights, kept
        settled = found.change.max(axis=1)
        return {
            "accuracy": 1 - float(found.wrong.sum()) / len(inputs),
            "distance": float(found.distance.mean()),
            "change": float(np.median(settled)),
            "steps": float(found.steps.mean()),
        }

    def settle(self, inputs: Array) -> Settled:
        """States of examples (examples, features) without a nudge."""
        found: Settled = self._backend().settle(self.network, self.method.settling, self.weights, inputs, _CHUNK)
        self._check_settled(found.change, "examples, in hundreds: number")
        return found

    def _check_settled(self, change: NDArray[np.float64], when: str) -> None:
        settling = self.method.settling
        if settling.tolerance == 0 or (change <= settling.tolerance).all():
            return
        batch, layer = (int(k) for k in np.argwhere(~(change <= settling.tolerance))[0])
        raise UnsettledError(
            f"states of layer {layer + 1} still change by {change[batch, layer]:.2g} after {settling.free_steps} free "
            f"steps, and should by {settling.tolerance:g} at most ({when} {batch}). The network is as before; allow "
            "more steps, smaller ones, or a higher tolerance"
        )

    def scores(self, inputs: Array) -> Array:
        """States of the outputs, (examples, classes)."""
        return self.settle(inputs).states[-1]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Weights and kept states; see `Learner`."""
        found: dict[str, NDArray[Any]] = {f"link {k}": w for k, w in enumerate(self.weights.links)}
        found |= {f"bias {k}": b for k, b in enumerate(self.weights.biases)}
        return found if self.kept is None else {**found, "kept": self.kept}

    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Take up what `arrays` gave."""
        links = [arrays[f"link {k}"] for k in range(len(self.network.links))]
        self.weights = Weights(links, [arrays[f"bias {k}"] for k in range(len(self.network.sizes) - 1)])
        self.kept = arrays.get("kept")

    def _backend(self) -> Any:
        if in_julia(self.method.backend):
            from . import julia_backend

            return julia_backend
        from . import torch_backend

        return torch_backend
