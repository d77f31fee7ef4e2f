"""Events: where an expression changes its sign along a solution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """A sign change to be found along a solution.

    Args:
        expression: text in the variables, parameters and `t`, such as `"x - 1"`.
        terminal: end the solution at this event; a number n ends it at the n-th. False: go on.
        direction: +1 counts only rises of the expression through zero, -1 only falls, 0 both.

    Raises:
        ValueError: `terminal` is negative, or `direction` is not -1, 0 or +1.

    Example:
        >>> Event("height", terminal=True, direction=-1).expression
        'height'
    """

    expression: str
    terminal: bool | int = False
    direction: int = 0

    def __post_init__(self) -> None:
        if int(self.terminal) < 0:
            raise ValueError(f"terminal must be False, True or a positive count, got {self.terminal!r}")
        if self.direction not in (-1, 0, 1):
            raise ValueError(f"direction must be -1, 0 or +1, got {self.direction!r}")


def as_events(events: Event | str | Sequence[Event | str] | None) -> tuple[Event, ...]:
    """What a user gives as events, as a tuple of `Event`.

    Raises:
        ValueError: it is something else.
    """
    if events is None:
        return ()
    if isinstance(events, Event | str):
        events = (events,)
    if not isinstance(events, Sequence) or not all(isinstance(event, Event | str) for event in events):
        raise ValueError(f"events must be Events or expressions such as 'x - 1', one or several, got {events!r}")
    return tuple(event if isinstance(event, Event) else Event(event) for event in events)
