"""How fast neighbouring states part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..backends import in_julia
from ..counts import count
from ..recurrent.network import RNN
from .maps import Map
from .newton import NOT_TANH, as_maps, kernel_arrays

Array = NDArray[np.float64]


def lyapunov_spectrum(
    given: Map | RNN | Sequence[Map | RNN], start: ArrayLike, steps: int = 10_000, *, transient: int = 1000,
    exponents: int | None = None, backend: str = "auto",
) -> Array:  # fmt: skip
    """Lyapunov exponents along a trajectory, by QR decomposition of the linearisation in each step.

    A largest exponent above 0 is chaos; of 0, quasi-periodic motion (or a bifurcation); below 0, a cycle.

    Args:
        given: F, or an RNN without input; or several of one size.
        start: h (n,); of several (maps, n).
        steps: that are averaged over.
        transient: steps before these.
        exponents: how many, the largest ones; None: all.
        backend: see `fixed_points`.

    Returns:
        Natural logarithms a step, (exponents,), the largest first; -inf where a direction is lost at once. Of several
        maps (maps, exponents).

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
    maps, steps, transient = as_maps(given), count("steps", steps), count("transient", transient, 0)
    n, h = maps[0].size, np.array(start, dtype=np.float64)
    wanted = n if exponents is None else count("exponents", exponents)
    expected = (len(maps), n) if isinstance(given, Sequence) else (n,)
    if h.shape != expected or not np.isfinite(h).all():
        raise ValueError(f"the start must be finite and {expected}, got shape {h.shape}")
    if wanted > n:
        raise ValueError(f"there are {n} exponents, not {wanted}")
    arrays, starts = kernel_arrays(maps), h.reshape(-1, n)
    if in_julia(backend, "" if arrays else NOT_TANH, other="numpy"):
        from sharpwave_bridge import call

        assert arrays is not None
        found = np.empty((len(maps), wanted))
        call("find_exponents", np.array([transient, steps, 0]), *arrays, starts, found)
    else:
        found = np.stack([_along(*one, steps, transient, wanted) for one in zip(maps, starts, strict=True)])
    found = np.sort(found, axis=1)[:, ::-1]
    return found if isinstance(given, Sequence) else found[0]


def _along(map: Map, h: Array, steps: int, transient: int, wanted: int) -> Array:
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
    return total / steps
