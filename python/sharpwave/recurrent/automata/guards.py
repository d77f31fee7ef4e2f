"""Guards: what clocks must show for a transition to be taken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ...suggest import unknown

_TERM = re.compile(
    r"\s*(?P<clock>[A-Za-z_]\w*)\s*(?:%\s*(?P<period>\d+)\s*)?(?P<sign><=|>=|==|<|>)\s*(?P<number>\d+)\s*"
)
_FORM = "such as 'x > 5' or 'x % 10 < 5 and y >= 2'"
FOREVER = 2**62  # a clock that must only be late enough


class Bound(NamedTuple):
    """`low <= clock < high`, or the same of the clock modulo a period.

    Attributes:
        clock: place of the clock, from 0.
        period: 0 for none.
        low, high: steps.
    """

    clock: int
    period: int
    low: int
    high: int

    def holds(self, clocks: Sequence[int]) -> bool:
        """Whether it does for these values of all clocks."""
        value = clocks[self.clock]
        return self.low <= (value % self.period if self.period else value) < self.high


def parse_guard(text: str, clocks: Iterable[str]) -> tuple[Bound, ...]:
    """The bounds that a guard demands, all of them; an empty text demands nothing.

    Args:
        text: comparisons of clocks, or of clocks modulo a period, with whole numbers of steps, joined by `and`.
        clocks: names of the clocks, in their order.

    Raises:
        ValueError: anything else, an unknown clock, a period below 2, or a bound that can never hold.

    Example:
        >>> parse_guard("x % 10 < 5 and y > 2", ["x", "y"])[0]
        Bound(clock=0, period=10, low=0, high=5)
    """
    names = list(clocks)
    if not text.strip():
        return ()
    return tuple(_bound(text, part, names) for part in text.split(" and "))


def _bound(text: str, part: str, names: list[str]) -> Bound:
    found = _TERM.fullmatch(part)
    if found is None:
        raise ValueError(
            f"guard {text!r}: {part.strip()!r} is no comparison of a clock with a number of steps, {_FORM}"
        )
    name, sign, number = found["clock"], found["sign"], int(found["number"])
    if name not in names:
        raise ValueError(f"guard {text!r}: {unknown('clock', name, names)}")
    period = 0 if found["period"] is None else int(found["period"])
    if found["period"] is not None and period < 2:
        raise ValueError(f"guard {text!r}: a period must be at least 2 steps, got {period}")
    low = {">": number + 1, ">=": number, "==": number}.get(sign, 0)
    high = {"<": number, "<=": number + 1, "==": number + 1}.get(sign, FOREVER)
    if low >= min(high, period or FOREVER):
        raise ValueError(f"guard {text!r}: {part.strip()!r} never holds")
    return Bound(names.index(name), period, low, high)
