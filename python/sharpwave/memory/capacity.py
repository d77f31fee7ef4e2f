"""Capacity: how many memories can be recalled in order, by the protocols of the source, as a sweep that can be resumed.

Protocols, each a question about random memories:

* "chain": the largest K at N features for which the recall of an open chain goes 0, 1, 2.
* "bits":  the largest K at N features for which, after one transition, nine tenths of the features are within .1 of
  their bits.
* "cycle": the least N at which a cycle of K memories makes over 5 K visits, over .8 of them in one run of whole cycles.

A draw succeeds or fails; the answer is where the share of successes crosses what is asked (96 of 100 in the source's
chain). Of the source's own numbers only this is known: its chain grows about as exp(.25 N), to about 300 at N = 32.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..files import write_json
from ..suggest import unknown
from .draws import DrawnNetwork, DrawnRecalls, recall_draws
from .growth import Growth, Threshold, fit_growth, threshold_size, wilson_interval

_PROTOCOLS = ("chain", "bits", "cycle")
_LEAST = 4  # memories, or features in a cycle: below, chance correlations and not capacity decide
_FINENESS = 1.1  # ratio of neighbouring sizes at which the search ends


@dataclass(frozen=True)
class CapacityStudy:
    """What is asked.

    Attributes:
        protocol: "chain", "bits" or "cycle".
        power: of the polynomial activation; None is the softmax.
        bias: bits are 1 with probability .5 + bias.
        draws: at each size.
        share: of draws that must succeed.
        largest: the largest number of memories, or in a cycle of features, that is tried.
        seed: of all draws; each (N, K) has its own stream.
    """

    protocol: str = "chain"
    power: int | None = None
    bias: float = 0.0
    draws: int = 100
    share: float = 0.96
    largest: int = 4096
    seed: int = 0

    def __post_init__(self) -> None:
        if self.protocol not in _PROTOCOLS:
            raise ValueError(unknown("protocol", self.protocol, _PROTOCOLS))
        if not -0.5 < self.bias < 0.5:
            raise ValueError(f"bias must be between -0.5 and 0.5, got {self.bias}")
        if not 0 < self.share <= 1:
            raise ValueError(f"share must be above 0 and at most 1, got {self.share}")
        if self.draws < 1 or self.largest < _LEAST:
            raise ValueError(
                f"draws must be at least 1 and largest at least {_LEAST}, got {self.draws}, {self.largest}"
            )


@dataclass(frozen=True)
class CapacityPoint:
    """The answer at one size.

    Attributes:
        size: features N, or in a cycle memories K.
        tried: sizes tried in the search: memories, or in a cycle features.
        successes: of the study's draws at each.
        threshold: where the share crosses, with its interval; None where 4 memories are too many, or in a cycle the
            study's largest number of features is too small.
        censored: whether the study's largest number of memories succeeded, so that the answer is a lower bound.
    """

    size: int
    tried: tuple[int, ...]
    successes: tuple[int, ...]
    threshold: Threshold | None
    censored: bool

    def shares(self, draws: int) -> list[tuple[float, float, float]]:
        """Share of successes at each tried size, with Wilson's 95 % interval."""
        return [(hits / draws, *wilson_interval(hits, draws)) for hits in self.successes]


@dataclass(frozen=True)
class CapacityCurve:
    """The answers at several sizes."""

    study: CapacityStudy
    points: tuple[CapacityPoint, ...]

    def growth(self) -> Growth:
        """Exponential against polynomial growth, over the points that have an answer which is not a mere bound."""
        known = [(p.size, p.threshold.estimate) for p in self.points if p.threshold and not p.censored]
        sizes, answers = zip(*known, strict=True) if known else ((), ())
        return fit_growth(sizes, answers)


def capacity_curve(
    study: CapacityStudy, sizes: Iterable[int], directory: str | Path | None = None, jobs: int = 1
) -> CapacityCurve:
    """Find the capacity at several sizes.

    Args:
        study: what is asked.
        sizes: numbers of features N, or for the cycle protocol numbers of memories K.
        directory: where each finished point is kept as a file, written by atomic rename; a second call reads finished
            points instead of finding them again. The answers depend neither on the order of work nor on jobs.
        jobs: processes, through joblib.

    Returns:
        A `CapacityCurve`.

    Raises:
        ValueError: the directory holds points of another study.

    Example:
        >>> curve = capacity_curve(CapacityStudy(draws=20, share=0.9, largest=64), [12, 20])
        >>> small, large = (point.threshold.estimate for point in curve.points)
        >>> small < large
        True
    """
    from joblib import Parallel, delayed

    wanted = [int(size) for size in sizes]
    home = None if directory is None else Path(directory)
    missing = [size for size in wanted if home is None or not _file(home, study, size).exists()]
    found = Parallel(n_jobs=jobs)(delayed(_find_and_keep)(study, size, home) for size in missing)
    points = {point.size: point for point in found}
    for size in wanted:
        if size not in points and home is not None:
            points[size] = _read(_file(home, study, size), study)
    return CapacityCurve(study, tuple(points[size] for size in wanted))


def find_capacity(study: CapacityStudy, size: int) -> CapacityPoint:
    """The answer at one size: tried sizes double until the outcome changes, then the gap is halved in its logarithm.

    Args:
        study: what is asked.
        size: features N, or in a cycle memories K.
    """
    rises = study.protocol == "cycle"  # more features help, more memories hurt
    hits: dict[int, int] = {}

    def goes_on(tried: int) -> bool:
        """Whether the outcome at this size is that of small sizes."""
        hits[tried] = _successes(study, size, tried)
        return (hits[tried] >= study.share * study.draws) != rises

    low, high = _LEAST, 2 * _LEAST
    changed = not goes_on(low)
    while not changed and low < study.largest:
        high = min(2 * low, study.largest)
        changed = not goes_on(high)
        if not changed:
            low = high
    if changed and high in hits:
        while high > low + 1 and high / low > _FINENESS:
            middle = round((low * high) ** 0.5)
            middle = min(max(middle, low + 1), high - 1)
            if goes_on(middle):
                low = middle
            else:
                high = middle
    tried = sorted(hits)
    successes = [hits[k] for k in tried]
    none = (not changed) if rises else (changed and tried == [_LEAST])
    answer = None if none else threshold_size(tried, successes, study.draws, study.share, study.seed, rises)
    return CapacityPoint(size, tuple(tried), tuple(successes), answer, censored=not changed and not rises)


def _successes(study: CapacityStudy, size: int, tried: int) -> int:
    cyclic = study.protocol == "cycle"
    features, memories = (tried, size) if cyclic else (size, tried)
    network = DrawnNetwork(features, memories, study.power, closed=cyclic, bias=study.bias)
    stream = np.random.SeedSequence(
        study.seed, spawn_key=(_PROTOCOLS.index(study.protocol), study.power or 0, features, memories)
    )
    visits = {"chain": 3, "bits": 3, "cycle": 6 * memories}[study.protocol]
    hits, batch = 0, max(1, 20_000_000 // (features * memories))
    for part, begin in zip(stream.spawn(-(-study.draws // batch)), range(0, study.draws, batch), strict=True):
        recalls = recall_draws(network, part, min(batch, study.draws - begin), visits)
        hits += _count(study.protocol, recalls, memories)
    return hits


def _count(protocol: str, recalls: DrawnRecalls, memories: int) -> int:
    if protocol == "chain":
        return sum(visits[:3] == [0, 1, 2] for visits in recalls.visits)
    if protocol == "bits":
        reached = [visits[:2] == [0, 1] for visits in recalls.visits]
        return int((np.array(reached) & (recalls.bits >= 0.9)).sum())
    return sum(cycle_share(visits, memories) > 0.8 and len(visits) > 5 * memories for visits in recalls.visits)


def cycle_share(visits: list[int], memories: int) -> float:
    """The share of visits in the longest run of whole correct cycles.

    Example:
        >>> cycle_share([0, 1, 2, 0, 1, 2, 1], 3)
        0.8571428571428571
    """
    if not visits:
        return 0.0
    longest = run = 1
    for before, after in itertools.pairwise(visits):
        run = run + 1 if after == (before + 1) % memories else 1
        longest = max(longest, run)
    return longest // memories * memories / len(visits)


def _file(home: Path, study: CapacityStudy, size: int) -> Path:
    return home / f"{study.protocol}-{study.power or 'softmax'}-{size}.json"


def _find_and_keep(study: CapacityStudy, size: int, home: Path | None) -> CapacityPoint:
    point = find_capacity(study, size)
    if home is not None:
        write_json(_file(home, study, size), {"study": asdict(study), "point": asdict(point)})
    return point


def _read(path: Path, study: CapacityStudy) -> CapacityPoint:
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if record["study"] != asdict(study):
        raise ValueError(f"{path} belongs to another study, {record['study']}: choose another directory, or remove it")
    point = record["point"]
    threshold = None if point["threshold"] is None else Threshold(**point["threshold"])
    return CapacityPoint(
        point["size"], tuple(point["tried"]), tuple(point["successes"]), threshold, bool(point["censored"])
    )
