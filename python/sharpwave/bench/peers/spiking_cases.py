"""The spiking workloads: constants, drive and the statistics by which two runs are known to have done the same work.

Sources: P. U. Diehl & M. Cook, Front. Comput. Neurosci. 9 (2015) 99, in the one-layer form of arXiv 1909.02549; D. J.
Saunders et al., arXiv 1904.06269 (locally connected); R. Brette et al., J. Comput. Neurosci. 23 (2007) 349, benchmark 2
(CUBA). Times are in ms, rates in Hz, potentials in mV.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class DiehlCookCase:
    """Poisson inputs -> adaptive-threshold neurons that inhibit each other, with STDP of nu = (pre, post) rates."""

    neurons: int
    batch: int
    inhibition: float = 120.0
    norm: float = 78.4
    nu: tuple[float, float] = (1e-4, 1e-2)
    intensity: float = 128.0  # Hz of a white pixel
    side: int = 28
    t_end: int = 250


@dataclass(frozen=True)
class LocallyConnectedCase:
    """The middle of the image -> filters over windows of their own; filters at one place inhibit each other."""

    filters: int
    kernel: int
    stride: int
    batch: int = 1
    inhibition: float = 250.0
    norm: float = 0.2  # of the sum of a neuron's weights, in units of the window's size
    nu: tuple[float, float] = (0.0, 1e-2)
    intensity: float = 127.5
    side: int = 20
    t_end: int = 250

    @property
    def neurons(self) -> int:
        """Filters times places."""
        return self.filters * ((self.side - self.kernel) // self.stride + 1) ** 2


@dataclass(frozen=True)
class CubaCase:
    """Excitatory and inhibitory neurons with exponential currents, connected at random.

    dv/dt = (g_e + g_i - (v - rest)) / tau_m,  tau_e dg_e/dt = -g_e,  tau_i dg_i/dt = -g_i; v starts anywhere between
    reset and threshold.
    """

    excitatory: int = 3200
    inhibitory: int = 800
    probability: float = 0.02
    tau_m: float = 20.0
    tau_e: float = 5.0
    tau_i: float = 10.0
    rest: float = -49.0
    reset: float = -60.0
    threshold: float = -50.0
    refractory: float = 5.0
    weight_e: float = 1.62
    weight_i: float = -9.0
    dt: float = 0.1
    t_end: float = 1000.0

    @property
    def neurons(self) -> int:
        """Of both kinds."""
        return self.excitatory + self.inhibitory


DIEHL_COOK = {f"Diehl-Cook n=400 batch={batch}": DiehlCookCase(400, batch) for batch in (1, 32)}
LOCALLY_CONNECTED = {"LC-SNN F=100 batch=1": LocallyConnectedCase(filters=100, kernel=12, stride=4)}
CUBA = {"CUBA n=4000": CubaCase()}
IMAGES: dict[str, DiehlCookCase | LocallyConnectedCase] = {**DIEHL_COOK, **LOCALLY_CONNECTED}

THREADS = {"1 thread": 1, "2 threads": 2}


def drives(case: DiehlCookCase | LocallyConnectedCase, images: Array) -> Array:
    """Input rates of images, shape (batches, batch, inputs).

    Args:
        case: says how much of the image is seen, and its rates.
        images: bytes, shape (examples, height, width).

    Raises:
        ValueError: no such images, or they do not fill whole batches.
    """
    if images.dtype != np.uint8 or images.ndim != 3:
        raise ValueError(f"images must be bytes of shape (examples, height, width), got {images.dtype} {images.shape}")
    if len(images) == 0 or len(images) % case.batch:
        raise ValueError(f"{len(images)} images do not fill batches of {case.batch}")
    crop = (images.shape[1] - case.side) // 2
    seen = images[:, crop : crop + case.side, crop : crop + case.side]
    rates: Array = seen.reshape(-1, case.batch, case.side**2) * np.float32(case.intensity / 255)
    return rates


def firing(times: Array, senders: Array, neurons: int, t_end: float) -> dict[str, float]:
    """Statistics of a raster.

    Args:
        times: of the spikes, in ms, in any order.
        senders: the neuron of each, from 0.
        neurons: their number.
        t_end: simulated ms.

    Returns:
        `spikes`; `rate`, spikes per neuron and second; `isi_cv`, the coefficient of variation of a neuron's inter-spike
        intervals, mean over the neurons with at least three.
    """
    order = np.lexsort((times, senders))
    by_neuron = np.asarray(senders)[order]
    same = by_neuron[1:] == by_neuron[:-1]
    intervals, owner = np.diff(np.asarray(times, dtype=float)[order])[same], by_neuron[1:][same]
    count = np.bincount(owner, minlength=neurons)
    enough = count >= 3
    mean = np.bincount(owner, intervals, neurons)[enough] / count[enough]
    variance = np.bincount(owner, intervals**2, neurons)[enough] / count[enough] - mean**2
    cv = np.sqrt(np.maximum(variance, 0.0)) / mean
    return {
        "spikes": float(len(order)),
        "rate": 1e3 * len(order) / (neurons * t_end),
        "isi_cv": float(cv.mean()) if len(cv) else 0.0,
    }
