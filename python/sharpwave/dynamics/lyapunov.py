"""How fast neighbouring states part."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..counts import count
from ..recurrent.network import RNN
from .maps import Map, as_map

Array = NDArray[np.float64]


def lyapunov_spectrum(
    given: Map | RNN, start: ArrayLike, steps: int = 10_000, *, transient: int = 1000, exponents: int | None = None
) -> Array:
    """Lyapunov exponents along a trajectory, by QR decomposition of the linearisation in each step.

    A largest exponent above 0 is chaos; of 0, quasi-periodic motion (or a bifurcation); below 0, a cycle.

    Args:
        given: F, or an RNN without input.
        start: h (n,).
        steps: that are averaged over.
        transient: steps before these.
        exponents: how many, the largest ones; None: all.

    Returns:
        Natural logarithms a step, (exponents,), the largest first; -inf where a direction is lost at once.

    Raises:
        ValueError: a start of another size, no step, more exponents than dimensions, or a trajectory that does not stay
            finite.

    Source:
        G. Benettin, L. Galgani, A. Giorgilli and J.-M. Strelcyn, Meccanica 15, 1980.

    Example:
        The logistic map at 4, whose exponent is log 2:

        >>> from .maps import FunctionMap
        >>> logistic = FunctionMap(lambda x: 4 * x * (1 - x), 1)
        >>> lyapunov_spectrum(logistic, [0.3], 2000).round(2)
        array([0.69])
    """
    map, steps, transient = as_map(given), count("steps", steps), count("transient", transient, 0)
    h = np.array(start, dtype=np.float64)
    wanted = map.size if exponents is None else count("exponents", exponents)
    if h.shape != (map.size,):
        raise ValueError(f"the start must be ({map.size},), got shape {h.shape}")
    if wanted > map.size:
        raise ValueError(f"there are {map.size} exponents, not {wanted}")
    for _ in range(transient):
        h = map.step(h)
    frame, total = np.eye(map.size, wanted), np.zeros(wanted)
    for t in range(steps):
        if not np.isfinite(h).all():
            raise ValueError(f"the trajectory does not stay finite: it is lost {t} steps after the transient")
        frame, growth = np.linalg.qr(map.jacobian(h) @ frame)
        with np.errstate(divide="ignore"):
            total += np.log(np.abs(np.diag(growth)))
        h = map.step(h)
    return np.sort(total / steps)[::-1]
