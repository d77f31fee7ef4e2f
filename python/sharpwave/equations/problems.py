"""Named test problems with known end points."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from sharpwave.equations.system import Equations
from sharpwave.suggest import unknown

_HAIRER = "Hairer and Wanner, Solving Ordinary Differential Equations II, 2nd ed. (1996)"


@dataclass(frozen=True, eq=False)
class Problem:
    """A system with its interval, its start, and its known end point.

    Args:
        name: as `problem` takes it.
        equations: the system.
        t_span: start and end time.
        y0: (n,) state at the start.
        history: for a delay problem the state before the start, an expression of t for each variable.
        reference: (n,) state at the end.
        source: where the problem and the end point come from.
    """

    name: str
    equations: Equations
    t_span: tuple[float, float]
    y0: tuple[float, ...]
    history: Mapping[str, str | float] | None
    reference: tuple[float, ...]
    source: str


@cache
def problem(name: str) -> Problem:
    """A named test problem.

    Args:
        name: one of `PROBLEMS`.

    Raises:
        ValueError: for another name, with a suggestion.

    Example:
        >>> rober = problem("rober")
        >>> rober.equations.variables, rober.t_span
        (('y1', 'y2', 'y3'), (0.0, 100000000000.0))
    """
    if name not in _MAKERS:
        raise ValueError(unknown("problem", name, _MAKERS))
    return _MAKERS[name](name)


def _rober(name: str) -> Problem:
    return Problem(
        name,
        Equations(
            {
                "y1": "-k1*y1 + k3*y2*y3",
                "y2": "k1*y1 - k3*y2*y3 - k2*y2**2",
                "y3": "k2*y2**2",
            },
            parameters={"k1": 0.04, "k2": 3e7, "k3": 1e4},
        ),
        (0.0, 1e11),
        (1.0, 0.0, 0.0),
        None,
        (0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050),
        f"Robertson (1966), three chemical reactions; {_HAIRER}, section IV.10",
    )


def _hires(name: str) -> Problem:
    return Problem(
        name,
        Equations(
            {
                "y1": "-1.71*y1 + 0.43*y2 + 8.32*y3 + 0.0007",
                "y2": "1.71*y1 - 8.75*y2",
                "y3": "-10.03*y3 + 0.43*y4 + 0.035*y5",
                "y4": "8.32*y2 + 1.71*y3 - 1.12*y4",
                "y5": "-1.745*y5 + 0.43*y6 + 0.43*y7",
                "y6": "-280*y6*y8 + 0.69*y4 + 1.71*y5 - 0.43*y6 + 0.69*y7",
                "y7": "280*y6*y8 - 1.81*y7",
                "y8": "-280*y6*y8 + 1.81*y7",
            }
        ),
        (0.0, 321.8122),
        (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0057),
        None,
        (
            0.7371312573325668e-3,
            0.1442485726316185e-3,
            0.5888729740967575e-4,
            0.1175651343283149e-2,
            0.2386356198831331e-2,
            0.6238968252742796e-2,
            0.2849998395185769e-2,
            0.2850001604814231e-2,
        ),
        f"Schaefer (1975), high irradiance responses; {_HAIRER}, section IV.10",
    )


def _orego(name: str) -> Problem:
    return Problem(
        name,
        Equations(
            {
                "y1": "s*(y2 + y1*(1 - q*y1 - y2))",
                "y2": "(y3 - (1 + y1)*y2)/s",
                "y3": "w*(y1 - y3)",
            },
            parameters={"s": 77.27, "q": 8.375e-6, "w": 0.161},
        ),
        (0.0, 360.0),
        (1.0, 2.0, 3.0),
        None,
        (1.000814870318523, 1228.178521549917, 132.0554942846706),
        f"Field and Noyes (1974), the oregonator; {_HAIRER}, section IV.10",
    )


def _vdpol(name: str) -> Problem:
    return Problem(
        name,
        Equations({"y1": "y2", "y2": "((1 - y1**2)*y2 - y1)/epsilon"}, parameters={"epsilon": 1e-6}),
        (0.0, 2.0),
        (2.0, 0.0),
        None,
        (1.706167732170483, -0.8928097010247975),
        f"van der Pol's oscillator, stiff; {_HAIRER}, section IV.10",
    )


def _lorenz(name: str) -> Problem:
    return Problem(
        name,
        Equations(
            {"x": "sigma*(y - x)", "y": "x*(rho - z) - y", "z": "x*y - beta*z"},
            parameters={"sigma": 10.0, "rho": 28.0, "beta": 8 / 3},
        ),
        (0.0, 10.0),
        (1.0, 1.0, 1.0),
        None,
        (-4.90268754113464813, -3.7438729218029188727, 24.690858102790562894),
        "Lorenz (1963); end point: mpmath's Taylor series solver with 32 digits, beta the float64 nearest to 8/3",
    )


def _lotka_volterra(name: str) -> Problem:
    return Problem(
        name,
        Equations(
            {"prey": "a*prey - b*prey*predator", "predator": "-c*predator + d*prey*predator"},
            parameters={"a": 1.5, "b": 1.0, "c": 3.0, "d": 1.0},
        ),
        (0.0, 15.0),
        (10.0, 5.0),
        None,
        (0.71375137809775929884, 0.075407796240794693073),
        "Lotka (1925), Volterra (1926); end point: mpmath's Taylor series solver with 32 digits",
    )


def _mackey_glass(name: str) -> Problem:
    return Problem(
        name,
        Equations({"y": "a*y(t - tau)/(1 + y(t - tau)**10) - b*y"}, parameters={"a": 0.2, "b": 0.1, "tau": 14.0}),
        (0.0, 500.0),
        (0.5,),
        {"y": 0.5},
        (1.010443111700142347784,),
        "Mackey and Glass (1977); end point: an independent delay solver at tight tolerance",
    )


def _delayed_decay(name: str) -> Problem:
    return Problem(
        name,
        Equations({"u": "-u(t - 1)"}),
        (0.0, 10.0),
        (1.0,),
        {"u": 0.0},
        (19223 / 362880,),
        "u = sum over k <= t of (-1)^k (t - k)^k / k!, by the method of steps; it jumps from 0 to 1 at the start",
    )


def _delayed_chain(name: str) -> Problem:
    return Problem(
        name,
        Equations({"y1": "y1(t - 1)", "y2": "y1(t - 1) + y2(t - 0.2)", "y3": "y2"}),
        (0.0, 5.0),
        (1.0, 1.0, 1.0),
        {"y1": 1.0, "y2": 1.0, "y3": 1.0},
        (19.175, 176.42257844738032, 190.34420193607042),
        "Wille and Baker (1992), two constant delays; end point: an independent delay solver at tight tolerance",
    )


def _delayed_sine(name: str) -> Problem:
    return Problem(
        name,
        Equations({"y": "-y(t - pi/2)"}),
        (0.0, 10.0),
        (0.0,),
        {"y": "sin(t)"},
        (math.sin(10.0),),
        "y = sin(t), smooth at the start: a test of order",
    )


_MAKERS = MappingProxyType(
    {
        "rober": _rober,
        "hires": _hires,
        "orego": _orego,
        "vdpol": _vdpol,
        "lorenz": _lorenz,
        "lotka_volterra": _lotka_volterra,
        "mackey_glass": _mackey_glass,
        "delayed_decay": _delayed_decay,
        "delayed_chain": _delayed_chain,
        "delayed_sine": _delayed_sine,
    }
)
PROBLEMS = tuple(_MAKERS)
