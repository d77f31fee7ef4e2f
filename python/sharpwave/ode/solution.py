"""What a solver gives back: SciPy's fields, with names for the axes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import xarray

Array = NDArray[np.float64]

# The kernel's reasons for ending a trajectory, as the user reads them.
MESSAGES = {
    0: "reached the end of t_span",
    1: "stopped at a terminal event",
    -1: "took max_steps steps before the end: the result is partial; raise max_steps, or loosen rtol and atol",
    -2: "the step size fell to the spacing of floating-point numbers: the result is partial; the solution may blow up "
    "or jump there, or rtol and atol ask for too much",
    -3: "a derivative is not finite: the result is partial; check the equations at the last t and y",
    -4: "a delayed value was asked for at a time after the present: the result is partial; delays must not be negative",
}


@dataclass(frozen=True, eq=False)
class DenseOutput:
    """A solution as a function of time: one polynomial a step.

    Attributes:
        t: (steps + 1,) where steps begin, and the end.
        coefficients: (steps, degree + 1, n) of rising powers of the fraction of the step that has passed.
    """

    t: Array
    coefficients: Array

    def __call__(self, t: ArrayLike) -> Array:
        """The state at one time, (n,), or at several, (n, times).

        Raises:
            ValueError: a time outside the solution.
        """
        times = np.asarray(t, dtype=np.float64)
        first, last = sorted((self.t[0], self.t[-1]))
        if times.size and (times.min() < first or times.max() > last):
            raise ValueError(f"the solution covers {first} to {last}; asked for {times.min()} to {times.max()}")
        direction = -1.0 if self.t[-1] < self.t[0] else 1.0
        step = np.searchsorted(direction * self.t, direction * times, side="right") - 1
        step = np.clip(step, 0, len(self.coefficients) - 1)
        x = ((times - self.t[step]) / (self.t[step + 1] - self.t[step]))[..., None]
        value = self.coefficients[step, -1]
        for power in range(self.coefficients.shape[1] - 2, -1, -1):
            value = value * x + self.coefficients[step, power]
        return np.ascontiguousarray(value.T)


@dataclass(frozen=True, eq=False)
class Solution:
    """One solved trajectory.

    Attributes:
        t: (times,) the `t_eval` that was asked for and reached, or the time of every accepted step.
        y: (n, times) the state at these times.
        sol: the solution as a function of time, if `dense_output` was asked for.
        t_events: for each event the times at which it happened.
        y_events: for each event the states, (occurrences, n).
        status: 0 the end was reached, 1 a terminal event, negative: stopped short.
        message: what the status means, and what to do.
        nfev, njev, nlu: evaluations of the right-hand side, of its Jacobian, and LU decompositions.
        stats: accepted and rejected steps, method, backend.
        variables: names of the rows of y.
    """

    t: Array
    y: Array
    sol: DenseOutput | None
    t_events: list[Array]
    y_events: list[Array]
    status: int
    nfev: int
    njev: int
    nlu: int
    stats: dict[str, Any]
    variables: tuple[str, ...]

    @property
    def message(self) -> str:
        return MESSAGES[self.status]

    @property
    def success(self) -> bool:
        return self.status >= 0

    def __getitem__(self, variable: str) -> Array:
        """One variable over time, by its name."""
        try:
            found: Array = self.y[self.variables.index(variable)]
        except ValueError:
            from ..suggest import unknown

            raise KeyError(unknown("variable", variable, self.variables)) from None
        return found

    @property
    def dataset(self) -> xarray.Dataset:
        """Time courses as an xarray data set, a variable each, along `time`."""
        import xarray

        courses = {name: ("time", row) for name, row in zip(self.variables, self.y, strict=True)}
        attributes = {"status": self.status, "message": self.message, **self.stats}
        return xarray.Dataset(courses, coords={"time": self.t}, attrs=attributes)

    def plot(self, axes: Any = None) -> Any:
        """Draw every variable over time; returns the matplotlib axes."""
        import matplotlib.pyplot as plt

        if axes is None:
            _, axes = plt.subplots(figsize=(7, 4), layout="constrained")
        for name, row in zip(self.variables, self.y, strict=True):
            axes.plot(self.t, row, label=name)
        axes.set(xlabel="time")
        axes.legend()
        return axes


@dataclass(frozen=True, eq=False)
class SolutionBatch:
    """Solutions of one system from several initial states or parameters, in one call.

    Attributes:
        solutions: one `Solution` a trajectory; also by index and by iteration.
        t: (times,) the `t_eval` of all, or None without one: then each trajectory has its own times.
        y: (batch, n, times), NaN where a trajectory stopped short, or None without `t_eval`.
    """

    solutions: tuple[Solution, ...]
    t: Array | None = None
    y: Array | None = None

    def __getitem__(self, index: int) -> Solution:
        return self.solutions[index]

    def __iter__(self) -> Iterator[Solution]:
        return iter(self.solutions)

    def __len__(self) -> int:
        return len(self.solutions)

    @property
    def status(self) -> NDArray[np.int64]:
        """(batch,) as in `Solution`."""
        return np.array([solution.status for solution in self.solutions])

    @property
    def success(self) -> bool:
        """Whether every trajectory reached its end or a terminal event."""
        return all(solution.success for solution in self.solutions)

    @property
    def message(self) -> str:
        """The message of the first trajectory that stopped short, else of the first."""
        for index, solution in enumerate(self.solutions):
            if not solution.success:
                return f"trajectory {index}: {solution.message}"
        return self.solutions[0].message
