"""`sharpwave bench`: measure, print tables, write the record."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path

from sharpwave_bridge import JuliaUnavailableError

from .bridge import measure_bridge
from .dynamics import measure_dynamics
from .forward import measure_forward
from .install import install_peers, peers_python
from .measure import Say
from .ode import OURS as OUR_ODE_SOLVERS
from .ode import measure_odes
from .peers.recall_cases import CASES
from .recall import OURS as OUR_RECALL
from .recall import measure_recalls
from .record import Cost, Entry, Group, Point, compare, context, save
from .replay import measure_replay
from .spiking import measure_growth, measure_spiking
from .table import details, summary
from .waves import measure_waves
from .worker import Worker, WorkerError
from .worker import ours as our_worker
from .worker import peers as peer_worker

_PAIRED: dict[str, Callable[[Say], tuple[list[Entry], list[Cost]]]] = {
    "waves": measure_waves,
    "dynamics": measure_dynamics,
    "forward": measure_forward,
}
GROUPS = ("bridge", "ode", "recall", "spiking", "replay", *_PAIRED)
LIMIT = 30.0  # seconds of one sample
SAVED = Path("scripts/results/bench.json")


def main(words: Sequence[str]) -> int:
    """Run the benchmark.

    Args:
        words: the command line after `sharpwave bench`.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(
        "sharpwave bench", description="Measure sharpwave against other libraries, on this machine.", allow_abbrev=False
    )
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"{', '.join(GROUPS)}; default: all")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds that one sample may take (%(default)g)")
    parser.add_argument("--save", action="store_true", help=f"write to {SAVED} in place of runs/bench/")
    parser.add_argument(
        "--install-peers", action="store_true", help="put the other libraries into .venv-peers and stop"
    )
    given = parser.parse_args(words)
    unknown = [name for name in given.groups if name not in GROUPS]
    if unknown:
        parser.error(f"no group is called {unknown[0]!r}: there are {', '.join(GROUPS)}")
    root = Path.cwd()
    if given.install_peers:
        return 1 if install_peers(root) else 0
    command = shlex.join(["sharpwave", "bench", *words])
    path = root / SAVED if given.save else root / "runs" / "bench" / _identifier() / "bench.json"
    groups = {}
    for name, group in run(given.groups or GROUPS, root, given.limit, command, _say):
        groups[name] = group
        save(path, {name: group})  # so that what was measured outlives what follows
    print(summary(groups) + "\n" + details(groups))
    print(f"written to {os.path.relpath(path)}")
    return 0


def run(names: Sequence[str], root: Path, limit: float, command: str, say: Say) -> Iterator[tuple[str, Group]]:
    """Measure groups, one after the other.

    Args:
        names: of the groups.
        root: the folder that has `.venv-peers`; where it does not, peers are missing and ours are measured alone.
        limit: seconds that one sample may take.
        command: what to record as the command.
        say: takes lines that tell how it goes.

    Yields:
        The name of a group, and the group.
    """
    with ExitStack() as stack:
        ours = stack.enter_context(our_worker())
        peers, missing = _peers(stack, root)
        versions = peers.describe()["versions"] if peers else {}
        for name, why in missing.items():
            say(f"skipped: {name} ({why})")
        for name in names:
            try:
                points, entries, costs = _measured(name, ours, peers, limit, say)
            except JuliaUnavailableError as error:
                say(f"{name}: not measured: {error}")
                continue
            alone = name == "bridge" or name in _PAIRED
            about = context(command, {} if alone else versions)
            yield name, Group(about, tuple(points), tuple(entries), tuple(costs), {} if alone else missing)


def _measured(
    name: str, ours: Worker, peers: Worker | None, limit: float, say: Say
) -> tuple[Sequence[Point], Sequence[Entry], Sequence[Cost]]:  # fmt: skip
    if name == "bridge":
        return (), (), tuple(measure_bridge(say))
    if name in _PAIRED:
        return (), *_PAIRED[name](say)
    if name == "replay":
        return measure_replay(ours, peers, limit, say)
    if name == "spiking":
        return *measure_spiking(ours, peers, limit, say), _growth(say)
    if name == "ode":
        points = measure_odes(ours, peers, limit, say)
        return points, compare(points, OUR_ODE_SOLVERS), ()
    points, products = measure_recalls(ours, peers, limit, say)
    return points, compare(points, dict.fromkeys(CASES, OUR_RECALL)), products


def _growth(say: Say) -> tuple[Cost, ...]:
    try:
        return tuple(measure_growth(say))
    except JuliaUnavailableError as error:
        say(f"spiking: growth is not measured: {error}")
        return ()


def _peers(stack: ExitStack, root: Path) -> tuple[Worker | None, dict[str, str]]:
    """The peers' worker if it runs, and the names of what is missing with the reason."""
    python = peers_python(root)
    if not python.exists():
        return None, {"all peers": "there is no .venv-peers: scripts/bench --install-peers makes it"}
    worker = stack.enter_context(peer_worker(python))
    try:
        return worker, worker.describe()["missing"]
    except WorkerError as error:
        return None, {"all peers": str(error)}


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _identifier() -> str:
    return datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
