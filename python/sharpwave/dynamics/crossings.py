"""Where an eigenvalue crosses the unit circle, and what happens there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .arcs import Arc

Array = NDArray[np.float64]
Kind = Literal["fold", "transcritical", "pitchfork", "flip", "Neimark-Sacker"]
_NODES = 6  # points beside a crossing of two curves, from which it is extrapolated
_BESIDE = 0.1  # distance of the furthest, in units of a step
_ODD = 1e-4  # second derivative, in units of the third, below which a crossing is that of an odd map


@dataclass(frozen=True, eq=False)
class Crossing:
    """An eigenvalue on the unit circle.

    Attributes:
        kind: at 1 a `"fold"`, where two points meet and vanish, a `"transcritical"` crossing with another curve of
            points, or a `"pitchfork"`, from which two curves branch off; at -1 a `"flip"`, from which a cycle of twice
            the period branches off; a pair elsewhere is `"Neimark-Sacker"`, from which a closed curve does.
        at: p.
        state: h (n,).
        eigenvalue: of a pair, the one above the real axis.
        outward: whether it leaves the unit disc, as the branch was followed; None if it only touches the circle, as on
            the curve that branches off at a pitchfork.
    """

    kind: Kind
    at: float
    state: Array
    eigenvalue: complex
    outward: bool | None

    @property
    def angle(self) -> float:
        """Of the eigenvalue, in degrees, from 0 to 180."""
        return float(np.degrees(np.abs(np.angle(self.eigenvalue))))

    def __str__(self) -> str:
        way = {True: "goes out of", False: "goes into", None: "touches"}[self.outward]
        return f"{self.kind} at {self.at:.10g}: an eigenvalue at {self.angle:.3f} degrees {way} the unit circle"


@dataclass(frozen=True, eq=False)
class Stretch:
    """What is between two points of a branch that follow each other: vectors z of an `Arc`, and tangents there."""

    arc: Arc
    begin: Array
    end: Array
    tangent: Array
    end_tangent: Array

    @property
    def turns(self) -> bool:
        """Whether p begins to fall where it rose, or to rise where it fell."""
        return bool(self.tangent[-1] * self.end_tangent[-1] < 0)

    def point(self, s: float) -> Array | None:
        """The branch's point at a share of the way; None: none was found.

        It is looked for near a cubic curve that has both points and tangents, in the plane orthogonal to it.
        """
        chord = np.linalg.norm(self.end - self.begin)
        t, u = self.tangent * chord, self.end_tangent * chord
        gap = self.end - self.begin
        guess = self.begin + s * t + s**2 * (3 * gap - 2 * t - u) + s**3 * (t + u - 2 * gap)
        row = t + 2 * s * (3 * gap - 2 * t - u) + 3 * s**2 * (t + u - 2 * gap)
        return self.arc.corrected(guess, row / np.linalg.norm(row))

    def crossing(self, before: complex, after: complex, tolerance: float) -> Crossing:
        """Where an eigenvalue crosses, that is inside the unit circle at one end and outside at the other.

        Args:
            before, after: the eigenvalue at the ends.
            tolerance: of p.
        """
        from scipy.optimize import brentq

        def eigenvalue(s: float) -> complex:
            z, expected = self.point(s), (1 - s) * before + s * after
            if z is None:  # two curves cross here, and none is singled out
                return expected / abs(expected)
            found = np.linalg.eigvals(self.arc.jacobian(z))
            return complex(found[np.argmin(np.abs(found - expected))])

        span = max(1e-3, abs(self.end[-1] - self.begin[-1])) * self.arc.step
        s = float(brentq(lambda s: abs(eigenvalue(s)) - 1, 0.0, 1.0, xtol=tolerance / span / 4))
        value, outward = eigenvalue(s), abs(after) > abs(before)
        if value.imag == 0 and value.real > 0 and not self.turns:
            state, p = self._beside(s, lambda s, _: eigenvalue(s).real - 1)
            return Crossing(self._kind(state, p), p, state, 1 + 0j, outward)
        z = self.point(s)
        state, p = self.arc.split(self.begin + s * (self.end - self.begin) if z is None else z)
        kind: Kind = "Neimark-Sacker"
        if value.imag == 0:
            kind = "fold" if value.real > 0 else "flip"
        return Crossing(kind, p, state, complex(value.real, abs(value.imag)), outward)

    def touch(self) -> Crossing:
        """Where the branch turns back and no eigenvalue crosses: it is the curve that branches off at a pitchfork."""
        places = np.linspace(0.0, 1.0, 21)[1:-1]
        points = [self.point(s) for s in places]
        values = [-np.inf if z is None else -z[-1] * np.sign(self.tangent[-1]) for z in points]
        state, p = self._beside(float(places[np.argmin(values)]), None)
        return Crossing("pitchfork", p, state, 1 + 0j, None)

    def _beside(self, s: float, height: Callable[[float, Array], float] | None) -> tuple[Array, float]:
        """State and p where a function is 0, or p turns, near a place at which the branch cannot be computed well: by a
        polynomial through points beside it."""
        places = s + _BESIDE * np.cos((np.arange(_NODES) + 0.5) * np.pi / _NODES)
        points = [self.point(place) for place in places]
        missing = self.begin + s * (self.end - self.begin)
        curve = np.array([missing if point is None else point for point in points])
        scaled = (places - s) / _BESIDE
        fit = np.polyfit(scaled, curve, _NODES - 1)
        if height is None:
            roots = np.roots(np.polyder(fit[:, -1]))
        else:
            values = [height(*one) for one in zip(places, curve, strict=True)]
            roots = np.roots(np.polyfit(scaled, values, _NODES - 1))
        root = roots[np.argmin(np.abs(roots))].real
        return self.arc.split((root ** np.arange(_NODES - 1, -1, -1)) @ fit)

    def _kind(self, state: Array, p: float) -> Kind:
        """By derivatives along the direction that neither grows nor shrinks."""
        map = self.arc.path.at(p)
        matrix = map.jacobian(state)
        values, right = np.linalg.eig(matrix)
        v = right[:, np.argmin(np.abs(values - 1))].real
        values, left = np.linalg.eig(matrix.T)
        w = left[:, np.argmin(np.abs(values - 1))].real
        w, e = w / (w @ v), 1e-3

        def along(amount: float) -> float:
            return float(w @ (map.jacobian(state + amount * v) @ v))

        second, third = (along(e) - along(-e)) / (2 * e), (along(e) - 2 * along(0.0) + along(-e)) / e**2
        return "pitchfork" if abs(second) < _ODD * (1 + abs(third)) else "transcritical"
