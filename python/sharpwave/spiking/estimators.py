"""Ready-made networks as scikit-learn's estimators, with the numbers of the papers."""

from __future__ import annotations

from dataclasses import dataclass, field

from .classifier import SpikingClassifier
from .links import Lattice, Links
from .network import Network
from .networks import (
    Delays,
    convolutional_network,
    diehl_cook_2015_network,
    diehl_cook_network,
    locally_connected_network,
)
from .windows import window_grid

BRIGHT = 255 / 8 * 2  # rate of a white pixel in Diehl and Cook (2015), Hz: its value by 8, times an intensity of 2


@dataclass(eq=False, repr=False)
class DiehlCook(SpikingClassifier):
    """One layer of neurons that inhibit each other and learn the images as a whole.

    Args:
        units: neurons.
        duration: of an image, ms.
        intensity: rate of a white pixel, Hz.
        inhibition: what each spike takes from the other neurons, mV.
        norm: sum of the weights of a neuron; None: a tenth of the number of pixels.
        nu: learning rates at presynaptic and at postsynaptic spikes.
        theta_plus: rise of the threshold with each spike, mV.
        others: see `SpikingClassifier`. `min_spikes` is 0 by default: no image is presented again.

    Source:
        Defaults: the network that is learned in batches in arXiv 1909.02549. The baseline of arXiv 1904.06269 is
        `DiehlCook(units, duration=250.0, intensity=127.5, inhibition=500.0, min_spikes=5)`.

    Example:
        >>> from sharpwave.data import load
        >>> digits = load("digits")
        >>> model = DiehlCook(units=40, duration=250.0, pixel_max=digits.pixel_max)
        >>> model = model.fit(digits.train_images[:500], digits.train_labels[:500])
        >>> model.predict(digits.test_images[:3]).shape, model.transform(digits.test_images[:3]).shape
        ((3,), (3, 40))
    """

    units: int = 100
    duration: float = 100.0
    intensity: float = 128.0
    inhibition: float = 120.0
    norm: float | None = None
    nu: tuple[float, float] = (1e-4, 1e-2)
    theta_plus: float = 0.05
    min_spikes: int = field(default=0, kw_only=True)

    def _network(self, shape: tuple[int, int], learning_rate: float) -> Network:
        return diehl_cook_network(
            self.units, pixels=shape[0] * shape[1], inhibition=self.inhibition, norm=self.norm,
            nu=_times(self.nu, learning_rate), theta_plus=self.theta_plus, reduction=self.reduction, seed=self.seed,
        )  # fmt: skip

    def _drive(self) -> tuple[float, float, float]:
        return self.intensity, self.duration, self.duration


@dataclass(eq=False, repr=False)
class LocallyConnected(SpikingClassifier):
    """Filters that see windows of the images, and learn on their own at each position (LC-SNN).

    Args:
        filters: number of filters.
        kernel_size: rows, and columns, of a window.
        stride: pixels from one window to the next.
        crop: pixels at each edge of an image that are not seen; 4 leaves 20 x 20 of MNIST.
        duration: of an image, ms.
        intensity: rate of a white pixel, Hz.
        inhibition: what each spike takes from the other filters at its position, mV.
        norm: sum of the weights of a neuron; None: .2 of the number of pixels in a window.
        nu: learning rates at presynaptic and at postsynaptic spikes.
        theta_plus: rise of the threshold with each spike, mV.
        others: see `SpikingClassifier`. An image is presented again up to three times, twice as bright each time.

    Source:
        arXiv 1904.06269.

    Example:
        >>> from sharpwave.data import load
        >>> digits = load("digits")
        >>> model = LocallyConnected(filters=10, kernel_size=6, stride=2, crop=0, pixel_max=digits.pixel_max)
        >>> model = model.fit(digits.train_images[:100], digits.train_labels[:100])
        >>> model.transform(digits.test_images[:3]).shape
        (3, 40)
    """

    filters: int = 100
    kernel_size: int = 12
    stride: int = 4
    crop: int = 4
    duration: float = 250.0
    intensity: float = 127.5
    inhibition: float = 250.0
    norm: float | None = None
    nu: tuple[float, float] = (0.0, 1e-2)
    theta_plus: float = 0.05
    learning_rate_decay: float = field(default=0.99, kw_only=True)

    @property
    def _crop(self) -> int:  # type: ignore[override]
        return self.crop

    def _grid(self, shape: tuple[int, int]) -> tuple[int, int]:
        return window_grid(shape, self.kernel_size, self.stride)

    def _network(self, shape: tuple[int, int], learning_rate: float) -> Network:
        return locally_connected_network(
            self.filters, self.kernel_size, self.stride, image_shape=shape, inhibition=self.inhibition, norm=self.norm,
            nu=_times(self.nu, learning_rate), theta_plus=self.theta_plus, reduction=self.reduction, seed=self.seed,
        )  # fmt: skip

    def _drive(self) -> tuple[float, float, float]:
        return self.intensity, self.duration, self.duration


@dataclass(eq=False, repr=False)
class DiehlCook2015(SpikingClassifier):
    """The network of Diehl and Cook (2015), with conductances, inhibitory partners and triplet STDP.

    Args:
        units: excitatory neurons.
        delays: of the input, `"synaptic"`, `"axonal"` or None; see `diehl_cook_2015_network`.
        duration: of an image, ms.
        rest: after it, ms; an example begins at rest anyway, but thresholds fall by 1.5e-5 of themselves.
        intensity: rate of a white pixel, Hz.
        inhibition: weight from a partner onto the other neurons, in units of the leak.
        norm: sum of the weights of a neuron; None: 78/784 of the number of pixels.
        nu: learning rates at presynaptic and at postsynaptic spikes.
        others: see `SpikingClassifier`. An image is presented again up to seven times (without end in the paper), 32 Hz
            brighter each time.

    Source:
        Diehl and Cook, Frontiers in Computational Neuroscience 9 (2015) 99.

    Example:
        >>> from sharpwave.data import load
        >>> digits = load("digits")
        >>> model = DiehlCook2015(units=10, rest=0.0, norm=30.0, pixel_max=digits.pixel_max)
        >>> model.fit(digits.train_images[:20], digits.train_labels[:20]).examples_seen_
        20
    """

    units: int = 100
    delays: Delays | None = "synaptic"
    duration: float = 350.0
    rest: float = 150.0
    intensity: float = BRIGHT
    inhibition: float = 17.0
    norm: float | None = None
    nu: tuple[float, float] = (1e-4, 1e-2)

    _layer = "excitatory"
    _scales = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5)

    def _network(self, shape: tuple[int, int], learning_rate: float) -> Network:
        return diehl_cook_2015_network(
            self.units, pixels=shape[0] * shape[1], delays=self.delays, inhibition=self.inhibition,
            norm=self.norm, nu=_times(self.nu, learning_rate), reduction=self.reduction, seed=self.seed,
        )  # fmt: skip

    def _drive(self) -> tuple[float, float, float]:
        return self.intensity, self.duration, self.duration + self.rest


@dataclass(eq=False, repr=False)
class ConvolutionalSTDP(SpikingClassifier):
    """Convolutional patches of the neurons of Diehl and Cook (2015), with or without links between them (C-SNN).

    Args:
        patches: number of patches.
        kernel_size: rows, and columns, of a window.
        stride: pixels from one window to the next.
        links: plastic connections between patches: None, `"pairs"`, `"linear"` or `"all"`.
        lattice: where links lead: to 4 or 8 neighbours, or `"all"` positions.
        shared: whether the neurons of a patch share the weights of the one that spikes most.
        duration: of an image, ms.
        rest: after it, ms; an example begins at rest anyway, but thresholds fall by 1.5e-5 of themselves.
        intensity: rate of a white pixel, Hz.
        inhibition: weight from a partner onto the other patches at its position, in units of the leak: 17.4 in the
            paper. With 60 neurons are more selective, and the votes that count spikes better by some 4 %.
        norm: sum of the weights of a neuron; None: .15 of the number of pixels in a window.
        nu: learning rates at presynaptic and at postsynaptic spikes.
        others: see `SpikingClassifier`. An image is presented again up to three times, by 64 Hz brighter each time.

    Source:
        arXiv 1808.08173.

    Example:
        >>> from sharpwave.data import load
        >>> digits = load("digits")
        >>> model = ConvolutionalSTDP(patches=5, kernel_size=6, norm=15.0, rest=0.0, pixel_max=digits.pixel_max)
        >>> model.fit(digits.train_images[:20], digits.train_labels[:20]).readouts_["most-spiked"].units
        20
    """

    patches: int = 50
    kernel_size: int = 16
    stride: int = 2
    links: Links | None = None
    lattice: Lattice = 8
    shared: bool = False
    duration: float = 350.0
    rest: float = 150.0
    intensity: float = BRIGHT
    inhibition: float = 17.4
    norm: float | None = None
    nu: tuple[float, float] = (1e-4, 1e-2)
    readout: str = field(default="all", kw_only=True)
    readouts: tuple[str, ...] = field(default=("all", "most-spiked", "top", "correlation"), kw_only=True)

    _layer = "excitatory"
    _scales = (1.0, 2.0, 3.0, 4.0)

    def _grid(self, shape: tuple[int, int]) -> tuple[int, int]:
        return window_grid(shape, self.kernel_size, self.stride)

    def _network(self, shape: tuple[int, int], learning_rate: float) -> Network:
        return convolutional_network(
            self.patches, self.kernel_size, self.stride, image_shape=shape, links=self.links, lattice=self.lattice,
            shared=self.shared, inhibition=self.inhibition, norm=self.norm, nu=_times(self.nu, learning_rate),
            reduction=self.reduction, seed=self.seed,
        )  # fmt: skip

    def _drive(self) -> tuple[float, float, float]:
        return self.intensity, self.duration, self.duration + self.rest


def _times(nu: tuple[float, float], factor: float) -> tuple[float, float]:
    return nu[0] * factor, nu[1] * factor
