"""The result of a recall, with named axes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .episodes import Visit, find_visits
from .model import GSEMM
from .trajectory import Trajectory

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stats:
    """What a recall cost.

    Attributes:
        accepted, rejected, evaluations: steps and evaluations of the vector field, for each cue.
        seconds: of the whole batch.
        backend: what ran.
    """

    accepted: tuple[int, ...]
    rejected: tuple[int, ...]
    evaluations: tuple[int, ...]
    seconds: float
    backend: str


@dataclass(frozen=True, eq=False, repr=False)
class Recall:
    """What followed from a cue, or from a batch of cues.

    Arrays are xarray objects with the axes time, memory and feature; a batch has the axis cue before them. Times have
    the unit of the model's time constants. `recall[i]` is the recall of one cue of a batch.

    Attributes:
        trajectory: the states themselves, as plain arrays.
        single: whether one cue was given without a batch axis.
        seconds: time that integration took.
    """

    trajectory: Trajectory
    single: bool
    seconds: float

    @property
    def model(self) -> GSEMM:
        """The network."""
        return self.trajectory.problem.model

    @property
    def t(self) -> xarray.DataArray:
        """Output times, (time,)."""
        import xarray

        return xarray.DataArray(self._t, dims="time", coords={"time": self._t}, name="time")

    @property
    def features(self) -> xarray.DataArray:
        """V_f, (time, feature); made anew at each call, see `features_at` for a few times."""
        return self._labelled(self.trajectory.features(), "features", "feature")

    def features_at(self, times: ArrayLike) -> xarray.DataArray:
        """V_f at the output times nearest to `times`, (time, feature)."""
        wanted = np.atleast_1d(np.asarray(times, dtype=np.float64))
        nearest = np.abs(self._t[:, None] - wanted).argmin(0)
        return self._labelled(self.trajectory.features(nearest), "features", "feature", self._t[nearest])

    @property
    def hidden(self) -> xarray.DataArray:
        """V_h, (time, memory)."""
        return self._labelled(self.trajectory.hidden(), "hidden", "memory")

    @property
    def delayed(self) -> xarray.DataArray:
        """V_d, (time, feature)."""
        return self._labelled(self.trajectory.delayed(), "delayed", "feature")

    @property
    def overlaps(self) -> xarray.DataArray:
        """Cosine between the active features s_f(V_f) and each memory, (time, memory).

        It is 1 where a memory is recalled exactly, whatever the scale of patterns and features; for patterns and
        activities of -1 and 1 it is the overlap of the field, the mean of their products.
        """
        return self._labelled(self._overlaps, "overlaps", "memory")

    def overlaps_with(self, patterns: ArrayLike) -> xarray.DataArray:
        """Cosine between the active features s_f(V_f) and other patterns than the model's, (time, memory).

        Args:
            patterns: (patterns, N).
        """
        others = np.asarray(patterns, dtype=np.float64)
        if others.ndim != 2 or others.shape[1] != self.model.features:
            raise ValueError(f"patterns must be (patterns, {self.model.features}), got shape {others.shape}")
        return self._labelled(self.trajectory.overlaps(others), "overlaps", "memory")

    @property
    def energy(self) -> xarray.DataArray:
        """E, (time,); see `sharpwave.memory.energy`."""
        return self._labelled(self._energies[..., 0], "energy")

    @property
    def descent(self) -> xarray.DataArray:
        """The part of dE/dt from descent on the energy surface, (time,): never positive."""
        return self._labelled(self._energies[..., 1], "descent")

    @property
    def drift(self) -> xarray.DataArray:
        """The part of dE/dt from the surface's own motion, (time,)."""
        return self._labelled(self._energies[..., 2], "drift")

    @cached_property
    def visits(self) -> tuple[tuple[Visit, ...], ...]:
        """The visits of each cue of the batch; see `sharpwave.memory.find_visits` for the rule."""
        return tuple(find_visits(self._t, overlaps) for overlaps in self._overlaps)

    @property
    def episodes(self) -> tuple[Visit, ...]:
        """The visits of a single cue: memory, enter, leave, peak overlap. For a batch use `recall[i].episodes`."""
        return self.visits[self._only]

    @property
    def dwell_times(self) -> Array:
        """Times from entering to leaving of the complete visits of a single cue, (visits,)."""
        return np.array([visit.dwell for visit in self.episodes if visit.complete])

    def sequence(self) -> tuple[int, ...]:
        """The memories that a single cue visited, in order."""
        return tuple(visit.memory for visit in self.episodes)

    @property
    def stats(self) -> Stats:
        """Steps, evaluations, seconds, backend."""
        done = self.trajectory.integration
        return Stats(
            accepted=tuple(done.accepted.tolist()),
            rejected=tuple(done.rejected.tolist()),
            evaluations=tuple(done.evaluations.tolist()),
            seconds=self.seconds,
            backend=done.backend,
        )

    @property
    def success(self) -> bool:
        """Whether every trajectory reached the end."""
        return bool((self.trajectory.integration.reached >= self.trajectory.problem.t_end).all())

    @property
    def message(self) -> str:
        """What became of the recall, and what to do if it stopped short."""
        if self.success:
            return "every trajectory reached the end"
        done, problem = self.trajectory.integration, self.trajectory.problem
        worst = int(done.reached.argmin())
        spent = done.accepted[worst] + done.rejected[worst] >= problem.max_steps
        cause = f"max_steps={problem.max_steps} were taken" if spent else "the step became too small"
        remedy = "raise max_steps, rtol or atol" if spent else "the state may grow without bound: check the constants"
        return f"cue {worst} stopped at t={done.reached[worst]:g} of {problem.t_end:g}: {cause}; {remedy}"

    def __len__(self) -> int:
        return self.trajectory.problem.batch

    def __getitem__(self, cue: int) -> Recall:
        problem, done = self.trajectory.problem, self.trajectory.integration
        one = [range(problem.batch)[cue]]
        part = replace(
            problem, features=problem.features[one], delayed=problem.delayed[one], hidden=problem.hidden[one]
        )
        integration = replace(
            done,
            states=done.states[one],
            reached=done.reached[one],
            accepted=done.accepted[one],
            rejected=done.rejected[one],
            evaluations=done.evaluations[one],
        )
        return Recall(Trajectory(part, integration), True, self.seconds)

    def summary(self) -> str:
        """A few lines of text: the model, what was visited and when, what it cost."""
        lines = [repr(self.model), f"t = 0 to {self.trajectory.problem.t_end:g}, {self.message}"]
        for cue, visits in enumerate(self.visits):
            path = " ".join(str(visit.memory) for visit in visits[:40]) + (" ..." if len(visits) > 40 else "")
            complete = [visit.dwell for visit in visits if visit.complete]
            dwell = f"; dwell {np.mean(complete):.3g} on average" if complete else ""
            lines.append(f"{'visits' if self.single else f'cue {cue}'}: {path or 'none'}{dwell}")
        stats = self.stats
        lines.append(
            f"{sum(stats.accepted)} steps, {sum(stats.rejected)} rejected, {sum(stats.evaluations)} evaluations, "
            f"{stats.seconds:.3g} s, {stats.backend}"
        )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Recall\n{self.summary()}>"

    def plot(self, image_shape: tuple[int, int] | None = None) -> Figure:
        """Draw a single cue's overlaps and energy over time, and the features as images if their shape is given.

        Args:
            image_shape: (height, width) of the features.
        """
        from .figures import recall_figure

        return recall_figure(self[self._only], image_shape)

    def save(self, path: str | Path) -> None:
        """Write everything to a netCDF file, by atomic rename; `load_recall` reads it."""
        from .storage import save_recall

        save_recall(self, Path(path))

    @property
    def _only(self) -> int:
        if len(self) > 1:
            raise ValueError(f"this is the recall of {len(self)} cues: take one of them, such as recall[0]")
        return 0

    @property
    def _t(self) -> Array:
        return self.trajectory.problem.t_eval

    @cached_property
    def _overlaps(self) -> Array:
        return self.trajectory.overlaps()

    @cached_property
    def _energies(self) -> Array:
        return self.trajectory.energies()

    def _labelled(self, values: Array, name: str, unit: str | None = None, t: Array | None = None) -> xarray.DataArray:
        import xarray

        dims = ["cue", "time", *([unit] if unit else [])]
        array = xarray.DataArray(values, dims=dims, coords={"time": self._t if t is None else t}, name=name)
        return array[0] if self.single else array
