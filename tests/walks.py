"""A small experiment whose steps can be killed at a chosen moment.

Run as a program with a JSON list of [directory, moment], it starts or resumes a run there and kills it at that moment.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from sharpwave.experiments import Context, Experiment
from sharpwave.runs import latest, reopen, start

KILL_AT = "SHARPWAVE_TEST_KILL_AT"


def kill_at(point: str) -> None:
    """Die by SIGKILL here if the environment names this point."""
    if os.environ.get(KILL_AT) == point:
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class WalkConfig:
    """A random walk."""

    seed: int = 0
    tau_f: float = 1.5
    sizes: tuple[int, ...] = (20, 30)
    backend: str = "auto"
    centered: bool = False

    def __post_init__(self) -> None:
        if self.tau_f <= 0:
            raise ValueError(f"tau_f must be positive, got {self.tau_f}")


def draw(context: Context) -> dict[str, Any]:
    kill_at("draw: begin")
    steps = context.rng().standard_normal(context.config.sizes)
    context.metric("first step", steps[0, 0])
    kill_at("draw: end")
    return {"steps": (("walker", "time"), steps)}


def walk(context: Context) -> dict[str, Any]:
    places = context["draw"].steps.cumsum("time") * context.config.tau_f
    noise = context.rng().standard_normal(places.shape[0])
    for walker in range(places.shape[0]):
        context.metric("end", float(places[walker, -1]) + noise[walker], at=walker, unit="m")
        context.progress(walker + 1, places.shape[0])
        kill_at(f"walk: {walker}")
    context.timing("walking", 0.25)
    context.table("Ends", ["walker", "place / m"], [[0, float(places[0, -1])]], "Where it ended.")
    return {"places": places, "spread": float(places.std())}


def draw_figure(context: Context) -> None:
    figure = Figure(figsize=(3, 2))
    figure.add_subplot().plot(context["walk"].places.values.T)
    kill_at("draw_figure: begin")
    context.figure("walks", figure, title="Walks <all>", alt="Twenty lines & more", caption="Ends differ.")
    context.metric("spread", float(context["walk"].spread), unit="m", note="of all places")
    kill_at("draw_figure: end")


EXPERIMENT = Experiment(
    name="walk",
    title="Random walks",
    summary="Walkers walk.",
    source="",
    config=WalkConfig,
    quick={"sizes": (3, 4)},
    steps=(draw, walk, draw_figure),
    headline=("spread",),
)


def main(root: Path) -> None:
    """Start a run below root, or resume the one that is there."""
    replace, renamed = os.replace, 0

    def counting_replace(source: Any, target: Any) -> None:
        nonlocal renamed
        renamed += 1
        kill_at(f"before rename {renamed}")
        replace(source, target)
        kill_at(f"after rename {renamed}")

    os.replace = counting_replace
    found = latest(EXPERIMENT, root)
    run = reopen(found, EXPERIMENT) if found else start(EXPERIMENT, WalkConfig(seed=3), root)
    run.execute(lambda step, fraction: kill_at(f"watch: {step} {fraction}"))


def killed_at(root: Path, point: str) -> bool:
    """Do `main` in a process of its own; whether it died by SIGKILL at this point, or else came to its end."""
    child = os.fork()
    if child == 0:
        os.environ[KILL_AT] = point
        main(root)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status not in (0, -signal.SIGKILL):
        raise SystemExit(f"{point}: ended with {status}")
    return status != 0


if __name__ == "__main__":
    for module in ("h5netcdf.legacyapi", "jinja2", "matplotlib.backends.backend_svg", "xarray", "sharpwave.report"):
        import_module(module)  # once, so that the children need not
    print(json.dumps([killed_at(Path(root), point) for root, point in json.loads(sys.argv[1])]))
