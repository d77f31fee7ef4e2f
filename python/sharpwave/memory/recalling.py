"""Recall: what follows from a cue."""

from __future__ import annotations

import importlib
import math
import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..backends import in_julia
from ..suggest import unknown
from .energies import equilibrium
from .model import GSEMM
from .problem import Input, Integration, Problem
from .result import Recall
from .trajectory import Trajectory

Array = NDArray[np.float64]

_METHODS = ("tsit5", "rk4")


def recall(
    model: GSEMM,
    cue: ArrayLike,
    t_end: float,
    *,
    delayed: ArrayLike | None = None,
    hidden: ArrayLike | None = None,
    input: ArrayLike | Sequence[tuple[float, float, ArrayLike]] | None = None,
    t_eval: ArrayLike | None = None,
    n_times: int | None = None,
    dt: float | None = None,
    method: str | None = None,
    rtol: float = 1e-6,
    atol: float = 1e-9,
    max_steps: int = 1_000_000,
    backend: str = "auto",
    reduced: bool | None = None,
) -> Recall:
    """Integrate a model from a cue, or from a batch of cues.

    Args:
        model: the network.
        cue: initial features V_f, (N,), or (batch, N).
        t_end: the end; recall begins at time 0.
        delayed: initial delayed features V_d, of the shape of the cue or (N,). The source does not say where its
            runs begin; the default is zero, from which its DSEM figure comes out.
        hidden: initial hidden activity V_h, (K,) or (batch, K), for tau_h > 0; default: its equilibrium.
        input: feature input during recall: a vector (N,) for all times, or pieces (t_start, t_end, vector), which
            add up.
        t_eval: output times, rising within [0, t_end].
        n_times: number of evenly spaced output times in place of t_eval; the default is ten in each tau_f, at least
            201 and at most 5001.
        dt: fixed step; it chooses the method "rk4".
        method: "tsit5" (adaptive, the default) or "rk4" (the classical Runge-Kutta method with the step dt).
        rtol, atol: relative and absolute tolerance of the adaptive method.
        max_steps: steps of one trajectory after which it stops short with a partial result.
        backend: "julia", "torch", or "auto": Julia, and torch where there is none, with one warning. The torch
            backend takes one step size for the whole batch, the Julia backend one for each trajectory.
        reduced: whether to integrate in overlap space, which is exact for the identity as feature activation;
            default: wherever it is and K <= N.

    Returns:
        A `Recall`. If `success` is false, some trajectory stopped short: `message` says why, and there was a warning.

    Raises:
        ValueError: an argument does not fit the model, or is out of range.

    Example:
        >>> import numpy as np
        >>> from sharpwave.memory import DSEM, cycle
        >>> patterns = 10 * np.eye(4)
        >>> recall(DSEM(patterns, cycle(4)), patterns[1], 20.0, backend="torch").sequence()
        (1, 2, 3, 0, 1, 2)
    """
    cues, single = _states("cue", cue, None, model.features)
    batch = len(cues)
    end = _positive("t_end", t_end)
    step = _step(method, dt)
    started = np.zeros_like(cues) if delayed is None else _states("delayed", delayed, batch, model.features)[0]
    form = _reduced(model, reduced)
    problem = Problem(
        model=model,
        features=cues,
        delayed=started,
        hidden=_initial_hidden(model, hidden, cues, started),
        input=feature_input(input, model.features, end),
        t_eval=_output_times(t_eval, n_times, end, model.tau_f),
        t_end=end,
        dt=step,
        rtol=_positive("rtol", rtol),
        atol=_positive("atol", atol),
        max_steps=int(_positive("max_steps", max_steps)),
        reduced=form,
    )
    began = time.perf_counter()
    integration = integrate(problem, backend)
    result = Recall(Trajectory(problem, integration), single, time.perf_counter() - began)
    if not result.success:
        warnings.warn(result.message, RuntimeWarning, stacklevel=2)
    return result


def integrate(problem: Problem, backend: str) -> Integration:
    """Hand a problem to a backend by its name, or for "auto" to the first that there is.

    Raises:
        ValueError: no backend has this name.
        JuliaUnavailableError: Julia was asked for by name, and there is none.
    """
    module = ".julia_backend" if in_julia(backend) else ".torch_backend"
    done: Integration = importlib.import_module(module, __package__).integrate(problem)
    return done


def feature_input(given: Any, features: int, t_end: float) -> Input:
    """The feature input as pieces that begin at 0 and follow one another.

    Args:
        given: None, a vector (N,), or pieces (t_start, t_end, vector), which may overlap and then add up.
        features: N.
        t_end: the end of the recall; what lies beyond it is left out.

    Raises:
        ValueError: a vector or a time does not fit.
    """
    if given is None:
        return Input(np.zeros(1), np.zeros((1, features)))
    if isinstance(given, np.ndarray) or not all(isinstance(part, (tuple, list)) for part in given):
        return Input(np.zeros(1), _vector("input", given, features)[None])
    pieces = []
    for part in given:
        if len(part) != 3:
            raise ValueError(f"a piece of the input is (t_start, t_end, vector), got {len(part)} values")
        begin, end = float(part[0]), float(part[1])
        if not 0 <= begin < end:
            raise ValueError(f"a piece of the input must have 0 <= t_start < t_end, got {begin} and {end}")
        pieces.append((begin, end, _vector("input", part[2], features)))
    ends = {0.0, *(moment for begin, end, _ in pieces for moment in (begin, end) if moment < t_end)}
    starts = np.array(sorted(ends))
    drive = np.zeros((len(starts), features))
    for begin, end, vector in pieces:
        drive[(starts >= begin) & (starts < end)] += vector
    return Input(starts, drive)


def _states(name: str, given: ArrayLike, batch: int | None, width: int) -> tuple[Array, bool]:
    """A batch of states, and whether one state was given without a batch axis."""
    array = np.array(given, dtype=np.float64, order="C")
    expected = f"({width},) or ({'batch' if batch is None else batch}, {width})"
    if array.ndim not in (1, 2) or array.shape[-1] != width or array.size == 0:
        raise ValueError(f"{name} must be {expected}, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity")
    if array.ndim == 1:
        return np.repeat(array[None], batch or 1, axis=0), True
    if batch is not None and len(array) != batch:
        raise ValueError(f"{name} must be {expected}, got shape {array.shape}")
    return array, False


def _vector(name: str, given: ArrayLike, width: int) -> Array:
    array = np.array(given, dtype=np.float64)
    if array.shape != (width,) or not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite and ({width},), got shape {array.shape}")
    return array


def _positive(name: str, value: float) -> float:
    number = float(value)
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"{name} must be positive, got {value}")
    return number


def _step(method: str | None, dt: float | None) -> float:
    """The fixed step, or 0 for adaptive steps."""
    if method is not None and method not in _METHODS:
        raise ValueError(unknown("method", method, _METHODS))
    if method == "rk4" and dt is None:
        raise ValueError("method 'rk4' takes fixed steps: give dt")
    if method == "tsit5" and dt is not None:
        raise ValueError(f"method 'tsit5' chooses its steps, got dt={dt}: leave dt out, or use method 'rk4'")
    return 0.0 if dt is None else _positive("dt", dt)


def _reduced(model: GSEMM, reduced: bool | None) -> bool:
    linear = model.feature_activation.name == "identity"
    if reduced and not linear:
        raise ValueError(
            f"the overlap-space form needs the identity as feature activation, got {model.feature_activation!r}: "
            "leave reduced out"
        )
    return linear and model.memories <= model.features if reduced is None else bool(reduced)


def _initial_hidden(model: GSEMM, hidden: ArrayLike | None, cues: Array, delayed: Array) -> Array:
    if model.tau_h == 0:
        if hidden is not None:
            raise ValueError("hidden activity cannot be given at tau_h = 0, where it is always at its equilibrium")
        return np.zeros((len(cues), 0))
    return (
        equilibrium(model, cues, delayed) if hidden is None else _states("hidden", hidden, len(cues), model.memories)[0]
    )


def _output_times(t_eval: ArrayLike | None, n_times: int | None, t_end: float, tau_f: float) -> Array:
    if t_eval is None:
        count = min(max(round(10 * t_end / tau_f) + 1, 201), 5001) if n_times is None else n_times
        if count != int(count) or count < 2:
            raise ValueError(f"n_times must be an integer of at least 2, got {n_times}")
        return np.linspace(0.0, t_end, int(count))
    if n_times is not None:
        raise ValueError("give t_eval or n_times, not both")
    times = np.array(t_eval, dtype=np.float64, order="C")
    if times.ndim != 1 or times.size == 0 or times[0] < 0 or times[-1] > t_end or not (times[1:] > times[:-1]).all():
        raise ValueError(f"t_eval must be one axis of times that rise within [0, {t_end}]")
    return times
