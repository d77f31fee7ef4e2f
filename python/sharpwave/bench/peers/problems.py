"""The stiff and delay problems, each written once over scalars, for whatever array library or compiler calls them.

Sources: E. Hairer & G. Wanner, Solving Ordinary Differential Equations II (Springer 1996), section IV.10, for HIRES,
ROBER, OREGO and VDPOL; M. C. Mackey & L. Glass, Science 197 (1977) 287 for the delay equation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Problem:
    """An initial value problem y' = rhs(t, y), y(0) = y0, to t_end."""

    rhs: Callable[[Any, Any], Row]
    jacobian: Callable[[Any, Any], tuple[Row, ...]]
    y0: tuple[float, ...]
    t_end: float


def hires(t: Any, y: Any) -> Row:
    exchange = 280.0 * y[5] * y[7]
    return (
        -1.71 * y[0] + 0.43 * y[1] + 8.32 * y[2] + 0.0007,
        1.71 * y[0] - 8.75 * y[1],
        -10.03 * y[2] + 0.43 * y[3] + 0.035 * y[4],
        8.32 * y[1] + 1.71 * y[2] - 1.12 * y[3],
        -1.745 * y[4] + 0.43 * y[5] + 0.43 * y[6],
        -exchange + 0.69 * y[3] + 1.71 * y[4] - 0.43 * y[5] + 0.69 * y[6],
        exchange - 1.81 * y[6],
        -exchange + 1.81 * y[6],
    )


def hires_jacobian(t: Any, y: Any) -> tuple[Row, ...]:
    a, b = 280.0 * y[7], 280.0 * y[5]
    return (
        (-1.71, 0.43, 8.32, 0.0, 0.0, 0.0, 0.0, 0.0),
        (1.71, -8.75, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
        (0.0, 0.0, -10.03, 0.43, 0.035, 0.0, 0.0, 0.0),
        (0.0, 8.32, 1.71, -1.12, 0.0, 0.0, 0.0, 0.0),
        (0.0, 0.0, 0.0, 0.0, -1.745, 0.43, 0.43, 0.0),
        (0.0, 0.0, 0.0, 0.69, 1.71, -a - 0.43, 0.69, -b),
        (0.0, 0.0, 0.0, 0.0, 0.0, a, -1.81, b),
        (0.0, 0.0, 0.0, 0.0, 0.0, -a, 1.81, -b),
    )


def rober(t: Any, y: Any) -> Row:
    first, second, third = 0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]
    return (-first + second, first - second - third, third)


def rober_jacobian(t: Any, y: Any) -> tuple[Row, ...]:
    a, b, c = 1e4 * y[2], 1e4 * y[1], 6e7 * y[1]
    return ((-0.04, a, b), (0.04, -a - c, -b), (0.0, c, 0.0))


def orego(t: Any, y: Any) -> Row:
    return (
        77.27 * (y[1] + y[0] * (1.0 - 8.375e-6 * y[0] - y[1])),
        (y[2] - (1.0 + y[0]) * y[1]) / 77.27,
        0.161 * (y[0] - y[2]),
    )


def orego_jacobian(t: Any, y: Any) -> tuple[Row, ...]:
    return (
        (77.27 * (1.0 - 2.0 * 8.375e-6 * y[0] - y[1]), 77.27 * (1.0 - y[0]), 0.0),
        (-y[1] / 77.27, -(1.0 + y[0]) / 77.27, 1.0 / 77.27),
        (0.161, 0.0, -0.161),
    )


def vdpol(t: Any, y: Any) -> Row:
    return (y[1], ((1.0 - y[0] * y[0]) * y[1] - y[0]) / 1e-6)


def vdpol_jacobian(t: Any, y: Any) -> tuple[Row, ...]:
    return ((0.0, 1.0), ((-2.0 * y[0] * y[1] - 1.0) / 1e-6, (1.0 - y[0] * y[0]) / 1e-6))


ODES = {
    "hires": Problem(hires, hires_jacobian, (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0057), 321.8122),
    "rober": Problem(rober, rober_jacobian, (1.0, 0.0, 0.0), 1e11),
    "orego": Problem(orego, orego_jacobian, (1.0, 2.0, 3.0), 360.0),
    "vdpol": Problem(vdpol, vdpol_jacobian, (2.0, 0.0), 2.0),
}


@dataclass(frozen=True)
class MackeyGlass:
    """y'(t) = production z/(1 + z^exponent) - decay y(t), z = y(t - delay), y = history for t <= 0, to t_end."""

    production: float = 0.2
    exponent: int = 10
    decay: float = 0.1
    delay: float = 14.0
    history: float = 0.5
    t_end: float = 500.0

    def rhs(self, y: Any, z: Any) -> Any:
        """y'."""
        return self.production * z / (1 + z**self.exponent) - self.decay * y


DDES = {"mackey_glass": MackeyGlass()}
