"""Networks of rates: layers that drive each other until they settle, and what they learn from being nudged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..counts import count

Array = NDArray[np.floating]


class Link(NamedTuple):
    """Activities of one layer drive another.

    Attributes:
        source, target: layers; the input is 0, the outputs are the last one. The source after them is what their
            activities lack, d - rho(s), while they are nudged.
        rate: of learning; 0: the link stays as it is.
        scale: of initial weights, times sqrt(6 / (units before + units after)).
    """

    source: int
    target: int
    rate: float
    scale: float = 1.0


@dataclass(frozen=True)
class RateNetwork:
    """Layers of units with a state s, and links through which activities rho(s) = clip(s, 0, 1) drive states.

    A state moves by step (u - s) at a time, all layers at once, with u = b + sum over links of rho(s of the source) W;
    the input is what it is. Settled states have s = u.

    Args:
        sizes: units of the input and of each layer.
        links: what drives what.
        bias_rates: of learning, of each layer after the input.
        tied: pairs of links (places) that begin as each other's transpose; a contrastive rule keeps them so.

    Raises:
        ValueError: a link from or to a layer that is not there, or to the input, a layer that nothing drives, or pairs
            that are no transposes.

    Example:
        >>> network = RateNetwork((4, 3, 2), (Link(0, 1, 0.1), Link(1, 2, 0.1)), (0.1, 0.1))
        >>> weights = network.initial(seed=0)
        >>> [w.shape for w in weights.links], [b.shape for b in weights.biases]
        ([(4, 3), (3, 2)], [(3,), (2,)])
    """

    sizes: tuple[int, ...]
    links: tuple[Link, ...]
    bias_rates: tuple[float, ...]
    tied: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        sizes = tuple(count("units of a layer", size) for size in self.sizes)
        layers = len(sizes) - 1
        if layers < 1 or len(self.bias_rates) != layers:
            raise ValueError(f"expected an input, layers and a bias_rate for each, got {sizes} and {self.bias_rates}")
        for link in self.links:
            if not (0 <= link.source <= layers + 1 and 1 <= link.target <= layers):
                raise ValueError(f"{link}: layers are 0 to {layers}, and nothing drives the input, 0")
        missing = set(range(1, layers + 1)) - {link.target for link in self.links}
        if missing:
            raise ValueError(f"nothing drives layer {min(missing)}")
        for first, second in self.tied:
            one, other = self.links[first], self.links[second]
            if (one.source, one.target, one.rate) != (other.target, other.source, other.rate):
                raise ValueError(f"{one} and {other} cannot be tied: the second must be the way back, at the same rate")

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Of each link's weights, (units before, units after)."""
        outputs = len(self.sizes) - 1
        return [(self.sizes[min(link.source, outputs)], self.sizes[link.target]) for link in self.links]

    def initial(self, seed: int, dtype: type[np.floating] = np.float32) -> Weights:
        """Weights from U(-1, 1) times a link's scale, and biases of 0."""
        draw = np.random.Generator(np.random.Philox(key=seed))
        found: list[Array] = [
            draw.uniform(-1, 1, shape) * link.scale * np.sqrt(6 / sum(shape))
            for link, shape in zip(self.links, self.shapes, strict=True)
        ]
        for first, second in self.tied:
            found[second] = found[first].T
        biases = [np.zeros(size, dtype=dtype) for size in self.sizes[1:]]
        return Weights([np.ascontiguousarray(w, dtype=dtype) for w in found], biases)


class Weights(NamedTuple):
    """Numbers of a network.

    Attributes:
        links: of each link, (units before, units after).
        biases: of each layer, (units,).
    """

    links: list[Array]
    biases: list[Array]

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """float32 or float64."""
        return self.biases[0].dtype

    @property
    def finite(self) -> bool:
        """Whether all of them are."""
        return all(np.isfinite(array).all() for array in (*self.links, *self.biases))

    def copy(self) -> Weights:
        """With arrays of its own."""
        return Weights([w.copy() for w in self.links], [b.copy() for b in self.biases])


@dataclass(frozen=True)
class Settling:
    """How states settle.

    Attributes:
        free_steps: without a nudge, at most.
        nudged_steps: with it, from where states have settled freely.
        step: size of a step, epsilon.
        tolerance: largest change of a state in a step at which a batch has settled; one that has not in all free steps
            ends learning. 0: all free steps are done, however far states are settled then.
        clipped: states stay between 0 and 1, and not activities alone.
    """

    free_steps: int
    nudged_steps: int
    step: float = 1.0
    tolerance: float = 0.0
    clipped: bool = False

    def __post_init__(self) -> None:
        count("free_steps", self.free_steps)
        count("nudged_steps", self.nudged_steps)
        if not (0 < self.step <= 2 and self.tolerance >= 0):
            raise ValueError(f"step must be from 0 to 2, tolerance not negative, got {self.step} and {self.tolerance}")


Sides = Literal["both", "positive", "random"]


@dataclass(frozen=True)
class Nudging:
    """How outputs are nudged towards targets d, and what is learned from it.

    Outputs are driven by 2 beta (d - s) more, the gradient of the squared error, and layers to which links lead from
    what outputs lack by 2 beta (d - rho(s)) W. A vector-field rule changes a link by
    rate / beta times the mean over a batch of rho(s0 before) [rho(s+ after) - rho(s- after)], with s0 the free states
    and s+ and s- those of the nudges; a contrastive one by that of rho(s+ before) rho(s+ after) - rho(s- before)
    rho(s- after). Links from the input are the same in both, as are those from d - rho(s), that of the free states.

    Attributes:
        beta: how strongly.
        sides: `"both"`: +beta and -beta, divided by 2 beta; `"positive"`: s- are the free states; `"random"`: the same
            with a sign drawn for each batch.
        constant: s of the outputs is that of the free states; else it is that of the moment.
        rule: `"vector-field"` or `"contrastive"`.
        weight_decay: share of a link's weights that is lost in a batch, at a rate of 1.
    """

    beta: float = 0.5
    sides: Sides = "both"
    constant: bool = True
    rule: Literal["vector-field", "contrastive"] = "vector-field"
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        if not (self.beta > 0 and self.weight_decay >= 0):
            raise ValueError(
                f"beta must be positive, weight_decay not negative, got {self.beta} and {self.weight_decay}"
            )
        if self.sides not in ("both", "positive", "random") or self.rule not in ("vector-field", "contrastive"):
            raise ValueError(
                "sides must be 'both', 'positive' or 'random', rule 'vector-field' or 'contrastive', got "
                f"{self.sides!r} and {self.rule!r}"
            )

    def betas(self, batches: int, seed: int, epoch: int) -> NDArray[np.float64]:
        """Of each batch of an epoch, (batches,)."""
        if self.sides != "random":
            return np.full(batches, self.beta)
        signs = np.random.Generator(np.random.Philox(key=[seed, epoch])).integers(0, 2, batches)
        return np.asarray(self.beta * (1.0 - 2.0 * signs), dtype=np.float64)


def chain(sizes: Sequence[int], rates: Sequence[float]) -> tuple[Link, ...]:
    """Links from each layer to the next.

    Raises:
        ValueError: not one rate for each.
    """
    if len(rates) != len(sizes) - 1:
        raise ValueError(f"expected a rate for each of {len(sizes) - 1} layers, got {len(rates)}: {tuple(rates)}")
    return tuple(Link(k, k + 1, rate) for k, rate in enumerate(rates))


def error_forward_network(
    sizes: Sequence[int], rates: Sequence[float], loop_rate: float = 0.01, loop_scale: float = 0.3
) -> RateNetwork:
    """Layers that drive the next one, and outputs that drive the first: errors come to all layers going forward.

    Args:
        sizes: units of the input, of hidden layers, and outputs.
        rates: of learning, of each layer.
        loop_rate: that of the links from the outputs to the first layer; 0: they are fixed.
        loop_scale: of their initial weights.

    Source:
        arXiv 1808.03357. The paper's rates and scales are not known: defaults are choices.
    """
    loop = Link(len(sizes) - 1, 1, loop_rate, loop_scale)
    return RateNetwork(tuple(sizes), (*chain(sizes, rates), loop), tuple(rates))


def target_loop_network(
    sizes: Sequence[int], rates: Sequence[float], target_rate: float = 0.0, target_scale: float = 0.3
) -> RateNetwork:
    """Layers that drive the next one; what outputs lack drives the first, beside the input, while it teaches.

    Args:
        sizes: units of the input, of hidden layers, and outputs.
        rates: of learning, of each layer.
        target_rate: that of the links from what outputs lack, the target generator; 0: they are fixed.
        target_scale: of their initial weights.

    Source:
        arXiv 2204.01723, the target-loop of the continuous network. Its rates and scales are not known: defaults are
        choices.
    """
    generator = Link(len(sizes), 1, target_rate, target_scale)
    return RateNetwork(tuple(sizes), (*chain(sizes, rates), generator), tuple(rates))


def energy_network(sizes: Sequence[int], rates: Sequence[float], tied: bool = True) -> RateNetwork:
    """Layers that drive each other both ways.

    Args:
        sizes: units of the input, of hidden layers, and outputs.
        rates: of learning, of each layer; links back have that of the layer that they come from.
        tied: links back are the transpose of those forward, so that states descend an energy, as in equilibrium
            propagation; else they begin on their own, as in its form for vector fields.
    """
    forward = chain(sizes, rates)
    back = tuple(Link(link.target, link.source, link.rate) for link in forward[1:])
    pairs = tuple((k + 1, len(forward) + k) for k in range(len(back))) if tied else ()
    return RateNetwork(tuple(sizes), forward + back, tuple(rates), pairs)
