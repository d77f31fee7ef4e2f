"""The readouts by the names that estimators give them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from sharpwave.suggest import unknown

from .linear_readout import LinearReadout
from .ngram_readout import NGram
from .patch_readouts import MostSpiked, SpatialCorrelation
from .readouts import AllActivity, ProportionWeighting, Readout, TopPercent

Integers = NDArray[np.int64]

# Of the number of classes, the patch of each unit, and its place.
_MADE: dict[str, Callable[[int, Integers, Integers], Readout]] = {
    "all": lambda classes, patch, place: AllActivity(classes),
    "proportion": lambda classes, patch, place: ProportionWeighting(classes),
    "ngram": lambda classes, patch, place: NGram(classes),
    "linear": lambda classes, patch, place: LinearReadout(classes),
    "top": lambda classes, patch, place: TopPercent(classes),
    "most-spiked": lambda classes, patch, place: MostSpiked(classes, patch),
    "correlation": lambda classes, patch, place: SpatialCorrelation(classes, place),
}
VOTES = tuple(_MADE)


def vote_names(first: str, others: Iterable[str]) -> tuple[str, ...]:
    """Names of readouts without repetition, the deciding one first.

    Raises:
        ValueError: a name that is none.

    Example:
        >>> vote_names("ngram", ("all", "ngram"))
        ('ngram', 'all')
        >>> vote_names("most spiked", ())
        Traceback (most recent call last):
        ...
        ValueError: unknown readout 'most spiked': did you mean 'most-spiked'?
    """
    if isinstance(others, str):
        raise ValueError(f"readouts must be a tuple of names, got {others!r}: write ({others!r},)")
    names = tuple(dict.fromkeys((first, *others)))
    for name in names:
        if name not in VOTES:
            raise ValueError(unknown("readout", str(name), VOTES))
    return names


def made_readout(name: str, classes: int, units: int, positions: int) -> Readout:
    """A readout for a layer whose units are numbered by position, then patch.

    A layer without positions has one, and each of its units is a patch.
    """
    place, patch = np.divmod(np.arange(units), units // positions)
    return _MADE[name](classes, patch, place)
